/**
 * Puts compilers of workers that run on another processor architecture in the place of this machine's, if the owner
 * allows it: those that were found to make the same code, and whose worker has tried them. Results of theirs are looked
 * at more closely than others (verifier.ts).
 */
import {
  matchToolchain,
  mismatchInWords,
  type OfferedToolchain,
  type OwnToolchain,
  otherHostObstacle,
  type Toolchain,
} from '../toolchain/index.ts';
import { otherHostKey } from './compiler-demand.ts';
import { comparisonInWords, type HostComparison, type HostComparisons } from './host-comparisons.ts';
import type { RemoteWorker } from './remote-worker.ts';

/** How a worker stands to a compiler of this machine that it has only for another host. */
export interface OtherHostView {
  readonly comparison: HostComparison['state'];
  /** What the worker's compiler runs on. */
  readonly host: string;
  /** Jobs go there. */
  readonly used: boolean;
  /** In words that follow what the two compilers are: what was found, and what is made of it. */
  readonly words: string;
}

interface OtherHostParts {
  readonly comparisons: HostComparisons;
  /** The owner lets such compilers be used. */
  readonly isAllowed: boolean;
  /** This machine's compilers, as far as they are known without a call. */
  readonly toolchains: () => readonly Toolchain[];
  /** A worker may be sent other jobs than before; it shows files of its own at these canonical paths. */
  readonly onReady: (files: readonly string[]) => void;
  readonly log: (line: string) => void;
}

export class OtherHosts {
  readonly #parts: OtherHostParts;
  /** Compilers, at their paths, about which something is being found out. */
  readonly #searching = new WeakMap<RemoteWorker, Set<string>>();

  constructor(parts: OtherHostParts) {
    this.#parts = parts;
  }

  get isAllowed(): boolean {
    return this.#parts.isAllowed;
  }

  /** A worker has connected: finds out, in the background, whose place its compilers can take. */
  meet(worker: RemoteWorker): void {
    for (const own of this.#parts.toolchains()) this.consider(own, worker);
  }

  /** The same for one compiler, at its path. Cheap if it was considered before. */
  consider(own: Toolchain, worker: RemoteWorker): void {
    if (!this.#parts.isAllowed || worker.uses.otherHost(otherHostKey(own)) !== undefined) return;
    const searching = this.#searching.get(worker) ?? new Set<string>();
    this.#searching.set(worker, searching);
    const key = otherHostKey(own);
    if (searching.has(key)) return;
    const theirs = candidateOf(own, worker);
    if (theirs === undefined || obstacleOf(own, theirs, worker) !== undefined) return;
    searching.add(key);
    void this.#find(own, theirs, worker).then(() => searching.delete(key));
  }

  /**
   * How a worker stands to a compiler that it has for another host; looks for what is not known yet.
   * @returns undefined if it has the very compiler, or none that could take its place
   */
  view(own: Toolchain, worker: RemoteWorker): OtherHostView | undefined {
    const theirs = candidateOf(own, worker);
    if (theirs === undefined) return undefined;
    this.consider(own, worker);
    const comparison = this.#parts.comparisons.look(own, theirs, worker);
    const used = worker.uses.otherHostRef(otherHostKey(own)) !== undefined;
    const words = [comparisonInWords(comparison), this.#useInWords(own, theirs, worker, comparison)];
    const { host } = theirs;
    return {
      comparison: comparison.state,
      host,
      used,
      words: words.filter((text) => text !== '').join('. '),
    };
  }

  /** What follows why two compilers are not the same one, for a job that was refused. */
  inWords(own: Toolchain, worker: RemoteWorker): string[] {
    const theirs = candidateOf(own, worker);
    if (theirs === undefined) return [];
    // Without the permission nothing is compared until somebody asks.
    if (!this.#parts.isAllowed)
      return obstacleOf(own, theirs, worker) === undefined ? [permissionHint(worker)] : [];
    return [this.view(own, worker)?.words ?? ''];
  }

  async #find(own: Toolchain, theirs: OfferedToolchain, worker: RemoteWorker): Promise<void> {
    const comparison = await this.#parts.comparisons.compare(own, theirs, worker);
    if (comparison.state !== 'same code') return;
    const use = await worker.uses.tryOtherHost(own, theirs);
    const what = `${worker.nodeName}'s ${theirs.name} for ${theirs.host} in the place of ${own.compilerPath}`;
    this.#parts.log(use.state === 'refused' ? `not used: ${what}: ${use.detail}` : `used: ${what}`);
    if (use.state === 'ready') this.#parts.onReady(use.files);
  }

  #useInWords(
    own: Toolchain,
    theirs: OfferedToolchain,
    worker: RemoteWorker,
    comparison: HostComparison,
  ): string {
    const obstacle = obstacleOf(own, theirs, worker);
    if (obstacle !== undefined) return `It is not used: ${obstacle}`;
    if (!this.#parts.isAllowed) return permissionHint(worker);
    if (comparison.state !== 'same code') return '';
    const use = worker.uses.otherHost(otherHostKey(own));
    if (use === undefined || use.state === 'being tried') return `It is being tried on ${worker.nodeName}`;
    return use.state === 'ready' ? 'It is used' : `It is not used: ${use.detail}`;
  }
}

/** The compiler of a worker that might take the place of one here. */
function candidateOf(own: OwnToolchain, worker: RemoteWorker): OfferedToolchain | undefined {
  const match = matchToolchain(own, worker.toolchains, worker.nodeName);
  return match.kind === 'other host' ? match.theirs : undefined;
}

function obstacleOf(own: OwnToolchain, theirs: OfferedToolchain, worker: RemoteWorker): string | undefined {
  const { nodeName, agentVersion, servesOtherHosts } = worker;
  const obstacle = otherHostObstacle(own, theirs);
  if (obstacle !== undefined) return `the compiler of ${nodeName} ${obstacle}`;
  return servesOtherHosts ? undefined : `meshcc ${agentVersion} on ${nodeName} cannot do that yet`;
}

function permissionHint({ nodeName }: RemoteWorker): string {
  return `Such a compiler is used if it makes the same code and you allow it: \`meshcc agent --foreign-hosts\` here, \`--compare-hosts\` on ${nodeName}`;
}

/** Further nodes are counted: `meshcc toolchains` shows all of them. */
const MAX_NAMED = 2;

/**
 * Why none of the workers can compile with a compiler of this machine, for the reason of a job: one clause for each of
 * the first ones, e.g. `board2's /usr/bin/gcc 12.2.0 (c) differs from /usr/bin/gcc here: …`.
 */
export function mismatchesInWords(
  own: Toolchain,
  workers: readonly RemoteWorker[],
  otherHosts: OtherHosts,
): string {
  const named = workers.slice(0, MAX_NAMED).flatMap((worker) => {
    const words = mismatchInWords(own, worker.toolchains, worker.nodeName);
    if (words === undefined) return [];
    return [words, ...otherHosts.inWords(own, worker)];
  });
  const rest = workers.length - Math.min(workers.length, MAX_NAMED);
  return [...named, ...(rest > 0 ? [`${rest} more: see \`meshcc toolchains\``] : [])].join('. ');
}
