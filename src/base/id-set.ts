/**
 * A set of small whole numbers as bits. Closures of a build hold thousands of files that nearly all units share:
 * with numbers instead of paths, joining two of them, or telling what one has and the other lacks, takes
 * a machine operation for 32 files.
 */

const NO_WORDS = new Uint32Array(0);

/** Non-negative integers below 2^31. Iterates in ascending order. */
export class IdSet implements Iterable<number> {
  /** Index of the first word that is kept: small sets of high numbers stay small. */
  #first = 0;
  #words = NO_WORDS;

  static of(ids: Iterable<number>): IdSet {
    const set = new IdSet();
    for (const id of ids) set.add(id);
    return set;
  }

  /** Memory of the set, in words of four bytes. */
  get wordCount(): number {
    return this.#words.length;
  }

  get isEmpty(): boolean {
    return this.#words.every((word) => word === 0);
  }

  /** How many numbers are in the set. */
  get size(): number {
    let size = 0;
    for (const word of this.#words) size += bitCount(word);
    return size;
  }

  has(id: number): boolean {
    const word = this.#words[(id >>> 5) - this.#first];
    return word !== undefined && (word & (1 << (id & 31))) !== 0;
  }

  add(id: number): void {
    this.#cover(id >>> 5, id >>> 5);
    const at = (id >>> 5) - this.#first;
    this.#words[at] = (this.#words[at] ?? 0) | (1 << (id & 31));
  }

  delete(id: number): void {
    const at = (id >>> 5) - this.#first;
    const word = this.#words[at];
    if (word !== undefined) this.#words[at] = word & ~(1 << (id & 31));
  }

  /** Adds every number of another set. */
  addAll(other: IdSet): void {
    const { length } = other.#words;
    if (length === 0) return;
    this.#cover(other.#first, other.#first + length - 1);
    const words = this.#words;
    const from = other.#words;
    const shift = other.#first - this.#first;
    for (let at = 0; at < length; at++) words[at + shift] = (words[at + shift] ?? 0) | (from[at] ?? 0);
  }

  /** Calls `use` with each number in ascending order. */
  forEach(use: (id: number) => void): void {
    for (let at = 0; at < this.#words.length; at++) eachBit(this.#words[at] ?? 0, this.#first + at, use);
  }

  equals(other: IdSet): boolean {
    let isSame = this.size === other.size;
    this.forEachMissingIn(other, () => {
      isSame = false;
    });
    return isSame;
  }

  /** Calls `use` with each number that the other set lacks, in ascending order. */
  forEachMissingIn(other: IdSet, use: (id: number) => void): void {
    const shift = this.#first - other.#first;
    for (let at = 0; at < this.#words.length; at++) {
      const missing = (this.#words[at] ?? 0) & ~(other.#words[at + shift] ?? 0);
      if (missing !== 0) eachBit(missing, this.#first + at, use);
    }
  }

  [Symbol.iterator](): IterableIterator<number> {
    const ids: number[] = [];
    this.forEach((id) => {
      ids.push(id);
    });
    return ids.values();
  }

  /** A copy without room to grow. */
  compact(): IdSet {
    let start = 0;
    let end = this.#words.length;
    while (start < end && this.#words[start] === 0) start++;
    while (end > start && this.#words[end - 1] === 0) end--;
    const copy = new IdSet();
    copy.#first = this.#first + start;
    copy.#words = this.#words.slice(start, end);
    return copy;
  }

  /** Makes room for the words `from` to `to`. */
  #cover(from: number, to: number): void {
    const words = this.#words;
    if (words.length === 0) {
      this.#first = from;
      this.#words = new Uint32Array(to - from + 1);
      return;
    }
    const end = this.#first + words.length;
    if (from >= this.#first && to < end) return;
    const first = Math.min(from, this.#first);
    const wanted = Math.max(to + 1, end) - first;
    // Upwards in large steps: numbers are mostly added in ascending order.
    const grown = new Uint32Array(to < end ? wanted : Math.max(wanted, 2 * words.length));
    grown.set(words, this.#first - first);
    this.#first = first;
    this.#words = grown;
  }
}

function eachBit(word: number, index: number, use: (id: number) => void): void {
  for (let left = word; left !== 0; left &= left - 1) {
    use(index * 32 + 31 - Math.clz32(left & -left));
  }
}

/** Sums of neighbours: of bits, of pairs, of fours; then of the four bytes (Hacker's Delight, 5-1). */
function bitCount(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
