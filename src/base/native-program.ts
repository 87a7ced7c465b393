/**
 * The C programs of the project (gcc shim, job runner), compiled by the machine's own cc at first use
 * and kept under the digest of their source, so that an upgrade never runs an old one.
 */
import { execFile } from 'node:child_process';
import { accessSync, constants, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
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
}

/** Compilers that are tried, in order. Absolute first, so that a masquerading shim is never one of them. */
const COMPILERS = ['/usr/bin/cc', '/usr/bin/gcc', '/usr/bin/clang', 'cc', 'gcc', 'clang'];
const FLAG_SETS = [['-O2', '-static'], ['-O2']];

/**
 * Compiles a native program unless it is there already.
 * @param program what to build
 * @param cacheDirectory where executables are kept; made if missing
 * @returns the absolute path of the executable
 * @throws MeshError MESHCC_NATIVE_BUILD if no C compiler on this machine can build it
 */
export async function buildNativeProgram(program: NativeProgram, cacheDirectory: string): Promise<string> {
  const files = [program.source, ...(program.includes ?? [])].map((file) => join(PACKAGE_ROOT, file));
  const identity = digestOf(files.map((file) => readFileSync(file, 'utf8')).join('\0')).slice(0, 16);
  const directory = join(cacheDirectory, 'native', identity);
  const executable = join(directory, program.name);
  try {
    accessSync(executable, constants.X_OK);
    return executable;
  } catch {
    // not built yet
  }
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const temporary = `${executable}.${process.pid}.tmp`;
  const failures: string[] = [];
  for (const compiler of COMPILERS) {
    for (const flags of FLAG_SETS) {
      try {
        const env = { ...process.env, MESHCC_RECURSION: '1' };
        await promisify(execFile)(compiler, [...flags, '-Wall', '-o', temporary, files[0]!], { env });
        renameSync(temporary, executable);
        return executable;
      } catch (error) {
        failures.push(
          `${compiler} ${flags.join(' ')}: ${messageOf(error).split('\n').slice(0, 3).join(' ')}`,
        );
        rmSync(temporary, { force: true });
      }
    }
  }
  throw new MeshError(
    'MESHCC_NATIVE_BUILD',
    `cannot compile ${program.name} from ${program.source}: install a C compiler (for example the package gcc). Tried:\n  ${failures.join('\n  ')}`,
  );
}
