/** How often results of other nodes were compared with a second compile, and what that showed. */

/** What a comparison came to. */
export type ComparisonEnd =
  /** The results are the same. */
  | 'agreed'
  /** They differ, and a compiler on a node was put into quarantine for it. */
  | 'wrong'
  /** They differ, as do two compiles on this machine: nobody is to blame. */
  | 'unrepeatable'
  /** They differ, and nothing could tell which is right. */
  | 'undecided';

/** Comparisons in numbers. */
export interface VerificationSummary {
  readonly agreed: number;
  readonly wrong: number;
  readonly unrepeatable: number;
  readonly undecided: number;
  /** What a person should know, in sentences: the latest ones. */
  readonly findings: readonly string[];
}

const MAX_FINDINGS = 10;

export class VerificationCounts {
  readonly #ends: Record<ComparisonEnd, number> = { agreed: 0, wrong: 0, unrepeatable: 0, undecided: 0 };
  readonly #findings: string[] = [];

  add(end: ComparisonEnd, finding: string | undefined): void {
    this.#ends[end]++;
    if (finding === undefined) return;
    this.#findings.push(finding);
    if (this.#findings.length > MAX_FINDINGS) this.#findings.shift();
  }

  get summary(): VerificationSummary {
    return { ...this.#ends, findings: [...this.#findings] };
  }
}
