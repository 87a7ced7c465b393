/**
 * Holds results of other nodes until a second compile has shown that they are right: the first ones of each compiler
 * on each node, and a share of the later ones. docs/verification.md tells why it is done this way.
 */
import type { Logger } from 'pino';
import type { LocalReasonId } from '../compiler/index.ts';
import type { Ledger } from '../observe/index.ts';
import {
  isNeededAsProof,
  isOnProbation,
  judge,
  type Scrutiny,
  type SecondCompiler,
  sample,
  type VerificationPolicy,
} from '../scheduler/index.ts';
import { demandOf } from './compiler-demand.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { LocalReference, ReferenceOutcome, ReferenceUnit } from './local-reference.ts';
import type { MismatchEvidence } from './mismatch-evidence.ts';
import { type Contestant, type Finding, MismatchInquiry } from './mismatch-inquiry.ts';
import type { NodeStandings } from './node-standings.ts';
import type { OutputSink, RemoteOutcome } from './outcome.ts';
import type { PreparedJob, RemoteWorker } from './remote-worker.ts';
import { ExpectingSink, KeepingRoom, KeepingSink, printOf, type UnitProduct } from './unit-product.ts';

/** The call whose result is to be judged. */
export interface VerifiedCall extends ReferenceUnit {
  readonly buildId: string;
  /** Fires when nobody waits for the result any more. */
  readonly signal: AbortSignal;
  /** True if the ids of the job's inputs still mean something, so that it can be sent once more. */
  readonly canBeSent: () => boolean;
  /** True if a compile now would read what the job was sent with. */
  readonly isUnchanged: () => Promise<boolean>;
}

/** What is to become of a result. */
export type Ruling =
  | { readonly kind: 'deliver' }
  /** It is worth nothing; another node may do the job. */
  | { readonly kind: 'elsewhere'; readonly detail: string }
  | { readonly kind: 'here'; readonly reason: LocalReasonId; readonly detail: string };

/** One attempt at a job, as far as its result may be compared. */
export interface Trial {
  readonly worker: RemoteWorker;
  /** The compiler that does it, as its standing is kept. */
  readonly toolchainId: string;
  readonly scrutiny: Scrutiny;
  /** Takes the outputs. */
  readonly sink: OutputSink;
  /** Undefined: nothing is kept of this attempt. */
  readonly kept: KeepingSink | undefined;
  /** It was drawn to be compared. */
  readonly drawn: SecondCompiler | undefined;
}

export interface VerifierParts {
  readonly policy: VerificationPolicy;
  readonly standings: NodeStandings;
  readonly dispatcher: Dispatcher;
  readonly reference: LocalReference;
  readonly evidence: MismatchEvidence;
  readonly ledger: Ledger;
  readonly log: Logger;
  /** A number from 0 to 1, 1 excluded. */
  readonly random: () => number;
}

/** How long a second compile waits for a free node; then the local compiler does it, or nobody. */
const SECOND_WAIT_MS = 10_000;

/** Bytes of results that are kept while they are compared. */
const KEPT_BYTES = 64 * 1024 * 1024;

const DELIVER: Ruling = { kind: 'deliver' };
const INTERRUPTED: Ruling = { kind: 'here', reason: 'interrupted', detail: '' };

export class Verifier {
  readonly #parts: VerifierParts;
  readonly #inquiry: MismatchInquiry;
  readonly #room = new KeepingRoom(KEPT_BYTES);
  /** Comparisons that have begun, by compiler and node. */
  readonly #underWay = new Map<string, number>();

  constructor(parts: VerifierParts) {
    this.#parts = parts;
    this.#inquiry = new MismatchInquiry(parts);
  }

  /** An attempt at a job begins. @param sink where its outputs go */
  begin(worker: RemoteWorker, job: PreparedJob, sink: OutputSink): Trial {
    const { policy, standings, random } = this.#parts;
    const { toolchainId, isOtherHost } = worker.subjectOf(demandOf(job));
    const scrutiny = isOtherHost ? policy.otherHost : policy.sameHost;
    const drawn = scrutiny.rate > 0 ? sample(scrutiny, random()) : undefined;
    const base = { worker, toolchainId, scrutiny, drawn };
    if (drawn === undefined && !isOnProbation(standings.of(worker, toolchainId), scrutiny))
      return { ...base, sink, kept: undefined };
    const kept = new KeepingSink(sink, this.#room);
    return { ...base, sink: kept, kept };
  }

  /** The attempt came to nothing, or its result has been judged. */
  end({ kept }: Trial): void {
    kept?.release();
  }

  /** Says, as soon as it is known, what is to become of a result. Never rejects. */
  async rule(
    trial: Trial,
    outcome: RemoteOutcome & { kind: 'compiled' },
    call: VerifiedCall,
  ): Promise<Ruling> {
    const { standings } = this.#parts;
    for (;;) {
      if (call.signal.aborted) return INTERRUPTED;
      const step = this.#nextStep(trial, call);
      if (step === 'deliver') return DELIVER;
      if (step === 'elsewhere') {
        const detail = `${trial.worker.nodeName} was put into quarantine before its result was believed`;
        return { kind: 'elsewhere', detail };
      }
      if (step === 'wait') await standings.change(call.signal);
      else {
        const ruling = await this.#compare(step, trial, outcome, call);
        if (ruling !== undefined) return ruling;
      }
    }
  }

  /** Ends what it runs here; standings are on disk then. */
  async close(): Promise<void> {
    await this.#parts.reference.close();
    await this.#parts.standings.saved();
  }

  #nextStep(
    { worker, toolchainId, scrutiny, drawn }: Trial,
    { invocation }: VerifiedCall,
  ): 'deliver' | 'elsewhere' | 'wait' | SecondCompiler {
    const { standings } = this.#parts;
    const standing = standings.of(worker, toolchainId);
    if (standing.isQuarantined) return 'elsewhere';
    if (this.#inquiry.isAbout(worker.nodeId, toolchainId)) return 'wait';
    if (!invocation.isRepeatable) return 'deliver';
    if (!isOnProbation(standing, scrutiny)) return drawn ?? 'deliver';
    const underWay = this.#underWay.get(keyOf(worker, toolchainId)) ?? 0;
    return isNeededAsProof(standing, underWay, scrutiny) ? 'anyone' : 'wait';
  }

  /** @returns undefined if the comparison says nothing about this result: it is looked at again */
  async #compare(
    who: SecondCompiler,
    trial: Trial,
    outcome: RemoteOutcome & { kind: 'compiled' },
    call: VerifiedCall,
  ): Promise<Ruling | undefined> {
    const { worker, toolchainId, scrutiny } = trial;
    const key = keyOf(worker, toolchainId);
    this.#underWay.set(key, (this.#underWay.get(key) ?? 0) + 1);
    try {
      const product = trial.kept?.product(outcome) ?? withoutContents(outcome);
      const first: Contestant = { node: worker, toolchainId, scrutiny, product };
      return await this.#hold(who, first, call);
    } finally {
      const left = (this.#underWay.get(key) ?? 1) - 1;
      if (left > 0) this.#underWay.set(key, left);
      else this.#underWay.delete(key);
      this.#parts.standings.wake();
    }
  }

  async #hold(who: SecondCompiler, first: Contestant, call: VerifiedCall): Promise<Ruling | undefined> {
    const second = await this.#compileElsewhere(first.node, call);
    try {
      if (call.signal.aborted) return INTERRUPTED;
      if (second === undefined && who === 'node') return DELIVER;
      const contestants = second === undefined ? [first] : [first, second.contestant];
      const references: UnitProduct[] = [];
      // New nodes prove nothing for one another: boards with one image on their cards may have one fault.
      if (second === undefined || !this.#isAnyProven(contestants)) {
        const made = await this.#parts.reference.compile(call, call.signal);
        if (call.signal.aborted) return INTERRUPTED;
        if (made.kind === 'product') references.push(made.product);
        else {
          const ruling = this.#withoutReference(made, contestants, call);
          if (ruling !== undefined) return ruling;
        }
      }
      const results = contestants.map(({ node, product }) => ({
        nodeId: node.nodeId,
        print: printOf(product),
      }));
      const verdict = judge(results, references.map(printOf), true);
      if (verdict.kind === 'agreed') return this.#agreed(contestants, call);
      return this.#rulingOn(await this.#inquiry.hold(contestants, references, call));
    } finally {
      second?.release();
    }
  }

  #isAnyProven(contestants: readonly Contestant[]): boolean {
    const { standings } = this.#parts;
    return contestants.some(
      ({ node, toolchainId, scrutiny }) => !isOnProbation(standings.of(node, toolchainId), scrutiny),
    );
  }

  /** The local compiler made nothing that results could be held against. @returns undefined: they have one another */
  #withoutReference(
    made: ReferenceOutcome & { kind: 'failed' | 'unmovable' | 'unavailable' },
    contestants: readonly Contestant[],
    call: VerifiedCall,
  ): Ruling | undefined {
    const { log, standings } = this.#parts;
    const { kind, detail } = made;
    const isProven = this.#isAnyProven(contestants);
    const subject = call.invocation.sourcePath;
    if (isProven && kind !== 'failed') {
      log.debug({ subject }, `nobody to compare with: ${detail}`);
      return DELIVER;
    }
    if (kind === 'unmovable') {
      if (contestants.length > 1) return undefined;
      // Else a build of nothing but such units would never use a new node.
      for (const { node, toolchainId } of contestants) standings.proveNothing(node, toolchainId);
    } else log.warn({ subject }, `a result could not be compared with that of the local compiler: ${detail}`);
    return { kind: 'here', reason: 'unverified', detail };
  }

  #agreed(contestants: readonly Contestant[], { buildId }: VerifiedCall): Ruling {
    const { standings, ledger } = this.#parts;
    for (const { node, toolchainId, scrutiny } of contestants)
      standings.agree(node, toolchainId, scrutiny.probationJobs);
    ledger.recordComparison(buildId, 'agreed');
    return DELIVER;
  }

  #rulingOn(finding: Finding): Ruling | undefined {
    switch (finding.kind) {
      case 'right':
        return DELIVER;
      case 'interrupted':
        return INTERRUPTED;
      case 'look-again':
        return undefined;
      default:
        return { kind: 'here', reason: finding.reason, detail: finding.detail };
    }
  }

  /** The same job on another node with the very same compiler. @returns undefined if none can do it, or none did */
  async #compileElsewhere(
    first: Contestant['node'],
    call: VerifiedCall,
  ): Promise<{ contestant: Contestant; release: () => void } | undefined> {
    const { dispatcher, log, policy } = this.#parts;
    const { job, signal } = call;
    const excluded = new Set([first.nodeId]);
    const demand = { toolchainId: job.toolchain.id };
    if (dispatcher.refusal(demand, excluded) !== undefined) return undefined;
    const sink = new KeepingSink(new ExpectingSink(job), this.#room);
    const placed = await dispatcher.place(demand, excluded, SECOND_WAIT_MS, signal, (worker) =>
      call.canBeSent()
        ? { kind: 'sent' as const, worker, outcome: worker.run(job, sink, signal) }
        : { kind: 'outdated' as const },
    );
    if (placed.kind !== 'sent') return undefined;
    const { worker } = placed;
    const outcome = await placed.outcome;
    if (outcome.kind === 'compiled' && outcome.exitStatus === 0 && outcome.signal === 0) {
      return {
        contestant: {
          node: worker,
          ...demand,
          scrutiny: policy.sameHost,
          product: sink.product(outcome),
        },
        release: () => sink.release(),
      };
    }
    sink.release();
    log.debug(
      { node: worker.nodeName, outcome: outcome.kind },
      `no second result of ${call.invocation.sourcePath}`,
    );
    return undefined;
  }
}

function withoutContents({ stdout, stderr, outputs }: RemoteOutcome & { kind: 'compiled' }): UnitProduct {
  return { stdout, stderr, files: outputs.map((output) => ({ ...output, content: undefined })) };
}

function keyOf({ nodeId }: { readonly nodeId: string }, toolchainId: string): string {
  return `${nodeId} ${toolchainId}`;
}
