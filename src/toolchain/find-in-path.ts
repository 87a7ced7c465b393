/** Finds a program as execvp does: a compiler driver starts `as` that way if it has none of its own. */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';

/**
 * The first executable file of this name in the absolute directories of a PATH, or undefined. Relative
 * directories are passed over: what they mean depends on the directory of each compile.
 */
export async function findInPath(name: string, searchPath: string | undefined): Promise<string | undefined> {
  for (const directory of pathDirectories(searchPath)) {
    const candidate = `${directory === '/' ? '' : directory}/${name}`;
    if (await isExecutableFile(candidate)) return candidate;
  }
  return undefined;
}

/** The absolute directories of a PATH, in order, each once, without trailing slashes. */
export function pathDirectories(searchPath: string | undefined): string[] {
  const absolute = (searchPath ?? '').split(':').filter((directory) => directory.startsWith('/'));
  return [...new Set(absolute.map((directory) => directory.replace(/(?<=.)\/+$/, '')))];
}

/** True if this user may execute the file. */
export async function isExecutableFile(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
