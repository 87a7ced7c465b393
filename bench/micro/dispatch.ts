/** Decisions which worker gets a job, beside a queue that hands out workers in turns. */
import { connectWorker, type Security, serveMesh } from '../../src/mesh/index.ts';
import { Dispatcher } from '../../src/submitter/dispatcher.ts';
import { EntryTable } from '../../src/submitter/entry-table.ts';
import { RemoteWorker } from '../../src/submitter/remote-worker.ts';
import { until } from '../../test/mesh/transport-peers.ts';
import { BenchError } from '../bench-error.ts';
import { cpuMsOf, type Part, scaled } from './part.ts';

const UNIT = 'µs of CPU per decision';
const DECISIONS = 5_000;
const WAITING = 200;
const WORKERS_OF_EACH = 4;
const BUSY = 'toolchain of busy workers';
const FREE = 'toolchain of free workers';
const INSECURE: Security = { kind: 'insecure' };
const NOBODY: ReadonlySet<string> = new Set();

interface Connected {
  readonly worker: RemoteWorker;
  close(): Promise<void>;
}

/** A connection to a node that grants credits and does nothing. */
async function connectedWorker(nodeId: string, toolchain: string, credits: number): Promise<Connected> {
  const toolchains = [{ id: toolchain, dialect: 'gcc', driver: 'c', version: '', targetTriple: '' }];
  const server = await serveMesh({
    security: INSECURE,
    host: '127.0.0.1',
    port: 0,
    welcome: () => ({ nodeId, nodeName: nodeId, agentVersion: '0', slots: 4, toolchains }),
    accept: (_peer, out) => {
      out.send({ credits: { grantedTotal: credits } });
      return { onMessage: () => {}, onBlobChunk: () => Promise.resolve(), onClosed: () => {} };
    },
    log: () => {},
  });
  const link = await connectWorker({
    address: `127.0.0.1:${server.port}`,
    expectedNodeId: nodeId,
    security: INSECURE,
    hello: { nodeId: 'submitter', nodeName: 'submitter', agentVersion: '0' },
    connectTimeoutMs: 10_000,
  });
  const worker = new RemoteWorker(link, new EntryTable());
  await until(() => worker.credits === credits, 'the credits have come');
  return {
    worker,
    close: async () => {
      worker.close();
      await server.stop();
    },
  };
}

/** First come, first served, workers in turns. */
class TrivialQueue<Worker> {
  readonly #workers: readonly Worker[];
  readonly #waiting: ((worker: Worker) => void)[] = [];
  #next = 0;

  constructor(workers: readonly Worker[]) {
    this.#workers = workers;
  }

  place(): Promise<Worker> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#hand();
    });
  }

  #hand(): void {
    const worker = this.#workers[this.#next++ % this.#workers.length];
    if (worker !== undefined) this.#waiting.shift()?.(worker);
  }
}

async function microsecondsEach(count: number, decide: () => Promise<unknown>): Promise<number> {
  const ms = await cpuMsOf(async () => {
    for (let index = 0; index < count; index++) await decide();
  });
  return (1000 * ms) / count;
}

export const dispatchPart: Part = {
  name: 'dispatch',
  what: `a decision among ${WORKERS_OF_EACH} connected workers with credits and ${WORKERS_OF_EACH} without`,
  async open(context) {
    const dispatcher = new Dispatcher();
    const connected: Connected[] = [];
    for (let index = 0; index < WORKERS_OF_EACH; index++) {
      connected.push(await connectedWorker(`busy-${index}`, BUSY, 0));
      connected.push(await connectedWorker(`free-${index}`, FREE, 1_000_000));
    }
    for (const { worker } of connected) dispatcher.addWorker(worker);
    const never = new AbortController().signal;
    const decide = (): Promise<unknown> =>
      dispatcher.place({ toolchainId: FREE }, NOBODY, 60_000, never, ({ nodeName }) => nodeName);
    const queue = new TrivialQueue(connected.map(({ worker }) => worker));
    const withWaiting = async (): Promise<number> => {
      const calls = Array.from({ length: WAITING }, () => new AbortController());
      const waiting = calls.map(({ signal }) =>
        dispatcher.place({ toolchainId: BUSY }, NOBODY, 600_000, signal, () => undefined),
      );
      if (dispatcher.waiting !== WAITING) throw new BenchError(`${dispatcher.waiting} jobs wait`);
      const value = await microsecondsEach(scaled(context, DECISIONS / 50), decide);
      for (const call of calls) call.abort();
      await Promise.all(waiting);
      return value;
    };
    const decisions = scaled(context, DECISIONS);
    return {
      series: [
        {
          name: 'trivial queue',
          unit: UNIT,
          measure: () => microsecondsEach(10 * decisions, () => queue.place()),
        },
        { name: 'nothing else waits', unit: UNIT, measure: () => microsecondsEach(decisions, decide) },
        { name: `${WAITING} other jobs wait for busy workers`, unit: UNIT, measure: withWaiting },
      ],
      lines: ['nothing else waits', `${WAITING} other jobs wait for busy workers`].map((series) => ({
        series,
        reference: 'trivial queue',
      })),
      notes: [],
      close: async () => {
        for (const each of connected) await each.close();
      },
    };
  },
};
