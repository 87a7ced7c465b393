/**
 * Binds jobs to workers, as late as possible: a job comes here when its inputs are known, and gets a worker
 * at the moment when one with its toolchain has a credit.
 */
import type { LocalReasonId } from '../compiler/index.ts';
import { type ExpectedNode, ExpectedNodes, placeJob } from '../scheduler/index.ts';
import type { CompilerDemand } from './compiler-demand.ts';
import type { RemoteWorker } from './remote-worker.ts';

/** A worker with a credit, or the reason why there is none. */
export type Placement =
  | { readonly kind: 'worker'; readonly worker: RemoteWorker }
  | { readonly kind: 'none'; readonly reason: LocalReasonId; readonly detail: string };

/** The reason why there is none. */
export type NoPlacement = Placement & { readonly kind: 'none' };

/** How long jobs wait for a node that was connected until a moment ago, or was sighted a moment ago. */
export const CONNECTION_GRACE_MS = 3_000;

/** True if this compiler of this node gets no jobs, although it is connected. */
export type IsBarred = (worker: RemoteWorker, demand: CompilerDemand) => boolean;

interface Waiting {
  readonly demand: CompilerDemand;
  readonly excluded: ReadonlySet<string>;
  /** The node without a connection that it waited for last. */
  hoped: ExpectedNode | undefined;
  /** Takes the placement and, if it is a worker, uses its credit before it returns. */
  readonly place: (placement: Placement) => void;
}

export class Dispatcher {
  readonly #workers = new Map<string, RemoteWorker>();
  readonly #waiting = new Set<Waiting>();
  readonly #graceMs: number;
  readonly #expected: ExpectedNodes;
  readonly #isBarred: IsBarred;
  #placing = false;

  /**
   * @param graceMs how long jobs wait for a node that is about to connect
   * @param isBarred tells which compiler of which node gets no jobs; after a change, {@link reconsider}
   */
  constructor(graceMs = CONNECTION_GRACE_MS, isBarred: IsBarred = () => false) {
    this.#graceMs = graceMs;
    this.#isBarred = isBarred;
    this.#expected = new ExpectedNodes(graceMs, () => this.#placeAll());
  }

  /** All connected workers. */
  get workers(): readonly RemoteWorker[] {
    return [...this.#workers.values()];
  }

  /** Jobs that wait for a credit. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** A worker is connected; it leaves by itself when its connection ends. */
  addWorker(worker: RemoteWorker): void {
    this.#expected.forget(worker.nodeId);
    this.#workers.set(worker.nodeId, worker);
    worker.onChange = () => this.#placeAll();
    void worker.closed.then(() => {
      if (this.#workers.get(worker.nodeId) === worker) {
        this.#workers.delete(worker.nodeId);
        const { nodeId, nodeName: name, toolchainIds } = worker;
        if (!worker.draining) this.#expected.expect({ nodeId, name, toolchainIds });
      }
      this.#placeAll();
    });
    this.#placeAll();
  }

  /** A node is being connected to for the first time: jobs may wait a moment for it. */
  expect(nodeId: string, name: string): void {
    this.#expected.expect({ nodeId, name, toolchainIds: undefined });
  }

  /** A node will not come soon. */
  giveUp(nodeId: string): void {
    if (this.#expected.forget(nodeId)) this.#placeAll();
  }

  /** Other nodes are barred, or offer compilers, than before. */
  reconsider(): void {
    this.#placeAll();
  }

  /** Why no worker will take a job with this toolchain soon; undefined if one may. */
  refusal(demand: CompilerDemand, excluded: ReadonlySet<string>): NoPlacement | undefined {
    const refusal = this.#refusalOfConnected(demand, excluded);
    return refusal && this.#expected.find(demand.toolchainId, excluded) ? undefined : refusal;
  }

  /** Why none of the connected workers could take a job with this toolchain. */
  #refusalOfConnected(demand: CompilerDemand, excluded: ReadonlySet<string>): NoPlacement | undefined {
    let usable = 0;
    const barred: string[] = [];
    const bound: string[] = [];
    for (const worker of this.#workers.values()) {
      if (worker.draining || excluded.has(worker.nodeId)) continue;
      usable++;
      if (!worker.offers(demand)) {
        const obstacle = demand.otherHost && worker.uses.obstacleTo(demand.otherHost);
        if (obstacle !== undefined) bound.push(`${worker.nodeName}: ${obstacle}`);
        continue;
      }
      if (!this.#isBarred(worker, demand)) return undefined;
      barred.push(worker.nodeName);
    }
    if (excluded.size > 0) {
      return {
        kind: 'none',
        reason: 'attempts-exhausted',
        detail: `${excluded.size} tried, no other connected node has this compiler`,
      };
    }
    if (barred.length > 0) return { kind: 'none', reason: 'node-quarantined', detail: barred.join(' ') };
    if (usable === 0) return { kind: 'none', reason: 'no-peer', detail: 'no other node is connected' };
    if (bound.length > 0) return { kind: 'none', reason: 'bound-to-host', detail: bound.join('; ') };
    return {
      kind: 'none',
      reason: 'no-matching-toolchain',
      detail: `none of ${usable} connected nodes has this very compiler`,
    };
  }

  /**
   * Waits for a worker with a credit and calls `use` with it, within the same turn in which the credit was
   * seen. `use` must take the credit (RemoteWorker.run does) before it returns.
   * @param waitMs how long to wait before giving up with `no-credit-in-time`
   */
  place<T>(
    demand: CompilerDemand,
    excluded: ReadonlySet<string>,
    waitMs: number,
    signal: AbortSignal,
    use: (worker: RemoteWorker) => T,
  ): Promise<T | NoPlacement> {
    return new Promise((resolve) => {
      const settle = (placement: Placement): void => {
        this.#waiting.delete(waiting);
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        resolve(placement.kind === 'worker' ? use(placement.worker) : placement);
      };
      const onAbort = (): void => settle({ kind: 'none', reason: 'interrupted', detail: '' });
      const waiting: Waiting = { demand, excluded, hoped: undefined, place: settle };
      const timer = setTimeout(
        () =>
          settle({
            kind: 'none',
            reason: 'no-credit-in-time',
            detail: `no node was free within ${waitMs} ms`,
          }),
        waitMs,
      );
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.add(waiting);
      if (signal.aborted) onAbort();
      else this.#placeAll();
    });
  }

  /** Gives every waiting job a worker, in the order in which they came, as far as credits reach. */
  #placeAll(): void {
    // Taking a credit reports a change, which leads back here: the running pass sees it by itself.
    if (this.#placing) return;
    this.#placing = true;
    try {
      for (const waiting of this.#waiting) {
        const refusal = this.#refusalOfConnected(waiting.demand, waiting.excluded);
        if (refusal !== undefined) {
          const expected = this.#expected.find(waiting.demand.toolchainId, waiting.excluded);
          if (expected !== undefined) waiting.hoped = expected;
          else waiting.place(waiting.hoped === undefined ? refusal : this.#inVain(waiting.hoped, refusal));
          continue;
        }
        const worker = placeJob(this.#candidates(waiting));
        if (worker !== undefined) waiting.place({ kind: 'worker', worker });
      }
    } finally {
      this.#placing = false;
    }
  }

  #inVain({ name, toolchainIds }: ExpectedNode, refusal: NoPlacement): NoPlacement {
    if (refusal.reason === 'attempts-exhausted') return refusal;
    const what = toolchainIds === undefined ? 'was not connected' : 'was lost and did not come back';
    return {
      kind: 'none',
      reason: 'no-connection-in-time',
      detail: `${name} ${what} within ${this.#graceMs} ms; ${refusal.detail}`,
    };
  }

  *#candidates(waiting: Waiting): Generator<RemoteWorker> {
    for (const worker of this.#workers.values()) {
      const offers = worker.offers(waiting.demand) && !waiting.excluded.has(worker.nodeId);
      if (offers && !this.#isBarred(worker, waiting.demand)) yield worker;
    }
  }
}
