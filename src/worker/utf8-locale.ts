/**
 * The one locale besides C that a submitter may ask for: C.UTF-8, in which compilers quote with ‘ and ’. Some C
 * libraries have it built in; Debian's reads it from files, which the view of a job must then hold.
 */
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Toolchain } from '../toolchain/index.ts';

export interface Utf8Locale {
  /** False if this machine's compilers could not print in it. */
  readonly isAvailable: boolean;
  /** Files that the C library reads for it, absolute; none where it is built in. */
  readonly files: readonly string[];
}

/** What a job's environment holds if it wants it. */
export const UTF8_LOCALE_VARIABLE = 'LC_ALL=C.UTF-8';

/** Where the C library keeps it; the spelling differs between distributions. */
const DIRECTORIES = ['/usr/lib/locale/C.utf8', '/usr/lib/locale/C.UTF-8'];

/** Looks for the locale on this machine. */
export async function findUtf8Locale(): Promise<Utf8Locale> {
  const files: string[] = [];
  for (const directory of DIRECTORIES) {
    for (const entry of await readdir(directory, { withFileTypes: true, recursive: true }).catch(() => [])) {
      if (entry.isFile()) files.push(join(entry.parentPath, entry.name));
    }
  }
  return { isAvailable: files.length > 0 || (await isBuiltIn()), files };
}

/** A toolchain that finds the locale where it runs. */
export function withLocale(toolchain: Toolchain, { files }: Utf8Locale): Toolchain {
  const directories = new Set(toolchain.directories);
  for (const file of files) for (const parent of parentsOf(file)) directories.add(parent);
  const libraries = [...toolchain.libraries, ...files.map((path) => ({ path, realPath: path }))];
  return { ...toolchain, libraries, directories: [...directories].sort() };
}

function parentsOf(path: string): string[] {
  const parent = dirname(path);
  return parent === '/' ? [] : [...parentsOf(parent), parent];
}

async function isBuiltIn(): Promise<boolean> {
  try {
    const { stdout } = await promisify(execFile)('locale', ['charmap'], {
      env: { LC_ALL: 'C.UTF-8', PATH: '/usr/bin:/bin' },
    });
    return stdout.trim() === 'UTF-8';
  } catch {
    return false;
  }
}
