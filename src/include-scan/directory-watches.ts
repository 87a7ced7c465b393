/**
 * The inotify watches of this process. libuv keeps one inotify instance per event loop, so the events of all
 * watches arrive in the order of the changes; it hides that instance's overflow, so that is inferred here.
 */
import { type FSWatcher, readFileSync, watch } from 'node:fs';

/** `change`: content or attributes. `rename`: made, removed or moved. A null name: unknown. */
export type WatchEvent = (type: 'rename' | 'change', name: string | null) => void;

/** One watched directory. */
export interface DirectoryWatch {
  readonly watcher: FSWatcher;
  /** Replaced by nothing once the watch is retired. */
  onEvent: WatchEvent | undefined;
}

/** Part of the kernel's queue that may fill before an overflow is assumed: the rest is for uncounted events. */
const FLOOD_PART = 1 / 4;

/** Retired watches are closed only this soon after the queue was seen empty: few of their events can wait in it. */
const CLOSE_WITHIN_MS = 10;

/** Beyond this they are closed at once, and an overflow is assumed. */
const MAX_RETIRED = 4_096;

const DEFAULT_QUEUE_EVENTS = 16_384;

/** Events that the kernel queues before it drops further ones. */
function queueEvents(): number {
  try {
    return Number(readFileSync('/proc/sys/fs/inotify/max_queued_events', 'utf8')) || DEFAULT_QUEUE_EVENTS;
  } catch {
    return DEFAULT_QUEUE_EVENTS;
  }
}

export class DirectoryWatches {
  readonly #open = new Set<DirectoryWatch>();
  readonly #maxWatches: number;
  readonly #floodEvents = Math.floor(queueEvents() * FLOOD_PART);
  #retired: DirectoryWatch[] = [];
  #batchEvents = 0;
  #batchStartMs = 0;
  #flooded = false;
  /** Events handled since the start. */
  events = 0;
  /** Watches that the kernel refused: too many, or a directory that this user cannot read. */
  refused = 0;

  constructor(maxWatches: number) {
    this.#maxWatches = maxWatches;
  }

  /** Watches open, retired ones included. */
  get count(): number {
    return this.#open.size;
  }

  /**
   * Watches a directory from now on; links are followed.
   * @returns undefined if it cannot be watched
   */
  open(directory: string, onEvent: WatchEvent): DirectoryWatch | undefined {
    if (this.#open.size >= this.#maxWatches) {
      this.refused++;
      return undefined;
    }
    let watcher: FSWatcher;
    try {
      watcher = watch(directory, { persistent: false });
    } catch {
      this.refused++;
      return undefined;
    }
    const opened: DirectoryWatch = { watcher, onEvent };
    watcher.on('change', (type, name) => {
      this.#count();
      opened.onEvent?.(type === 'rename' ? 'rename' : 'change', typeof name === 'string' ? name : null);
    });
    // Node ends a watch that failed: nothing below it is known any more.
    watcher.on('error', () => opened.onEvent?.('rename', null));
    this.#open.add(opened);
    return opened;
  }

  /**
   * Gives a watch up. It stays open until the queue was seen empty: the events of a closed watch are skipped by
   * libuv, hence not counted, and an overflow that they take part in would not be noticed.
   */
  retire(retired: DirectoryWatch): void {
    retired.onEvent = undefined;
    if (this.#retired.push(retired) < MAX_RETIRED) return;
    this.#closeRetired();
    this.#flooded = true;
  }

  /** True, once, if so many events came in one piece that the kernel may have dropped some. */
  takeFlood(): boolean {
    const flooded = this.#flooded;
    this.#flooded = false;
    return flooded;
  }

  close(): void {
    for (const { watcher } of this.#open) watcher.close();
    this.#open.clear();
    this.#retired = [];
  }

  /** libuv reads the queue until it is empty before it does anything else: a full queue is one batch. */
  #count(): void {
    this.events++;
    if (this.#batchEvents++ === 0) {
      this.#batchStartMs = performance.now();
      setImmediate(() => this.#endBatch());
    }
    if (this.#batchEvents >= this.#floodEvents) this.#flooded = true;
  }

  #endBatch(): void {
    const flooded = this.#batchEvents >= this.#floodEvents;
    this.#batchEvents = 0;
    if (flooded || this.#retired.length === 0) return;
    if (performance.now() - this.#batchStartMs <= CLOSE_WITHIN_MS) this.#closeRetired();
  }

  #closeRetired(): void {
    for (const retired of this.#retired) {
      retired.watcher.close();
      this.#open.delete(retired);
    }
    this.#retired = [];
  }
}
