/** Makes `meshcc bench` step back for a build: its compiles wait, and a run that a build came into does not count. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Compiler calls of this user's builds. */
export interface Calls {
  /** Under way now. */
  readonly open: number;
  /** Since the agent started. */
  readonly taken: number;
}

export interface BuildPauseOptions {
  readonly calls: () => Calls;
  /** Called when a pause begins. */
  readonly onPause: () => void;
  /** Ends a pause with an AbortError. */
  readonly signal: AbortSignal;
  /** A build is over when it has called no compiler for so long. */
  readonly quietMs?: number;
}

/** Longer than the steps between the compiles of most builds: links, scripts. */
const QUIET_MS = 3_000;
const LOOK_INTERVAL_MS = 100;

export class BuildPause {
  readonly #options: BuildPauseOptions;
  #knownCalls: number;
  #pausedMs = 0;
  #pauses = 0;
  #present: Promise<void> | undefined;

  constructor(options: BuildPauseOptions) {
    this.#options = options;
    this.#knownCalls = options.calls().taken;
  }

  /** Time that pauses have taken until now. */
  get pausedMs(): number {
    return this.#pausedMs;
  }

  /** Resolves when no build is under way: at once if none has called a compiler since the last time. */
  over(): Promise<void> {
    const { open, taken } = this.#options.calls();
    if (this.#present === undefined && open === 0 && taken === this.#knownCalls) return Promise.resolve();
    this.#present ??= this.#wait().finally(() => {
      this.#present = undefined;
    });
    return this.#present;
  }

  /** Repeats a measurement until no build has come into it. */
  async undisturbed(run: () => Promise<number>): Promise<number> {
    for (;;) {
      await this.over();
      const pauses = this.#pauses;
      const value = await run();
      await this.over();
      if (this.#pauses === pauses) return value;
    }
  }

  async #wait(): Promise<void> {
    const { calls, onPause, signal, quietMs = QUIET_MS } = this.#options;
    this.#pauses++;
    onPause();
    const startedMs = performance.now();
    let quietSinceMs = startedMs;
    let isQuiet = false;
    // What is looked at last is what counts: this process may have been held up while it slept.
    while (!isQuiet) {
      await sleep(Math.min(LOOK_INTERVAL_MS, quietMs), undefined, { signal });
      const { open, taken } = calls();
      const nowMs = performance.now();
      if (open > 0 || taken !== this.#knownCalls) quietSinceMs = nowMs;
      this.#knownCalls = taken;
      isQuiet = nowMs - quietSinceMs >= quietMs;
    }
    this.#pausedMs += performance.now() - startedMs;
  }
}
