/** Keeps a connection to every node of the mesh that was sighted; a lost one is tried again with growing pauses. */
import { messageOf } from '../base/errors.ts';
import { connectWorker, type Security } from '../mesh/index.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { EntryTable } from './entry-table.ts';
import { RemoteWorker } from './remote-worker.ts';

/** Where a node may be reached. */
export interface NodeAddresses {
  readonly nodeId: string;
  readonly name: string;
  /** `host:port`, best first. */
  readonly addresses: readonly string[];
}

export interface WorkerPoolOptions {
  readonly dispatcher: Dispatcher;
  readonly entries: EntryTable;
  readonly security: Security;
  readonly hello: { nodeId: string; nodeName: string; agentVersion: string };
  /** Measured speed of one slot of a node; undefined: never measured. */
  readonly speedOf?: (nodeId: string) => number | undefined;
  /** Called when a node is connected. */
  readonly onConnected?: (worker: RemoteWorker) => void;
  readonly log: (line: string) => void;
  /** Between attempts at a node that does not answer, in the end. Default: 30 s. */
  readonly longestPauseMs?: number;
}

const CONNECT_TIMEOUT_MS = 4_000;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 30_000;

interface Known {
  node: NodeAddresses;
  worker: RemoteWorker | undefined;
  pauseMs: number;
  timer: NodeJS.Timeout | undefined;
  connecting: boolean;
  wasConnected: boolean;
  /** Not announced any more while the connection lived on. */
  withdrawn: boolean;
  lastError: string | undefined;
}

export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #longestPauseMs: number;
  readonly #known = new Map<string, Known>();
  #stopped = false;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#longestPauseMs = options.longestPauseMs ?? LONGEST_PAUSE_MS;
  }

  /** Nodes that were sighted, with the trouble of the last attempt if there is no connection. */
  get nodes(): { node: NodeAddresses; worker: RemoteWorker | undefined; lastError: string | undefined }[] {
    return [...this.#known.values()].map(({ node, worker, lastError }) => ({ node, worker, lastError }));
  }

  /** A node was sighted (again): connect unless connected. A new address ends a long pause. */
  sighted(node: NodeAddresses): void {
    if (this.#stopped || node.nodeId === this.#options.hello.nodeId) return;
    const known = this.#known.get(node.nodeId);
    if (known === undefined) {
      const fresh: Known = {
        node,
        worker: undefined,
        pauseMs: FIRST_PAUSE_MS,
        timer: undefined,
        connecting: false,
        wasConnected: false,
        withdrawn: false,
        lastError: undefined,
      };
      this.#known.set(node.nodeId, fresh);
      this.#options.dispatcher.expect(node.nodeId, node.name);
      void this.#connect(fresh);
      return;
    }
    const moved = known.node.addresses.join() !== node.addresses.join();
    known.node = node;
    known.withdrawn = false;
    if (!moved || known.worker !== undefined || known.connecting) return;
    known.pauseMs = FIRST_PAUSE_MS;
    this.#retry(known);
  }

  /** A node is no longer announced. A live connection is kept: the stream knows better than the announcement. */
  forgotten(nodeId: string): void {
    const known = this.#known.get(nodeId);
    if (known === undefined) return;
    if (known.worker !== undefined) known.withdrawn = true;
    else this.#forget(known);
  }

  stop(): void {
    this.#stopped = true;
    for (const [nodeId, known] of this.#known) {
      clearTimeout(known.timer);
      known.worker?.close();
      this.#options.dispatcher.giveUp(nodeId);
    }
    this.#known.clear();
  }

  #forget(known: Known): void {
    clearTimeout(known.timer);
    this.#known.delete(known.node.nodeId);
    this.#options.dispatcher.giveUp(known.node.nodeId);
  }

  #retry(known: Known): void {
    clearTimeout(known.timer);
    known.timer = setTimeout(() => void this.#connect(known), known.pauseMs);
    known.pauseMs = Math.min(known.pauseMs * 2, this.#longestPauseMs);
  }

  async #connect(known: Known): Promise<void> {
    if (this.#stopped || known.connecting || this.#known.get(known.node.nodeId) !== known) return;
    known.connecting = true;
    const worker = await this.#tryAddresses(known);
    known.connecting = false;
    // Meanwhile this agent may have stopped, or the node may have been forgotten.
    const wanted = !this.#stopped && this.#known.get(known.node.nodeId) === known;
    if (!wanted) return worker?.close();
    if (worker === undefined) {
      // One that was connected before may be back in a moment; one that never answered keeps no job waiting.
      if (!known.wasConnected) this.#options.dispatcher.giveUp(known.node.nodeId);
      if (known.withdrawn && known.pauseMs >= this.#longestPauseMs) return this.#forget(known);
      return this.#retry(known);
    }
    known.wasConnected = true;
    known.worker = worker;
    worker.speed = this.#options.speedOf?.(worker.nodeId);
    known.pauseMs = FIRST_PAUSE_MS;
    known.lastError = undefined;
    this.#options.log(`connected to ${worker.nodeName} at ${worker.address}: ${worker.slots} slots`);
    this.#options.dispatcher.addWorker(worker);
    this.#options.onConnected?.(worker);
    void worker.closed.then((why) => {
      known.worker = undefined;
      known.lastError = why;
      this.#options.log(`lost ${worker.nodeName}: ${why}`);
      if (this.#stopped) return;
      if (known.withdrawn) this.#options.dispatcher.giveUp(worker.nodeId);
      this.#retry(known);
    });
  }

  async #tryAddresses(known: Known): Promise<RemoteWorker | undefined> {
    for (const address of known.node.addresses) {
      try {
        const link = await connectWorker({
          address,
          expectedNodeId: known.node.nodeId,
          security: this.#options.security,
          hello: this.#options.hello,
          connectTimeoutMs: CONNECT_TIMEOUT_MS,
        });
        return new RemoteWorker(link, this.#options.entries);
      } catch (error) {
        known.lastError = causeOf(error);
      }
    }
    return undefined;
  }
}

/** Which node, and where, stands beside it wherever this is shown. */
function causeOf(error: unknown): string {
  return messageOf(error instanceof Error && error.cause !== undefined ? error.cause : error);
}
