/** Numbers that look random and are the same in every run, so that a failure can be repeated. */

export interface SeededRandom {
  /** A whole number from 0 to `count - 1`. */
  below(count: number): number;
  pick<T>(items: readonly T[]): T;
  /** True once in `times`. */
  oneIn(times: number): boolean;
}

/** Marsaglia's xorshift32: good enough to spread test cases. @param seed any whole number but 0 */
export function seededRandom(seed: number): SeededRandom {
  let state = seed | 0;
  const below = (count: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % count;
  };
  return {
    below,
    pick: (items) => items[below(items.length)]!,
    oneIn: (times) => below(times) === 0,
  };
}
