/**
 * How long the event loop of this process was held up: what everybody who asks the agent waits for before they are
 * served. A sample, not a watch: each look wakes the process, on a processor whose caches belong to compilers by then,
 * so that looking fifty times a second, as Node's own monitorEventLoopDelay does, costs as much as a unit does. While
 * there is no work it is not measured at all.
 */
import { createHistogram } from 'node:perf_hooks';

/** Delays since the start, all in milliseconds. */
export interface LoopDelayFigures {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** How often the loop was looked at: twice a second while there is work. 0: there was none yet. */
  readonly samples: number;
}

const LOOK_INTERVAL_MS = 500;
const US_PER_MS = 1_000;

/** How long there must be nothing to do before the measuring ends, in looks. */
const LOOKS_BEFORE_PAUSE = 4;

export class LoopDelay {
  /** In microseconds, and one more: a histogram takes no zero. */
  readonly #histogram = createHistogram();
  readonly #isIdle: () => boolean;
  readonly #intervalMs: number;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param isIdle true while there is nothing to do; if that lasts, the measuring ends by itself
   * @param intervalMs time between two looks
   */
  constructor(isIdle: () => boolean, intervalMs = LOOK_INTERVAL_MS) {
    this.#isIdle = isIdle;
    this.#intervalMs = intervalMs;
  }

  /** There is work. */
  begin(): void {
    if (this.#timer !== undefined) return;
    let lastMs = performance.now();
    let idleLooks = 0;
    this.#timer = setInterval(() => {
      const nowMs = performance.now();
      const delayMs = Math.max(0, nowMs - lastMs - this.#intervalMs);
      this.#histogram.record(1 + Math.round(delayMs * US_PER_MS));
      lastMs = nowMs;
      idleLooks = this.#isIdle() ? idleLooks + 1 : 0;
      if (idleLooks === LOOKS_BEFORE_PAUSE) this.pause();
    }, this.#intervalMs);
    this.#timer.unref();
  }

  /** Until the next work nothing is measured. */
  pause(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  get figures(): LoopDelayFigures {
    const { count } = this.#histogram;
    if (count === 0) return { p50Ms: 0, p99Ms: 0, maxMs: 0, samples: 0 };
    return {
      p50Ms: toMs(this.#histogram.percentile(50)),
      p99Ms: toMs(this.#histogram.percentile(99)),
      maxMs: toMs(this.#histogram.max),
      samples: count,
    };
  }
}

function toMs(recorded: number): number {
  return Math.round((recorded - 1) / 100) / 10;
}
