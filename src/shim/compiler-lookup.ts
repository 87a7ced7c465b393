/** Which real compilers lie in PATH behind the shims. */
import { accessSync, constants, readdirSync, realpathSync, statSync } from 'node:fs';
import { basename, delimiter, join, resolve } from 'node:path';
import { isCompilerName } from '../compiler/index.ts';

/** Name of the shim's executable; whatever resolves to a file of this name is a shim. */
export const SHIM_NAME = 'meshcc-shim';

/** True if the file is a shim, in whatever masquerade directory; false if it does not exist. */
export function isShim(path: string): boolean {
  try {
    return basename(realpathSync(path)) === SHIM_NAME;
  } catch {
    return false;
  }
}

function canRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function pathDirectories(env: NodeJS.ProcessEnv): string[] {
  return (env.PATH || '/usr/bin:/bin').split(delimiter).map((directory) => resolve(directory));
}

/**
 * The first real compiler of that name in PATH, or the first one behind `previous` if that is in PATH:
 * a wrapper such as ccache looks the name up again, and must come to the compiler behind itself.
 * @returns an absolute path, symbolic links not resolved; undefined if there is none
 */
export function findCompiler(name: string, env: NodeJS.ProcessEnv, previous?: string): string | undefined {
  const found = pathDirectories(env)
    .map((directory) => join(directory, name))
    .filter((path) => canRun(path) && !isShim(path));
  const at = previous === undefined ? -1 : found.indexOf(previous);
  return found.slice(at + 1).find((path) => path !== previous) ?? found[at];
}

function listDirectory(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** The names, sorted, under which real compilers can be called and are worth standing in for. */
export function compilerNamesInPath(env: NodeJS.ProcessEnv): string[] {
  const names = new Set<string>();
  for (const directory of pathDirectories(env)) {
    for (const name of listDirectory(directory)) {
      if (names.has(name) || isCompilerName(name) === undefined) continue;
      const path = join(directory, name);
      if (canRun(path) && !isShim(path)) names.add(name);
    }
  }
  return [...names].sort();
}
