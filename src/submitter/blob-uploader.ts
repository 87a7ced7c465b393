/** Sends one worker the contents that it lacks, one file after the other, never faster than the link takes them. */
import { open } from 'node:fs/promises';
import { type Digest, digestFromBytes, digestToBytes } from '../base/digest.ts';
import { type BlobChunk, CHUNK_BYTES, type Outbound } from '../mesh/index.ts';

/** A file that had some content when it was looked at. */
export interface BlobSource {
  readonly path: string;
  readonly sizeBytes: number;
  readonly mtimeSeconds: number;
}

/** How the uploader finds the files that have, or had, some content, most likely first. */
export type SourcesOf = (digest: Digest) => readonly BlobSource[];

/** What came of an upload: `unfit` before anything was sent, `broken` after. */
type Upload = 'sent' | 'unfit' | 'broken';

export class BlobUploader {
  readonly #out: Outbound<BlobChunk>;
  readonly #sourcesOf: SourcesOf;
  readonly #onUnavailable: (digests: Digest[]) => void;
  readonly #queue: Digest[] = [];
  #running = false;
  #stopped = false;
  #sentBytes = 0;

  /**
   * @param onUnavailable called for content that no file has any more; the worker then fails the jobs that wait for it
   */
  constructor(out: Outbound<BlobChunk>, sourcesOf: SourcesOf, onUnavailable: (digests: Digest[]) => void) {
    this.#out = out;
    this.#sourcesOf = sourcesOf;
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
      let upload: Upload = 'unfit';
      for (const source of this.#sourcesOf(digest)) {
        upload = await this.#upload(digest, source);
        if (upload !== 'unfit') break;
      }
      if (upload !== 'sent' && !this.#stopped) this.#onUnavailable([digest]);
    }
    this.#queue.length = 0;
    this.#running = false;
  }

  /** What changes after this look at the file is found by the worker, which checks the digest. */
  async #upload(digest: Digest, source: BlobSource): Promise<Upload> {
    const sha256 = digestToBytes(digest);
    let handle: Awaited<ReturnType<typeof open>>;
    try {
      handle = await open(source.path, 'r');
    } catch {
      return 'unfit';
    }
    let offset = 0;
    try {
      const { size: sizeBytes, mtimeMs } = await handle.stat();
      if (sizeBytes !== source.sizeBytes || Math.floor(mtimeMs / 1000) !== source.mtimeSeconds)
        return 'unfit';
      for (;;) {
        // A buffer of its own for each message: the stream keeps it until it is on the wire.
        const piece = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, sizeBytes - offset));
        const { bytesRead } = await handle.read(piece, 0, piece.length, offset);
        if (bytesRead < piece.length) return 'broken';
        offset += bytesRead;
        const last = offset === sizeBytes;
        if (this.#stopped) return 'sent';
        await this.#out.sendWhenReady({ sha256, sizeBytes, data: piece, last });
        this.#sentBytes += bytesRead;
        if (last) return 'sent';
      }
    } catch {
      return 'broken';
    } finally {
      await handle.close();
    }
  }
}
