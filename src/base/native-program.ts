/**
 * The C programs of the project (gcc shim, job runner), compiled by the machine's own cc at first use
 * and kept under the digest of their source and of the way they are built, so that an upgrade never runs an old one.
 */
import { execFile } from 'node:child_process';
import { accessSync, constants, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { digestOf } from './digest.ts';
import { MeshError, messageOf } from './errors.ts';
import { PACKAGE_ROOT } from './package-root.ts';

/** A native program of this package. */
export interface NativeProgram {
  /** Name of the executable, e.g. `meshcc-shim`. */
  readonly name: string;
  /** The C file, relative to the package. */
  readonly source: string;
  /** Further files that the source includes, relative to the package; a change of one rebuilds it. */
  readonly includes?: readonly string[];
  /** A second C file, relative to the package, that stands in for the C library; without it there is no such build. */
  readonly freestanding?: string;
  /** The exit status of the program when it is called without arguments. A build that ends differently counts as none. */
  readonly statusWithoutArguments?: number;
}

/**
 * How a program is linked, the cheapest to start first. `freestanding`: with the project's own stand-in for the C
 * library; `static` and `dynamic`: with the one of the machine.
 */
export type NativeBuild = 'freestanding' | 'static' | 'dynamic';

/**
 * What leads from `_start` to a program of two segments without relocations, and away from what compilers take for
 * granted: a guard for the stack in thread-local storage, functions of glibc in place of those that were called.
 */
const FREESTANDING_FLAGS = [
  ...['-O2', '-static', '-nostdlib', '-nostartfiles', '-fno-pie', '-no-pie'],
  ...['-fno-builtin', '-fno-stack-protector', '-U_FORTIFY_SOURCE', '-D__NO_INLINE__'],
  ...['-fno-asynchronous-unwind-tables', '-ffunction-sections', '-fdata-sections'],
  ...['-Wl,--gc-sections', '-Wl,--build-id=none', '-Wl,-z,noseparate-code', '-Wl,-z,norelro'],
];

const FLAGS: Readonly<Record<NativeBuild, readonly string[]>> = {
  freestanding: FREESTANDING_FLAGS,
  static: ['-O2', '-static'],
  dynamic: ['-O2'],
};

/** For a program that only prints how it is used. */
const TRIAL_TIMEOUT_MS = 10_000;

const ALL_BUILDS: readonly NativeBuild[] = ['freestanding', 'static', 'dynamic'];

/** Compilers that are tried, in order. Absolute first, so that a masquerading shim is never one of them. */
const COMPILERS = ['/usr/bin/cc', '/usr/bin/gcc', '/usr/bin/clang', 'cc', 'gcc', 'clang'];

/** Where a compiler that is named by its path has its assembler and linker, even if the PATH of an agent is narrower. */
const TOOL_DIRECTORIES = ['/usr/bin', '/bin'];

interface Attempt {
  readonly compiler: string;
  readonly build: NativeBuild;
}

/** Compiles into a private directory, tries what came out, and puts it in place in one rename. */
async function attempt(
  program: NativeProgram,
  { compiler, build }: Attempt,
  executable: string,
): Promise<void> {
  const directory = mkdtempSync(`${executable}.`);
  try {
    const built = join(directory, program.name);
    const sources = [program.source, ...(build === 'freestanding' ? [program.freestanding ?? ''] : [])];
    const paths = sources.map((file) => join(PACKAGE_ROOT, file));
    const searchPath = [...(process.env.PATH?.split(delimiter) ?? []), ...TOOL_DIRECTORIES].join(delimiter);
    const env = { ...process.env, PATH: searchPath, MESHCC_RECURSION: '1' };
    await promisify(execFile)(compiler, [...FLAGS[build], '-Wall', '-o', built, ...paths], { env });
    if (program.statusWithoutArguments !== undefined)
      await expectStatus(built, program.statusWithoutArguments);
    renameSync(built, executable);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** @throws Error if a program called without arguments cannot be started or ends in another way */
function expectStatus(path: string, wanted: number): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(path, { timeout: TRIAL_TIMEOUT_MS }, (error) => {
      const status = error === null ? 0 : (error.code ?? error.signal);
      if (status === wanted) resolve();
      else reject(new Error(`what was built does not run here: it ended with ${status}, not ${wanted}`));
    });
  });
}

/**
 * Compiles a native program unless it is there already.
 * @param program what to build
 * @param cacheDirectory where executables are kept; made if missing
 * @param builds the ways to link it that are allowed, in order of preference
 * @returns the absolute path of the executable
 * @throws MeshError MESHCC_NATIVE_BUILD if no C compiler on this machine can build it
 */
export async function buildNativeProgram(
  program: NativeProgram,
  cacheDirectory: string,
  builds: readonly NativeBuild[] = ALL_BUILDS,
): Promise<string> {
  const possible = builds.filter((build) => build !== 'freestanding' || program.freestanding !== undefined);
  const files = [program.source, program.freestanding ?? [], program.includes ?? []].flat();
  const contents = files.map((file) => readFileSync(join(PACKAGE_ROOT, file), 'utf8'));
  const flags = possible.map((build) => FLAGS[build].join(' '));
  const identity = digestOf([...contents, ...flags].join('\0')).slice(0, 16);
  const directory = join(cacheDirectory, 'native', identity);
  const executable = join(directory, program.name);
  try {
    accessSync(executable, constants.X_OK);
    return executable;
  } catch {
    // not built yet
  }
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const failures: string[] = [];
  for (const compiler of COMPILERS) {
    for (const build of possible) {
      try {
        await attempt(program, { compiler, build }, executable);
        return executable;
      } catch (error) {
        failures.push(`${compiler}, ${build}: ${messageOf(error).split('\n').slice(0, 3).join(' ')}`);
      }
    }
  }
  throw new MeshError(
    'MESHCC_NATIVE_BUILD',
    `cannot compile ${program.name} from ${program.source}: install a C compiler (for example the package gcc). Tried:\n  ${failures.join('\n  ')}`,
  );
}
