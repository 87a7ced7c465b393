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

interface Pause {
  readonly over: Promise<void>;
  readonly end: () => void;
}

/** One direction of a stream. */
export class Outbound<Message> {
  readonly #stream: WritableStreamLike<Message>;
  #pause: Pause | undefined;
  #ended = false;
  #gone = false;

  constructor(stream: WritableStreamLike<Message>) {
    this.#stream = stream;
    const lose = (): void => {
      this.#gone = true;
      this.#endPause();
    };
    // Here and not with each pause: a long upload pauses thousands of times, and listeners would pile up.
    stream.once('close', lose);
    stream.once('error', lose);
  }

  /** Queues a small message (a job, a credit, a result). Never call it in a loop over file contents. */
  send(message: Message): void {
    if (this.#ended || this.#gone || this.#stream.destroyed) return;
    if (this.#stream.write(message) || this.#pause !== undefined) return;
    let end: () => void = () => {};
    const over = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.#pause = { over, end };
    this.#stream.once('drain', () => this.#endPause());
  }

  /** Resolves when the stream takes more without queueing; at once if it already does or is closed. */
  async ready(): Promise<void> {
    while (this.#pause !== undefined) await this.#pause.over;
  }

  /** Sends a bulky message after waiting for room. Resolves when it was handed over. */
  async sendWhenReady(message: Message): Promise<void> {
    await this.ready();
    this.send(message);
  }

  /** No further messages. Whoever waits for room goes on, and what it sends is dropped. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#endPause();
    if (!this.#stream.destroyed) this.#stream.end();
  }

  #endPause(): void {
    const pause = this.#pause;
    this.#pause = undefined;
    pause?.end();
  }
}
