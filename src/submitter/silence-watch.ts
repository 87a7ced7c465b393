/** Notices that a worker with jobs in its hands, which says something every two seconds, says nothing any more. */

/** After this much silence it counts as lost. */
const SILENCE_LIMIT_MS = 6_000;
const WATCH_INTERVAL_MS = 1_500;

export class SilenceWatch {
  readonly #hasJobs: () => boolean;
  readonly #onSilent: (silentMs: number) => void;
  #lastHeardMs = performance.now();
  #lastCheckedMs = performance.now();
  /** While jobs are in the worker's hands. */
  #timer: NodeJS.Timeout | undefined;

  constructor(hasJobs: () => boolean, onSilent: (silentMs: number) => void) {
    this.#hasJobs = hasJobs;
    this.#onSilent = onSilent;
  }

  /** It has said something. */
  heard(): void {
    this.#lastHeardMs = performance.now();
  }

  /** It gets its first job. */
  begin(): void {
    this.#lastHeardMs = performance.now();
    this.#lastCheckedMs = this.#lastHeardMs;
    // One timer per busy period at most: jobs follow each other faster than it fires.
    this.#timer ??= setInterval(() => this.#check(), WATCH_INTERVAL_MS).unref();
  }

  end(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #check(): void {
    const nowMs = performance.now();
    // If this agent itself was held up (suspended, starved), what the worker said may still lie unread.
    if (nowMs - this.#lastCheckedMs > 2 * WATCH_INTERVAL_MS) this.#lastHeardMs = nowMs;
    this.#lastCheckedMs = nowMs;
    if (!this.#hasJobs()) {
      this.end();
      return;
    }
    const silentMs = performance.now() - this.#lastHeardMs;
    if (silentMs >= SILENCE_LIMIT_MS) this.#onSilent(silentMs);
  }
}
