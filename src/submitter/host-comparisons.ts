/**
 * Compares this machine's compilers with those of the same version that other nodes run on another processor
 * architecture: by what they do, since what they consist of cannot be equal.
 */
import { messageOf } from '../base/errors.ts';
import {
  compareFingerprints,
  type Fingerprints,
  fingerprintDifference,
  type OfferedToolchain,
  type OwnToolchain,
} from '../toolchain/index.ts';
import type { RemoteWorker } from './remote-worker.ts';

/** What is known of a pair of compilers. */
export type HostComparison =
  | { readonly state: 'not allowed' | 'under way' }
  /** @property boundToHost how many differ that depend on the host anyway */
  | { readonly state: 'same code'; readonly comparisons: number; readonly boundToHost: number }
  | { readonly state: 'other code'; readonly detail: string }
  | { readonly state: 'failed'; readonly detail: string };

/** Pairs that are remembered; a node that offers ever new ids must not fill the memory. */
const MAX_PAIRS = 1_024;

/** A node that refuses needs no longer. */
const REFUSAL_MS = 1_000;

/** After this a comparison that failed is tried again when somebody looks. */
const RETRY_MS = 10_000;

/** A comparison that has begun. */
interface Pair {
  known: HostComparison;
  readonly found: Promise<HostComparison>;
}

const NOT_ALLOWED: Pair = {
  known: { state: 'not allowed' },
  found: Promise.resolve({ state: 'not allowed' }),
};

export class HostComparisons {
  readonly #fingerprints: Fingerprints | undefined;
  readonly #pairs = new Map<string, Pair>();

  /** @param fingerprints undefined: the owner of this node has not allowed it */
  constructor(fingerprints: Fingerprints | undefined) {
    this.#fingerprints = fingerprints;
  }

  /** What is known now; asked for the first time, begins to find out. */
  look(own: OwnToolchain, theirs: OfferedToolchain, node: RemoteWorker): HostComparison {
    return this.#pair(own, theirs, node).known;
  }

  /** The same as soon as it has been found out. Never rejects. */
  compare(own: OwnToolchain, theirs: OfferedToolchain, node: RemoteWorker): Promise<HostComparison> {
    return this.#pair(own, theirs, node).found;
  }

  #pair(own: OwnToolchain, theirs: OfferedToolchain, node: RemoteWorker): Pair {
    const fingerprints = this.#fingerprints;
    if (fingerprints === undefined) return NOT_ALLOWED;
    const key = `${own.id} ${theirs.id} ${node.nodeId}`;
    const known = this.#pairs.get(key);
    if (known !== undefined) return known;
    if (this.#pairs.size >= MAX_PAIRS) this.#pairs.clear();
    const found = this.#compare(fingerprints, own, theirs, node);
    const pair: Pair = { known: { state: 'under way' }, found };
    this.#pairs.set(key, pair);
    void found.then((result) => {
      pair.known = result;
      // A node that was lost or refused meanwhile may answer another time.
      if (result.state === 'failed') setTimeout(() => this.#forget(key, pair), RETRY_MS).unref();
    });
    return pair;
  }

  #forget(key: string, pair: Pair): void {
    if (this.#pairs.get(key) === pair) this.#pairs.delete(key);
  }

  async #compare(
    fingerprints: Fingerprints,
    own: OwnToolchain,
    theirs: OfferedToolchain,
    node: RemoteWorker,
  ): Promise<HostComparison> {
    try {
      const asked = node.askFingerprint(theirs.id);
      // A node that refuses spares this machine the work; one that has to look for itself does so meanwhile.
      const atOnce = await Promise.race([asked, pause(REFUSAL_MS)]);
      if (atOnce === undefined) await fingerprints.of(own);
      const reply = await asked;
      if ('refusal' in reply) return { state: 'failed', detail: `${node.nodeName}: ${reply.refusal}` };
      const ours = await fingerprints.of(own);
      const detail = fingerprintDifference(ours, reply);
      if (detail !== undefined) return { state: 'other code', detail };
      const { comparisons, boundToHost } = compareFingerprints(ours, reply);
      return { state: 'same code', comparisons, boundToHost: boundToHost.length };
    } catch (error) {
      return { state: 'failed', detail: `this machine: ${messageOf(error)}` };
    }
  }
}

function pause(timeMs: number): Promise<undefined> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(undefined), timeMs).unref();
  });
}

/** The comparison in words, to follow why two compilers are not the same one. */
export function comparisonInWords(comparison: HostComparison): string {
  switch (comparison.state) {
    case 'not allowed':
      return 'Whether they make the same code was not looked at: `meshcc agent --compare-hosts` on both nodes allows it';
    case 'under way':
      return 'Whether they make the same code is being looked at, while the machines have nothing else to do: ask again in a minute';
    case 'same code':
      return `They make the same code as far as ${comparison.comparisons} comparisons tell${aside(comparison.boundToHost)}`;
    case 'other code':
      return `They do not make the same code: ${comparison.detail}`;
    default:
      return `Whether they make the same code cannot be told: ${comparison.detail}`;
  }
}

/** Link-time code, which depends on the host and never travels to another. */
function aside(boundToHost: number): string {
  return boundToHost === 0 ? '' : `, but for ${boundToHost} of kinds that are never compiled on another host`;
}
