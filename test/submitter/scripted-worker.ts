/** A worker at the other end of a real connection that says exactly what a test wants, true or not. */
import type { TestContext } from 'node:test';
import { digestOf, digestToBytes } from '../../src/base/digest.ts';
import { IdSet } from '../../src/base/id-set.ts';
import type { FromSubmitter, FromWorker, WireJob, WireWelcome } from '../../src/mesh/index.ts';
import { EntryTable } from '../../src/submitter/entry-table.ts';
import type { OutputSink } from '../../src/submitter/outcome.ts';
import { type PreparedJob, RemoteWorker } from '../../src/submitter/remote-worker.ts';
import { dial, listen, type ServedSession, until } from '../mesh/transport-peers.ts';
import { GCC, toolchainOf } from '../worker/real-toolchains.ts';

export interface ScriptedOptions {
  readonly nodeId?: string;
  readonly slots?: number;
  /** Credits granted at the start. */
  readonly credits?: number;
  /** Default: that of this machine's gcc. */
  readonly toolchainIds?: readonly string[];
  /** What the worker does with a job. */
  readonly onJob?: (job: WireJob, script: ScriptedWorker) => void;
  readonly onMessage?: (message: FromSubmitter, script: ScriptedWorker) => void;
  readonly entries?: EntryTable;
  /** More of what it says of itself. */
  readonly welcome?: Partial<WireWelcome>;
}

export class ScriptedWorker {
  /** The submitter's view of this worker. */
  readonly remote: RemoteWorker;
  readonly entries: EntryTable;
  readonly session: ServedSession;

  constructor(remote: RemoteWorker, entries: EntryTable, session: ServedSession) {
    this.remote = remote;
    this.entries = entries;
    this.session = session;
  }

  send(message: FromWorker): void {
    this.session.out.send(message);
  }

  grant(grantedTotal: number): void {
    this.send({ credits: { grantedTotal } });
  }

  /** Jobs that have arrived. */
  get jobs(): WireJob[] {
    return this.session.messages.flatMap(({ job }) => (job ? [job] : []));
  }

  /** Ids of jobs that were taken back. */
  get cancelled(): number[] {
    return this.session.messages.flatMap(({ cancel }) => (cancel ? [cancel.jobId] : []));
  }

  /** Paths that were announced, in order. */
  get announced(): string[] {
    return this.session.messages.flatMap(({ entries }) => (entries?.entries ?? []).map(({ path }) => path));
  }

  get removed(): string[] {
    return this.session.messages.flatMap(({ removed }) => removed?.paths ?? []);
  }

  /** Sends one output in pieces. */
  output(jobId: number, index: number, path: string, content: Buffer, sizeBytes = content.length): void {
    const pieceBytes = 100_000;
    for (let offset = 0; offset === 0 || offset < content.length; offset += pieceBytes) {
      const data = content.subarray(offset, offset + pieceBytes);
      this.send({ outputChunk: { jobId, index, path: offset === 0 ? path : '', sizeBytes, data } });
    }
  }

  /** Reports success with these outputs. */
  succeed(jobId: number, ...contents: Buffer[]): void {
    const outputs = contents.map((content, index) => outputDigest(index, content));
    this.send({ result: { jobId, compiled: { ...SUCCESS, outputs } } });
  }
}

export const SUCCESS = {
  exitStatus: 0,
  signal: 0,
  stdout: Buffer.alloc(0),
  stderr: Buffer.alloc(0),
  cpuUs: 1,
  wallUs: 2,
};

export function outputDigest(
  index: number,
  content: Buffer,
): { index: number; sha256: Buffer; sizeBytes: number } {
  return { index, sha256: digestToBytes(digestOf(content)), sizeBytes: content.length };
}

/** Starts a scripted worker and connects to it; its first credits have arrived when this resolves. */
export async function scriptedWorker(t: TestContext, options: ScriptedOptions = {}): Promise<ScriptedWorker> {
  const toolchainIds = options.toolchainIds ?? [(await toolchainOf(GCC)).id];
  const nodeId = options.nodeId ?? 'worker';
  const toolchains = toolchainIds.map((id) => ({
    id,
    dialect: 'gcc',
    driver: 'c',
    version: '',
    targetTriple: '',
  }));
  let script: ScriptedWorker | undefined;
  const listener = await listen(t, {
    nodeId,
    welcome: { slots: options.slots ?? 4, nodeName: `${nodeId}-name`, toolchains, ...options.welcome },
    onMessage: (message) => {
      if (script === undefined) return;
      options.onMessage?.(message, script);
      if (message.job) options.onJob?.(message.job, script);
    },
  });
  const link = await dial(t, listener.address, { expectedNodeId: nodeId });
  const entries = options.entries ?? new EntryTable();
  const remote = new RemoteWorker(link, entries);
  t.after(() => remote.close());
  script = new ScriptedWorker(remote, entries, await listener.session());
  const credits = options.credits ?? 10;
  script.grant(credits);
  if (credits > 0) await until(() => remote.credits === credits, 'the first credits have come');
  return script;
}

/** A job that wants `x.o`, and maybe more. */
export async function preparedJob(change: Partial<PreparedJob> = {}): Promise<PreparedJob> {
  return {
    toolchain: await toolchainOf(GCC),
    arguments: [],
    workingDirectory: '/work',
    environment: [],
    umask: 0o022,
    terminal: undefined,
    outputs: [{ kind: 'object', path: 'x.o', required: true }],
    inputs: { entryIds: new IdSet(), absentPaths: [], generation: 0 },
    processor: [],
    timeoutMs: 60_000,
    ...change,
  };
}

/** Takes what a job may write, as the shim's side does. */
export class CollectingSink implements OutputSink {
  readonly files = new Map<string, Buffer[]>();
  readonly #byIndex = new Map<number, Buffer[]>();
  readonly #allowed: ReadonlySet<string>;
  /** Called before a piece is taken; its promise holds the next one back. */
  readonly #beforePiece: () => Promise<void> | void;
  receivedBytes = 0;

  constructor(allowed: readonly string[] = ['x.o'], beforePiece: () => Promise<void> | void = () => {}) {
    this.#allowed = new Set(allowed);
    this.#beforePiece = beforePiece;
  }

  begin(index: number, path: string): boolean {
    if (!this.#allowed.has(path) || this.files.has(path)) return false;
    const pieces: Buffer[] = [];
    this.files.set(path, pieces);
    this.#byIndex.set(index, pieces);
    return true;
  }

  async data(index: number, piece: Uint8Array): Promise<void> {
    this.receivedBytes += piece.length;
    await this.#beforePiece();
    this.#byIndex.get(index)?.push(Buffer.from(piece));
  }

  content(path: string): Buffer {
    return Buffer.concat(this.files.get(path) ?? []);
  }
}

/** A signal that never fires; one for each job, as each shim has its own. */
export function unaborted(): AbortSignal {
  return new AbortController().signal;
}
