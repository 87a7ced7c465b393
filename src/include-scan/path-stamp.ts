/** What lstat tells about a path: its kind, and everything that changes when it does. */
import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import type { PathNode } from '../base/path-walk.ts';

/** Equal stamps: the same object, not changed within what timestamps can tell. */
export interface PathStamp {
  readonly dev: number;
  readonly ino: number;
  /** Type and permissions. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly linkCount: number;
  readonly sizeBytes: number;
  /** Milliseconds since 1970, with the fraction that the file system keeps (to 0.3 µs). */
  readonly mtimeMs: number;
  /** Likewise; no program can set it. */
  readonly ctimeMs: number;
}

export function stampOfStats(stats: Stats): PathStamp {
  return {
    dev: stats.dev,
    ino: stats.ino,
    mode: stats.mode,
    uid: stats.uid,
    gid: stats.gid,
    linkCount: stats.nlink,
    sizeBytes: stats.size,
    mtimeMs: stats.mtimeMs,
    ctimeMs: stats.ctimeMs,
  };
}

export function sameStamp(a: PathStamp, b: PathStamp): boolean {
  return (
    a.ctimeMs === b.ctimeMs &&
    a.mtimeMs === b.mtimeMs &&
    a.sizeBytes === b.sizeBytes &&
    a.linkCount === b.linkCount &&
    sameObject(a, b)
  );
}

/** The same inode with the same owner and permissions, whatever its content and times. */
export function sameObject(a: PathStamp, b: PathStamp): boolean {
  return a.ino === b.ino && a.dev === b.dev && a.mode === b.mode && a.uid === b.uid && a.gid === b.gid;
}

/** lstat, or undefined if nothing can be seen there: what cannot be reached does not exist for a compiler. */
export function lstatOrAbsent(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

const FILE: PathNode = { kind: 'file' };
const DIRECTORY: PathNode = { kind: 'directory' };
const OTHER: PathNode = { kind: 'other' };

/** The kind of what was found; undefined if it is gone meanwhile. */
export function nodeOfStats(path: string, stats: Stats): PathNode | undefined {
  if (stats.isFile()) return FILE;
  if (stats.isDirectory()) return DIRECTORY;
  if (!stats.isSymbolicLink()) return OTHER;
  try {
    return { kind: 'symlink', target: readlinkSync(path) };
  } catch {
    return undefined;
  }
}

export function sameNode(a: PathNode | undefined, b: PathNode | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (a.kind === 'symlink' && b.kind === 'symlink') return a.target === b.target;
  return a.kind === b.kind;
}
