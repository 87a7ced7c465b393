/**
 * Keeps the replacement of a directory apart from writing below it: between the look at a parent and the
 * write, the parent must not become a link that leads out of the tree.
 */

interface Waiting {
  readonly alone: boolean;
  readonly enter: () => void;
}

export class TreeGate {
  #inside = 0;
  #aloneInside = false;
  readonly #queue: Waiting[] = [];

  /** Runs work that others may run beside. */
  shared<T>(work: () => Promise<T>): Promise<T> {
    return this.#pass(false, work);
  }

  /** Runs work with nobody else inside; those who come later wait. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    return this.#pass(true, work);
  }

  async #pass<T>(alone: boolean, work: () => Promise<T>): Promise<T> {
    if (this.#queue.length > 0 || !this.#admits(alone)) {
      await new Promise<void>((resolve) => this.#queue.push({ alone, enter: resolve }));
    } else this.#take(alone);
    try {
      return await work();
    } finally {
      this.#inside--;
      this.#aloneInside = false;
      this.#admitNext();
    }
  }

  #admits(alone: boolean): boolean {
    return !this.#aloneInside && (!alone || this.#inside === 0);
  }

  #take(alone: boolean): void {
    this.#inside++;
    this.#aloneInside = alone;
  }

  #admitNext(): void {
    for (let next = this.#queue[0]; next !== undefined && this.#admits(next.alone); next = this.#queue[0]) {
      this.#queue.shift();
      this.#take(next.alone);
      next.enter();
    }
  }
}
