/**
 * The disk as it was at the last refresh, kept in memory and kept right by the kernel's own events. Why no stale
 * content can come out of it, and under which assumptions, is argued step by step in docs/freshness.md.
 */
import { readFileSync } from 'node:fs';
import { LRUCache } from 'lru-cache';
import type { PathNode } from '../base/path-walk.ts';
import { DirectoryWatches } from './directory-watches.ts';
import { EventBarrier } from './event-barrier.ts';
import { FRESHNESS_LIMITS, type FreshnessLimits } from './freshness-limits.ts';
import { LargeSources } from './large-sources.ts';
import { lstatOrAbsent, type PathStamp, sameStamp, stampOfStats } from './path-stamp.ts';
import { Slices } from './slices.ts';
import { type KnownContent, knownContent, type ReadOptions, readSource } from './source-reader.ts';
import { type SourceFile, type SourceView, StillReading } from './source-view-port.ts';
import type { TreeName } from './tree-names.ts';
import { TreeWatch } from './tree-watch.ts';

/** What the view did since it was opened, and what it holds. */
export interface SourceViewStats {
  readonly refreshes: number;
  /** Each serves all refreshes that began before it. */
  readonly barriers: number;
  readonly lostBarriers: number;
  readonly floods: number;
  /** Everything was watched and examined anew: after a lost barrier, a flood or a change of the mount table. */
  readonly fullExaminations: number;
  readonly events: number;
  readonly filesRead: number;
  /** Files of which stat had to tell that they did not change. */
  readonly filesChecked: number;
  readonly names: number;
  readonly directories: number;
  /** Directories that are checked by stat instead of being watched. */
  readonly unwatchedDirectories: number;
  /** Times that the kernel refused a watch. */
  readonly refusedWatches: number;
}

/** Large files that could not be read are hardly ever asked for: this is many. */
const MAX_READ_IN_VAIN = 1_000;

/** What a view needs. */
export interface SourceViewOptions {
  /** An existing private directory on a local file system, for a file that the barrier touches. */
  readonly scratchDirectory: string;
  readonly limits?: Partial<FreshnessLimits>;
}

/** One passage of the barrier, and who waits for it. */
interface Round {
  readonly done: Promise<void>;
  readonly finish: () => void;
  readonly fail: (error: unknown) => void;
}

export class WatchedSourceView implements SourceView {
  readonly #limits: FreshnessLimits;
  readonly #watches: DirectoryWatches;
  readonly #barrier: EventBarrier;
  readonly #tree: TreeWatch;
  readonly #large = new LargeSources();
  /** Large files on their way, by path. */
  readonly #reading = new Map<string, StillReading>();
  /** Large files that could not be read, as they were then. */
  readonly #readInVain = new LRUCache<string, PathStamp>({ max: MAX_READ_IN_VAIN });
  /** Will write its cookie when the running one is done. */
  #nextRound: Round | undefined;
  #running = false;
  #closed = false;
  /** What is known from before this refresh period must be compared by stat. */
  #doubtEpoch = 0;
  #auditedMs = performance.now();
  #mountsCheckedMs = performance.now();
  #mounts = mountTable();
  #refreshes = 0;
  #barriers = 0;
  #lostBarriers = 0;
  #floods = 0;
  #fullExaminations = 0;
  #filesRead = 0;
  #filesChecked = 0;

  constructor(options: SourceViewOptions) {
    this.#limits = { ...FRESHNESS_LIMITS, ...options.limits };
    this.#watches = new DirectoryWatches(2 * this.#limits.maxDirectories);
    this.#barrier = new EventBarrier(options.scratchDirectory, this.#watches, this.#limits.cookieTimeoutMs);
    this.#tree = new TreeWatch(this.#watches, this.#limits);
  }

  /** A growth ends what was known: whatever was concluded before must be concluded anew, by asking again. */
  get structureVersion(): number {
    return this.#tree.structureVersion;
  }

  node(path: string): PathNode | undefined {
    return this.#tree.node(path);
  }

  changesAt(path: string): number | undefined {
    const name = this.#tree.name(path);
    return name?.parent.watch === undefined ? undefined : name.changes;
  }

  /** Ask again after each refresh: that the same object comes back is the proof that nothing changed. */
  file(path: string): SourceFile | undefined {
    const name = this.#tree.name(path);
    if (name?.node?.kind !== 'file') return undefined;
    const known = name.content;
    if (known === undefined || !this.#isRight(name, known)) name.content = this.#read(name);
    if (name.content !== undefined && isSilent(name, name.content)) this.#tree.doubtful.delete(path);
    else this.#tree.doubtful.add(path);
    return name.content?.file;
  }

  /** @throws StillReading */
  #read(name: TreeName): KnownContent | undefined {
    const { path, content: previous } = name;
    const reading = this.#reading.get(path);
    if (reading !== undefined) throw reading;
    const options: ReadOptions = {
      limits: this.#limits,
      localClock: name.parent.watch !== undefined,
      changes: name.changes,
      epoch: this.#tree.epoch,
      previous,
    };
    this.#filesRead++;
    const read = readSource(path, options);
    if (read === undefined || !('isLarge' in read)) return read;
    const vain = this.#readInVain.get(path);
    if (vain !== undefined && sameStamp(vain, read.stamp)) return undefined;
    // As of now: what happens while it is read is heard of, and makes it doubtful again.
    const arrived = this.#large.read(path, this.#limits, previous?.file.digest).then((content) => {
      this.#reading.delete(path);
      if (content === undefined) this.#readInVain.set(path, read.stamp);
      else name.content = knownContent(path, content, read.clocks, options);
    });
    const started = new StillReading(path, arrived);
    this.#reading.set(path, started);
    throw started;
  }

  get doubtful(): ReadonlySet<string> {
    return this.#tree.doubtful;
  }

  refresh(): Promise<void> {
    this.#refreshes++;
    if (this.#closed) return Promise.resolve();
    if (this.#nextRound === undefined) {
      this.#nextRound = newRound();
      // The check phase: all calls that this turn of the event loop brings share one cookie.
      if (!this.#running) setImmediate(() => void this.#runRounds());
    }
    return this.#nextRound.done;
  }

  stats(): SourceViewStats {
    const { names, directories, unwatched } = this.#tree.sizes;
    return {
      refreshes: this.#refreshes,
      barriers: this.#barriers,
      lostBarriers: this.#lostBarriers,
      floods: this.#floods,
      fullExaminations: this.#fullExaminations,
      events: this.#watches.events,
      filesRead: this.#filesRead,
      filesChecked: this.#filesChecked,
      names,
      directories,
      unwatchedDirectories: unwatched,
      refusedWatches: this.#watches.refused,
    };
  }

  /** Ends all watches. What was asked stays answered, but is not kept right any more. */
  close(): void {
    this.#closed = true;
    this.#barrier.close();
    this.#watches.close();
    this.#large.close();
  }

  /** True if the content is proved to be what it was: by silence where every change is announced, else by stat. */
  #isRight(name: TreeName, known: KnownContent): boolean {
    if (known.changes !== name.changes) return false;
    const { epoch } = this.#tree;
    if (known.checkedEpoch === epoch) return true;
    if (isSilent(name, known) && known.checkedEpoch >= this.#doubtEpoch) return true;
    if (!known.settled) return false;
    this.#filesChecked++;
    const stats = lstatOrAbsent(name.path);
    if (stats === undefined || !sameStamp(known.stamp, stampOfStats(stats))) return false;
    known.checkedEpoch = epoch;
    return true;
  }

  async #runRounds(): Promise<void> {
    this.#running = true;
    while (this.#nextRound !== undefined) {
      const round = this.#nextRound;
      this.#nextRound = undefined;
      try {
        if (!this.#closed) await this.#catchUp();
        round.finish();
      } catch (error) {
        round.fail(error);
      }
    }
    this.#running = false;
  }

  /** Brings the view to the state of the disk at some moment after the call. */
  async #catchUp(): Promise<void> {
    this.#barriers++;
    const delivered = await this.#barrier.pass();
    if (this.#closed) return;
    if (!delivered) this.#lostBarriers++;
    const flooded = this.#watches.takeFlood();
    if (flooded) this.#floods++;
    const slices = new Slices(this.#limits.sliceMs);
    const nowMs = performance.now();
    if (this.#mountsChanged(nowMs) || flooded || !delivered) {
      this.#fullExaminations++;
      this.#doubtAll();
      await this.#tree.examineAll(slices);
    } else if (nowMs - this.#auditedMs >= this.#limits.auditIntervalMs) {
      this.#auditedMs = nowMs;
      this.#doubtAll();
    }
    await this.#tree.applyEvents(slices);
    await this.#tree.checkUnwatched(slices);
    this.#tree.shrink();
    this.#tree.epoch++;
  }

  /** From the end of this refresh on, each file has to prove itself by stat once. */
  #doubtAll(): void {
    this.#doubtEpoch = this.#tree.epoch + 1;
    this.#tree.doubtContents();
  }

  #mountsChanged(nowMs: number): boolean {
    if (nowMs - this.#mountsCheckedMs < this.#limits.mountCheckIntervalMs) return false;
    this.#mountsCheckedMs = nowMs;
    const mounts = mountTable();
    const changed = mounts !== this.#mounts;
    this.#mounts = mounts;
    return changed;
  }
}

/** True if a change of the content would be announced: not if it was read within moments of its last change. */
function isSilent(name: TreeName, { stamp, settled }: KnownContent): boolean {
  // Written through another name, or through a mapping made before it was read, a file changes unannounced.
  return stamp.linkCount === 1 && settled && name.parent.watch !== undefined;
}

function newRound(): Round {
  let finish = (): void => {};
  let fail = (_error: unknown): void => {};
  const done = new Promise<void>((resolve, reject) => {
    finish = resolve;
    fail = reject;
  });
  return { done, finish, fail };
}

function mountTable(): string {
  try {
    return readFileSync('/proc/self/mountinfo', 'latin1');
  } catch {
    return '';
  }
}
