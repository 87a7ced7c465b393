/**
 * Knows what is at each path that was ever asked about, and keeps knowing it: the directory of each path and all
 * directories above it are watched, from the root down and each before it is looked into. So whatever changes
 * an answer changes an entry of a watched directory, which the kernel announces.
 */
import type { PathNode } from '../base/path-walk.ts';
import type { DirectoryWatches } from './directory-watches.ts';
import { announcesChanges } from './event-filesystems.ts';
import type { FreshnessLimits } from './freshness-limits.ts';
import { lstatOrAbsent, sameNode, sameObject, sameStamp, stampOfStats } from './path-stamp.ts';
import type { Slices } from './slices.ts';
import {
  coldestDirectories,
  lookAt,
  MARK,
  type Mark,
  newDirectory,
  newName,
  type TreeDirectory,
  type TreeName,
} from './tree-names.ts';

const ROOT: PathNode = { kind: 'directory' };

export class TreeWatch {
  readonly #watches: DirectoryWatches;
  readonly #limits: FreshnessLimits;
  readonly #names = new Map<string, TreeName>();
  readonly #directories = new Map<string, TreeDirectory>();
  /** Directories without a watch. */
  readonly #unwatched = new Set<TreeDirectory>();
  /** By device number. */
  readonly #announcing = new Map<number, boolean>();
  #marked: TreeName[] = [];
  /** Grows whenever an answer of {@link node} may have changed, or paths were forgotten and are not watched now. */
  structureVersion = 0;
  /** Paths of files whose content may be another one than was read, or could become one without an event. */
  readonly doubtful = new Set<string>();
  /** The current refresh period; set by the owner. */
  epoch = 0;

  constructor(watches: DirectoryWatches, limits: FreshnessLimits) {
    this.#watches = watches;
    this.#limits = limits;
  }

  get sizes(): { readonly names: number; readonly directories: number; readonly unwatched: number } {
    return {
      names: this.#names.size,
      directories: this.#directories.size,
      unwatched: this.#unwatched.size,
    };
  }

  /** What is at a canonical absolute path; undefined if nothing, or if it passes through a link. */
  node(path: string): PathNode | undefined {
    return path === '/' ? ROOT : this.name(path)?.node;
  }

  /** The record of a path, made and watched at first use; undefined if its directory does not exist. */
  name(path: string): TreeName | undefined {
    const known = this.#names.get(path);
    if (known !== undefined) {
      known.parent.usedEpoch = this.epoch;
      return known;
    }
    const slash = path.lastIndexOf('/');
    const base = path.slice(slash + 1);
    if (slash < 0 || base === '' || base === '.' || base === '..') return undefined;
    const parent = this.#directory(slash === 0 ? '/' : path.slice(0, slash));
    if (parent === undefined) return undefined;
    parent.usedEpoch = this.epoch;
    const name = newName(path, parent);
    parent.names.set(base, name);
    this.#names.set(path, name);
    return name;
  }

  /** Looks again at everything that events named. Call it when a barrier was passed. */
  async applyEvents(slices: Slices): Promise<void> {
    const marked = this.#marked;
    this.#marked = [];
    for (const name of marked) {
      const replaced = name.mark === MARK.replaced;
      name.mark = MARK.none;
      if (name.parent.dropped) continue;
      name.changes++;
      if (name.content !== undefined) this.doubtful.add(name.path);
      this.#examine(name, replaced);
      if (slices.isOver) await slices.next();
    }
  }

  /** Every content that was read becomes doubtful. */
  doubtContents(): void {
    for (const name of this.#names.values()) if (name.content !== undefined) this.doubtful.add(name.path);
  }

  /** Looks again at what no event can tell about: the names of directories without a watch. */
  async checkUnwatched(slices: Slices): Promise<void> {
    for (const directory of [...this.#unwatched]) {
      if (directory.dropped) continue;
      const startedMs = performance.now();
      const unchanged = this.#stampDirectory(directory);
      if (unchanged && directory.settled) continue;
      directory.settled = unchanged && startedMs - directory.stampSeenMs > this.#limits.racyWindowMs;
      for (const name of directory.names.values()) {
        this.#examine(name, false);
        if (slices.isOver) await slices.next();
      }
    }
  }

  /** Watches and looks at everything anew, from the root down: no event is believed to have come. */
  async examineAll(slices: Slices): Promise<void> {
    this.#announcing.clear();
    const root = this.#directories.get('/');
    const pending = root === undefined ? [] : [root];
    for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
      if (directory.dropped) continue;
      this.#watch(directory);
      for (const name of [...directory.names.values()]) {
        this.#examine(name, false);
        if (name.directory !== undefined) pending.push(name.directory);
        if (slices.isOver) await slices.next();
        if (directory.dropped) break;
      }
    }
  }

  /** Forgets the half that was not used for longest, if there is too much. */
  shrink(): void {
    const { maxNames, maxDirectories } = this.#limits;
    if (this.#names.size <= maxNames && this.#directories.size <= maxDirectories) return;
    // What is forgotten is not watched any more, so whatever was concluded from it may now be wrong.
    this.structureVersion++;
    for (const { self } of coldestDirectories(this.#directories.values(), this.#names.size / 2)) {
      if (self?.directory === undefined || self.parent.dropped) continue;
      this.#drop(self.directory);
      self.directory = undefined;
    }
  }

  #directory(path: string): TreeDirectory | undefined {
    const known = this.#directories.get(path);
    if (known !== undefined) return known;
    const self = path === '/' ? undefined : this.name(path);
    if (path !== '/' && self?.node?.kind !== 'directory') return undefined;
    const directory = newDirectory(path, self);
    this.#directories.set(path, directory);
    if (self !== undefined) self.directory = directory;
    this.#watch(directory);
    return directory;
  }

  /** Watches a directory, anew if it was watched: the old watch may be that of an object which is gone. */
  #watch(directory: TreeDirectory): void {
    const old = directory.watch;
    directory.watch = this.#isAnnounced(directory)
      ? this.#watches.open(directory.path, (type, name) => this.#onEvent(directory, type, name))
      : undefined;
    if (old !== undefined) this.#watches.retire(old);
    if (directory.watch !== undefined) {
      this.#unwatched.delete(directory);
      return;
    }
    this.#unwatched.add(directory);
    this.#stampDirectory(directory);
    directory.settled = false;
  }

  /** Takes the stamp of a directory before its names are looked at; true if it is the same as before. */
  #stampDirectory(directory: TreeDirectory): boolean {
    const stats = lstatOrAbsent(directory.path);
    const stamp = stats === undefined ? undefined : stampOfStats(stats);
    const same = stamp !== undefined && directory.stamp !== undefined && sameStamp(stamp, directory.stamp);
    if (!same) directory.stampSeenMs = performance.now();
    directory.stamp = stamp;
    return same;
  }

  #isAnnounced({ path, self }: TreeDirectory): boolean {
    const device = self?.stamp?.dev;
    if (device === undefined) return announcesChanges(path);
    let announced = this.#announcing.get(device);
    if (announced === undefined) {
      announced = announcesChanges(path);
      this.#announcing.set(device, announced);
    }
    return announced;
  }

  /**
   * Most events name objects and depfiles that nobody asked about: they end at the first line. libuv calls whatever
   * happens to a directory a `rename`, its new times and permissions too: then more is forgotten than needed.
   */
  #onEvent(directory: TreeDirectory, type: 'rename' | 'change', fileName: string | null): void {
    const name = fileName === null ? undefined : directory.names.get(fileName);
    if (name !== undefined) this.#mark(name, type === 'rename' ? MARK.replaced : MARK.changed);
    if (fileName === null) {
      for (const each of directory.names.values()) this.#mark(each, MARK.replaced);
    }
    // What happens to the directory itself its watched parent tells better, except that it was unmounted.
    const { self } = directory;
    if (self === undefined || fileName !== directory.baseName) return;
    const told = self.parent.watch !== undefined;
    if (type === 'rename') this.#mark(self, told ? MARK.changed : MARK.replaced);
    else if (!told) this.#mark(self, MARK.changed);
  }

  #mark(name: TreeName, mark: Mark): void {
    if (name.mark === MARK.none) this.#marked.push(name);
    if (name.mark < mark) name.mark = mark;
  }

  /** Looks at a name again; what lies below a directory that is not the same one any more is forgotten. */
  #examine(name: TreeName, replaced: boolean): void {
    const { node, stamp, directory } = name;
    lookAt(name);
    if (!sameNode(node, name.node)) this.structureVersion++;
    if (directory === undefined) return;
    const isSame =
      !replaced && stamp !== undefined && name.stamp !== undefined && sameObject(stamp, name.stamp);
    if (isSame) return;
    this.structureVersion++;
    this.#drop(directory);
    name.directory = undefined;
  }

  #drop(directory: TreeDirectory): void {
    for (const name of directory.names.values()) {
      this.#names.delete(name.path);
      this.doubtful.delete(name.path);
      if (name.directory !== undefined) this.#drop(name.directory);
    }
    if (directory.watch !== undefined) this.#watches.retire(directory.watch);
    directory.watch = undefined;
    directory.dropped = true;
    this.#directories.delete(directory.path);
    this.#unwatched.delete(directory);
  }
}
