/** Which worker gets a job: a pure decision over what is known at that moment. */

/** A worker that could take the job. */
export interface Candidate {
  readonly nodeId: string;
  /** Granted and not yet used. */
  readonly credits: number;
  /** Jobs of this submitter in its hands. */
  readonly inFlight: number;
  readonly slots: number;
}

/**
 * The candidate with the lowest load (jobs in flight per slot) among those with a credit; the one with more
 * slots if two are equal, then by node id, so that the choice can be repeated.
 * @returns undefined if none has a credit
 */
export function placeJob<T extends Candidate>(candidates: Iterable<T>): T | undefined {
  let best: T | undefined;
  for (const candidate of candidates) {
    if (candidate.credits <= 0) continue;
    if (best === undefined || isBetter(candidate, best)) best = candidate;
  }
  return best;
}

function isBetter(a: Candidate, b: Candidate): boolean {
  const difference = a.inFlight * b.slots - b.inFlight * a.slots;
  if (difference !== 0) return difference < 0;
  if (a.slots !== b.slots) return a.slots > b.slots;
  return a.nodeId < b.nodeId;
}
