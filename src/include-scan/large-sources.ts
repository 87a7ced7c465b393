/**
 * Reads large sources beside the event loop. A register header of some megabytes takes tens of milliseconds to scan,
 * during which the agent would serve nobody.
 */
import { Worker } from 'node:worker_threads';
import type { Digest } from '../base/digest.ts';
import type { FreshnessLimits } from './freshness-limits.ts';
import type { ReadContent } from './source-reader.ts';

export interface LargeQuestion {
  readonly number: number;
  readonly path: string;
  readonly limits: FreshnessLimits;
  /** What is known of the file: a content with this digest needs no scan. */
  readonly knownDigest: Digest | undefined;
}

export interface LargeAnswer {
  readonly number: number;
  readonly content: ReadContent | undefined;
}

type Settle = (content: ReadContent | undefined) => void;

const THREAD = new URL('./large-source-thread.js', import.meta.url);

/** Heap of the thread, in MiB: a file that needs more is as good as unreadable. */
const HEAP_MIB = 2_048;

export class LargeSources {
  readonly #waiting = new Map<number, Settle>();
  #thread: Worker | undefined;
  #numbers = 0;

  /** Reads a file of any allowed size. @returns undefined if that cannot be done; never rejects */
  read(
    path: string,
    limits: FreshnessLimits,
    knownDigest: Digest | undefined,
  ): Promise<ReadContent | undefined> {
    return new Promise((settle) => {
      const number = ++this.#numbers;
      this.#waiting.set(number, settle);
      const question: LargeQuestion = { number, path, limits, knownDigest };
      this.#started().postMessage(question);
    });
  }

  /** Ends the thread; what is being read counts as unreadable. */
  close(): void {
    void this.#thread?.terminate();
    this.#end(this.#thread);
  }

  #started(): Worker {
    if (this.#thread !== undefined) return this.#thread;
    const thread = new Worker(THREAD, { resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB } });
    // It must not keep a process alive that has nothing else to do.
    thread.unref();
    thread.on('message', ({ number, content }: LargeAnswer) => {
      this.#waiting.get(number)?.(content);
      this.#waiting.delete(number);
    });
    thread.on('error', () => this.#end(thread));
    thread.on('exit', () => this.#end(thread));
    this.#thread = thread;
    return thread;
  }

  #end(thread: Worker | undefined): void {
    if (this.#thread !== thread) return;
    this.#thread = undefined;
    for (const settle of this.#waiting.values()) settle(undefined);
    this.#waiting.clear();
  }
}
