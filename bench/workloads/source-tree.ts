/** Directories of a workload below the cache: prepared once, listed, and cleaned by file name. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from './workload.ts';

/** Says of a file, by its path relative to the tree, whether it is meant. */
export type FileFilter = (relativePath: string) => boolean;

/** Where a workload's tree lies. */
export function treeDirectory(cacheDirectory: string, name: string): string {
  return join(cacheDirectory, 'trees', name);
}

/** Where the output of preparing and building a workload is kept. */
export function logFile(cacheDirectory: string, name: string): string {
  return join(cacheDirectory, 'logs', `${name}.log`);
}

/**
 * Makes a tree unless it is there, whole and made by the same recipe. A half-made one is thrown away.
 * @param recipe changes when the tree must be made anew
 * @param make fills the empty directory
 * @returns the absolute path of the tree
 */
export async function prepareOnce(
  place: { cacheDirectory: string; name: string; recipe: string; log: Log },
  make: (directory: string) => Promise<void>,
): Promise<string> {
  const directory = treeDirectory(place.cacheDirectory, place.name);
  const marker = `${directory}.recipe`;
  if (existsSync(marker) && readFileSync(marker, 'utf8') === place.recipe) return directory;
  place.log(`preparing ${place.name} in ${directory}`);
  rmSync(marker, { force: true });
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  await make(directory);
  writeFileSync(marker, place.recipe);
  return directory;
}

/**
 * Files of a tree, sorted, relative to it. Links are not followed.
 * @param roots subdirectories to look in, which may be missing; default the whole tree
 */
export async function listFiles(
  directory: string,
  accept: FileFilter,
  roots: readonly string[] = ['.'],
): Promise<string[]> {
  const found: string[] = [];
  const pending = roots.filter((root) => existsSync(join(directory, root)));
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    for (const entry of await readdir(join(directory, folder), { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) pending.push(path);
      else if (entry.isFile() && accept(path)) found.push(path);
    }
  }
  return found.sort();
}

/** Removes the files of a tree that the filter accepts. */
export async function removeFiles(
  directory: string,
  accept: FileFilter,
  roots: readonly string[] = ['.'],
): Promise<void> {
  for (const path of await listFiles(directory, accept, roots)) await rm(join(directory, path));
}
