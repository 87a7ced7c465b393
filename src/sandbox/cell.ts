/** A cell: one runner process and the jobs in it. The only thing outside of this room that starts commands with it. */
import { MeshError } from '../base/errors.ts';
import { CELL_TEMPORARY_DIRECTORY, type CellJob, type CellOutput, type CellResult } from './cell-job.ts';
import { adviceFor, readKernelSetting } from './confinement-obstacles.ts';
import type { RunnerListener, RunnerProcess, RunnerRefusal } from './runner-process.ts';
import { startRunner } from './runner-process.ts';
import {
  type ExitedReply,
  encodeKill,
  encodeRead,
  encodeRelease,
  encodeRun,
  MAX_READ_BYTES,
  type RunnerReply,
} from './wire.ts';

/** Runs commands, any number at once up to 256. */
export interface Cell {
  /**
   * Runs one command. Never rejects: what went wrong is a `fault`.
   * @param signal aborting it kills the command and gives the fault `killed`
   */
  run(job: CellJob, signal?: AbortSignal): Promise<CellResult>;
  /** Fulfilled when the runner has ended. After a kill by force, the kernel may still be ending what it ran. */
  readonly closed: Promise<void>;
  /** Ends the runner and every job; unfinished ones give the fault `runner-lost`. */
  close(): Promise<void>;
  /** The runner's process. */
  readonly processId: number;
  /** `user`: jobs run in a user namespace. `host`: as root without capabilities, below none. `none`: not confined. */
  readonly namespaces: 'user' | 'host' | 'none';
}

export interface CellOptions {
  readonly runnerPath: string;
  readonly mode: 'confined';
  /**
   * Absolute path of the tree that becomes `/` of every job. Only files may be added while a job runs. Its
   * directories must be writable and its files readable for the agent's own user, who the jobs run as.
   */
  readonly treeDirectory: string;
  /** Bound of the tmpfs that holds temporary files and unreleased outputs of all jobs. */
  readonly scratchBytes: number;
  /** Gets what the runner has to say for itself, line by line. */
  readonly log?: (line: string) => void;
}

interface PendingRead {
  fulfil(bytes: Buffer): void;
  reject(error: Error): void;
}

const KILLED: CellResult = { kind: 'fault', cause: 'killed', detail: 'the agent aborted it' };

class RunnerCell implements Cell, RunnerListener {
  readonly closed: Promise<void>;
  readonly namespaces: Cell['namespaces'];
  #process: RunnerProcess | undefined;
  #markClosed: () => void = () => {};
  #goneDetail: string | undefined;
  #lastJob = 0;
  readonly #running = new Map<number, (result: CellResult) => void>();
  /** In the order of their requests, which is the order of the replies. */
  readonly #reads: PendingRead[] = [];

  constructor(namespaces: Cell['namespaces']) {
    this.namespaces = namespaces;
    this.closed = new Promise((resolve) => {
      this.#markClosed = resolve;
    });
  }

  attach(process: RunnerProcess): void {
    this.#process = process;
  }

  get processId(): number {
    return this.#process?.processId ?? 0;
  }

  async run(job: CellJob, signal?: AbortSignal): Promise<CellResult> {
    if (signal?.aborted) return KILLED;
    if (this.#goneDetail !== undefined) return this.#lost();
    this.#lastJob = (this.#lastJob + 1) >>> 0;
    const id = this.#lastJob;
    const request = encodeRun(id, this.namespaces === 'none' ? job : withCellTemporaryDirectory(job));
    if (!Buffer.isBuffer(request)) return { kind: 'fault', cause: 'setup-failed', detail: request.unfit };
    const result = new Promise<CellResult>((resolve) => this.#running.set(id, resolve));
    const abort = (): void => this.#process?.send(encodeKill(id));
    signal?.addEventListener('abort', abort, { once: true });
    this.#process?.send(request);
    const outcome = await result;
    signal?.removeEventListener('abort', abort);
    if (signal?.aborted && outcome.kind === 'exited') {
      outcome.release();
      return KILLED;
    }
    return outcome;
  }

  close(): Promise<void> {
    if (this.#goneDetail === undefined) this.#process?.stop();
    return this.closed;
  }

  reply(reply: RunnerReply): void {
    switch (reply.type) {
      case 'exited':
        this.#settle(reply.job, this.#exitOf(reply));
        return;
      case 'fault':
        this.#settle(reply.job, { kind: 'fault', cause: reply.cause, detail: reply.detail });
        return;
      case 'data':
        this.#reads.shift()?.fulfil(reply.bytes);
        return;
      case 'ready':
      case 'refused':
        this.#process?.kill();
    }
  }

  gone(detail: string): void {
    this.#goneDetail = detail;
    for (const job of [...this.#running.keys()]) this.#settle(job, this.#lost());
    for (const read of this.#reads.splice(0)) read.reject(outputLost(detail));
    this.#markClosed();
  }

  #lost(): CellResult {
    return { kind: 'fault', cause: 'runner-lost', detail: this.#goneDetail ?? '' };
  }

  #settle(job: number, result: CellResult): void {
    this.#running.get(job)?.(result);
    this.#running.delete(job);
  }

  #exitOf(reply: ExitedReply): CellResult {
    let released = false;
    const release = (): void => {
      if (!released && this.#goneDetail === undefined) this.#process?.send(encodeRelease(reply.job));
      released = true;
    };
    const outputs = reply.outputs.map(
      ({ path, mode, sizeBytes }, index): CellOutput => ({
        path,
        mode,
        sizeBytes,
        read: (offset, length) => {
          if (released) return Promise.reject(outputLost('it was released'));
          return this.#read(reply.job, index, offset, Math.min(length, Math.max(0, sizeBytes - offset)));
        },
      }),
    );
    if (outputs.length === 0) release();
    const { exitStatus, signal, cpuUs, maxRssKib, stdout, stderr, irregular } = reply;
    return {
      kind: 'exited',
      exitStatus,
      signal,
      cpuUs,
      maxRssKib,
      stdout,
      stderr,
      outputs,
      irregular,
      release,
    };
  }

  async #read(job: number, index: number, offset: number, length: number): Promise<Buffer> {
    const pieces: Promise<Buffer>[] = [];
    for (let done = 0; done < length; done += MAX_READ_BYTES) {
      pieces.push(this.#readPiece(job, index, offset + done, Math.min(MAX_READ_BYTES, length - done)));
    }
    return Buffer.concat(await Promise.all(pieces));
  }

  #readPiece(job: number, index: number, offset: number, length: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (this.#goneDetail !== undefined) {
        reject(outputLost(this.#goneDetail));
        return;
      }
      this.#reads.push({ fulfil: resolve, reject });
      this.#process?.send(encodeRead(job, index, offset, length));
    });
  }
}

function outputLost(detail: string): MeshError {
  return new MeshError(
    'MESHCC_SANDBOX',
    `cannot read an output of a confined job: ${detail}. Run the job again.`,
  );
}

function withCellTemporaryDirectory(job: CellJob): CellJob {
  const environment = job.environment.filter((entry) => !/^(?:TMPDIR|TMP|TEMP)=/.test(entry));
  return { ...job, environment: [...environment, `TMPDIR=${CELL_TEMPORARY_DIRECTORY}`] };
}

async function start(
  options: { runnerPath: string; log?: (line: string) => void },
  namespaces: Cell['namespaces'],
  tree?: { treeDirectory: string; scratchBytes: number },
): Promise<RunnerCell | RunnerRefusal> {
  const cell = new RunnerCell(namespaces);
  const process = await startRunner(
    options.runnerPath,
    namespaces === 'none' || tree === undefined
      ? ['plain']
      : ['confined', tree.treeDirectory, String(tree.scratchBytes), namespaces],
    cell,
    options.log ?? (() => {}),
  );
  if (process.kind === 'refused') return process;
  cell.attach(process);
  return cell;
}

/** A cell, or what kept it from starting. */
export async function tryOpenCell(options: CellOptions): Promise<Cell | RunnerRefusal> {
  const cell = await start(options, 'user', options);
  if (cell instanceof RunnerCell || cell.reply?.step === 'tree' || process.getuid?.() !== 0) return cell;
  // Root does not need a user namespace: the rest of the confinement is the same without it.
  const hostCell = await start(options, 'host', options);
  return hostCell instanceof RunnerCell ? hostCell : cell;
}

/**
 * Starts a cell whose jobs see nothing but a tree, and no network.
 * @throws MeshError MESHCC_SANDBOX if this machine cannot confine; the message says what to do about it
 */
export async function openCell(options: CellOptions): Promise<Cell> {
  const cell = await tryOpenCell(options);
  if ('kind' in cell) throw refusalError(cell);
  return cell;
}

function refusalError(refusal: RunnerRefusal): MeshError {
  const advice = adviceFor(refusal.reply, readKernelSetting, process.getuid?.() === 0);
  return new MeshError(
    'MESHCC_SANDBOX',
    `cannot confine compilers on this machine: ${refusal.detail}. ${advice ?? 'Check the paths in the message, and that the runner can be executed.'}`,
  );
}

/**
 * Starts a runner whose jobs see the host as it is; nothing is collected. For commands that the agent trusts and
 * does not want to fork for itself. When it is killed by force, grandchildren of its jobs may outlive it.
 * @throws MeshError MESHCC_SANDBOX if it cannot be started
 */
export async function openPlainRunner(runnerPath: string, log?: (line: string) => void): Promise<Cell> {
  const cell = await start(log ? { runnerPath, log } : { runnerPath }, 'none');
  if (cell instanceof RunnerCell) return cell;
  throw new MeshError(
    'MESHCC_SANDBOX',
    `cannot start the job runner ${runnerPath}: ${cell.detail}. Check that its filesystem is not mounted noexec.`,
  );
}
