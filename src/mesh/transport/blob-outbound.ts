/**
 * The stream of file contents. Most headers are a few kilobytes, and a message costs as much as copying a hundred: so
 * pieces that follow each other closely travel together.
 */
import type { BlobBatch, BlobChunk } from './messages.ts';
import type { Outbound } from './outbound.ts';
import { CHUNK_BYTES } from './service.ts';

export class BlobOutbound {
  readonly #out: Outbound<BlobBatch>;
  #held: BlobChunk[] = [];
  #heldBytes = 0;

  constructor(out: Outbound<BlobBatch>) {
    this.#out = out;
  }

  /** Queues a piece of at most {@link CHUNK_BYTES}. It is sent with the end of this turn of the event loop at the latest. */
  send(chunk: BlobChunk): void {
    if (this.#heldBytes + chunk.data.length > CHUNK_BYTES) this.#flush();
    if (this.#held.length === 0) setImmediate(() => this.#flush());
    this.#held.push(chunk);
    this.#heldBytes += chunk.data.length;
  }

  /** Resolves when the stream takes more without queueing; at once if it already does or is closed. */
  ready(): Promise<void> {
    return this.#out.ready();
  }

  /** Sends a piece after waiting for room. */
  async sendWhenReady(chunk: BlobChunk): Promise<void> {
    await this.ready();
    this.send(chunk);
  }

  #flush(): void {
    if (this.#held.length === 0) return;
    const chunks = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    this.#out.send({ chunks });
  }
}
