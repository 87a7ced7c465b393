/** A counted number of places, handed out in the order of asking. */

/** Gives the place back; further calls do nothing. */
export type Release = () => void;

interface Waiter {
  readonly grant: (release: Release) => void;
}

export class Slots {
  readonly total: number;
  readonly #waiting = new Set<Waiter>();
  #taken = 0;

  constructor(total: number) {
    this.total = total;
  }

  get taken(): number {
    return this.#taken;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Waits for a place.
   * @param signal gives up waiting; the promise then resolves to undefined
   */
  acquire(signal: AbortSignal): Promise<Release | undefined> {
    if (signal.aborted) return Promise.resolve(undefined);
    if (this.#taken < this.total) return Promise.resolve(this.#take());
    return new Promise((resolve) => {
      const onAbort = (): void => {
        this.#waiting.delete(waiter);
        resolve(undefined);
      };
      const waiter: Waiter = {
        grant: (release) => {
          signal.removeEventListener('abort', onAbort);
          resolve(release);
        },
      };
      this.#waiting.add(waiter);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  #take(): Release {
    this.#taken++;
    let released = false;
    return () => {
      if (released) return;
      released = true;
      this.#taken--;
      const [next] = this.#waiting;
      if (next === undefined) return;
      this.#waiting.delete(next);
      next.grant(this.#take());
    };
  }
}
