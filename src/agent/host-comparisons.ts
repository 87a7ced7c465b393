/**
 * Compares this machine's compilers with those of the same version that other nodes run on another processor
 * architecture: by what they do, since what they consist of cannot be equal. For people: jobs go by content alone.
 */
import { messageOf } from '../base/errors.ts';
import type { RemoteNode } from '../submitter/index.ts';
import {
  type Fingerprints,
  fingerprintDifference,
  type OfferedToolchain,
  type OwnToolchain,
} from '../toolchain/index.ts';

/** What is known of a pair of compilers. */
export type HostComparison =
  | { readonly state: 'not allowed' | 'under way' }
  | { readonly state: 'same code'; readonly comparisons: number }
  | { readonly state: 'other code'; readonly detail: string }
  | { readonly state: 'failed'; readonly detail: string };

/** Pairs that are remembered; a node that offers ever new ids must not fill the memory. */
const MAX_PAIRS = 1_024;

/** After this a comparison that failed is tried again when somebody looks. */
const RETRY_MS = 10_000;

export class HostComparisons {
  readonly #fingerprints: Fingerprints | undefined;
  readonly #pairs = new Map<string, HostComparison>();

  /** @param fingerprints undefined: the owner of this node has not allowed it */
  constructor(fingerprints: Fingerprints | undefined) {
    this.#fingerprints = fingerprints;
  }

  /** What is known now; asked for the first time, begins to find out. */
  look(own: OwnToolchain, theirs: OfferedToolchain, node: RemoteNode): HostComparison {
    const fingerprints = this.#fingerprints;
    if (fingerprints === undefined) return { state: 'not allowed' };
    const key = `${own.id} ${theirs.id} ${node.nodeId}`;
    const known = this.#pairs.get(key);
    if (known !== undefined) return known;
    if (this.#pairs.size >= MAX_PAIRS) this.#pairs.clear();
    const begun: HostComparison = { state: 'under way' };
    this.#pairs.set(key, begun);
    void this.#compare(fingerprints, own, theirs, node).then((result) => {
      // A node that was lost or refused meanwhile may answer another time.
      if (result.state === 'failed') setTimeout(() => this.#forget(key, result), RETRY_MS).unref();
      if (this.#pairs.get(key) === begun) this.#pairs.set(key, result);
    });
    return begun;
  }

  #forget(key: string, result: HostComparison): void {
    if (this.#pairs.get(key) === result) this.#pairs.delete(key);
  }

  async #compare(
    fingerprints: Fingerprints,
    own: OwnToolchain,
    theirs: OfferedToolchain,
    node: RemoteNode,
  ): Promise<HostComparison> {
    try {
      // A node that refuses spares this machine the work.
      const reply = await node.askFingerprint(theirs.id);
      if ('refusal' in reply) return { state: 'failed', detail: `${node.nodeName}: ${reply.refusal}` };
      const ours = await fingerprints.of(own);
      const detail = fingerprintDifference(ours, reply);
      if (detail !== undefined) return { state: 'other code', detail };
      return { state: 'same code', comparisons: ours.parts.length };
    } catch (error) {
      return { state: 'failed', detail: `this machine: ${messageOf(error)}` };
    }
  }
}

/** The comparison in words, to follow why two compilers are not the same one. */
export function comparisonInWords(comparison: HostComparison): string {
  switch (comparison.state) {
    case 'not allowed':
      return 'Whether they make the same code was not looked at: `meshcc agent --compare-hosts` on both nodes allows it';
    case 'under way':
      return 'Whether they make the same code is being looked at: ask again in a minute';
    case 'same code':
      return `They make the same code as far as ${comparison.comparisons} comparisons tell. It is not used all the same: only compilers of equal content serve each other`;
    case 'other code':
      return `They do not make the same code: ${comparison.detail}`;
    default:
      return `Whether they make the same code cannot be told: ${comparison.detail}`;
  }
}
