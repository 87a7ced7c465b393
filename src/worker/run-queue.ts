/** The worker's slots: jobs that are ready to run take turns by submitter. */
import { FairQueue } from '../scheduler/index.ts';

interface Waiting {
  readonly start: () => void;
}

export class RunQueue<Party> {
  readonly slots: number;
  readonly #queue = new FairQueue<Party, Waiting>();
  #running = 0;

  constructor(slots: number) {
    this.slots = slots;
  }

  get running(): number {
    return this.#running;
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
      this.#running--;
      this.#startNext();
    }
  }

  #enter(party: Party, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve(false);
      const onAbort = (): void => {
        if (this.#queue.remove(party, waiting)) resolve(false);
      };
      const waiting: Waiting = {
        start: () => {
          signal.removeEventListener('abort', onAbort);
          resolve(true);
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#queue.push(party, waiting);
      this.#startNext();
    });
  }

  #startNext(): void {
    while (this.#running < this.slots) {
      const next = this.#queue.shift();
      if (next === undefined) return;
      this.#running++;
      next.start();
    }
  }
}
