/**
 * Writing to a gRPC stream with backpressure. grpc-js counts queued messages, not bytes, and queues
 * without bound if `write() === false` is not heeded; everything bulky must wait for {@link Outbound.ready}.
 */

/** The part of a gRPC stream that writing needs; client and server streams both have it. */
export interface WritableStreamLike<Message> {
  write(message: Message): boolean;
  once(event: 'drain' | 'close' | 'error', listener: () => void): unknown;
  end(): unknown;
  readonly destroyed: boolean;
}

/** One direction of a stream. */
export class Outbound<Message> {
  readonly #stream: WritableStreamLike<Message>;
  #blocked: Promise<void> | undefined;
  #closed = false;

  constructor(stream: WritableStreamLike<Message>) {
    this.#stream = stream;
  }

  /** Queues a small message (a job, a credit, a result). Never call it in a loop over file contents. */
  send(message: Message): void {
    if (this.#closed || this.#stream.destroyed) return;
    if (!this.#stream.write(message) && this.#blocked === undefined) {
      this.#blocked = new Promise((resolve) => {
        const release = (): void => {
          this.#blocked = undefined;
          resolve();
        };
        this.#stream.once('drain', release);
        this.#stream.once('close', release);
        this.#stream.once('error', release);
      });
    }
  }

  /** Resolves when the stream takes more without queueing; at once if it already does or is closed. */
  async ready(): Promise<void> {
    while (this.#blocked !== undefined && !this.#closed) await this.#blocked;
  }

  /** Sends a bulky message after waiting for room. Resolves when it was handed over. */
  async sendWhenReady(message: Message): Promise<void> {
    await this.ready();
    this.send(message);
  }

  /** No further messages. */
  end(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (!this.#stream.destroyed) this.#stream.end();
  }
}
