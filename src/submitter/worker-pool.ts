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
  readonly log: (line: string) => void;
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
  lastError: string | undefined;
}

export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #known = new Map<string, Known>();
  #stopped = false;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
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
        lastError: undefined,
      };
      this.#known.set(node.nodeId, fresh);
      void this.#connect(fresh);
      return;
    }
    const moved = known.node.addresses.join() !== node.addresses.join();
    known.node = node;
    if (!moved || known.worker !== undefined || known.connecting) return;
    known.pauseMs = FIRST_PAUSE_MS;
    this.#retry(known);
  }

  /** A node is no longer announced. A live connection is kept: the stream knows better than the announcement. */
  forgotten(nodeId: string): void {
    const known = this.#known.get(nodeId);
    if (known === undefined || known.worker !== undefined) return;
    clearTimeout(known.timer);
    this.#known.delete(nodeId);
  }

  stop(): void {
    this.#stopped = true;
    for (const known of this.#known.values()) {
      clearTimeout(known.timer);
      known.worker?.close();
    }
    this.#known.clear();
  }

  #retry(known: Known): void {
    clearTimeout(known.timer);
    known.timer = setTimeout(() => void this.#connect(known), known.pauseMs);
    known.pauseMs = Math.min(known.pauseMs * 2, LONGEST_PAUSE_MS);
  }

  async #connect(known: Known): Promise<void> {
    if (this.#stopped || known.connecting || this.#known.get(known.node.nodeId) !== known) return;
    known.connecting = true;
    const worker = await this.#tryAddresses(known);
    known.connecting = false;
    // Meanwhile this agent may have stopped, or the node may have been forgotten.
    const wanted = !this.#stopped && this.#known.get(known.node.nodeId) === known;
    if (!wanted) return worker?.close();
    if (worker === undefined) return this.#retry(known);
    known.worker = worker;
    known.pauseMs = FIRST_PAUSE_MS;
    known.lastError = undefined;
    this.#options.log(`connected to ${worker.nodeName} at ${worker.address}: ${worker.slots} slots`);
    this.#options.dispatcher.addWorker(worker);
    void worker.closed.then((why) => {
      known.worker = undefined;
      known.lastError = why;
      this.#options.log(`lost ${worker.nodeName}: ${why}`);
      if (!this.#stopped) this.#retry(known);
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
        known.lastError = messageOf(error);
      }
    }
    return undefined;
  }
}
