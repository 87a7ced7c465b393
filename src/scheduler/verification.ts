/**
 * When results of other nodes are compared with a second compile, and what a set of results says about who made them:
 * pure decisions. docs/verification.md tells users.
 */

/** What is known about a subject. */
export interface Standing {
  /** Comparisons that it passed since it was met, or since the last doubt about it. */
  readonly agreed: number;
  /** Comparisons that proved nothing. */
  readonly inconclusive: number;
  readonly isQuarantined: boolean;
}

/** How closely the results of a compiler on a node are looked at. */
export interface Scrutiny {
  /** Comparisons that it must pass before its results are believed; 0: none. */
  readonly probationJobs: number;
  /** Which share of its later results is compared, from 0 to 1. */
  readonly rate: number;
  /** Which share of those is worth a compile on the submitter, if no other node can do it; from 0 to 1. */
  readonly localShare: number;
  /** Comparisons without a finding, for each that is wanted, after which it is no longer held up by probation. */
  readonly patience: number;
}

/** By whether the compiler is the submitter's own, or one that runs on another host architecture in its place. */
export interface VerificationPolicy {
  readonly sameHost: Scrutiny;
  readonly otherHost: Scrutiny;
}

/** What an owner may set. */
export interface VerificationSettings {
  readonly probationJobs: number;
  readonly rate: number;
  /** The same for compilers of other host architectures; if they are lower, the others hold for these too. */
  readonly otherHostProbationJobs: number;
  readonly otherHostRate: number;
}

/** Who may do a second compile: any machine, or only nodes other than the submitter. */
export type SecondCompiler = 'anyone' | 'node';

/**
 * A compiler of the same content is presumed right: what is looked for are broken machines. One of another host is
 * presumed nothing: all that is drawn is compared, here if need be, and no want of proof makes it believed.
 */
export function verificationPolicy(settings: VerificationSettings): VerificationPolicy {
  const { probationJobs, rate, otherHostProbationJobs, otherHostRate } = settings;
  return {
    sameHost: { probationJobs, rate, localShare: 0.1, patience: 4 },
    otherHost: {
      probationJobs: Math.max(probationJobs, otherHostProbationJobs),
      rate: Math.max(rate, otherHostRate),
      localShare: 1,
      patience: Number.POSITIVE_INFINITY,
    },
  };
}

/** True while every result of the subject has to be held until it has passed its comparisons. */
export function isOnProbation(standing: Standing, { probationJobs, patience }: Scrutiny): boolean {
  return standing.agreed < probationJobs && standing.inconclusive < patience * probationJobs;
}

/**
 * Of a result that is held by probation: whether it is to be compared itself, or waits for others that are.
 * @param underWay comparisons of the subject that have begun
 */
export function isNeededAsProof(standing: Standing, underWay: number, { probationJobs }: Scrutiny): boolean {
  return standing.agreed + underWay < probationJobs;
}

/**
 * Whether a job is one of those that are compared after probation, and by whom.
 * @param draw from 0 to 1, 1 excluded; by lot
 */
export function sample({ rate, localShare }: Scrutiny, draw: number): SecondCompiler | undefined {
  if (draw >= rate) return undefined;
  return draw < rate * localShare ? 'anyone' : 'node';
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
