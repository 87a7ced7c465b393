/**
 * A local build with a compiler that keeps every call and what came out of it (bench/stand-in.c): the commands of
 * the units for benchmarks that run them without make, and the objects for a compiler that costs nothing.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { buildNativeProgram } from '../../src/base/native-program.ts';
import { plainEnvironment } from './command.ts';
import { buildReference, type Reference, type ReferenceOptions, referenceKey } from './reference.ts';
import type { PreparedTree } from './workload.ts';

/** Names under which the stand-in is found; the builds of the workloads call no others. */
const COMPILER_NAMES = ['gcc', 'g++', 'cc', 'c++'];

/** One compile of one source into one object. */
export interface RecordedUnit {
  readonly cwd: string;
  /** As the build called it: argv[0] is a name such as `gcc`. */
  readonly argv: readonly string[];
  /** Absolute. */
  readonly sourceFile: string;
  /** The object as the compiler left it, before the build's own tools changed it. */
  readonly objectFile: string;
}

/** What a recorded build left. */
export interface Recording {
  readonly reference: Reference;
  /** Sorted by working directory and object, so that a part of them is the same part every time. */
  readonly units: readonly RecordedUnit[];
  /**
   * Environment in which the names of compilers lead to the stand-in. BENCH_STAND_IN says what it does there: with
   * `replay`, each compile is answered with what was recorded.
   */
  readonly standInEnvironment: NodeJS.ProcessEnv;
}

/** A directory with the stand-in under the names of the compilers, for the front of PATH. */
async function masquerade(cacheDirectory: string): Promise<string> {
  const program = await buildNativeProgram(
    { name: 'bench-stand-in', source: 'bench/stand-in.c' },
    cacheDirectory,
  );
  const directory = join(cacheDirectory, 'stand-ins');
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  for (const name of COMPILER_NAMES) symlinkSync(program, join(directory, name));
  return directory;
}

/** The unit that one directory of a recording describes. */
function readUnit(directory: string): RecordedUnit {
  const argv = readFileSync(join(directory, 'argv'), 'utf8').split('\0').slice(0, -1);
  const cwd = readFileSync(join(directory, 'cwd'), 'utf8');
  return {
    cwd,
    argv,
    sourceFile: resolve(cwd, sourceOf(argv)),
    objectFile: join(directory, 'object'),
  };
}

/** The source, as it is spelled: the last word that names one, because names of headers and macros go before. */
function sourceOf(argv: readonly string[]): string {
  return argv.findLast((word) => !word.startsWith('-') && /\.(c|cc|cpp|cxx|C)$/.test(word)) ?? '';
}

/** The path after `-o`, as it is spelled. */
export function outputOf(argv: readonly string[]): string {
  return argv[argv.indexOf('-o') + 1] ?? '';
}

function unitsOf(directory: string): RecordedUnit[] {
  const sortKey = ({ cwd, argv }: RecordedUnit): string => `${cwd}\0${outputOf(argv)}`;
  return readdirSync(directory)
    .map((key) => readUnit(join(directory, key)))
    .sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
}

/**
 * The reference of a tree, and the recording of the build that made it. With `reuse` both are kept from an earlier
 * run if the same compiler made them of the same sources.
 * @throws BenchError as {@link buildReference} does
 */
export async function buildRecordedReference(
  tree: PreparedTree,
  options: Omit<ReferenceOptions, 'env'>,
): Promise<Recording> {
  const directory = join(options.cacheDirectory, 'recordings', tree.name);
  const marker = `${directory}.key`;
  const key = await referenceKey(tree);
  const isKept = existsSync(marker) && readFileSync(marker, 'utf8') === key;
  const reuse = options.reuse === true && isKept;
  if (!reuse) {
    rmSync(marker, { force: true });
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory, { recursive: true });
  }
  const plain = plainEnvironment();
  const environment = {
    ...plain,
    PATH: `${await masquerade(options.cacheDirectory)}:${plain.PATH ?? ''}`,
    BENCH_RECORDING: directory,
  };
  const env = { ...environment, BENCH_STAND_IN: 'record', MESHCC_DISABLE: '1' };
  const reference = await buildReference(tree, { ...options, reuse, env });
  writeFileSync(marker, key);
  return { reference, units: unitsOf(directory), standInEnvironment: environment };
}
