/** Where `__has_include` would look, so that its answer is the same on another node. */
import { dirname } from 'node:path';
import type { ContentTraits } from './content-traits.ts';

/**
 * Every path whose existence the tests of one file may ask about. `__has_include_next` starts later in the
 * same list, so it asks about a subset.
 * @param filePath absolute path of the file that holds the tests
 * @param searchPath directories in search order, absolute
 */
export function existenceCandidates(
  filePath: string,
  tests: ContentTraits['existenceTests'],
  searchPath: { readonly quote: readonly string[]; readonly angle: readonly string[] },
): string[] {
  const candidates: string[] = [];
  for (const test of tests) {
    if (test.name.startsWith('/')) {
      candidates.push(test.name);
      continue;
    }
    const directories = test.quoted
      ? [dirname(filePath), ...searchPath.quote, ...searchPath.angle]
      : searchPath.angle;
    for (const directory of directories) candidates.push(`${directory}/${test.name}`);
  }
  return candidates;
}
