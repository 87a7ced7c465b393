/**
 * Binds jobs to workers, as late as possible: a job comes here when its inputs are known, and gets a worker
 * at the moment when one with its toolchain has a credit.
 */
import type { LocalReasonId } from '../compiler/index.ts';
import { placeJob } from '../scheduler/index.ts';
import type { RemoteWorker } from './remote-worker.ts';

/** A worker with a credit, or the reason why there is none. */
export type Placement =
  | { readonly kind: 'worker'; readonly worker: RemoteWorker }
  | { readonly kind: 'none'; readonly reason: LocalReasonId; readonly detail: string };

interface Waiting {
  readonly toolchainId: string;
  readonly excluded: ReadonlySet<string>;
  /** Takes the placement and, if it is a worker, uses its credit before it returns. */
  readonly place: (placement: Placement) => void;
}

export class Dispatcher {
  readonly #workers = new Map<string, RemoteWorker>();
  readonly #waiting = new Set<Waiting>();
  #placing = false;

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
    this.#workers.set(worker.nodeId, worker);
    worker.onChange = () => this.#placeAll();
    void worker.closed.then(() => {
      if (this.#workers.get(worker.nodeId) === worker) this.#workers.delete(worker.nodeId);
      this.#placeAll();
    });
    this.#placeAll();
  }

  /** Why no worker could ever take a job with this toolchain at the moment; undefined if one could. */
  refusal(toolchainId: string, excluded: ReadonlySet<string>): (Placement & { kind: 'none' }) | undefined {
    let usable = 0;
    for (const worker of this.#workers.values()) {
      if (worker.draining || excluded.has(worker.nodeId)) continue;
      usable++;
      if (worker.toolchainIds.has(toolchainId)) return undefined;
    }
    if (excluded.size > 0) {
      return {
        kind: 'none',
        reason: 'attempts-exhausted',
        detail: `tried ${excluded.size} of ${this.#workers.size} nodes`,
      };
    }
    if (usable === 0) return { kind: 'none', reason: 'no-peer', detail: 'no other node is connected' };
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
    toolchainId: string,
    excluded: ReadonlySet<string>,
    waitMs: number,
    signal: AbortSignal,
    use: (worker: RemoteWorker) => T,
  ): Promise<T | (Placement & { kind: 'none' })> {
    return new Promise((resolve) => {
      const settle = (placement: Placement): void => {
        this.#waiting.delete(waiting);
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        resolve(placement.kind === 'worker' ? use(placement.worker) : placement);
      };
      const onAbort = (): void => settle({ kind: 'none', reason: 'interrupted', detail: '' });
      const waiting: Waiting = { toolchainId, excluded, place: settle };
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
        const refusal = this.refusal(waiting.toolchainId, waiting.excluded);
        if (refusal !== undefined) {
          waiting.place(refusal);
          continue;
        }
        const worker = placeJob(this.#candidates(waiting));
        if (worker !== undefined) waiting.place({ kind: 'worker', worker });
      }
    } finally {
      this.#placing = false;
    }
  }

  *#candidates(waiting: Waiting): Generator<RemoteWorker> {
    for (const worker of this.#workers.values()) {
      if (worker.toolchainIds.has(waiting.toolchainId) && !waiting.excluded.has(worker.nodeId)) yield worker;
    }
  }
}
