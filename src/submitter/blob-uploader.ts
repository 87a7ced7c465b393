/** Sends one worker the contents that it lacks, one file after the other, never faster than the link takes them. */
import { open } from 'node:fs/promises';
import { type Digest, digestFromBytes, digestToBytes } from '../base/digest.ts';
import { type BlobChunk, CHUNK_BYTES, type Outbound } from '../mesh/index.ts';

/** How the uploader finds a file that has, or had, some content. */
export type SourceOf = (digest: Digest) => string | undefined;

export class BlobUploader {
  readonly #out: Outbound<BlobChunk>;
  readonly #sourceOf: SourceOf;
  readonly #onUnavailable: (digests: Digest[]) => void;
  readonly #queue: Digest[] = [];
  #running = false;
  #stopped = false;
  #sentBytes = 0;

  /**
   * @param onUnavailable called for content that no file has any more; the worker then fails the jobs that wait for it
   */
  constructor(out: Outbound<BlobChunk>, sourceOf: SourceOf, onUnavailable: (digests: Digest[]) => void) {
    this.#out = out;
    this.#sourceOf = sourceOf;
    this.#onUnavailable = onUnavailable;
  }

  /** Bytes of file content sent so far. */
  get sentBytes(): number {
    return this.#sentBytes;
  }

  /** Queues what the worker asked for. */
  request(digests: readonly Uint8Array[]): void {
    for (const bytes of digests) {
      const digest = digestFromBytes(bytes);
      if (digest !== undefined) this.#queue.push(digest);
    }
    if (!this.#running) void this.#drainQueue();
  }

  /** No further uploads; the connection is gone. */
  stop(): void {
    this.#stopped = true;
    this.#queue.length = 0;
  }

  async #drainQueue(): Promise<void> {
    this.#running = true;
    // The queue is walked by index: shifting a long array costs time for each of its elements.
    for (let next = 0; next < this.#queue.length && !this.#stopped; next++) {
      const digest = this.#queue[next] as Digest;
      const path = this.#sourceOf(digest);
      const sent = path !== undefined && (await this.#upload(digest, path));
      if (!sent && !this.#stopped) this.#onUnavailable([digest]);
    }
    this.#queue.length = 0;
    this.#running = false;
  }

  /** @returns false if the file is gone or shrank; a changed content is found by the worker, which checks the digest */
  async #upload(digest: Digest, path: string): Promise<boolean> {
    const sha256 = digestToBytes(digest);
    let handle: Awaited<ReturnType<typeof open>>;
    try {
      handle = await open(path, 'r');
    } catch {
      return false;
    }
    try {
      const sizeBytes = (await handle.stat()).size;
      for (let offset = 0; ; ) {
        // A buffer of its own for each message: the stream keeps it until it is on the wire.
        const piece = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, sizeBytes - offset));
        const { bytesRead } = await handle.read(piece, 0, piece.length, offset);
        if (bytesRead < piece.length) return false;
        offset += bytesRead;
        const last = offset === sizeBytes;
        if (this.#stopped) return true;
        await this.#out.sendWhenReady({ sha256, sizeBytes, data: piece, last });
        this.#sentBytes += bytesRead;
        if (last) return true;
      }
    } catch {
      return false;
    } finally {
      await handle.close();
    }
  }
}
