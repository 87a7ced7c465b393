/**
 * The worker's slots: jobs that are ready to run take turns by submitter. A submitter whose jobs do not end cannot
 * keep the others out: one that has waited a while, and has nothing running, gets a slot beyond the number.
 */
import { FairQueue } from '../scheduler/index.ts';

interface Waiting {
  readonly start: () => void;
}

/** Compiles end in seconds; a party that waits longer than this without any running waits for one that does not end. */
const PATIENCE_MS = 2_000;

export class RunQueue<Party> {
  readonly slots: number;
  readonly #patienceMs: number;
  readonly #queue = new FairQueue<Party, Waiting>();
  /** Jobs that run, by party; none without one. */
  readonly #running = new Map<Party, number>();
  /** Parties that wait with nothing running, and when that has lasted too long. */
  readonly #impatient = new Map<Party, NodeJS.Timeout>();

  /** @param patienceMs how long a party waits until it gets a slot of its own */
  constructor(slots: number, patienceMs = PATIENCE_MS) {
    this.slots = slots;
    this.#patienceMs = patienceMs;
  }

  get running(): number {
    let total = 0;
    for (const count of this.#running.values()) total += count;
    return total;
  }

  get waiting(): number {
    return this.#queue.size;
  }

  /**
   * Runs `task` when it is the party's turn and a slot is free. If the signal fires before, the task never
   * starts and the promise resolves to undefined.
   */
  async run<T>(party: Party, signal: AbortSignal, task: () => Promise<T>): Promise<T | undefined> {
    if (!(await this.#enter(party, signal))) return undefined;
    try {
      return await task();
    } finally {
      this.#leave(party);
      this.#startNext();
    }
  }

  #enter(party: Party, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve(false);
      const onAbort = (): void => {
        if (!this.#queue.remove(party, waiting)) return;
        if (!this.#queue.has(party)) this.#calm(party);
        resolve(false);
      };
      const waiting: Waiting = {
        start: () => {
          signal.removeEventListener('abort', onAbort);
          this.#running.set(party, (this.#running.get(party) ?? 0) + 1);
          this.#calm(party);
          resolve(true);
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#queue.push(party, waiting);
      this.#startNext();
      this.#watch(party);
    });
  }

  #leave(party: Party): void {
    const count = (this.#running.get(party) ?? 0) - 1;
    if (count > 0) {
      this.#running.set(party, count);
      return;
    }
    this.#running.delete(party);
    this.#watch(party);
  }

  #startNext(): void {
    while (this.running < this.slots) {
      const next = this.#queue.shift();
      if (next === undefined) return;
      next.start();
    }
  }

  /** Begins to count the time of a party that has nothing running. */
  #watch(party: Party): void {
    if (!this.#queue.has(party) || this.#running.has(party) || this.#impatient.has(party)) return;
    const timer = setTimeout(() => {
      this.#impatient.delete(party);
      this.#queue.shiftOf(party)?.start();
    }, this.#patienceMs);
    timer.unref();
    this.#impatient.set(party, timer);
  }

  #calm(party: Party): void {
    clearTimeout(this.#impatient.get(party));
    this.#impatient.delete(party);
  }
}
