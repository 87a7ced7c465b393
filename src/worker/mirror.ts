/**
 * One submitter's file tree on this worker's disk: exactly what the submitter has told, at the submitter's
 * own absolute paths. A path that changes is replaced only when no job that listed the old content runs any
 * more, and jobs that list the new one wait for that: two versions never mix.
 */
import { lstatSync, type Stats } from 'node:fs';
import { mkdir, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Digest, digestFromBytes } from '../base/digest.ts';
import { MeshError } from '../base/errors.ts';
import { type PathNode, walkPath } from '../base/path-walk.ts';
import type { WireEntry } from '../mesh/index.ts';
import { viewPathProblem } from './view-paths.ts';

/** Puts a blob's bytes at a path of the tree, when it is there. */
export interface MirrorContent {
  /** Resolves when the content is in the store. */
  need(digest: Digest): Promise<void>;
  materialise(digest: Digest, path: string, attributes: { mtimeMs: number; mode: number }): Promise<void>;
}

/** One announcement of what is at a path. */
interface Version {
  readonly path: string;
  readonly node: PathNode;
  readonly digest: Digest | undefined;
  readonly mtimeSeconds: number;
  readers: number;
  whenUnread: (() => void)[];
  /** Set once somebody needs it on disk. */
  installed: Promise<void> | undefined;
}

interface Place {
  readonly path: string;
  /** What later jobs see; undefined: nothing. */
  current: Version | undefined;
  /** What is on disk. */
  onDisk: Version | undefined;
  /** Changes of this path, one after the other. */
  changes: Promise<void>;
}

/** A job's claim on the tree; the versions that it lists stay until it is released. */
export interface Hold {
  /** Resolves when everything listed is on disk. @throws MeshError if some content cannot be had */
  readonly ready: Promise<void>;
  /** True if the job listed what is now at this canonical path. */
  lists(canonicalPath: string): boolean;
  release(): void;
}

export class Mirror {
  /** The directory that stands for the submitter's `/`. */
  readonly directory: string;
  readonly #content: MirrorContent;
  readonly #places = new Map<string, Place>();
  readonly #versions = new Map<number, Version>();
  readonly #base = new Map<string, PathNode>();
  readonly #removals = new Set<Promise<void>>();
  /** Spelled path -> canonical path; valid until a directory or link changes. */
  readonly #resolved = new Map<string, string>();

  constructor(directory: string, content: MirrorContent) {
    this.directory = directory;
    this.#content = content;
  }

  /**
   * Something of the worker's own (its toolchains) is about to lie in the tree.
   * @throws MeshError MESHCC_COMPILER if the submitter has announced something else there
   */
  addBase(path: string, node: PathNode): void {
    const announced = this.#places.get(path)?.current ?? this.#places.get(path)?.onDisk;
    if (announced !== undefined && !isSameNode(announced.node, node)) {
      throw new MeshError(
        'MESHCC_COMPILER',
        `${path} belongs to the toolchain, and the submitter has a ${announced.node.kind} there`,
      );
    }
    this.#base.set(path, node);
    this.#resolved.clear();
  }

  /** What of the worker's own lies at a canonical path. */
  baseAt(path: string): PathNode | undefined {
    return this.#base.get(path);
  }

  /** From here on, this is what is at the entry's path. @throws MeshError MESHCC_PROTOCOL for an impossible entry */
  announce(entry: WireEntry): void {
    const version = versionOf(entry);
    const own = this.#base.get(entry.path);
    // Else a submitter could put a program of its own in the place of the compiler.
    if (own !== undefined && !isSameNode(own, version.node)) {
      throw new MeshError(
        'MESHCC_PROTOCOL',
        `entry ${entry.id} would replace ${entry.path}, which belongs to the toolchain`,
      );
    }
    if (version.node.kind !== 'file') this.#resolved.clear();
    this.#versions.set(entry.id, version);
    const place = this.#place(entry.path);
    // What later jobs do not list may stay on disk until its place is needed.
    place.current = version;
  }

  /** From here on, nothing is at these paths, nor below them. Later jobs wait until that is so on disk. */
  remove(paths: readonly string[]): void {
    this.#resolved.clear();
    for (const path of paths) {
      const below = `${path}/`;
      for (const place of this.#places.values()) {
        if (place.path !== path && !place.path.startsWith(below)) continue;
        if (this.#base.has(place.path)) continue;
        place.current = undefined;
        const removal = this.#change(place, undefined);
        this.#removals.add(removal);
        void removal.finally(() => this.#removals.delete(removal)).catch(() => {});
      }
    }
  }

  /** Claims the entries that a job lists. @throws MeshError MESHCC_PROTOCOL for an id that was never announced */
  hold(ids: readonly number[]): Hold {
    const versions = new Set<Version>();
    for (const id of ids) {
      const version = this.#versions.get(id);
      if (version === undefined)
        throw new MeshError('MESHCC_PROTOCOL', `a job lists entry ${id}, which was never announced`);
      versions.add(version);
    }
    for (const version of versions) version.readers++;
    let held = true;
    const ready = Promise.all([...this.#removals, ...this.#installAll(versions)]).then(() => {});
    ready.catch(() => {});
    return {
      ready,
      lists: (path) => {
        const onDisk = this.#places.get(path)?.onDisk;
        return onDisk !== undefined && versions.has(onDisk);
      },
      release: () => {
        if (!held) return;
        held = false;
        for (const version of versions) {
          if (--version.readers === 0) for (const wake of version.whenUnread.splice(0)) wake();
        }
      },
    };
  }

  /** Where a path, as a compiler spells it, leads in this tree. */
  resolve(path: string): string {
    let canonical = this.#resolved.get(path);
    if (canonical === undefined) {
      canonical = walkPath(path, (at) => this.#nodeAt(at)).canonicalPath;
      this.#resolved.set(path, canonical);
    }
    return canonical;
  }

  #nodeAt(path: string): PathNode | undefined {
    return this.#places.get(path)?.onDisk?.node ?? this.#base.get(path);
  }

  #place(path: string): Place {
    let place = this.#places.get(path);
    if (place === undefined) {
      place = { path, current: undefined, onDisk: undefined, changes: Promise.resolve() };
      this.#places.set(path, place);
    }
    return place;
  }

  /** The pending installations of what a job lists, shallow paths first; nothing for what is on disk already. */
  #installAll(versions: ReadonlySet<Version>): Promise<void>[] {
    const missing: Version[] = [];
    for (const version of versions) {
      if (this.#places.get(version.path)?.onDisk !== version) missing.push(version);
    }
    missing.sort((a, b) => a.path.length - b.path.length);
    return missing.map((version) => this.#install(version));
  }

  #install(version: Version): Promise<void> {
    version.installed ??= this.#change(this.#place(version.path), version).catch((error) => {
      version.installed = undefined;
      throw error;
    });
    return version.installed;
  }

  /** Brings a place to a new version (or to nothing) after the changes before it, when the old one is unread. */
  #change(place: Place, version: Version | undefined): Promise<void> {
    // Contents are asked for at once; only the replacement waits its turn.
    const content = version?.digest === undefined ? undefined : this.#content.need(version.digest);
    const change = place.changes.then(async () => {
      const old = place.onDisk;
      if (old === version) return;
      if (old !== undefined && !(old.node.kind === 'directory' && version?.node.kind === 'directory')) {
        await unread(old);
        await this.#clear(place);
      }
      if (version === undefined) return;
      await content;
      await this.#write(version);
      place.onDisk = version;
    });
    place.changes = change.catch(() => {});
    return change;
  }

  async #clear(place: Place): Promise<void> {
    await rm(join(this.directory, place.path), { recursive: true, force: true });
    if (place.onDisk?.node.kind === 'directory') {
      const below = `${place.path}/`;
      for (const other of this.#places.values()) {
        if (!other.path.startsWith(below)) continue;
        if (other.onDisk !== undefined) other.onDisk.installed = undefined;
        other.onDisk = undefined;
      }
    }
    if (place.onDisk !== undefined) place.onDisk.installed = undefined;
    place.onDisk = undefined;
  }

  async #write(version: Version): Promise<void> {
    await this.#requireParent(version.path);
    const target = join(this.directory, version.path);
    const { node } = version;
    if (node.kind === 'directory') await makeDirectory(target);
    else if (node.kind === 'symlink') {
      if (!this.#base.has(version.path)) await symlink(node.target, target);
    } else if (version.digest !== undefined) {
      const mtimeMs = version.mtimeSeconds * 1000;
      await this.#content.materialise(version.digest, target, { mtimeMs, mode: 0o444 });
    }
  }

  /** The parent must be a real directory of this tree, so that no path can lead out of it through a link. */
  async #requireParent(path: string): Promise<void> {
    const parent = dirname(path);
    if (parent === '/') return;
    const place = this.#places.get(parent);
    const version = place?.current ?? place?.onDisk;
    if (version?.node.kind === 'directory') return this.#install(version);
    if (this.#base.get(parent)?.kind === 'directory') return;
    throw new MeshError('MESHCC_PROTOCOL', `${path} was announced, but its parent is no directory`);
  }
}

async function makeDirectory(path: string): Promise<void> {
  let present: Stats | undefined;
  try {
    await mkdir(path, { mode: 0o755 });
    return;
  } catch (error) {
    present = lstatSync(path, { throwIfNoEntry: false });
    if (present === undefined) throw error;
  }
  if (!present.isDirectory()) {
    throw new MeshError(
      'MESHCC_PROTOCOL',
      `${path} is a directory at the submitter, and something else here`,
    );
  }
}

/** A file is never the same as another: whose it is matters. */
function isSameNode(a: PathNode, b: PathNode): boolean {
  if (a.kind === 'symlink' && b.kind === 'symlink') return a.target === b.target;
  return a.kind === 'directory' && b.kind === 'directory';
}

function unread(version: Version): Promise<void> {
  if (version.readers === 0) return Promise.resolve();
  return new Promise((resolve) => version.whenUnread.push(resolve));
}

function versionOf(entry: WireEntry): Version {
  const problem = viewPathProblem(entry.path);
  if (problem !== undefined) throw new MeshError('MESHCC_PROTOCOL', `entry ${entry.id}: its path ${problem}`);
  const common = { path: entry.path, readers: 0, whenUnread: [], installed: undefined };
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
