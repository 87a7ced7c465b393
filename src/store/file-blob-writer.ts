/**
 * Receives one blob. A small one is kept in memory until it is known to be right and then costs one open,
 * write, close and rename; a larger one goes to a temporary file as it comes. Nothing is synced to disk:
 * after a crash the digest is checked before a blob is used for the first time.
 */
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { type Digest, finishDigest, startDigest } from '../base/digest.ts';
import { errnoOf, MeshError, messageOf } from '../base/errors.ts';
import type { BlobWriter } from './blob-store-types.ts';

/** One message of a bulk stream: what arrives in one piece is written in one piece. */
const IN_MEMORY_BYTES = 256 * 1024;

/** What a writer needs of its store. */
export interface BlobWriterHost {
  temporaryPath(): string;
  /** Makes the temporary directory again. */
  restore(): Promise<void>;
  /** Puts a verified temporary file in place and counts its bytes as stored, no longer as reserved. */
  commit(digest: Digest, sizeBytes: number, temporaryPath: string): Promise<void>;
  /** Called once by a writer that ends without a commit: its bytes are no longer reserved. */
  abandoned(sizeBytes: number): void;
}

/** Writes a blob below the store's temporary directory and hands it over when its digest is right. */
export class FileBlobWriter implements BlobWriter {
  readonly #digest: Digest;
  readonly #sizeBytes: number;
  readonly #host: BlobWriterHost;
  readonly #hash = startDigest();
  readonly #path: string;
  #chunks: Uint8Array[] = [];
  #receivedBytes = 0;
  #file: Promise<FileHandle> | undefined;
  #lastWrite: Promise<void> = Promise.resolve();
  #created = false;
  #over = false;

  constructor(digest: Digest, sizeBytes: number, host: BlobWriterHost) {
    this.#digest = digest;
    this.#sizeBytes = sizeBytes;
    this.#host = host;
    this.#path = host.temporaryPath();
  }

  write(chunk: Uint8Array): Promise<void> | void {
    if (this.#over) throw this.#error('the writer has already ended');
    this.#receivedBytes += chunk.length;
    if (this.#receivedBytes > this.#sizeBytes) {
      const error = this.#error(`it is longer than the announced ${this.#sizeBytes} bytes`);
      return this.#remember(this.#lastWrite.then(() => this.#failWith(error)));
    }
    this.#hash.update(chunk);
    if (this.#sizeBytes <= IN_MEMORY_BYTES) {
      this.#chunks.push(chunk);
      return;
    }
    const written = this.#lastWrite.then(() => this.#writeToFile([chunk]));
    return this.#remember(written.catch((error) => this.#failWith(error)));
  }

  async finish(): Promise<void> {
    if (this.#over) {
      await this.#lastWrite;
      throw this.#error('the writer has already ended');
    }
    try {
      await this.#lastWrite;
      this.#verify();
      await this.#writeToFile(this.#chunks);
      const file = await this.#file;
      this.#file = undefined;
      await file?.close();
      await this.#host.commit(this.#digest, this.#sizeBytes, this.#path);
      this.#over = true;
    } catch (error) {
      return this.#failWith(error);
    }
  }

  async abort(): Promise<void> {
    if (this.#over) return;
    this.#end();
    await this.#lastWrite.catch(() => {});
    await this.#removeFile();
  }

  /** A caller that does not await is told by finish(); without the handler the failure would end the process. */
  #remember(write: Promise<void>): Promise<void> {
    this.#lastWrite = write;
    write.catch(() => {});
    return write;
  }

  #verify(): void {
    if (this.#receivedBytes !== this.#sizeBytes) {
      throw this.#error(`${this.#receivedBytes} bytes came, ${this.#sizeBytes} were announced`);
    }
    const actual = finishDigest(this.#hash);
    if (actual !== this.#digest) throw this.#error(`its content has the digest ${actual}`);
  }

  async #writeToFile(chunks: readonly Uint8Array[]): Promise<void> {
    this.#created = true;
    this.#file ??= this.#open();
    const file = await this.#file;
    for (const chunk of chunks) {
      // write() may accept a part only, when the disk is nearly full.
      for (let offset = 0; offset < chunk.length; ) {
        offset += (await file.write(chunk, offset, chunk.length - offset)).bytesWritten;
      }
    }
  }

  /** A user may empty the cache at any time: the store goes on. */
  async #open(): Promise<FileHandle> {
    try {
      return await open(this.#path, 'wx', 0o444);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      await this.#host.restore();
      return open(this.#path, 'wx', 0o444);
    }
  }

  /** Ends the writer, removes its file, and throws. */
  async #failWith(error: unknown): Promise<never> {
    if (!this.#over) this.#end();
    await this.#removeFile();
    throw error instanceof MeshError ? error : this.#error(messageOf(error), error);
  }

  #end(): void {
    this.#over = true;
    this.#chunks = [];
    this.#host.abandoned(this.#sizeBytes);
  }

  async #removeFile(): Promise<void> {
    if (!this.#created) return;
    const opening = this.#file;
    this.#file = undefined;
    await opening?.then((file) => file.close()).catch(() => {});
    await unlink(this.#path).catch(() => {});
  }

  #error(reason: string, cause?: unknown): MeshError {
    const advice =
      errnoOf(cause) === 'ENOSPC' || errnoOf(cause) === 'EDQUOT'
        ? ' Free some disk space, or give the cache less of it.'
        : ' Send it again.';
    return new MeshError('MESHCC_STORE', `cannot store blob ${this.#digest}: ${reason}.${advice}`, { cause });
  }
}
