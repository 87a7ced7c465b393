/**
 * When results of other nodes are compared with a second compile, and what a set of results says about who made them:
 * pure decisions. docs/verification.md tells users.
 */

/** A compiler on a node: what is trusted or not. */
export interface VerificationSubject {
  readonly nodeId: string;
  readonly toolchainId: string;
}

/** What is known about a subject. */
export interface Standing {
  /** Comparisons that it passed since it was met, or since the last doubt about it. */
  readonly agreed: number;
  /** Comparisons that proved nothing. */
  readonly inconclusive: number;
  readonly isQuarantined: boolean;
}

export interface VerificationPolicy {
  /** Comparisons that a subject must pass before its results are believed; 0: none. */
  readonly probationJobs: number;
  /** Which share of a subject's later results is compared, from 0 to 1. */
  readonly rateOf: (subject: VerificationSubject) => number;
}

/** Who may do a second compile: any machine, or only nodes other than the submitter. */
export type SecondCompiler = 'anyone' | 'node';

/** Of the results that are drawn, one in so many is worth a compile on the submitter, if no other node can do it. */
const LOCAL_SHARE = 0.1;

/** After so many comparisons without a finding for each that is wanted, a subject is no longer held up by probation. */
const PATIENCE = 4;

/** True while every result of the subject has to be held until it has passed its comparisons. */
export function isOnProbation(standing: Standing, { probationJobs }: VerificationPolicy): boolean {
  return standing.agreed < probationJobs && standing.inconclusive < PATIENCE * probationJobs;
}

/**
 * Of a result that is held by probation: whether it is to be compared itself, or waits for others that are.
 * @param underWay comparisons of the subject that have begun
 */
export function isNeededAsProof(
  standing: Standing,
  underWay: number,
  { probationJobs }: VerificationPolicy,
): boolean {
  return standing.agreed + underWay < probationJobs;
}

/**
 * Whether a job is one of those that are compared after probation, and by whom.
 * @param draw from 0 to 1, 1 excluded; by lot
 */
export function sample(rate: number, draw: number): SecondCompiler | undefined {
  if (draw >= rate) return undefined;
  return draw < rate * LOCAL_SHARE ? 'anyone' : 'node';
}

/** What a node made of a unit: two results are the same if their prints are. */
export interface NodeResult {
  readonly nodeId: string;
  readonly print: string;
}

export type Verdict =
  /** All are the same. */
  | { readonly kind: 'agreed' }
  /** One more compile with the local compiler is needed. */
  | { readonly kind: 'ask-reference' }
  /** The local compiler itself makes something else each time: nobody is to blame. */
  | { readonly kind: 'unrepeatable' }
  /** They differ, and the local compiler cannot be asked. */
  | { readonly kind: 'undecided' }
  /** The local compiler made the same thing twice, and these nodes something else. */
  | { readonly kind: 'wrong'; readonly nodeIds: readonly string[] };

/**
 * Judges results of one unit. Nobody is blamed before the local compiler, which is the reference, has made the same
 * thing twice.
 * @param references what the local compiler made, each time anew; at most two are looked at
 * @param canAsk whether the local compiler can be asked (again)
 */
export function judge(
  results: readonly NodeResult[],
  references: readonly string[],
  canAsk: boolean,
): Verdict {
  const prints = [...results.map(({ print }) => print), ...references];
  if (prints.length > 1 && new Set(prints).size === 1) return { kind: 'agreed' };
  const [first, second] = references;
  if (first === undefined || second === undefined) {
    return { kind: canAsk ? 'ask-reference' : 'undecided' };
  }
  if (first !== second) return { kind: 'unrepeatable' };
  return {
    kind: 'wrong',
    nodeIds: results.filter(({ print }) => print !== first).map(({ nodeId }) => nodeId),
  };
}
