/**
 * Random little projects, full of headers with the same names, links and macros: the scanner must find whatever
 * the compiler reads. The seeds are fixed, so that a failure can be seen again.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { classify, dependencyArguments } from '../../src/compiler/index.ts';
import { CompilerClosureFinder } from '../../src/include-scan/compiler-closure-finder.ts';
import { ScanningClosureFinder } from '../../src/include-scan/scanning-closure-finder.ts';
import { CommandRunner, DiskView } from './disk-view.ts';

const FIRST_SEED = Number(process.env.MESHCC_TEST_SEED ?? 1);
const PROJECTS = Number(process.env.MESHCC_TEST_PROJECTS ?? 24);
const NEVER = new AbortController().signal;
const ENVIRONMENT = ['LC_ALL=C'];

/** Numbers that depend on the seed alone (a linear congruential generator). */
function randomFrom(seed: number): (below: number) => number {
  let state = Math.imul(seed, 2_654_435_761) >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const DIRECTORIES = ['.', 'x', 'y', 'y/z', 'sys', 'q'];
const NAMES = ['a.h', 'b.h', 'c.h', 'd.h', 'z/a.h', 'z/e.h'];
const SEARCH_OPTIONS = ['-I', '-isystem', '-iquote', '-idirafter'];

class Project {
  readonly directory = realpathSync(mkdtempSync(join(tmpdir(), 'meshcc-random-')));
  readonly args: string[] = [];
  readonly #random: (below: number) => number;
  #guards = 0;

  constructor(seed: number) {
    this.#random = randomFrom(seed);
    for (const directory of DIRECTORIES) mkdirSync(join(this.directory, directory, 'z'), { recursive: true });
    for (let count = 4 + this.#random(12); count > 0; count--) this.#writeHeader();
    for (let count = this.#random(4); count > 0; count--) this.#link();
    for (let count = 1 + this.#random(6); count > 0; count--) this.#addSearchDirectory();
    if (this.#random(3) === 0) this.args.push('-DMACRO_1="a.h"');
    if (this.#random(4) === 0) this.args.push('-include', this.#pick(NAMES));
    this.#write('main.c', 6, false);
  }

  #pick(items: readonly string[]): string {
    return items[this.#random(items.length)] ?? '';
  }

  #writeHeader(): void {
    this.#write(`${this.#pick(DIRECTORIES)}/${this.#pick(NAMES)}`, 4, true);
  }

  #write(path: string, lines: number, isGuarded: boolean): void {
    const guard = `GUARD_${this.#guards++}`;
    const body = Array.from({ length: 1 + this.#random(lines) }, () => this.#line()).join('\n');
    const text = isGuarded ? `#ifndef ${guard}\n#define ${guard}\n${body}\n#endif\n` : `${body}\n`;
    writeFileSync(join(this.directory, path), text);
  }

  #name(): string {
    const name = this.#pick(NAMES);
    return this.#random(5) === 0 ? `${this.#pick(['..', './.', 'z/..', 'l/..', 'l'])}/${name}` : name;
  }

  #line(): string {
    const name = this.#name();
    const macro = `MACRO_${this.#random(3)}`;
    switch (this.#random(10)) {
      case 0:
      case 1:
        return `#include <${name}>`;
      case 2:
        return `#include_next ${this.#random(2) === 0 ? `<${name}>` : `"${name}"`}`;
      case 3:
        return `#undef ${macro}\n#define ${macro} ${this.#random(2) === 0 ? `<${name}>` : `"${name}"`}`;
      case 4:
        return `#ifdef ${macro}\n#include ${macro}\n#endif`;
      case 5:
        return `#define S1_${macro}(x) #x\n#define S_${macro}(x) S1_${macro}(x)\n#define N_${macro} ${name}\n#include S_${macro}(N_${macro})`;
      case 6:
        return `#if __has_include(<${name}>)\n#include "${name}"\n#else\n#include "b.h"\n#endif`;
      default:
        return `#include "${name}"`;
    }
  }

  #link(): void {
    const path = `${this.#pick(DIRECTORIES)}/${this.#pick(['l', 'a.h', 'd.h'])}`;
    const target = this.#pick(['x', '../y', '.', 'z', 'a.h', '../x/a.h', 'z/e.h', 'none']);
    try {
      symlinkSync(target, join(this.directory, path));
    } catch {
      // the name is taken: one link less
    }
  }

  #addSearchDirectory(): void {
    const directory = this.#pick([...DIRECTORIES, 'x/../y', 'l', 'none', 'y/z/z']);
    this.args.push(this.#pick(SEARCH_OPTIONS), directory);
  }
}

async function check(project: Project): Promise<void> {
  const call = classify({
    compilerName: 'gcc',
    dialect: 'gcc',
    args: [...project.args, '-w', '-c', 'main.c'],
    environment: { PWD: project.directory },
  });
  assert.ok(call.kind === 'distributable', JSON.stringify(call));
  const { invocation } = call;
  const runner = new CommandRunner();
  const view = new DiskView();
  const finder = new ScanningClosureFinder(view, runner.run, new CompilerClosureFinder(runner.run));
  const request = {
    invocation,
    compilerPath: '/usr/bin/gcc',
    compilerId: 'gcc',
    workingDirectory: project.directory,
    environment: ENVIRONMENT,
  };
  // -MG: the compiler goes on when a header is missing. -H: it prints what it really opened, one dot per level.
  const truth = await runner.run(
    {
      executable: '/usr/bin/gcc',
      argv: ['gcc', '-MG', '-H', ...dependencyArguments(invocation)],
      environment: ENVIRONMENT,
      workingDirectory: project.directory,
    },
    NEVER,
  );
  await view.refresh();
  const outcome = await finder.find(request, NEVER);
  if (outcome.kind === 'local') {
    assert.ok(project.args.includes('-include'), JSON.stringify(outcome));
    return;
  }
  const found = new Set(outcome.closure.files.map((file) => realpathSync.native(file)));
  const opened = [...truth.stderr.toString().matchAll(/^\.+ (.+)$/gm)].map((match) => match[1] ?? '');
  const missed = opened
    .map((path) => realpathSync.native(path.startsWith('/') ? path : `${project.directory}/${path}`))
    .filter((path) => !found.has(path));
  assert.deepEqual(missed, [], `missed with ${project.args.join(' ')} in ${project.directory}`);
}

suite('include scan: random projects', () => {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + PROJECTS; seed++) {
    test(`seed ${seed}`, async () => {
      const project = new Project(seed);
      await check(project);
      rmSync(project.directory, { recursive: true });
    });
  }
});
