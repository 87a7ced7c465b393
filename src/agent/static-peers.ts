/** Nodes named by address: asked who they are until they answer, then known like any sighted node. */
import { messageOf } from '../base/errors.ts';
import { type ConnectOptions, connectWorker } from '../mesh/index.ts';
import type { NodeAddresses } from '../submitter/index.ts';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
const CONNECT_TIMEOUT_MS = 4_000;

/** An address whose node has not said yet who it is. */
export interface UnansweredPeer {
  /** `host:port`. */
  readonly address: string;
  /** Why the last attempt failed, in words; undefined before the first one has ended. */
  readonly trouble: string | undefined;
}

export class StaticPeers {
  readonly #unanswered = new Map<string, string | undefined>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #stopped = false;

  /**
   * @param addresses `host:port`
   * @param onFound called once per address when its node has said who it is
   */
  constructor(
    addresses: readonly string[],
    connection: Pick<ConnectOptions, 'security' | 'hello'>,
    onFound: (node: NodeAddresses) => void,
    log: (line: string) => void,
  ) {
    for (const address of addresses) {
      this.#unanswered.set(address, undefined);
      void this.#ask(address, FIRST_PAUSE_MS, connection, onFound, log);
    }
  }

  /** Addresses that are still asked. */
  get unanswered(): UnansweredPeer[] {
    return [...this.#unanswered].map(([address, trouble]) => ({ address, trouble }));
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
  }

  async #ask(
    address: string,
    pauseMs: number,
    connection: Pick<ConnectOptions, 'security' | 'hello'>,
    onFound: (node: NodeAddresses) => void,
    log: (line: string) => void,
  ): Promise<void> {
    if (this.#stopped) return;
    try {
      const link = await connectWorker({
        ...connection,
        address,
        expectedNodeId: undefined,
        connectTimeoutMs: CONNECT_TIMEOUT_MS,
      });
      link.close();
      this.#unanswered.delete(address);
      if (!this.#stopped)
        onFound({ nodeId: link.welcome.nodeId, name: link.welcome.nodeName, addresses: [address] });
    } catch (error) {
      this.#unanswered.set(address, messageOf(error instanceof Error && error.cause ? error.cause : error));
      if (pauseMs === FIRST_PAUSE_MS) log(`${messageOf(error)}; trying again`);
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        void this.#ask(address, Math.min(pauseMs * 2, LONGEST_PAUSE_MS), connection, onFound, log);
      }, pauseMs);
      this.#timers.add(timer);
    }
  }
}
