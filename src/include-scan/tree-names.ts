/** The part of the file tree that somebody asked about: directories, and names in them, absent ones included. */
import type { PathNode } from '../base/path-walk.ts';
import type { DirectoryWatch } from './directory-watches.ts';
import { lstatOrAbsent, nodeOfStats, type PathStamp, stampOfStats } from './path-stamp.ts';
import type { KnownContent } from './source-reader.ts';

/** What events said about a name since it was last examined. */
export const MARK = { none: 0, changed: 1, replaced: 2 } as const;
export type Mark = (typeof MARK)[keyof typeof MARK];

/** A path that was asked about. */
export interface TreeName {
  /** Canonical. */
  readonly path: string;
  readonly parent: TreeDirectory;
  node: PathNode | undefined;
  /** Kept for directories only: tells a replaced one from the same one. */
  stamp: PathStamp | undefined;
  mark: Mark;
  /** Grows whenever the content may have changed. */
  changes: number;
  /** What was read, if it is a file and was asked for. */
  content: KnownContent | undefined;
  /** The directory at this path, once a name in it was asked about. */
  directory: TreeDirectory | undefined;
}

/** A directory that holds names which were asked about. */
export interface TreeDirectory {
  readonly path: string;
  /** The last component, under which the kernel reports what happens to the directory itself. */
  readonly baseName: string;
  /** Undefined for the root. */
  readonly self: TreeName | undefined;
  readonly names: Map<string, TreeName>;
  /** Undefined: its changes are not announced, names and files in it are checked by stat. */
  watch: DirectoryWatch | undefined;
  /** Of an unwatched directory: what stat said when its names were last examined. */
  stamp: PathStamp | undefined;
  /** When that stamp was first seen, by the monotonic clock. */
  stampSeenMs: number;
  /** False: a name could have changed since without a change of the stamp. */
  settled: boolean;
  /** The last refresh period in which somebody asked. */
  usedEpoch: number;
  /** True once it is no longer part of the tree. */
  dropped: boolean;
}

export function newName(path: string, parent: TreeDirectory): TreeName {
  const name: TreeName = {
    path,
    parent,
    node: undefined,
    stamp: undefined,
    mark: MARK.none,
    changes: 0,
    content: undefined,
    directory: undefined,
  };
  lookAt(name);
  return name;
}

export function newDirectory(path: string, self: TreeName | undefined): TreeDirectory {
  return {
    path,
    baseName: path.slice(path.lastIndexOf('/') + 1),
    self,
    names: new Map(),
    watch: undefined,
    stamp: undefined,
    stampSeenMs: performance.now(),
    settled: false,
    usedEpoch: 0,
    dropped: false,
  };
}

/** Looks at the disk and notes what is there. */
export function lookAt(name: TreeName): void {
  const stats = lstatOrAbsent(name.path);
  name.node = stats === undefined ? undefined : nodeOfStats(name.path, stats);
  name.stamp = stats?.isDirectory() ? stampOfStats(stats) : undefined;
}

/**
 * The directories that were not used for longest, enough of them for `excess` names. A directory counts as used
 * when anything below it is.
 */
export function coldestDirectories(directories: Iterable<TreeDirectory>, excess: number): TreeDirectory[] {
  const deepestFirst = [...directories].sort((a, b) => b.path.length - a.path.length);
  for (const { self, usedEpoch } of deepestFirst) {
    if (self !== undefined) self.parent.usedEpoch = Math.max(self.parent.usedEpoch, usedEpoch);
  }
  // The sort is stable: of equally cold ones, the deeper goes first.
  deepestFirst.sort((a, b) => a.usedEpoch - b.usedEpoch);
  const coldest: TreeDirectory[] = [];
  let names = 0;
  for (const directory of deepestFirst) {
    if (names >= excess) break;
    if (directory.self === undefined) continue;
    coldest.push(directory);
    names += directory.names.size + 1;
  }
  return coldest;
}
