/** Where GCC looks for the counts of a training run: coverage.cc of GCC 12, read off its warnings. */
import type { ProfileRequest } from './invocation.ts';

/** `/` becomes `#`, `..` becomes `^`, `.` goes. */
function mangled(path: string): string {
  return path
    .split('/')
    .filter((part) => part !== '.')
    .map((part) => (part === '..' ? '^' : part))
    .join('#');
}

/**
 * The files of which GCC reads one, if it exists: absolute paths, as it spells them.
 * @param workingDirectories the working directory, under each name that PWD may give it
 */
export function profilePaths(
  { directories, stem }: ProfileRequest,
  workingDirectories: readonly string[],
): string[] {
  const paths = new Set<string>();
  for (const workingDirectory of workingDirectories) {
    const absolute = (path: string): string => (path.startsWith('/') ? path : `${workingDirectory}/${path}`);
    if (directories.length === 0) paths.add(`${absolute(stem)}.gcda`);
    for (const directory of directories) {
      const name = stem.startsWith('/') ? stem : mangled(absolute(stem));
      paths.add(`${absolute(directory)}/${name}.gcda`);
    }
  }
  return [...paths];
}
