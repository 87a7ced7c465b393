/** Repeats a measurement until it can be believed, and says if it cannot. */

/** How often, and what counts as the same result. */
export interface Agreement {
  /** Runs that have to agree: the last so many. */
  readonly leastRuns: number;
  readonly mostRuns: number;
  /** Difference between the least and the most of them, as a part of their median. */
  readonly tolerance: number;
  /** No further run begins after this, unless there are fewer than `leastRuns`. */
  readonly mostMs: number;
}

/** As in `meshcc bench`: three runs within 3 %, or an end after eight runs or four minutes. */
export const AGREEMENT: Agreement = { leastRuns: 3, mostRuns: 8, tolerance: 0.03, mostMs: 240_000 };

/** Values of all runs, and what they come to. */
export interface AgreedFigure {
  /** Of the last `leastRuns` runs. */
  readonly median: number;
  /** Difference between the least and the most of these, as a part of the median. */
  readonly spread: number;
  /** False: they differ by more than the tolerance, however often it was tried. */
  readonly agrees: boolean;
  /** Of all runs, in their order. */
  readonly values: readonly number[];
}

/**
 * Runs a measurement until its last values agree.
 * @param run one measurement; its error ends all
 * @param nowMs a clock that only grows
 */
export async function repeatUntilAgreed(
  run: () => Promise<number>,
  agreement: Agreement,
  nowMs: () => number,
): Promise<AgreedFigure> {
  const { leastRuns, mostRuns, tolerance, mostMs } = agreement;
  const values: number[] = [];
  const startedMs = nowMs();
  for (;;) {
    values.push(await run());
    if (values.length < leastRuns) continue;
    const last = values.slice(-leastRuns).sort((a, b) => a - b);
    const median = medianOf(last);
    const spread = ((last.at(-1) ?? median) - (last[0] ?? median)) / median;
    const agrees = spread <= tolerance;
    if (agrees || values.length >= mostRuns || nowMs() - startedMs > mostMs)
      return { median, spread, agrees, values };
  }
}

function medianOf(sorted: readonly number[]): number {
  const middle = sorted.length >> 1;
  const [low = Number.NaN, high = Number.NaN] = [sorted[(sorted.length - 1) >> 1], sorted[middle]];
  return (low + high) / 2;
}
