/** What a job sees of a submitter's tree where it does not see all of it, in the form of {@link CellJob.view}. */
import { dirname } from 'node:path';
import type { PathNode } from '../base/path-walk.ts';
import type { Version } from './mirror-place.ts';

/**
 * What the worker has put into the tree, what the job lists, some directories, and all directories above.
 * @param base the worker's own part of the tree, by canonical path
 */
export function viewOf(
  base: ReadonlyMap<string, PathNode>,
  versions: Iterable<Version>,
  directories: readonly string[],
): string[] {
  const view: string[] = [];
  const seen = new Set<string>();
  const addDirectories = (path: string): void => {
    for (let at = path; at.length > 1 && !seen.has(at); at = dirname(at)) {
      seen.add(at);
      if (!base.has(at)) view.push(`d ${at}`);
    }
  };
  for (const [path, { kind }] of base) view.push(`${kind === 'directory' ? 'd' : 'base'} ${path}`);
  for (const version of versions) {
    const { path, node } = version;
    addDirectories(node.kind === 'directory' ? path : path.slice(0, path.lastIndexOf('/')));
    if (node.kind === 'directory' || base.has(path)) continue;
    version.viewEntry ??= `${version.serial} ${path}`;
    view.push(version.viewEntry);
  }
  for (const directory of directories) addDirectories(directory);
  return view;
}
