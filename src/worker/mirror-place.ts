/** The records of a mirror: what a submitter announced, path by path, and what remembering it costs. */
import { type Digest, digestFromBytes } from '../base/digest.ts';
import { MeshError } from '../base/errors.ts';
import type { PathNode } from '../base/path-walk.ts';
import type { WireEntry } from '../mesh/index.ts';
import { viewPathProblem } from './view-paths.ts';

/** Memory of a path, of an announcement and of a change that is under way, besides the text; as measured with Node 20. */
const PLACE_BYTES = 450;
const VERSION_BYTES = 400;
const CHANGE_BYTES = 400;

/** One announcement of what is at a path. */
export interface Version {
  readonly id: number;
  readonly path: string;
  /** Tells it from every other version of the tree. Ids cannot: they are the submitter's to choose. */
  readonly serial: number;
  /** Made when a job's view is asked for. */
  viewEntry: string | undefined;
  readonly node: PathNode;
  readonly digest: Digest | undefined;
  readonly mtimeSeconds: number;
  readers: number;
  whenUnread: (() => void)[];
  /** Set once somebody needs it on disk. */
  installed: Promise<void> | undefined;
}

export interface Place {
  readonly path: string;
  /** What later jobs see; undefined: nothing. */
  current: Version | undefined;
  /** What is on disk. */
  onDisk: Version | undefined;
  /** Changes of this path, one after the other. */
  changes: Promise<void>;
  /** What the changes that have not ended will put here; undefined: nothing. */
  readonly coming: (Version | undefined)[];
}

export function newPlace(path: string): Place {
  return { path, current: undefined, onDisk: undefined, changes: Promise.resolve(), coming: [] };
}

/** True if nothing is there, nor will be: the record can go. */
export function isVacant({ current, onDisk, coming }: Place): boolean {
  return current === undefined && onDisk === undefined && coming.length === 0;
}

/** What a place takes in memory, its announcements aside. */
export function placeBytes(path: string): number {
  return PLACE_BYTES + path.length;
}

/** What an announcement takes in memory. */
export function versionBytes({ node }: Version): number {
  return VERSION_BYTES + (node.kind === 'symlink' ? node.target.length : 0);
}

/** What changes that are under way take in memory. */
export function changeBytes(count: number): number {
  return CHANGE_BYTES * count;
}

/** A file is never the same as another: whose it is matters. */
export function isSameNode(a: PathNode, b: PathNode): boolean {
  if (a.kind === 'symlink' && b.kind === 'symlink') return a.target === b.target;
  return a.kind === 'directory' && b.kind === 'directory';
}

/** @throws MeshError MESHCC_PROTOCOL for an impossible entry */
export function versionOf(entry: WireEntry, serial: number): Version {
  const problem = viewPathProblem(entry.path);
  if (problem !== undefined) throw new MeshError('MESHCC_PROTOCOL', `entry ${entry.id}: its path ${problem}`);
  const common = {
    id: entry.id,
    path: entry.path,
    serial,
    viewEntry: undefined,
    readers: 0,
    whenUnread: [],
    installed: undefined,
  };
  if (entry.directory) return { ...common, node: { kind: 'directory' }, digest: undefined, mtimeSeconds: 0 };
  if (entry.symlink) {
    const { target } = entry.symlink;
    if (target === '' || target.includes('\0')) {
      throw new MeshError('MESHCC_PROTOCOL', `entry ${entry.id}: a symbolic link to nowhere`);
    }
    return { ...common, node: { kind: 'symlink', target }, digest: undefined, mtimeSeconds: 0 };
  }
  const digest = entry.file && digestFromBytes(entry.file.sha256);
  if (!entry.file || digest === undefined) {
    throw new MeshError('MESHCC_PROTOCOL', `entry ${entry.id} says nothing about what is at ${entry.path}`);
  }
  return { ...common, node: { kind: 'file' }, digest, mtimeSeconds: entry.file.mtimeSeconds };
}
