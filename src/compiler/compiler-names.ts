/**
 * Names under which a compiler driver is called, and so under which the shim masquerades:
 * `[<target triple>-]<driver>[-<version>]`, e.g. `x86_64-linux-gnu-gcc-12`.
 */
import type { Dialect } from './option-row.ts';

/** What a name tells about a driver. */
export interface CompilerName {
  readonly dialect: Dialect;
  /** `c++`: C sources are compiled as C++ too. */
  readonly driver: 'c' | 'c++';
  /** The dialect is a guess: whoever installed the system decided which compiler this is. */
  readonly isGuess?: true;
}

/** The driver names without triple and version. */
export const DRIVER_NAMES: Readonly<Record<string, CompilerName>> = {
  cc: { dialect: 'gcc', driver: 'c', isGuess: true },
  gcc: { dialect: 'gcc', driver: 'c' },
  'c++': { dialect: 'gcc', driver: 'c++', isGuess: true },
  'g++': { dialect: 'gcc', driver: 'c++' },
  clang: { dialect: 'clang', driver: 'c' },
  'clang++': { dialect: 'clang', driver: 'c++' },
};

/**
 * A triple has two parts at least (`arm-eabi`), except `avr`: one part is more often a wrapper (`musl-gcc`,
 * `afl-clang`). c89 and c99 are left out because they are scripts that add arguments to gcc.
 */
const NAME_PATTERN =
  /^(?:(?:avr|[A-Za-z0-9_.]+(?:-[A-Za-z0-9_.]+){1,4})-)?(cc|gcc|c\+\+|g\+\+|clang|clang\+\+)(?:-[0-9]+(?:\.[0-9]+){0,2})?$/;

/**
 * What a file name says about a compiler driver, or undefined if it names none.
 * `gcc-ar`, `gcc-nm`, `gcc-ranlib`, `gcov`, `cpp` and the like are none.
 * @param basename the last component of the path
 */
export function isCompilerName(basename: string): CompilerName | undefined {
  const driver = NAME_PATTERN.exec(basename)?.[1];
  return driver === undefined ? undefined : DRIVER_NAMES[driver];
}
