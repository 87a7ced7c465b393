/**
 * Two results of one unit differ: finds out who is wrong, by compiling it twice on this machine, and draws the
 * consequences. One inquiry at a time; results of the nodes that it is about wait for its end.
 */
import type { Logger } from 'pino';
import { messageOf } from '../base/errors.ts';
import { PACKAGE_VERSION } from '../base/package-root.ts';
import type { LocalReasonId } from '../compiler/index.ts';
import type { Ledger } from '../observe/index.ts';
import { isOnProbation, judge, type Scrutiny, type Verdict } from '../scheduler/index.ts';
import type { LocalReference, ReferenceUnit } from './local-reference.ts';
import type { MismatchEvidence } from './mismatch-evidence.ts';
import type { NodeStandings, StandingNode } from './node-standings.ts';
import { printOf, type UnitProduct } from './unit-product.ts';

/** A node and what it made. */
export interface Contestant {
  readonly node: StandingNode;
  /** Its compiler, as its standing is kept. */
  readonly toolchainId: string;
  readonly scrutiny: Scrutiny;
  readonly product: UnitProduct;
}

/** What that means for the result of the first contestant. */
export type Finding =
  | { readonly kind: 'right' }
  | { readonly kind: 'look-again' }
  | { readonly kind: 'interrupted' }
  | { readonly kind: 'here'; readonly reason: LocalReasonId; readonly detail: string };

/** The unit, and what is known about it. */
export interface DisputedUnit extends ReferenceUnit {
  readonly buildId: string;
  readonly signal: AbortSignal;
  readonly isUnchanged: () => Promise<boolean>;
}

interface InquiryParts {
  readonly standings: NodeStandings;
  readonly reference: Pick<LocalReference, 'compile'>;
  readonly evidence: MismatchEvidence;
  readonly ledger: Ledger;
  readonly log: Logger;
}

export class MismatchInquiry {
  readonly #parts: InquiryParts;
  /** How many inquiries, under way or waiting, each compiler on each node is a subject of. */
  readonly #subjects = new Map<string, number>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: InquiryParts) {
    this.#parts = parts;
  }

  /** True while a result of this compiler on this node is in doubt. */
  isAbout(nodeId: string, toolchainId: string): boolean {
    return this.#subjects.has(`${nodeId} ${toolchainId}`);
  }

  /**
   * Finds out who is wrong. Never rejects.
   * @param contestants the first one is the node whose result is held
   * @param references what the local compiler has made already
   */
  async hold(
    contestants: readonly Contestant[],
    references: readonly UnitProduct[],
    unit: DisputedUnit,
  ): Promise<Finding> {
    const keys = contestants.map(({ node, toolchainId }) => `${node.nodeId} ${toolchainId}`);
    for (const key of keys) this.#subjects.set(key, (this.#subjects.get(key) ?? 0) + 1);
    const turn = this.#last.then(() => this.#inquire(contestants, references, unit));
    this.#last = turn.catch(() => {});
    try {
      return await turn;
    } catch (error) {
      return { kind: 'here', reason: 'internal-error', detail: messageOf(error) };
    } finally {
      for (const key of keys) {
        const left = (this.#subjects.get(key) ?? 1) - 1;
        if (left > 0) this.#subjects.set(key, left);
        else this.#subjects.delete(key);
      }
      this.#parts.standings.wake();
    }
  }

  async #inquire(
    contestants: readonly Contestant[],
    known: readonly UnitProduct[],
    unit: DisputedUnit,
  ): Promise<Finding> {
    const { standings, reference } = this.#parts;
    // An earlier inquiry may have found one of them out.
    if (contestants.some(({ node, toolchainId }) => standings.of(node, toolchainId).isQuarantined))
      return { kind: 'look-again' };
    const references = [...known];
    const results = contestants.map(({ node, product }) => ({
      nodeId: node.nodeId,
      print: printOf(product),
    }));
    let verdict: Verdict = judge(results, references.map(printOf), true);
    while (verdict.kind === 'ask-reference') {
      const made = await reference.compile(unit, unit.signal);
      if (made.kind === 'product') references.push(made.product);
      verdict = judge(results, references.map(printOf), made.kind === 'product');
    }
    if (unit.signal.aborted) {
      // Nobody knows who it was: all begin again.
      for (const { node, toolchainId } of contestants) standings.doubt(node, toolchainId);
      return { kind: 'interrupted' };
    }
    if (!(await unit.isUnchanged()))
      return { kind: 'here', reason: 'input-changed', detail: 'while its result was compared' };
    return this.#conclude(verdict, contestants, references, unit);
  }

  async #conclude(
    verdict: Verdict,
    contestants: readonly Contestant[],
    references: readonly UnitProduct[],
    unit: DisputedUnit,
  ): Promise<Finding> {
    const { standings } = this.#parts;
    const names = contestants.map(({ node }) => node.nodeName).join(' and ');
    const source = sourceOf(unit);
    if (verdict.kind === 'wrong') return this.#blame(new Set(verdict.nodeIds), contestants, references, unit);
    if (verdict.kind === 'unrepeatable') {
      for (const { node, toolchainId } of contestants) standings.proveNothing(node, toolchainId);
      const sentence = `${source} is not reproducible: two compiles of it on this machine differ as well, so nothing is known about ${names}`;
      const evidence = await this.#keep(contestants, references, unit, sentence);
      this.#tell(unit, 'unrepeatable', sentence, evidence);
      return { kind: 'here', reason: 'result-mismatch', detail: 'it is not reproducible' };
    }
    for (const { node, toolchainId } of contestants) {
      standings.doubt(node, toolchainId);
      standings.proveNothing(node, toolchainId);
    }
    const sentence = `${names} compiled ${source} to something different from another machine, and this machine could not tell who is right`;
    const evidence = await this.#keep(contestants, references, unit, sentence);
    this.#tell(unit, 'undecided', sentence, evidence);
    return { kind: 'here', reason: 'result-mismatch', detail: names };
  }

  /** Puts nodes into quarantine; the others have passed. */
  async #blame(
    wrong: ReadonlySet<string>,
    contestants: readonly Contestant[],
    references: readonly UnitProduct[],
    unit: DisputedUnit,
  ): Promise<Finding> {
    const { standings } = this.#parts;
    const guilty = contestants.filter(({ node }) => wrong.has(node.nodeId));
    const names = guilty.map(({ node }) => node.nodeName).join(' and ');
    const wasBelieved = guilty.some(
      ({ node, toolchainId, scrutiny }) => !isOnProbation(standings.of(node, toolchainId), scrutiny),
    );
    const advice = wasBelieved ? '. Not all that it compiled before was compared: build anew to be sure' : '';
    const sentence = `WRONG RESULT: ${names} compiled ${sourceOf(unit)} wrongly; its compiler ${unit.job.toolchain.id.slice(0, 8)} is in quarantine from now on${advice}`;
    const evidence = await this.#keep(contestants, references, unit, sentence);
    for (const { node, toolchainId } of guilty) {
      standings.quarantine(node, toolchainId, {
        sinceMs: Date.now(),
        unit: sourceOf(unit),
        evidence: evidence ?? '',
      });
    }
    for (const { node, toolchainId, scrutiny } of contestants) {
      if (!wrong.has(node.nodeId)) standings.agree(node, toolchainId, scrutiny.probationJobs);
    }
    this.#tell(unit, 'wrong', sentence, evidence);
    const [first] = contestants;
    if (first !== undefined && !wrong.has(first.node.nodeId)) return { kind: 'right' };
    return { kind: 'here', reason: 'result-mismatch', detail: `${names}: ${evidence ?? 'nothing kept'}` };
  }

  async #keep(
    contestants: readonly Contestant[],
    references: readonly UnitProduct[],
    unit: DisputedUnit,
    sentence: string,
  ): Promise<string | undefined> {
    const exhibits = [
      ...contestants.map(({ node, product }) => ({
        by: node.nodeName,
        agentVersion: node.agentVersion,
        product,
      })),
      ...references.map((product) => ({ by: 'local', agentVersion: PACKAGE_VERSION, product })),
    ];
    try {
      return await this.#parts.evidence.keep(unit, exhibits, sentence, Date.now());
    } catch (error) {
      this.#parts.log.warn(`cannot keep the results that differ: ${messageOf(error)}`);
      return undefined;
    }
  }

  #tell(
    unit: DisputedUnit,
    end: 'wrong' | 'unrepeatable' | 'undecided',
    sentence: string,
    evidence: string | undefined,
  ): void {
    const { ledger, log } = this.#parts;
    const told = evidence === undefined ? sentence : `${sentence}. Kept in ${evidence}`;
    ledger.recordComparison(unit.buildId, end, told);
    if (end === 'wrong') log.error(told);
    else log.warn(told);
  }
}

function sourceOf({ invocation, job }: ReferenceUnit): string {
  const { sourcePath } = invocation;
  return sourcePath.startsWith('/') ? sourcePath : `${job.workingDirectory}/${sourcePath}`;
}
