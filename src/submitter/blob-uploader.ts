/** Sends one worker the contents that it lacks, one file after the other, never faster than the link takes them. */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { open } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Digest, digestFromBytes, digestToBytes } from '../base/digest.ts';
import { type BlobOutbound, CHUNK_BYTES } from '../mesh/index.ts';

/** A file that had some content when it was looked at. */
export interface BlobSource {
  readonly path: string;
  readonly sizeBytes: number;
  readonly mtimeSeconds: number;
}

/** How the uploader finds the files that have, or had, some content, most likely first. */
export type SourcesOf = (digest: Digest) => readonly BlobSource[];

/**
 * Files up to this size, which have just been scanned and lie in the page cache, are read at once: handing
 * each to a thread costs five times as much.
 */
const SMALL_BYTES = 64 * 1024;

/** How long such reading may hold the event loop before others get a turn. */
const SLICE_MS = 4;

/** What came of an upload: `unfit` before anything was sent, `broken` after. */
type Upload = 'sent' | 'unfit' | 'broken';

export class BlobUploader {
  readonly #out: BlobOutbound;
  readonly #sourcesOf: SourcesOf;
  readonly #onUnavailable: (digests: Digest[]) => void;
  /** Each content once, and only known ones: never more than the dictionary has. */
  readonly #queue = new Set<Digest>();
  #running = false;
  #stopped = false;
  #sentBytes = 0;

  /**
   * @param onUnavailable called for content that no file has any more; the worker then fails the jobs that wait for it
   */
  constructor(out: BlobOutbound, sourcesOf: SourcesOf, onUnavailable: (digests: Digest[]) => void) {
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
    if (this.#stopped) return;
    const unknown: Digest[] = [];
    for (const bytes of digests) {
      const digest = digestFromBytes(bytes);
      if (digest === undefined) continue;
      if (this.#sourcesOf(digest).length > 0) this.#queue.add(digest);
      else unknown.push(digest);
    }
    if (unknown.length > 0) this.#onUnavailable(unknown);
    if (!this.#running) void this.#drainQueue();
  }

  /** No further uploads; the connection is gone. */
  stop(): void {
    this.#stopped = true;
    this.#queue.clear();
  }

  async #drainQueue(): Promise<void> {
    this.#running = true;
    let sliceEndMs = performance.now() + SLICE_MS;
    for (const digest of this.#queue) {
      // Before it is sent: the worker may ask again as soon as it has it, should it not keep.
      this.#queue.delete(digest);
      let upload: Upload = 'unfit';
      for (const source of this.#sourcesOf(digest)) {
        const isSmall = source.sizeBytes <= SMALL_BYTES;
        await this.#out.ready();
        upload = isSmall ? this.#uploadSmall(digest, source) : await this.#upload(digest, source);
        if (upload !== 'unfit') break;
      }
      if (upload !== 'sent' && !this.#stopped) this.#onUnavailable([digest]);
      if (performance.now() > sliceEndMs) {
        await nextTurn();
        sliceEndMs = performance.now() + SLICE_MS;
      }
    }
    this.#running = false;
  }

  /** The same for a file that fits one message, in one turn. */
  #uploadSmall(digest: Digest, source: BlobSource): Upload {
    if (this.#stopped) return 'sent';
    let descriptor: number;
    try {
      descriptor = openSync(source.path, OPEN_FLAGS);
    } catch {
      return 'unfit';
    }
    try {
      if (!isUnchanged(fstatSync(descriptor), source)) return 'unfit';
      const data = Buffer.allocUnsafe(source.sizeBytes);
      if (readSync(descriptor, data, 0, data.length, 0) < data.length) return 'unfit';
      this.#out.send({ sha256: digestToBytes(digest), sizeBytes: data.length, data, last: true });
      this.#sentBytes += data.length;
      return 'sent';
    } catch {
      return 'unfit';
    } finally {
      closeSync(descriptor);
    }
  }

  /** What changes after this look at the file is found by the worker, which checks the digest. */
  async #upload(digest: Digest, source: BlobSource): Promise<Upload> {
    const sha256 = digestToBytes(digest);
    let handle: Awaited<ReturnType<typeof open>>;
    try {
      handle = await open(source.path, OPEN_FLAGS);
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

/** A FIFO that took the file's place must not hold anything up. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;

function isUnchanged(stats: Stats, { sizeBytes, mtimeSeconds }: BlobSource): boolean {
  return stats.isFile() && stats.size === sizeBytes && Math.floor(stats.mtimeMs / 1000) === mtimeSeconds;
}
