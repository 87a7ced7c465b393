/**
 * One submitter's file tree on this worker's disk: exactly what the submitter has told, at the submitter's
 * own absolute paths. A path that changes is replaced only when no job that listed the old content runs any
 * more, and jobs that list the new one wait for that: two versions never mix.
 */
import { lchown, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Digest } from '../base/digest.ts';
import { MeshError } from '../base/errors.ts';
import { type PathNode, walkPath } from '../base/path-walk.ts';
import type { WireEntry } from '../mesh/index.ts';
import { viewOf } from './job-view.ts';
import { makeDirectory } from './make-once.ts';
import {
  changeBytes,
  isSameNode,
  isVacant,
  newPlace,
  type Place,
  placeBytes,
  type Version,
  versionBytes,
  versionOf,
} from './mirror-place.ts';
import { PathTree } from './path-tree.ts';
import { TreeGate } from './tree-gate.ts';

/** Spelled paths that are remembered: those in the depfiles of some thousand jobs. */
const MAX_RESOLVED = 50_000;

/** Puts a blob's bytes at a path of the tree, when it is there. */
export interface MirrorContent {
  /** Resolves when the content is in the store. */
  need(digest: Digest): Promise<void>;
  materialise(digest: Digest, path: string, attributes: { mtimeMs: number; mode: number }): Promise<void>;
}

/** A job's claim on the tree; the versions that it lists stay until it is released. */
export interface Hold {
  /** Resolves when everything listed is on disk. @throws MeshError if some content cannot be had */
  readonly ready: Promise<void>;
  /** True if the job listed what is now at this canonical path. */
  lists(canonicalPath: string): boolean;
  /** The content of the file at this canonical path, if the job listed it. */
  digestAt(canonicalPath: string): Digest | undefined;
  /**
   * Everything that the job may see, in the form of {@link CellJob.view}: what it lists, the worker's own part of the
   * tree, these directories, and all directories above.
   */
  view(directories: readonly string[]): string[];
  release(): void;
}

export class Mirror {
  /** The directory that stands for the submitter's `/`. */
  readonly directory: string;
  readonly #content: MirrorContent;
  readonly #made: Promise<unknown>;
  readonly #gate = new TreeGate();
  readonly #owner: number;
  readonly #places = new Map<string, Place>();
  readonly #paths = new PathTree();
  /** Places that jobs may list, so that no removal looks twice at what was removed. */
  readonly #livePaths = new PathTree();
  /** What jobs may list: the latest announcement of each path. */
  readonly #versions = new Map<number, Version>();
  readonly #base = new Map<string, PathNode>();
  readonly #removals = new Set<Promise<void>>();
  /** Spelled path -> canonical path; valid until a directory or link changes. */
  readonly #resolved = new Map<string, string>();
  /** Memory of places and of what jobs may list. */
  #bytes = 0;
  /** Changes that have not ended. */
  #changing = 0;
  #serial = 0;

  /**
   * @param made resolves when the directory is there; until then nothing is written
   * @param owner user and group whom the directories of the tree belong to; 0: this agent's own
   */
  constructor(
    directory: string,
    content: MirrorContent,
    made: Promise<unknown> = Promise.resolve(),
    owner = 0,
  ) {
    this.directory = directory;
    this.#content = content;
    this.#made = made;
    this.#owner = owner;
  }

  /** Gives a directory that was just made in the tree to those who will write below it. */
  async own(directory: string): Promise<void> {
    if (this.#owner !== 0) await lchown(directory, this.#owner, this.#owner);
  }

  /** Memory that the submitter's announcements take, about. */
  get heldBytes(): number {
    return this.#bytes + changeBytes(this.#changing);
  }

  /**
   * Something of the worker's own (its toolchains) is about to lie in the tree.
   * @throws MeshError MESHCC_COMPILER if the submitter has announced something else there
   */
  addBase(path: string, node: PathNode): void {
    const place = this.#places.get(path);
    for (const version of place === undefined ? [] : [place.current, place.onDisk, ...place.coming]) {
      if (version === undefined || isSameNode(version.node, node)) continue;
      throw new MeshError(
        'MESHCC_COMPILER',
        `${path} belongs to the toolchain, and the submitter has a ${version.node.kind} there`,
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
    const version = versionOf(entry, ++this.#serial);
    const own = this.#base.get(entry.path);
    // Else a submitter could put a program of its own in the place of the compiler.
    if (own !== undefined && !isSameNode(own, version.node)) {
      throw new MeshError(
        'MESHCC_PROTOCOL',
        `entry ${entry.id} would replace ${entry.path}, which belongs to the toolchain`,
      );
    }
    if (version.node.kind !== 'file') this.#resolved.clear();
    const place = this.#place(entry.path);
    this.#withdraw(place);
    this.#versions.set(entry.id, version);
    this.#bytes += versionBytes(version);
    // What later jobs do not list may stay on disk until its place is needed.
    place.current = version;
    this.#livePaths.add(place.path);
  }

  /**
   * From here on, nothing is at these paths, nor below them; `/` is everything. Later jobs wait until that is so on
   * disk.
   */
  remove(paths: readonly string[]): void {
    for (const path of paths) {
      for (const gone of [path, ...this.#livePaths.below(path)]) {
        const place = this.#places.get(gone);
        if (place?.current !== undefined) this.#remove(place);
      }
    }
  }

  #remove(place: Place): void {
    this.#withdraw(place);
    if (this.#base.has(place.path) || (place.onDisk === undefined && place.coming.length === 0)) {
      this.#forgetVacant(place);
      return;
    }
    const removal = this.#change(place, undefined);
    this.#removals.add(removal);
    void removal.finally(() => this.#removals.delete(removal)).catch(() => {});
  }

  /** Resolves when everything that was removed is gone from the disk, or could not be removed. */
  async removed(): Promise<void> {
    await Promise.allSettled(this.#removals);
  }

  /** Jobs may no longer list what was announced for a place. */
  #withdraw(place: Place): void {
    if (place.current === undefined) return;
    this.#versions.delete(place.current.id);
    this.#bytes -= versionBytes(place.current);
    place.current = undefined;
    this.#livePaths.delete(place.path);
  }

  #forgetVacant(place: Place): void {
    if (!isVacant(place) || this.#places.get(place.path) !== place) return;
    this.#places.delete(place.path);
    this.#paths.delete(place.path);
    this.#bytes -= placeBytes(place.path);
  }

  /**
   * Claims the entries that a job lists. A job may list only what is at its path now; so it waits for jobs
   * before it and never for one after it, and no two wait for each other.
   * @throws MeshError MESHCC_PROTOCOL for an id that was never announced, or was replaced or removed since
   */
  hold(ids: readonly number[]): Hold {
    const versions = new Set<Version>();
    for (const id of ids) {
      const version = this.#versions.get(id);
      if (version === undefined)
        throw new MeshError('MESHCC_PROTOCOL', `a job lists entry ${id}, which is not announced`);
      versions.add(version);
    }
    for (const version of versions) version.readers++;
    let held = true;
    const ready = Promise.all([...this.#removals, ...this.#installAll(versions)]).then(() => {});
    ready.catch(() => {});
    const listedAt = (path: string): Version | undefined => {
      const onDisk = this.#places.get(path)?.onDisk;
      return onDisk !== undefined && versions.has(onDisk) ? onDisk : undefined;
    };
    return {
      ready,
      lists: (path) => listedAt(path) !== undefined,
      digestAt: (path) => listedAt(path)?.digest,
      view: (directories) => viewOf(this.#base, versions, directories),
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
      if (this.#resolved.size >= MAX_RESOLVED) this.#resolved.clear();
      this.#resolved.set(path, canonical);
    }
    return canonical;
  }

  /** True if a regular file is at a canonical path of the tree now, whoever put it there. */
  hasFile(canonicalPath: string): boolean {
    return this.#nodeAt(canonicalPath)?.kind === 'file';
  }

  /** True if a path, as a compiler spells it, leads to a directory of the tree now. */
  hasDirectory(path: string): boolean {
    return walkPath(path, (at) => this.#nodeAt(at)).node?.kind === 'directory';
  }

  #nodeAt(path: string): PathNode | undefined {
    return this.#places.get(path)?.onDisk?.node ?? this.#base.get(path);
  }

  #place(path: string): Place {
    let place = this.#places.get(path);
    if (place === undefined) {
      place = newPlace(path);
      this.#places.set(path, place);
      this.#paths.add(path);
      this.#bytes += placeBytes(path);
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
    // Contents are asked for at once; only the replacement waits its turn. The parent is the one of this moment: a
    // later one waits for the jobs that list this one, so that waiting for it would never end.
    const content = version?.digest === undefined ? undefined : this.#content.need(version.digest);
    content?.catch(() => {});
    const parent = version === undefined ? undefined : this.#parentOf(version.path);
    parent?.catch(() => {});
    place.coming.push(version);
    this.#changing++;
    const change = place.changes
      .then(() => this.#bringTo(place, version, content, parent))
      .finally(() => {
        this.#changing--;
        place.coming.shift();
        this.#forgetVacant(place);
      });
    place.changes = change.catch(() => {});
    return change;
  }

  async #bringTo(
    place: Place,
    version: Version | undefined,
    content: Promise<void> | undefined,
    parent: Promise<void> | undefined,
  ): Promise<void> {
    // What is on disk may go by itself while its readers are awaited: a directory above it is replaced.
    for (let old = place.onDisk; old !== undefined; old = place.onDisk) {
      if (old === version || (version === undefined && this.#base.has(place.path))) return;
      if (version !== undefined && isSameNode(old.node, version.node)) {
        place.onDisk = version;
        return;
      }
      await unread(old);
      await this.#clear(place, old);
    }
    if (version === undefined) return;
    await content;
    await parent;
    await this.#write(place, version);
  }

  async #clear(place: Place, old: Version): Promise<void> {
    const remove = async (): Promise<void> => {
      if (place.onDisk !== old || this.#base.has(place.path)) return;
      await rm(join(this.directory, place.path), { recursive: true, force: true });
      this.#forgetOnDisk(place);
      if (old.node.kind !== 'directory') return;
      for (const path of this.#paths.below(place.path)) {
        const inside = this.#places.get(path);
        if (inside !== undefined) this.#forgetOnDisk(inside);
      }
    };
    await (old.node.kind === 'directory' ? this.#gate.alone(remove) : this.#gate.shared(remove));
  }

  #forgetOnDisk(place: Place): void {
    if (place.onDisk === undefined) return;
    if (place.onDisk.node.kind !== 'file') this.#resolved.clear();
    place.onDisk.installed = undefined;
    place.onDisk = undefined;
    this.#forgetVacant(place);
  }

  async #write(place: Place, version: Version): Promise<void> {
    const { path, node } = version;
    await this.#made;
    await this.#gate.shared(async () => {
      if (!this.#isDirectoryOnDisk(dirname(path))) throw parentless(path);
      const target = join(this.directory, path);
      if (node.kind === 'directory') {
        if (await makeDirectory(target, () => occupied(path))) await this.own(target);
      } else if (node.kind === 'symlink') {
        if (!this.#base.has(path)) await symlink(node.target, target);
      } else if (version.digest !== undefined) {
        const mtimeMs = version.mtimeSeconds * 1000;
        await this.#content.materialise(version.digest, target, { mtimeMs, mode: 0o444 });
      }
      place.onDisk = version;
      if (node.kind !== 'file') this.#resolved.clear();
    });
  }

  /** The parent must be a real directory of this tree, so that no path can lead out of it through a link. */
  async #parentOf(path: string): Promise<void> {
    const parent = dirname(path);
    if (parent === '/') return;
    const version = this.#places.get(parent)?.current;
    if (version?.node.kind === 'directory') return this.#install(version);
    if (this.#base.get(parent)?.kind === 'directory') return;
    throw parentless(path);
  }

  #isDirectoryOnDisk(path: string): boolean {
    if (path === '/' || this.#base.get(path)?.kind === 'directory') return true;
    return this.#places.get(path)?.onDisk?.node.kind === 'directory';
  }
}

function parentless(path: string): MeshError {
  return new MeshError('MESHCC_PROTOCOL', `${path} was announced, but its parent is no directory`);
}

function occupied(path: string): MeshError {
  return new MeshError('MESHCC_PROTOCOL', `${path} is a directory at the submitter, and something else here`);
}

function unread(version: Version): Promise<void> {
  if (version.readers === 0) return Promise.resolve();
  return new Promise((resolve) => version.whenUnread.push(resolve));
}
