/** The scanner over time: what it remembers, what makes it look again, and how it shares the event loop. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterEach, beforeEach, suite, test } from 'node:test';
import type { PathNode } from '../../src/base/path-walk.ts';
import { classify } from '../../src/compiler/index.ts';
import type { ClosureOutcome, ClosureRequest } from '../../src/include-scan/closure.ts';
import { CompilerClosureFinder } from '../../src/include-scan/compiler-closure-finder.ts';
import { ScanningClosureFinder } from '../../src/include-scan/scanning-closure-finder.ts';
import type { SourceFile } from '../../src/include-scan/source-view-port.ts';
import { CommandRunner, DiskView } from './disk-view.ts';

const NEVER = new AbortController().signal;

let directory = '';
let view = new DiskView();
let runner = new CommandRunner();
let finder = new ScanningClosureFinder(view, runner.run, new CompilerClosureFinder(runner.run));

beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'meshcc-scan-')));
  start(new DiskView());
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function start(newView: DiskView): void {
  view = newView;
  runner = new CommandRunner();
  finder = new ScanningClosureFinder(view, runner.run, new CompilerClosureFinder(runner.run));
}

function write(path: string, text: string): void {
  mkdirSync(dirname(join(directory, path)), { recursive: true });
  writeFileSync(join(directory, path), text);
}

function requestFor(...args: string[]): ClosureRequest {
  const call = classify({
    compilerName: 'gcc',
    dialect: 'gcc',
    args: ['-c', ...args],
    environment: { PWD: directory },
  });
  assert.ok(call.kind === 'distributable', JSON.stringify(call));
  return {
    invocation: call.invocation,
    compilerPath: '/usr/bin/gcc',
    compilerId: 'gcc',
    workingDirectory: directory,
    environment: ['LC_ALL=C'],
  };
}

/** The files below the test's own directory, sorted. */
function own(outcome: ClosureOutcome): string[] {
  assert.ok(outcome.kind === 'closure', JSON.stringify(outcome));
  return outcome.closure.files
    .map((file) => relative(directory, file))
    .filter((file) => !file.startsWith('..'))
    .sort();
}

async function find(request: ClosureRequest, signal: AbortSignal = NEVER): Promise<ClosureOutcome> {
  await view.refresh();
  return finder.find(request, signal);
}

async function scan(...args: string[]): Promise<string[]> {
  return own(await find(requestFor(...args)));
}

function dependencyQuestions(): number {
  return runner.argvs.filter((argv) => argv.includes('-M')).length;
}

suite('include scan: changes', () => {
  test('a header that changes what it includes', async () => {
    write('a.h', '#include "b.h"\n');
    write('b.h', '');
    write('c.h', '');
    write('main.c', '#include "a.h"\n');
    assert.deepEqual(await scan('main.c'), ['a.h', 'b.h', 'main.c']);
    write('a.h', '#include "b.h"\n#include "c.h"\n');
    assert.deepEqual(await scan('main.c'), ['a.h', 'b.h', 'c.h', 'main.c']);
    write('a.h', '');
    assert.deepEqual(await scan('main.c'), ['a.h', 'main.c']);
  });

  test('a header that appears earlier in the search path, and goes again', async () => {
    mkdirSync(join(directory, 'x'));
    write('y/a.h', '');
    write('main.c', '#include <a.h>\n');
    const args = ['-Inone', '-Ix', '-Iy', 'main.c'];
    assert.deepEqual(await scan(...args), ['main.c', 'y/a.h']);
    write('x/a.h', '');
    assert.deepEqual(await scan(...args), ['main.c', 'x/a.h']);
    write('none/a.h', '');
    assert.deepEqual(await scan(...args), ['main.c', 'none/a.h']);
    rmSync(join(directory, 'none'), { recursive: true });
    rmSync(join(directory, 'x/a.h'));
    assert.deepEqual(await scan(...args), ['main.c', 'y/a.h']);
  });

  test('a header that was missing when it was first looked for', async () => {
    write('main.c', '#if X\n#include "generated/a.h"\n#endif\n');
    assert.deepEqual(await scan('main.c'), ['main.c']);
    write('generated/a.h', '#include "b.h"\n');
    write('generated/b.h', '');
    assert.deepEqual(await scan('main.c'), ['generated/a.h', 'generated/b.h', 'main.c']);
  });

  test('a change that another search path met first', async () => {
    write('x/b.h', '');
    write('y/b.h', '');
    write('a.h', '#include <b.h>\n');
    write('main.c', '#include "a.h"\n');
    assert.deepEqual(await scan('-Ix', '-Iy', 'main.c'), ['a.h', 'main.c', 'x/b.h']);
    assert.deepEqual(await scan('-Iy', '-Ix', 'main.c'), ['a.h', 'main.c', 'y/b.h']);
    write('a.h', '#include "y/b.h"\n');
    assert.deepEqual(await scan('-Ix', '-Iy', 'main.c'), ['a.h', 'main.c', 'y/b.h']);
    assert.deepEqual(await scan('-Iy', '-Ix', 'main.c'), ['a.h', 'main.c', 'y/b.h']);
    rmSync(join(directory, 'y/b.h'));
    assert.deepEqual(await scan('-Ix', '-Iy', 'main.c'), ['a.h', 'main.c']);
    assert.deepEqual(await scan('-Iy', '-Ix', 'main.c'), ['a.h', 'main.c']);
  });

  test('a macro of a computed include that changes', async () => {
    write('conf.h', '#define H "a.h"\n');
    write('a.h', '');
    write('b.h', '');
    write('use.h', '#include H\n');
    write('main.c', '#include "conf.h"\n#include "use.h"\n');
    write('other.c', '#include "use.h"\n');
    assert.deepEqual(await scan('main.c'), ['a.h', 'conf.h', 'main.c', 'use.h']);
    assert.deepEqual(await scan('-DH="b.h"', 'other.c'), ['b.h', 'other.c', 'use.h']);
    write('conf.h', '#define H "b.h"\n');
    assert.deepEqual(await scan('main.c'), ['b.h', 'conf.h', 'main.c', 'use.h']);
    write('conf.h', '');
    assert.deepEqual(await scan('-DH="a.h"', 'main.c'), ['a.h', 'conf.h', 'main.c', 'use.h']);
    assert.equal(dependencyQuestions(), 0);
  });

  test('a file that a computed include did not find at first', async () => {
    write('main.c', '#define H "a.h"\n#ifdef X\n#include H\n#endif\n');
    assert.deepEqual(await scan('main.c'), ['main.c']);
    write('a.h', '');
    assert.deepEqual(await scan('main.c'), ['a.h', 'main.c']);
  });

  test('a precompiled header that appears and goes', async () => {
    write('a.h', '');
    write('main.c', '#include "a.h"\n');
    assert.deepEqual(await scan('main.c'), ['a.h', 'main.c']);
    write('a.h.gch', '');
    const outcome = await find(requestFor('main.c'));
    assert.equal(outcome.kind === 'local' && outcome.reason, 'precompiled-header');
    rmSync(join(directory, 'a.h.gch'));
    assert.deepEqual(await scan('main.c'), ['a.h', 'main.c']);
  });

  test('a structure that changes under a scan is scanned again', async () => {
    write('x/keep', '');
    write('y/a.h', '');
    write('main.c', '#include <a.h>\n');
    /** Lets a header appear while the source is being read. */
    class ChangingView extends DiskView {
      isArmed = true;
      override file(path: string): SourceFile | undefined {
        const file = super.file(path);
        if (this.isArmed && path.endsWith('y/a.h')) {
          this.isArmed = false;
          write('x/a.h', '');
          this.lookAgain();
        }
        return file;
      }
    }
    start(new ChangingView());
    assert.deepEqual(await scan('-Ix', '-Iy', 'main.c'), ['main.c', 'x/a.h']);
  });
});

suite('include scan: questions to the compiler', () => {
  test('its directories are asked for once, whatever directories and macros a call adds', async () => {
    for (const name of ['a', 'b', 'c']) write(`${name}.c`, '#include <stdio.h>\n');
    await scan('-DX=1', 'a.c');
    await scan('-Ix', '-isystem', 'y', 'b.c');
    await scan('-O2', '-Wall', '-iquote', 'z', '-DY', 'c.c');
    assert.equal(runner.argvs.length, 1);
    await scan('-nostdinc', 'a.c');
    assert.equal(runner.argvs.length, 2);
  });

  test('calls at the same time share a question', async () => {
    for (const name of ['a', 'b', 'c']) write(`${name}.c`, '#include <stdio.h>\n');
    await Promise.all(['a.c', 'b.c', 'c.c'].map((source) => scan(source)));
    assert.equal(runner.argvs.length, 1);
  });

  test('its list of inputs is asked for again only when a file of it changed', async () => {
    const long = new Date(Date.now() - 3_600_000);
    const age = (path: string): void => utimesSync(join(directory, path), long, long);
    write('0.h', '');
    write('1.h', '#include "b.h"\n');
    write('b.h', '');
    write('a.h', '');
    const computed = '#define S1(x) #x\n#define S(x) S1(x)\n#include S(__COUNTER__.h)\n';
    write('main.c', `#include "a.h"\n${computed}`);
    for (const path of ['0.h', '1.h', 'b.h', 'a.h', 'main.c']) age(path);
    assert.deepEqual(await scan('main.c'), ['0.h', 'a.h', 'main.c']);
    assert.deepEqual(await scan('main.c'), ['0.h', 'a.h', 'main.c']);
    assert.equal(dependencyQuestions(), 1);
    write('a.h', '#if __COUNTER__ == 0\n#endif\n');
    age('a.h');
    assert.deepEqual(await scan('main.c'), ['1.h', 'a.h', 'b.h', 'main.c']);
    assert.equal(dependencyQuestions(), 2);
    assert.deepEqual(await scan('main.c'), ['1.h', 'a.h', 'b.h', 'main.c']);
    assert.equal(dependencyQuestions(), 2);
  });

  test('a unit that a scan once failed is asked about from then on, as long as its files change', async () => {
    const long = new Date(Date.now() - 3_600_000);
    write('a.h', '');
    write('main.c', '#include "a.h"\n');
    write('other.c', '#include "a.h"\n');
    for (const path of ['a.h', 'main.c']) utimesSync(join(directory, path), long, long);
    await view.refresh();
    assert.deepEqual(own(await finder.findExactly(requestFor('main.c'), NEVER)), ['a.h', 'main.c']);
    assert.equal(dependencyQuestions(), 1);
    assert.deepEqual(await scan('main.c'), ['a.h', 'main.c']);
    assert.deepEqual(await scan('other.c'), ['a.h', 'other.c']);
    assert.equal(dependencyQuestions(), 1);
    write('a.h', '#define A\n');
    assert.deepEqual(await scan('main.c'), ['a.h', 'main.c']);
    assert.equal(dependencyQuestions(), 2);
  });

  test('a list that holds a file of this very moment is not remembered', async () => {
    write('0.h', '');
    write('main.c', '#define S1(x) #x\n#define S(x) S1(x)\n#include S(__COUNTER__.h)\n');
    await scan('main.c');
    await scan('main.c');
    assert.equal(dependencyQuestions(), 2);
  });

  test('a compiler that cannot be asked keeps the unit local', async () => {
    write('main.c', '');
    const request = { ...requestFor('main.c'), compilerPath: '/usr/bin/false' };
    const outcome = await find(request);
    assert.equal(outcome.kind === 'local' && outcome.reason, 'closure-failed');
  });
});

suite('include scan: the event loop', () => {
  const HEADERS = 200;
  const BUSY_MS = 1;

  /** Takes a while for each file, as a slow disk would. */
  class SlowView extends DiskView {
    override file(path: string): SourceFile | undefined {
      const { reads } = this;
      const file = super.file(path);
      const endMs = performance.now() + BUSY_MS;
      while (this.reads > reads && performance.now() < endMs);
      return file;
    }
  }

  function writeManyHeaders(): void {
    const names = Array.from({ length: HEADERS }, (_, index) => `h${index}.h`);
    for (const name of names) write(name, '');
    for (const source of ['a.c', 'b.c']) write(source, names.map((name) => `#include "${name}"\n`).join(''));
  }

  test('a cold scan gives others a turn many times', async () => {
    writeManyHeaders();
    start(new SlowView());
    await scan('-nostdinc', 'b.c', '-DWARM');
    start(new SlowView());
    let turns = 0;
    let isDone = false;
    const count = (): void => {
      turns++;
      if (!isDone) setImmediate(count);
    };
    const scanned = scan('a.c');
    // Counting starts when the compiler has been asked, so that only turns during the scan count.
    while (view.reads === 0) await new Promise((resolve) => setImmediate(resolve));
    setImmediate(count);
    const files = await scanned;
    isDone = true;
    assert.equal(files.length, HEADERS + 1);
    assert.ok(turns >= 10, `${turns} turns while ${HEADERS} files were read for ${BUSY_MS} ms each`);
  });

  test('scans at the same time find the same as one after the other', async () => {
    writeManyHeaders();
    write('x/h7.h', '#include "only-x.h"\n');
    write('x/only-x.h', '');
    write('c.c', '#include <h7.h>\n#include <h8.h>\n');
    start(new SlowView());
    const calls = [['a.c'], ['b.c'], ['-Ix', '-I.', 'c.c'], ['-I.', '-Ix', 'c.c'], ['a.c', '-DX']];
    const together = await Promise.all(calls.map((args) => scan(...args)));
    start(new DiskView());
    const single: string[][] = [];
    for (const args of calls) single.push(await scan(...args));
    assert.deepEqual(together, single);
    assert.deepEqual(single[2], ['c.c', 'h8.h', 'x/h7.h', 'x/only-x.h']);
  });

  test('an aborted scan ends', async () => {
    writeManyHeaders();
    const controller = new AbortController();
    /** Aborts while the scan is under way. */
    class AbortingView extends SlowView {
      override node(path: string): PathNode | undefined {
        if (path.endsWith('h50.h')) controller.abort();
        return super.node(path);
      }
    }
    start(new AbortingView());
    const outcome = await find(requestFor('a.c'), controller.signal);
    assert.equal(outcome.kind === 'local' && outcome.reason, 'interrupted');
    assert.ok(view.reads < HEADERS);
  });
});
