/** A tree of sources as large as what a unit of a large C project reads: 600 headers that every unit reaches. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { classify, type Invocation } from '../../src/compiler/index.ts';
import type { ClosureRequest } from '../../src/include-scan/index.ts';
import { seededRandom } from '../../test/base/seeded-random.ts';
import { GCC } from '../../test/worker/real-toolchains.ts';
import { BenchError } from '../bench-error.ts';

const HEADERS = 600;
const HEADERS_PER_DIRECTORY = 20;
const UNITS = 24;
/** As many directories are searched in vain before the right one. */
const EMPTY_DIRECTORIES = 5;

export interface HeaderTree {
  readonly directory: string;
  readonly headers: readonly string[];
  /** Spelled as on a command line. */
  readonly units: readonly string[];
  /** Arguments of the compiler for a unit. */
  argumentsOf(unit: string): string[];
  /** What the submitter asks about a unit. */
  requestOf(unit: string): ClosureRequest;
}

const nameOf = (index: number): string =>
  `part-${Math.floor(index / HEADERS_PER_DIRECTORY)}/header-${index}.h`;

/** Each header includes two further ones, so that the first one leads to all. */
function headerText(index: number, random: ReturnType<typeof seededRandom>): string {
  const next = [2 * index + 1, 2 * index + 2].filter((other) => other < HEADERS);
  const lines = [`#ifndef HEADER_${index}_H`, `#define HEADER_${index}_H`];
  for (const other of next) lines.push(`#include <${nameOf(other)}>`);
  for (let item = 0; item < 12; item++) {
    lines.push(
      '/**',
      ` * What there is to be said about item ${item} of header ${index}, at some length, as is usual.`,
      ' */',
      `#define ITEM_${index}_${item}(x) ((x) * ${random.below(1000)} + ${random.below(1000)})`,
      `struct part_${index}_${item} { int kind; unsigned long flags[${1 + random.below(8)}]; void *next; };`,
      `extern int use_${index}_${item}(struct part_${index}_${item} *part, int how);`,
      '#ifdef CONFIG_SOMETHING',
      `#define WITH_${index}_${item} 1`,
      '#endif',
      '',
    );
  }
  return `${lines.join('\n')}\n#endif\n`;
}

function invocationOf(args: readonly string[]): Invocation {
  const call = classify({
    compilerName: 'gcc',
    dialect: 'gcc',
    args,
    environment: {},
    readResponseFile: () => undefined,
  });
  if (call.kind === 'distributable') return call.invocation;
  throw new BenchError(`the call stays local: ${JSON.stringify(call)}`);
}

/** Writes the tree. The same in each run. */
export function writeHeaderTree(directory: string): HeaderTree {
  const random = seededRandom(1);
  const include = join(directory, 'include');
  const write = (path: string, text: string): string => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  };
  const headers = Array.from({ length: HEADERS }, (_, index) =>
    write(join(include, nameOf(index)), headerText(index, random)),
  );
  const units = Array.from({ length: UNITS }, (_, index) => {
    const body = Array.from({ length: 20 }, (_, line) => `int value_${line} = ITEM_${index}_1(${line});`);
    write(join(directory, `unit-${index}.c`), `#include <${nameOf(0)}>\n${body.join('\n')}\n`);
    return `unit-${index}.c`;
  });
  const search = Array.from({ length: EMPTY_DIRECTORIES }, (_, index) => `empty-${index}`);
  for (const name of search) mkdirSync(join(directory, name));
  const options = [...search, 'include'].map((name) => `-I${name}`);
  const warnings = ['-Wall', '-Wundef', '-Wstrict-prototypes', '-Wno-trigraphs', '-fno-strict-aliasing'];
  const defines = Array.from({ length: 12 }, (_, index) => `-DSETTING_${index}=${index}`);
  const argumentsOf = (unit: string): string[] => {
    const object = unit.replace(/c$/, 'o');
    return [...options, ...defines, ...warnings, '-O2', '-c', unit, '-o', object];
  };
  const requestOf = (unit: string): ClosureRequest => ({
    invocation: invocationOf(argumentsOf(unit)),
    compilerPath: GCC,
    compilerId: 'gcc',
    workingDirectory: directory,
    environment: [],
  });
  return { directory, headers, units, argumentsOf, requestOf };
}
