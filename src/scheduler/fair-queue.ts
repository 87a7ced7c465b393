/** A queue in which several parties take turns, so that one with many jobs cannot starve another. */

export class FairQueue<Party, Item> {
  readonly #queues = new Map<Party, Item[]>();

  /** Number of items that wait. */
  get size(): number {
    let size = 0;
    for (const queue of this.#queues.values()) size += queue.length;
    return size;
  }

  /** Appends an item to its party's line. */
  push(party: Party, item: Item): void {
    const queue = this.#queues.get(party);
    if (queue === undefined) this.#queues.set(party, [item]);
    else queue.push(item);
  }

  /** The next item of the party whose turn it is; that party then goes to the end of the round. */
  shift(): Item | undefined {
    for (const [party, queue] of this.#queues) {
      const item = queue.shift();
      this.#queues.delete(party);
      if (queue.length > 0) this.#queues.set(party, queue);
      if (item !== undefined) return item;
    }
    return undefined;
  }

  /** True if a party has items in its line. */
  has(party: Party): boolean {
    return this.#queues.has(party);
  }

  /** The next item of one party, out of turn; undefined if it has none. */
  shiftOf(party: Party): Item | undefined {
    const queue = this.#queues.get(party);
    const item = queue?.shift();
    if (queue?.length === 0) this.#queues.delete(party);
    return item;
  }

  /** Takes an item out, wherever it stands. @returns false if it was not there */
  remove(party: Party, item: Item): boolean {
    const queue = this.#queues.get(party);
    const index = queue?.indexOf(item) ?? -1;
    if (queue === undefined || index < 0) return false;
    queue.splice(index, 1);
    if (queue.length === 0) this.#queues.delete(party);
    return true;
  }
}
