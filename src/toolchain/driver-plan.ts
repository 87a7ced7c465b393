/** Reads what a driver would do for a compile: the output of `-###`, which GCC and Clang print on stderr. */

import { basename } from 'node:path';
import { driverCommands, type PlannedCommand } from '../compiler/index.ts';
import type { CompilerDialect, CompilerDriver, ComponentRole } from './toolchain.ts';

/** A program that the driver would start. */
export interface PlannedProgram {
  readonly role: ComponentRole;
  /** As the driver would exec it: absolute, or a bare name to be found in PATH. */
  readonly program: string;
}

/** What a driver told about itself and a compile. */
export interface DriverPlan {
  readonly dialect: CompilerDialect;
  readonly driver: CompilerDriver;
  /** The line with its version. */
  readonly versionText: string;
  /** What it starts besides itself, each once. */
  readonly programs: readonly PlannedProgram[];
  /** Specs files of gcc and configuration files of clang that it has read. */
  readonly optionFiles: ReadonlyArray<{ readonly role: 'specs' | 'config'; readonly path: string }>;
  /** The GCC that a clang takes its C++ headers from. */
  readonly gccInstallation: string | undefined;
}

/** Programs by the last part of their name (`aarch64-linux-gnu-as` assembles). */
const PROGRAM_ROLES: Readonly<Record<string, ComponentRole>> = {
  cc1: 'cc1',
  cc1plus: 'cc1plus',
  cc1obj: 'cc1obj',
  cc1objplus: 'cc1objplus',
  as: 'as',
  objcopy: 'objcopy',
};

/**
 * Reads the output of `<driver> -### -v -c … x.c`. Where `x.c` has no `-x` before it, whether it is compiled as
 * C or as C++ tells which driver this is.
 * @returns the plan, or the reason why this is no output of a compiler that we know
 */
export function parseDriverPlan(output: string): DriverPlan | { readonly reason: string } {
  const gccLine = /^gcc version .*$/m.exec(output)?.[0];
  const clangLine = /^.*\bclang version .*$/m.exec(output)?.[0];
  const versionText = clangLine ?? gccLine;
  if (versionText === undefined) {
    return { reason: `it tells no version of GCC or Clang; it said: ${firstWords(output)}` };
  }
  const words = driverCommands(output);
  const plan = clangLine === undefined ? planOfGcc(words) : planOfClang(words);
  if ('reason' in plan) return plan;
  return {
    ...plan,
    versionText: versionText.trim(),
    optionFiles: [
      ...namedFiles(output, /^Reading specs from (.*)$/gm, 'specs'),
      ...namedFiles(output, /^Configuration file: (.*)$/gm, 'config'),
    ],
    gccInstallation: /^Selected GCC installation: (.*)$/m.exec(output)?.[1],
  };
}

type CommandPlan = Pick<DriverPlan, 'dialect' | 'driver' | 'programs'>;

function planOfGcc(commands: readonly PlannedCommand[]): CommandPlan | { readonly reason: string } {
  const programs = uniquePrograms(commands);
  if ('reason' in programs) return programs;
  const compiler = programs.find(({ role }) => role.startsWith('cc1'));
  if (compiler === undefined) return { reason: 'it starts no compiler proper for a source' };
  if (!programs.some(({ role }) => role === 'as')) return { reason: 'it starts no assembler for a source' };
  return { dialect: 'gcc', driver: compiler.role === 'cc1plus' ? 'c++' : 'c', programs };
}

function planOfClang(commands: readonly PlannedCommand[]): CommandPlan | { readonly reason: string } {
  const front = commands.find((words) => words[1] === '-cc1');
  if (front === undefined) return { reason: 'it starts no -cc1 for a C file' };
  const programs = uniquePrograms(commands.filter((words) => words[1] !== '-cc1'));
  if ('reason' in programs) return programs;
  const language = front[front.lastIndexOf('-x') + 1];
  return { dialect: 'clang', driver: language === 'c++' ? 'c++' : 'c', programs };
}

function uniquePrograms(commands: readonly PlannedCommand[]): PlannedProgram[] | { readonly reason: string } {
  const programs = new Map<string, PlannedProgram>();
  for (const [program] of commands) {
    if (program === undefined) continue;
    const role = PROGRAM_ROLES[basename(program).replace(/^.*-/, '')];
    if (role === undefined) return { reason: `it starts ${program}, whose part in a compile is not known` };
    programs.set(program, { role, program });
  }
  return [...programs.values()];
}

function namedFiles<Role extends 'specs' | 'config'>(
  output: string,
  pattern: RegExp,
  role: Role,
): Array<{ role: Role; path: string }> {
  const paths = [...output.matchAll(pattern)].map((match) => match[1] ?? '');
  return [...new Set(paths)].map((path) => ({ role, path }));
}

function firstWords(output: string): string {
  const text = output.trim().replace(/\s+/g, ' ');
  return text === '' ? 'nothing' : text.slice(0, 200);
}
