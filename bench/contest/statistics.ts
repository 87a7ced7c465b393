/** Middle and spread of a few values. */

/** A figure of several runs. */
export interface Figure {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** The middle one, or the mean of the two in the middle. NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Undefined if there is no value. */
export function figureOf(values: readonly number[]): Figure | undefined {
  if (values.length === 0) return undefined;
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}
