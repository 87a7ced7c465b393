/** Which worker gets a job: a pure decision over what is known at that moment. */

/** A worker that could take the job. */
export interface Candidate {
  readonly nodeId: string;
  /** Granted and not yet used. */
  readonly credits: number;
  /** Jobs of this submitter in its hands. */
  readonly inFlight: number;
  readonly slots: number;
  /**
   * How fast one of its slots is, in a unit that all candidates share; undefined: never measured. A first guess only:
   * what the node is doing otherwise shows in its credits.
   */
  readonly speed?: number | undefined;
}

/**
 * The candidate with a credit that would be done first: that is the fastest one with a free slot, and one whose slots
 * are all taken counts as slower by as much as it has more jobs than slots. Among those that would be done at the same
 * time, as all with a free slot and one speed are, the lowest load (jobs in flight per slot), then more slots, then the
 * lower node id, so that the choice can be repeated. A node that was never measured counts as fast as the middle one of
 * those that were.
 * @returns undefined if none has a credit
 */
export function placeJob<T extends Candidate>(candidates: Iterable<T>): T | undefined {
  const able = [...candidates].filter(({ credits }) => credits > 0);
  let [best] = able;
  if (best === undefined || able.length === 1) return best;
  const guess = middleSpeed(able);
  for (const candidate of able) if (isBetter(candidate, best, guess)) best = candidate;
  return best;
}

/** Of the candidates that were measured; 1 if none was. */
function middleSpeed(candidates: readonly Candidate[]): number {
  const speeds = candidates.flatMap(({ speed }) => speed ?? []).sort((a, b) => a - b);
  return speeds[speeds.length >> 1] ?? 1;
}

/** Time until a job would be done, in that of one job on a slot of speed 1. */
function timeToEnd({ inFlight, slots, speed }: Candidate, guess: number): number {
  return Math.max(1, inFlight / slots) / (speed ?? guess);
}

function isBetter(a: Candidate, b: Candidate, guess: number): boolean {
  const sooner = timeToEnd(a, guess) - timeToEnd(b, guess);
  if (sooner !== 0) return sooner < 0;
  const difference = a.inFlight * b.slots - b.inFlight * a.slots;
  if (difference !== 0) return difference < 0;
  if (a.slots !== b.slots) return a.slots > b.slots;
  return a.nodeId < b.nodeId;
}
