/**
 * Which blobs are here, how large they are, and which goes first: bookkeeping in memory, no files.
 * Pinned blobs stand outside the LRU order, so eviction never sees them.
 */
import { LRUCache } from 'lru-cache';
import type { Digest } from '../base/digest.ts';

/** Each takes some 250 bytes of memory here, and an inode there. */
const MAX_BLOBS = 500_000;

/** What is known of a blob. */
export interface BlobEntry {
  readonly sizeBytes: number;
  /** Its file was seen to have its digest since the store was opened. */
  verified: boolean;
  /** Last use, milliseconds since the epoch. */
  usedAtMs: number;
  /** The last use that the file's access time tells of. */
  recordedAtMs: number;
}

/** The index of a store that holds at most `maxBytes`, pinned blobs aside. */
export class BlobIndex {
  readonly maxBytes: number;
  readonly #maxCount: number;
  readonly #unpinned: LRUCache<Digest, BlobEntry>;
  readonly #pinned = new Map<Digest, BlobEntry>();
  readonly #pinCounts = new Map<Digest, number>();
  #pinnedBytes = 0;
  #reservedBytes = 0;

  /**
   * @param onEvict called for each blob that had to go; it is no longer in the index then
   * @param maxCount bound of the memory that the index itself takes
   */
  constructor(
    maxBytes: number,
    onEvict: (digest: Digest, entry: BlobEntry) => void,
    maxCount: number = MAX_BLOBS,
  ) {
    this.maxBytes = maxBytes;
    this.#maxCount = maxCount;
    this.#unpinned = new LRUCache<Digest, BlobEntry>({
      // The bound moves with what is pinned and reserved, so #trim applies it; this only turns on accounting.
      maxSize: Number.MAX_SAFE_INTEGER,
      sizeCalculation: (entry) => Math.max(1, entry.sizeBytes),
      disposeAfter: (entry, digest, reason) => {
        if (reason === 'evict') onEvict(digest, entry);
      },
    });
  }

  get count(): number {
    return this.#unpinned.size + this.#pinned.size;
  }

  get sizeBytes(): number {
    return this.#unpinned.calculatedSize + this.#pinnedBytes;
  }

  get pinnedCount(): number {
    return this.#pinned.size;
  }

  get pinnedBytes(): number {
    return this.#pinnedBytes;
  }

  get reservedBytes(): number {
    return this.#reservedBytes;
  }

  has(digest: Digest): boolean {
    return this.#pinned.has(digest) || this.#unpinned.has(digest);
  }

  /** The entry, without counting as a use. */
  peek(digest: Digest): BlobEntry | undefined {
    return this.#pinned.get(digest) ?? this.#unpinned.peek(digest);
  }

  /** The entry, used now. */
  use(digest: Digest, nowMs: number): BlobEntry | undefined {
    const entry = this.#pinned.get(digest) ?? this.#unpinned.get(digest);
    if (entry !== undefined) entry.usedAtMs = nowMs;
    return entry;
  }

  /** Adds or replaces a blob as the most recently used one, then evicts. */
  add(digest: Digest, entry: BlobEntry): void {
    this.remove(digest);
    this.#place(digest, entry);
    this.trim();
  }

  /** The unpinned blobs, least recently used first. */
  order(): Digest[] {
    return [...this.#unpinned.rkeys()];
  }

  /** Adds blobs of an earlier run, oldest first, without evicting. All count as newer than what was here. */
  adopt(found: ReadonlyArray<readonly [Digest, BlobEntry]>): void {
    for (const [digest, entry] of found) if (!this.has(digest)) this.#place(digest, entry);
  }

  /** Puts blobs at the new end of the order, the last one as the newest. */
  moveToEnd(digests: readonly Digest[]): void {
    for (const digest of digests) this.#unpinned.get(digest);
  }

  /** Forgets a blob without calling `onEvict`. */
  remove(digest: Digest): void {
    const pinned = this.#pinned.get(digest);
    if (pinned !== undefined) {
      this.#pinned.delete(digest);
      this.#pinnedBytes -= Math.max(1, pinned.sizeBytes);
    }
    this.#unpinned.delete(digest);
  }

  pin(digest: Digest): void {
    const count = this.#pinCounts.get(digest) ?? 0;
    this.#pinCounts.set(digest, count + 1);
    const entry = this.#unpinned.peek(digest);
    if (entry === undefined) return;
    this.#unpinned.delete(digest);
    this.#place(digest, entry);
  }

  unpin(digest: Digest): void {
    const count = this.#pinCounts.get(digest) ?? 0;
    if (count > 1) {
      this.#pinCounts.set(digest, count - 1);
      return;
    }
    this.#pinCounts.delete(digest);
    const entry = this.#pinned.get(digest);
    if (entry === undefined) return;
    this.remove(digest);
    this.#place(digest, entry);
  }

  /** Counts bytes that are about to be written, and makes room for them. */
  reserve(sizeBytes: number): void {
    this.#reservedBytes += sizeBytes;
    this.trim();
  }

  release(sizeBytes: number): void {
    this.#reservedBytes -= sizeBytes;
  }

  /**
   * Evicts, least recently used first, until the bound holds or only pinned blobs are left.
   * @returns true if it stopped only because it had evicted `atMost` blobs
   */
  trim(atMost = Number.POSITIVE_INFINITY): boolean {
    for (let evicted = 0; this.#isOver(); evicted++) {
      if (this.#unpinned.size === 0) return false;
      if (evicted === atMost) return true;
      this.#unpinned.pop();
    }
    return false;
  }

  /** All blobs, in no particular order. */
  *entries(): Generator<readonly [Digest, BlobEntry]> {
    yield* this.#pinned;
    yield* this.#unpinned.entries();
  }

  #isOver(): boolean {
    return this.sizeBytes + this.#reservedBytes > this.maxBytes || this.count > this.#maxCount;
  }

  #place(digest: Digest, entry: BlobEntry): void {
    if (!this.#pinCounts.has(digest)) {
      this.#unpinned.set(digest, entry);
      return;
    }
    this.#pinned.set(digest, entry);
    this.#pinnedBytes += Math.max(1, entry.sizeBytes);
  }
}
