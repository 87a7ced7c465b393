/**
 * Builds the gcc shim and makes a masquerade directory: first in PATH, it turns every compiler's name into
 * a call of the shim. Safe to repeat while a build runs: each name changes in one rename.
 */
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { errnoOf, MeshError } from '../base/errors.ts';
import { buildNativeProgram, type NativeBuild, type NativeProgram } from '../base/native-program.ts';
import { agentPaths } from '../base/paths.ts';
import { compilerNamesInPath, SHIM_NAME } from './compiler-lookup.ts';

/** The file beside the shim that tells how to start the command line tool: two lines, node and its program. */
export const CLI_SIDECAR = 'meshcc-cli';

const CLI_NAME = 'meshcc';

export interface ShimInstallOptions {
  /** PATH is searched for compilers; the rest says where the cache directory is. */
  readonly env: NodeJS.ProcessEnv;
  /** Absolute path of the compiled command line tool, which `meshcc status` and the like start. */
  readonly cliMain: string;
  /** For tests and unusual machines: builds or finds the shim. */
  readonly build?: (cacheDirectory: string) => Promise<string>;
}

/** A masquerade directory. */
export interface InstalledShims {
  readonly directory: string;
  /** Absolute path of the shim. */
  readonly executable: string;
  /** `node` where no C compiler could build the native one: the same protocol, at the cost of a Node start. */
  readonly kind: 'native' | 'node';
  /** The compiler names that lead to the shim, sorted. */
  readonly names: readonly string[];
  /** False if everything was in place already. */
  readonly changed: boolean;
}

const SHIM_HEADERS = [
  ...[
    'text.h',
    'called-as.h',
    'agent-socket.h',
    'local-slot.h',
    'held-signals.h',
    'request.h',
    'output-file.h',
  ],
  ...['environment-table.h', 'freestanding-kernel.h', 'errno-texts.h'],
];

/** The shim's sources. Called without arguments, it says how it is used. */
const SHIM_PROGRAM: NativeProgram = {
  name: SHIM_NAME,
  source: 'src/shim/meshcc-shim.c',
  includes: SHIM_HEADERS.map((file) => `src/shim/${file}`),
  freestanding: 'src/shim/freestanding.c',
  statusWithoutArguments: 2,
};

/**
 * Compiles the C shim unless it is there already.
 * @param cacheDirectory where executables are kept; made if missing
 * @param builds the ways to link it that are allowed; all by default, the cheapest that works here is taken
 * @returns the absolute path of the executable
 * @throws MeshError MESHCC_NATIVE_BUILD if no C compiler on this machine can build it
 */
export function buildShim(cacheDirectory: string, builds?: readonly NativeBuild[]): Promise<string> {
  return buildNativeProgram(SHIM_PROGRAM, cacheDirectory, builds);
}

/** The same program in Node, for a machine whose compilers cannot build for the machine itself. */
function standInScript(): Buffer {
  const main = new URL('./stand-in-main.js', import.meta.url);
  return Buffer.from(`#!/usr/bin/env node\nimport(${JSON.stringify(main.href)});\n`);
}

async function shimContent(
  options: ShimInstallOptions,
): Promise<{ kind: InstalledShims['kind']; bytes: Buffer }> {
  try {
    const build = options.build ?? buildShim;
    return { kind: 'native', bytes: readFileSync(await build(agentPaths(options.env).cacheDirectory)) };
  } catch (error) {
    if (!(error instanceof MeshError) || error.code !== 'MESHCC_NATIVE_BUILD') throw error;
    return { kind: 'node', bytes: standInScript() };
  }
}

/** Makes something under a private name and renames it, so that a build always finds the old or the new one. */
function replace(path: string, make: (temporary: string) => void): void {
  const temporary = `${path}.${process.pid}.tmp`;
  rmSync(temporary, { force: true });
  try {
    make(temporary);
    renameSync(temporary, path);
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** @returns true if the file had to be written */
function ensureFile(path: string, bytes: Buffer, mode: number): boolean {
  try {
    const stat = lstatSync(path);
    if (stat.isFile() && (stat.mode & 0o777) === mode && readFileSync(path).equals(bytes)) return false;
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
  replace(path, (temporary) => {
    writeFileSync(temporary, bytes, { mode });
    chmodSync(temporary, mode);
  });
  return true;
}

function isShimLink(path: string): boolean {
  try {
    return readlinkSync(path) === SHIM_NAME;
  } catch {
    return false;
  }
}

/** @returns true if the link had to be made */
function ensureShimLink(path: string): boolean {
  if (isShimLink(path)) return false;
  replace(path, (temporary) => symlinkSync(SHIM_NAME, temporary));
  return true;
}

/** Removes names whose compiler has gone. @returns true if there was one */
function removeStaleLinks(directory: string, wanted: ReadonlySet<string>): boolean {
  const stale = readdirSync(directory).filter(
    (name) => !wanted.has(name) && isShimLink(join(directory, name)),
  );
  for (const name of stale) rmSync(join(directory, name), { force: true });
  return stale.length > 0;
}

/**
 * Makes or refreshes a masquerade directory; repeat it when compilers were installed or removed.
 * @param directory where; made if missing, and used for nothing else
 * @throws MeshError MESHCC_BAD_CONFIG if the directory cannot be written
 */
export async function installShims(directory: string, options: ShimInstallOptions): Promise<InstalledShims> {
  const { kind, bytes } = await shimContent(options);
  const names = compilerNamesInPath(options.env);
  const links = new Set([CLI_NAME, ...names]);
  const sidecar = Buffer.from(`${process.execPath}\n${options.cliMain}\n`);
  const executable = join(directory, SHIM_NAME);
  try {
    mkdirSync(directory, { recursive: true });
    const changes = [
      ensureFile(join(directory, CLI_SIDECAR), sidecar, 0o644),
      ensureFile(executable, bytes, 0o755),
      ...[...links].map((name) => ensureShimLink(join(directory, name))),
      removeStaleLinks(directory, links),
    ];
    return { directory, executable, kind, names, changed: changes.includes(true) };
  } catch (cause) {
    if (errnoOf(cause) === undefined) throw cause;
    throw new MeshError(
      'MESHCC_BAD_CONFIG',
      `cannot install the compiler shims in ${directory}: ${String(cause)}. Choose a directory that this user can write.`,
      { cause },
    );
  }
}
