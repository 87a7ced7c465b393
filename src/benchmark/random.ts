/** Numbers that look random and are the same everywhere: what is measured on one machine is measured on all. */

/** A generator of whole numbers: Marsaglia's xorshift of 32 bits (Journal of Statistical Software 8, 2003). */
export class SteadyRandom {
  #state: number;

  constructor(seed: number) {
    // Never 0, from which it would not come away.
    this.#state = Math.imul(seed + 1, 0x9e3779b1) | 1;
    for (let warmUp = 0; warmUp < 8; warmUp++) this.#step();
  }

  /** From 0 to `bound` - 1. */
  below(bound: number): number {
    return (this.#step() >>> 0) % bound;
  }

  /** One of them. */
  of<Item>(items: readonly [Item, ...Item[]]): Item {
    return items[this.below(items.length)] ?? items[0];
  }

  #step(): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return this.#state;
  }
}
