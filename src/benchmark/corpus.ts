/**
 * The sources that `meshcc bench` compiles: written by a generator from fixed seeds, so that the figures of all users
 * are figures of the same work. They need no header of the system. Whoever changes a character of them gives them
 * another version: figures of two versions do not compare.
 */
import { SteadyRandom } from './random.ts';

/** Version of the sources and of the options that they are compiled with. */
export const CORPUS_VERSION = 1;

/** How the units are compiled, besides `-c UNIT -o OBJECT`. */
export const CORPUS_OPTIONS: readonly string[] = ['-O2', '-std=gnu11', '-nostdinc', '-fno-common'];

const UNITS = 6;
const HEADERS = 6;
const TYPES_PER_HEADER = 12;
const FUNCTIONS_PER_UNIT = 14;
const STATEMENTS_PER_FUNCTION = 34;
const MOST_NESTING = 3;

/** One translation unit. */
export interface CorpusUnit {
  /** File name, e.g. `unit-1.c`. */
  readonly name: string;
  /** After preprocessing, without line markers and empty lines, those of headers included. */
  readonly lines: number;
}

export interface Corpus {
  readonly version: number;
  /** Texts by file name; all in one directory. */
  readonly files: ReadonlyMap<string, string>;
  readonly units: readonly CorpusUnit[];
}

const VARIABLES = ['a', 'b', 'c', 'd', 'e', 'f'] as const;
const OPERATORS = ['+', '-', '*', '^', '&', '|', '+', '-'] as const;

/** Structures and small functions, as headers have them. */
function header(number: number): string[] {
  const random = new SteadyRandom(1000 + number);
  const lines: string[] = [];
  for (let type = 0; type < TYPES_PER_HEADER; type++) {
    const name = `part_${number}_${type}`;
    lines.push(`enum ${name}_kind { ${name}_none, ${name}_one = ${1 + random.below(50)}, ${name}_last };`);
    lines.push(
      `struct ${name} {`,
      ' enum part_kind kind;',
      ` unsigned long values[${4 + random.below(12)}];`,
    );
    lines.push(' double weight;', ` struct ${name} *next;`, ' const char *label;', '};');
    lines.push(`extern unsigned long ${name}_use(struct ${name} *part, unsigned long how);`);
    lines.push(`static inline unsigned long ${name}_fold(const struct ${name} *part, unsigned long seed)`);
    lines.push('{', ' unsigned long sum = seed;', ' for (int i = 0; i < 4; i++)');
    lines.push(`  sum = sum * ${3 + 2 * random.below(50)} + (part->values[i] >> ${random.below(20)});`);
    lines.push(` return part->next ? sum ^ part->next->values[${random.below(4)}] : sum;`, '}');
  }
  return lines;
}

/** The text of one function; grows line by line. */
class FunctionText {
  readonly lines: string[] = [];
  readonly #random: SteadyRandom;
  #nesting = 0;
  #left = STATEMENTS_PER_FUNCTION;

  constructor(random: SteadyRandom) {
    this.#random = random;
  }

  write(name: string): string[] {
    const part = this.#partName();
    this.lines.push(`unsigned long ${name}(struct ${part} *part, unsigned long *table, unsigned long count)`);
    this.lines.push('{', ' unsigned long a = count, b = 1, c = part->values[0], d = 7, e = 0, f = ~count;');
    this.lines.push(' double weight = part->weight;');
    while (this.#left > 0) this.#statement(part);
    this.lines.push(' part->weight = weight;', ' return a ^ b ^ c ^ d ^ e ^ f;', '}');
    return this.lines;
  }

  #partName(): string {
    return `part_${this.#random.below(HEADERS)}_${this.#random.below(TYPES_PER_HEADER)}`;
  }

  #line(text: string): void {
    this.lines.push(`${' '.repeat(this.#nesting + 1)}${text}`);
  }

  #statement(part: string): void {
    this.#left--;
    const choice = this.#random.below(this.#nesting < MOST_NESTING ? 12 : 7);
    const target = this.#random.of(VARIABLES);
    if (choice < 4) this.#line(`${target} = ${this.#expression(3)};`);
    else if (choice === 4) this.#line(`table[${this.#expression(1)} % 64] += ${this.#expression(2)};`);
    else if (choice === 5) this.#line(`weight = weight * 1.5 + (double)(${this.#expression(2)});`);
    else if (choice === 6) this.#line(`${target} += ${part}_fold(part, ${this.#expression(1)});`);
    else if (choice < 9) this.#block(`if (${this.#expression(2)} > ${this.#expression(1)}) {`, part, 3);
    else if (choice < 11) this.#loop(part);
    else this.#switch(part);
  }

  #loop(part: string): void {
    const counter = `i${this.#nesting}`;
    const bound = 8 + this.#random.below(56);
    this.#block(`for (unsigned long ${counter} = 0; ${counter} < ${bound}; ${counter}++) {`, part, 3, () =>
      this.#line(`${this.#random.of(VARIABLES)} += table[${counter}] * ${1 + this.#random.below(99)};`),
    );
  }

  #block(opening: string, part: string, statements: number, first: () => void = () => {}): void {
    this.#line(opening);
    this.#nesting++;
    first();
    for (let count = 0; count < statements; count++) this.#statement(part);
    this.#nesting--;
    this.#line('}');
  }

  #switch(part: string): void {
    this.#line(`switch (${this.#expression(1)} & 7) {`);
    this.#nesting++;
    for (let value = 0; value < 4; value++) {
      this.#line(`case ${value}:`);
      this.#statement(part);
      this.#line('break;');
    }
    this.#line('default:');
    this.#line(`part->next = part->next ? part->next->next : part;`);
    this.#nesting--;
    this.#line('}');
  }

  #expression(depth: number): string {
    const random = this.#random;
    if (depth === 0 || random.below(6) === 0) {
      const kind = random.below(4);
      if (kind === 0) return `${1 + random.below(100_000)}ul`;
      if (kind === 1) return `part->values[${random.below(4)}]`;
      return random.of(VARIABLES);
    }
    const kind = random.below(8);
    if (kind === 0) return `(${this.#expression(depth - 1)} >> ${1 + random.below(31)})`;
    if (kind === 1) return `(${this.#expression(depth - 1)} / (${this.#expression(depth - 1)} | 1))`;
    if (kind === 2) return `FOLD(${this.#expression(depth - 1)}, ${this.#expression(depth - 1)})`;
    return `(${this.#expression(depth - 1)} ${random.of(OPERATORS)} ${this.#expression(depth - 1)})`;
  }
}

function unitText(number: number): string[] {
  const random = new SteadyRandom(number);
  const lines: string[] = [];
  for (let index = 0; index < FUNCTIONS_PER_UNIT; index++)
    lines.push(...new FunctionText(random).write(`function_${number}_${index}`));
  return lines;
}

/** Makes the corpus; the same text each time. */
export function makeCorpus(): Corpus {
  const files = new Map<string, string>();
  const common = ['enum part_kind { part_free, part_used, part_shared };'];
  const macros = ['#define FOLD(x, y) (((x) << 7) ^ ((y) >> 3) ^ ((x) * (y)))'];
  files.set('common.h', guarded('COMMON_H', [...macros, ...common]));
  let headerLines = common.length;
  for (let number = 0; number < HEADERS; number++) {
    const lines = header(number);
    headerLines += lines.length;
    files.set(`part-${number}.h`, guarded(`PART_${number}_H`, ['#include "common.h"', ...lines]));
  }
  const includes = Array.from({ length: HEADERS }, (_, number) => `#include "part-${number}.h"`);
  const units: CorpusUnit[] = [];
  for (let number = 1; number <= UNITS; number++) {
    const lines = unitText(number);
    const name = `unit-${number}.c`;
    files.set(name, `${[...includes, ...lines].join('\n')}\n`);
    units.push({ name, lines: headerLines + lines.length });
  }
  return { version: CORPUS_VERSION, files, units };
}

function guarded(guard: string, lines: readonly string[]): string {
  return `${[`#ifndef ${guard}`, `#define ${guard}`, ...lines, '#endif'].join('\n')}\n`;
}
