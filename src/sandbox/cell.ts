/** A cell: one runner process and the jobs in it. Cells are opened in open-cell.ts. */
import { MeshError } from '../base/errors.ts';
import { CELL_TEMPORARY_DIRECTORY, type CellJob, type CellOutput, type CellResult } from './cell-job.ts';
import type { Rung } from './rungs.ts';
import type { RunnerListener, RunnerProcess } from './runner-process.ts';
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
  /** How its jobs are confined; `plain`: not at all. */
  readonly rung: Rung | 'plain';
  /** True if each job sees what its `view` names and nothing else of the tree, and writes where `writable` says. */
  readonly wantsView: boolean;
}

interface PendingRead {
  fulfil(bytes: Buffer): void;
  reject(error: Error): void;
}

const KILLED: CellResult = { kind: 'fault', cause: 'killed', detail: 'the agent aborted it' };

/** The cell of a runner; {@link RunnerCell.attach} gives it the process before anything else is done with it. */
export class RunnerCell implements Cell, RunnerListener {
  readonly closed: Promise<void>;
  readonly rung: Cell['rung'];
  #process: RunnerProcess | undefined;
  #markClosed: () => void = () => {};
  #goneDetail: string | undefined;
  #lastJob = 0;
  readonly #running = new Map<number, (result: CellResult) => void>();
  /** In the order of their requests, which is the order of the replies. */
  readonly #reads: PendingRead[] = [];

  constructor(rung: Cell['rung']) {
    this.rung = rung;
    this.closed = new Promise((resolve) => {
      this.#markClosed = resolve;
    });
  }

  attach(process: RunnerProcess): void {
    this.#process = process;
  }

  get wantsView(): boolean {
    return this.rung === 'chroot' || this.rung === 'uid';
  }

  get processId(): number {
    return this.#process?.processId ?? 0;
  }

  async run(job: CellJob, signal?: AbortSignal): Promise<CellResult> {
    if (signal?.aborted) return KILLED;
    if (this.#goneDetail !== undefined) return this.#lost();
    this.#lastJob = (this.#lastJob + 1) >>> 0;
    const id = this.#lastJob;
    const request = encodeRun(id, this.rung === 'plain' ? job : this.#confinedJob(job));
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

  #confinedJob(job: CellJob): CellJob {
    const environment = job.environment.filter((entry) => !/^(?:TMPDIR|TMP|TEMP)=/.test(entry));
    return {
      ...job,
      environment: [...environment, `TMPDIR=${CELL_TEMPORARY_DIRECTORY}`],
      view: this.wantsView ? (job.view ?? []) : [],
      writable: this.wantsView ? (job.writable ?? []) : [],
    };
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
