/** What the other rooms see of the content store: its face, without how it is kept on disk. */
import type { Digest } from '../base/digest.ts';

/** Where the store tells of things that a person may want to know. A pino logger fits. */
export interface BlobStoreLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** How to open a store. */
export interface BlobStoreOptions {
  /** The store's own directory; made if missing, mode 0700. One process at a time may use it. */
  readonly directory: string;
  /** Bound of the sum of all blobs. What is pinned and what is being written counts. */
  readonly maxBytes: number;
  readonly log: BlobStoreLog;
  /**
   * How long opening waits for the directory listing. What is not listed by then counts as missing until
   * it is (the listing goes on behind; see {@link BlobStore.listed}). Default 2000.
   */
  readonly listingWaitMs?: number;
}

/** Receives one blob piece by piece. Every writer must end with `finish` or `abort`. */
export interface BlobWriter {
  /**
   * Takes the next piece. The bytes must not change until `finish`. Await the promise, if one is returned,
   * before the next call: it is the disk's backpressure.
   * @throws MeshError MESHCC_STORE if there are more bytes than announced or the disk refuses them; the writer is then over
   */
  write(chunk: Uint8Array): Promise<void> | void;
  /**
   * Checks length and digest and makes the blob visible.
   * @throws MeshError MESHCC_STORE if they differ or the disk refuses; nothing is stored then
   */
  finish(): Promise<void>;
  /** Throws away what was written. Harmless after `finish`, `abort` or a failure. */
  abort(): Promise<void>;
}

/** How a file made from a blob shall look. */
export interface MaterialiseOptions {
  /** Modification time in milliseconds since the epoch. */
  readonly mtimeMs: number;
  /** Permission bits, e.g. 0o444. */
  readonly mode: number;
}

/** `missing`: not in the store. `corrupt`: its file did not have its digest; it was dropped and logged. */
export type MaterialiseOutcome = 'done' | 'missing' | 'corrupt';

/** The store in numbers. */
export interface BlobStoreStats {
  readonly blobs: number;
  readonly sizeBytes: number;
  readonly maxBytes: number;
  readonly pinnedBlobs: number;
  readonly pinnedBytes: number;
  /** Announced by writers that have not ended yet. */
  readonly reservedBytes: number;
  /** Since the store was opened. */
  readonly evictedBlobs: number;
  readonly corruptBlobs: number;
}

/** Blobs by digest. */
export interface BlobStore {
  /** Resolves when all blobs of the last run are known again. */
  readonly listed: Promise<void>;
  has(digest: Digest): boolean;
  /** Those of `digests` that are not here, in their order, each once. */
  missing(digests: readonly Digest[]): Digest[];
  /** Marks blobs as used now; unknown ones are passed over. */
  touch(digests: readonly Digest[]): void;
  /** Size of a blob, or undefined if it is not here. */
  sizeBytes(digest: Digest): number | undefined;
  /** Stores a small blob that is in memory whole. @throws MeshError MESHCC_STORE as {@link BlobWriter} */
  put(digest: Digest, bytes: Uint8Array): Promise<void>;
  /**
   * Begins to receive a blob. Concurrent writers of one digest are fine.
   * @throws MeshError MESHCC_STORE if the size is no size or is over the bound of the whole store
   */
  startWrite(digest: Digest, sizeBytes: number): BlobWriter;
  /** Where a blob lies or would lie. Unverified: for a file to link to or read, take {@link verifiedPath}. */
  path(digest: Digest): string;
  /** Path of a blob whose content is known to be right, or undefined if it is missing or was corrupt. Pin it first. */
  verifiedPath(digest: Digest): Promise<string | undefined>;
  /** Content of a blob, or undefined if it is missing or was corrupt. */
  read(digest: Digest): Promise<Buffer | undefined>;
  /**
   * Makes a file from a blob: a copy (shared extents where the filesystem can), put in place by a rename, so
   * that it appears whole. A file already there is replaced.
   * @throws MeshError MESHCC_STORE if the target cannot be written
   */
  materialise(digest: Digest, targetPath: string, options: MaterialiseOptions): Promise<MaterialiseOutcome>;
  /**
   * Keeps blobs from eviction until the returned function is called (once counts). Digests that are not here
   * yet are pinned when they arrive. Eviction passes over what is pinned, so if the pinned blobs alone are
   * over the bound, the store is over it too for that time.
   */
  pin(digests: Iterable<Digest>): () => void;
  stats(): BlobStoreStats;
  /** Ends pending deletions and writes down what was used when. The store must not be used afterwards. */
  close(): Promise<void>;
}
