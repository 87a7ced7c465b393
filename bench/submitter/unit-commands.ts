/** The commands of the units: through the shim, by the preprocessor alone, and with debug information. */
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { BenchError } from '../bench-error.ts';
import { type ListedCommand, runList } from '../run-list.ts';
import { type Log, outputOf, plainEnvironment, type RecordedUnit } from '../workloads/index.ts';

/** One unit, ready to be measured. */
export interface BenchUnit {
  /** As the build calls the compiler; the name leads to the shim. */
  readonly compile: ListedCommand;
  /** `gcc -E` of the same with the real compiler. */
  readonly preprocess: ListedCommand;
  /** What a local compile made of it. */
  readonly expectedObject: string;
}

/** The objects' path of a compile, absolute. */
export function outputFileOf({ cwd, argv }: ListedCommand): string {
  return resolve(cwd, outputOf(argv));
}

/** The path of the depfile that the kernel's build asks for; absolute. Undefined: none. */
export function depfileOf({ cwd, argv }: ListedCommand): string | undefined {
  const path = argv.map((word) => /^-Wp,-MM?D,(.+)/.exec(word)?.[1]).find((found) => found !== undefined);
  return path === undefined ? undefined : resolve(cwd, path);
}

/** Replaces the word after `-o`. */
function withOutput(argv: readonly string[], path: string): string[] {
  const words = [...argv];
  words[words.indexOf('-o') + 1] = path;
  return words;
}

/** Depfiles go nowhere: the other command of the unit writes the real one at the same time. */
const withoutDepfile = (word: string): string => word.replace(/^(-Wp,-MM?D,).*/, '$1/dev/null');

function realCompiler(name: string): string {
  const directories = (process.env.PATH ?? '').split(':');
  const found = directories
    .map((directory) => join(directory, basename(name)))
    .find((path) => existsSync(path));
  if (found === undefined) throw new BenchError(`there is no ${name} in PATH`);
  return found;
}

/** A peer of ours that preprocesses here writes the text into a file too. */
function preprocessCommand({ cwd, argv }: RecordedUnit, scratch: string, index: number): ListedCommand {
  const [name = '', ...words] = withOutput(argv, join(scratch, `${index}.i`)).map(withoutDepfile);
  return { cwd, argv: [realCompiler(name), ...words.map((word) => (word === '-c' ? '-E' : word))] };
}

/** Units as they were recorded. */
export function plainUnits(units: readonly RecordedUnit[], scratch: string): BenchUnit[] {
  mkdirSync(scratch, { recursive: true });
  return units.map((unit, index) => ({
    compile: { cwd: unit.cwd, argv: unit.argv },
    preprocess: preprocessCommand(unit, scratch, index),
    expectedObject: unit.objectFile,
  }));
}

/**
 * The same with `-g`, whose objects are some ten times larger. They are compiled here once and kept beside the
 * recording.
 */
export async function debugUnits(
  units: readonly RecordedUnit[],
  scratch: string,
  listRunner: string,
  log: Log,
): Promise<BenchUnit[]> {
  const withDebug = units.map((unit) => ({
    ...unit,
    argv: [...unit.argv, '-g'],
    objectFile: `${unit.objectFile}.debug`,
  }));
  const missing = withDebug.filter(({ objectFile }) => !existsSync(objectFile));
  if (missing.length > 0) {
    log(`compiling ${missing.length} units with -g here, to compare with`);
    const commands = missing.map(({ cwd, argv, objectFile }) => {
      const [name = '', ...words] = withOutput(argv, `${objectFile}.tmp`).map(withoutDepfile);
      return { cwd, argv: [realCompiler(name), ...words] };
    });
    const env = { ...plainEnvironment(), MESHCC_DISABLE: '1' };
    const costs = await runList(listRunner, commands, availableParallelism(), { env, stderr: 'inherit' });
    if (costs.some(({ status }) => status !== 0)) throw new BenchError('a local compile with -g failed');
    for (const { objectFile } of missing) renameSync(`${objectFile}.tmp`, objectFile);
  }
  return plainUnits(withDebug, scratch);
}
