/**
 * Loaded into the agent of a board with `node --import`. The board compiles as ever and keeps what it answers; after
 * SIGUSR2 it answers a job that any board has answered before from memory, without a compile. So two boards on the
 * cores of one machine answer as fast as many boards with cores of their own would, and what the submitter does for a
 * unit is all the same: only the compilers are left out.
 */
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import {
  type FromSubmitter,
  type FromWorker,
  OUTPUT_WINDOW_BYTES,
  type SessionHandler,
  type WireJob,
} from '../../src/mesh/index.ts';
import { Worker } from '../../src/worker/worker.ts';

/** An answer never comes in the turn of its question. */
const ANSWER_AFTER_MS = 10;

/** Of the outputs of one job. */
const MAX_REMEMBERED_BYTES = 64 * 1024 * 1024;

const serve = Worker.prototype.accept;
type Out = Parameters<typeof serve>[1];

/** Beside the answers: a line for each job that had to be compiled when all were to come from memory. */
export const MISSES_FILE = 'misses';

function isSuccess(last: FromWorker | undefined): boolean {
  const compiled = last?.result?.compiled;
  return compiled?.exitStatus === 0 && compiled.signal === 0;
}

/** What boards answered, in a directory that all of them share. */
class Memory {
  readonly #directory: string;
  readonly #answers = new Map<string, readonly FromWorker[]>();

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true });
  }

  /** Two passes over the same units differ in nothing that a job says, but ids. */
  keyOf({ workingDirectory, outputs }: WireJob): string {
    const what = JSON.stringify([workingDirectory, outputs]);
    return createHash('sha256').update(what).digest('hex');
  }

  get(key: string): readonly FromWorker[] | undefined {
    const known = this.#answers.get(key);
    const file = join(this.#directory, key);
    if (known !== undefined || !existsSync(file)) return known;
    const answer: readonly FromWorker[] = deserialize(readFileSync(file));
    this.#answers.set(key, answer);
    return answer;
  }

  missed(key: string): void {
    appendFileSync(join(this.#directory, MISSES_FILE), `${key}\n`);
  }

  put(key: string, answer: readonly FromWorker[]): void {
    const size = answer.reduce((sum, { outputChunk }) => sum + (outputChunk?.data.length ?? 0), 0);
    if (size > MAX_REMEMBERED_BYTES || !isSuccess(answer.at(-1))) return;
    const file = join(this.#directory, key);
    writeFileSync(`${file}.${process.pid}`, serialize(answer));
    renameSync(`${file}.${process.pid}`, file);
  }
}

/** A job that is being answered from memory: outputs go out as far as the submitter has room for them. */
interface Answering {
  windowBytes: number;
  /** Goes on when the window has grown. */
  wake: () => void;
  isCancelled: boolean;
}

/** One submitter's stream: what goes through it in both directions. */
class RememberingSession implements SessionHandler {
  readonly #memory: Memory;
  readonly #isAnswering: () => boolean;
  readonly #session: SessionHandler;
  readonly #out: Out;
  readonly #send: Out['send'];
  readonly #answering = new Map<number, Answering>();
  readonly #asked = new Map<number, { readonly key: string; readonly answer: FromWorker[] }>();
  #granted = 0;
  /** Credits that went into answers from memory: the worker behind knows nothing of them. */
  #spent = 0;

  constructor(memory: Memory, isAnswering: () => boolean, out: Out, open: () => SessionHandler) {
    this.#memory = memory;
    this.#isAnswering = isAnswering;
    this.#out = out;
    this.#send = out.send.bind(out);
    out.send = (message) => this.#fromWorker(message);
    this.#session = open();
  }

  onMessage(message: FromSubmitter): void {
    const { job, outputCredit, cancel } = message;
    const answering = this.#answering.get(outputCredit?.jobId ?? cancel?.jobId ?? 0);
    if (answering !== undefined) {
      answering.windowBytes += outputCredit?.sizeBytes ?? 0;
      if (cancel) answering.isCancelled = true;
      answering.wake();
      return;
    }
    if (job !== undefined) {
      const key = this.#memory.keyOf(job);
      const answer = this.#isAnswering() ? this.#memory.get(key) : undefined;
      if (answer !== undefined) {
        setTimeout(() => void this.#answer(job.jobId, answer), ANSWER_AFTER_MS);
        return;
      }
      if (this.#isAnswering()) this.#memory.missed(key);
      this.#asked.set(job.jobId, { key, answer: [] });
    }
    this.#session.onMessage(message);
  }

  onBlobChunk: SessionHandler['onBlobChunk'] = (chunk) => this.#session.onBlobChunk(chunk);

  onClosed(reason: string): void {
    this.#session.onClosed(reason);
  }

  async #answer(jobId: number, answer: readonly FromWorker[]): Promise<void> {
    const answering: Answering = { windowBytes: OUTPUT_WINDOW_BYTES, wake: () => {}, isCancelled: false };
    this.#answering.set(jobId, answering);
    for (const { outputChunk, result } of answer) {
      const length = outputChunk?.data.length ?? 0;
      while (answering.windowBytes < length && !answering.isCancelled) {
        await new Promise<void>((resolve) => {
          answering.wake = resolve;
        });
      }
      if (answering.isCancelled) break;
      answering.windowBytes -= length;
      await this.#out.ready();
      if (outputChunk) this.#send({ outputChunk: { ...outputChunk, jobId } });
      if (result) this.#send({ result: { ...result, jobId } });
    }
    this.#answering.delete(jobId);
    this.#spent++;
    this.#grant();
  }

  #fromWorker(message: FromWorker): void {
    if (message.credits) {
      this.#granted = message.credits.grantedTotal;
      this.#grant();
      return;
    }
    const jobId = message.outputChunk?.jobId ?? message.result?.jobId;
    const asked = jobId === undefined ? undefined : this.#asked.get(jobId);
    asked?.answer.push(message);
    if (asked !== undefined && message.result && jobId !== undefined) {
      this.#asked.delete(jobId);
      this.#memory.put(asked.key, asked.answer);
    }
    this.#send(message);
  }

  #grant(): void {
    this.#send({ credits: { grantedTotal: this.#granted + this.#spent } });
  }
}

const directory = process.env.BENCH_MEMORY;
// Only the agent itself: programs in Node that it starts inherit the option.
if (directory !== undefined && process.argv.includes('agent')) {
  const memory = new Memory(directory);
  let isAnswering = false;
  process.on('SIGUSR2', () => {
    isAnswering = true;
  });
  Worker.prototype.accept = function (peer, out, hangUp) {
    const open = (): SessionHandler => serve.call(this, peer, out, hangUp);
    return new RememberingSession(memory, () => isAnswering, out, open);
  };
}
