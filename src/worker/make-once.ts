/** Things of a tree that may be there already. */
import { mkdirSync } from 'node:fs';
import { lstat, mkdir } from 'node:fs/promises';
import { errnoOf, MeshError, messageOf } from '../base/errors.ts';

/** False if something was there already. @throws any other error of the work */
export async function isMade(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    return false;
  }
}

/**
 * Makes a directory, not its parents.
 * @param collision the error for something else that lies there
 * @returns false if the directory was there already
 */
export async function makeDirectory(path: string, collision: () => Error): Promise<boolean> {
  if (await isMade(mkdir(path, { mode: 0o755 }))) return true;
  if (!(await lstat(path)).isDirectory()) throw collision();
  return false;
}

/** The directory of a tree. Made at once: entries may come with the next message. @throws MeshError MESHCC_STORE */
export async function makeTree(directory: string): Promise<void> {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o755 });
  } catch (error) {
    throw new MeshError('MESHCC_STORE', `making ${directory}: ${messageOf(error)}`, { cause: error });
  }
}
