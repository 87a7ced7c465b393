/** Contents that one submitter owes this worker: asked for in batches, checked and stored as they come. */
import { type Digest, digestFromBytes, digestToBytes } from '../base/digest.ts';
import { MeshError, messageOf } from '../base/errors.ts';
import type { BlobChunk, FromWorker, Outbound } from '../mesh/index.ts';
import type { BlobStore, BlobWriter } from '../store/index.ts';
import type { MirrorContent } from './mirror.ts';

/** 64 KiB of them: far below what a message may hold, however many files a job lists. */
const DIGESTS_PER_MESSAGE = 2_048;
/** A submitter sends one content after the other; a few more may be between two messages. */
const MAX_OPEN_WRITES = 8;
/** What they may claim of the store before they have come. */
const OPEN_WRITES_SHARE = 1 / 4;

interface Awaited {
  readonly arrived: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class BlobInbox {
  readonly #store: BlobStore;
  readonly #out: Outbound<FromWorker>;
  readonly #awaited = new Map<Digest, Awaited>();
  readonly #writers = new Map<Digest, BlobWriter>();
  /** Claimed sizes of what is being written. */
  readonly #openBytes = new Map<Digest, number>();
  #unasked: Digest[] = [];
  #closed = false;

  constructor(store: BlobStore, out: Outbound<FromWorker>) {
    this.#store = store;
    this.#out = out;
  }

  /** Resolves when the content is in the store. @throws MeshError if the submitter cannot deliver it */
  need(digest: Digest): Promise<void> {
    if (this.#closed) return Promise.reject(submitterGone());
    if (this.#store.has(digest)) {
      this.#store.touch([digest]);
      return Promise.resolve();
    }
    const present = this.#awaited.get(digest);
    if (present !== undefined) return present.arrived;
    const { promise, resolve, reject } = deferred();
    // Whoever waits sees the failure; one that nobody waits for any more is no error of its own.
    promise.catch(() => {});
    this.#awaited.set(digest, { arrived: promise, resolve, reject });
    if (this.#unasked.length === 0) queueMicrotask(() => this.#ask());
    this.#unasked.push(digest);
    return promise;
  }

  /** Takes one piece; resolves when the next may be read. Pieces that nobody asked for are dropped. */
  async accept(chunk: BlobChunk): Promise<void> {
    const digest = digestFromBytes(chunk.sha256);
    const awaited = digest === undefined ? undefined : this.#awaited.get(digest);
    if (digest === undefined || awaited === undefined) return;
    try {
      let writer = this.#writers.get(digest);
      if (writer === undefined) {
        this.#checkRoom(chunk.sizeBytes);
        writer = this.#store.startWrite(digest, chunk.sizeBytes);
        this.#writers.set(digest, writer);
        this.#openBytes.set(digest, chunk.sizeBytes);
      }
      await writer.write(chunk.data);
      if (!chunk.last) return;
      this.#forgetWriter(digest);
      await writer.finish();
      this.#awaited.delete(digest);
      awaited.resolve();
    } catch (error) {
      await this.#fail(digest, faultOf(error));
    }
  }

  /** The submitter no longer has these contents. */
  unavailable(digests: readonly Uint8Array[]): void {
    for (const bytes of digests) {
      const digest = digestFromBytes(bytes);
      if (digest !== undefined)
        void this.#fail(digest, new MeshError('MESHCC_PROTOCOL', 'the submitter no longer has this content'));
    }
  }

  /** The connection is gone: half-written blobs are removed, waiters fail. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const digest of [...this.#awaited.keys()]) await this.#fail(digest, submitterGone());
  }

  /** An unfinished content keeps a file open, and room in the store that others then do not have. */
  #checkRoom(sizeBytes: number): void {
    if (this.#writers.size >= MAX_OPEN_WRITES)
      throw new MeshError('MESHCC_PROTOCOL', `${MAX_OPEN_WRITES} contents are on the way already`);
    let openBytes = sizeBytes;
    for (const other of this.#openBytes.values()) openBytes += other;
    const room = this.#store.stats().maxBytes * OPEN_WRITES_SHARE;
    if (openBytes > room)
      throw new MeshError('MESHCC_PROTOCOL', `contents of ${openBytes} bytes at once, of at most ${room}`);
  }

  #forgetWriter(digest: Digest): void {
    this.#writers.delete(digest);
    this.#openBytes.delete(digest);
  }

  #ask(): void {
    const digests = this.#unasked;
    this.#unasked = [];
    for (let start = 0; start < digests.length; start += DIGESTS_PER_MESSAGE) {
      const sha256 = digests.slice(start, start + DIGESTS_PER_MESSAGE).map(digestToBytes);
      this.#out.send({ needBlobs: { sha256 } });
    }
  }

  async #fail(digest: Digest, error: Error): Promise<void> {
    const writer = this.#writers.get(digest);
    this.#forgetWriter(digest);
    const awaited = this.#awaited.get(digest);
    this.#awaited.delete(digest);
    awaited?.reject(error);
    await writer?.abort();
  }
}

/** Puts contents into a tree; one that was evicted, or found damaged, since it was asked for is asked for again. */
export function contentFrom(inbox: BlobInbox, store: BlobStore): MirrorContent {
  return {
    need: (digest) => inbox.need(digest),
    materialise: async (digest, path, attributes) => {
      for (let attempt = 0; attempt < 3; attempt++) {
        if ((await store.materialise(digest, path, attributes)) === 'done') return;
        await inbox.need(digest);
      }
      throw new MeshError('MESHCC_STORE', `content ${digest} does not stay in the store`);
    },
  };
}

/** Whose fault a failed write is: a disk that refuses has given its error as the cause, wrong content has none. */
function faultOf(error: unknown): Error {
  if (error instanceof MeshError && error.cause === undefined)
    return new MeshError('MESHCC_PROTOCOL', error.message);
  return error instanceof Error ? error : new Error(messageOf(error));
}

function submitterGone(): MeshError {
  return new MeshError('MESHCC_PEER', 'the submitter is gone');
}

function deferred(): { promise: Promise<void>; resolve: () => void; reject: (error: Error) => void } {
  let resolve: () => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
