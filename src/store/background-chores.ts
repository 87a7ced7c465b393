/**
 * Work on files that nobody waits for (deleting evicted blobs, noting access times), one task at a time, so
 * that ten thousand evictions do not stand in the thread pool before the next job's files.
 */
import { messageOf } from '../base/errors.ts';
import type { BlobStoreLog } from './blob-store-types.ts';

/** A queue of chores that never fails: what goes wrong is logged. */
export class BackgroundChores {
  readonly #log: BlobStoreLog;
  #waiting: Array<() => Promise<void>> = [];
  #running: Promise<void> | undefined;

  constructor(log: BlobStoreLog) {
    this.#log = log;
  }

  add(chore: () => Promise<void>): void {
    this.#waiting.push(chore);
    this.#running ??= this.#run();
  }

  /** Resolves when nothing is left to do. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const chores = this.#waiting;
      this.#waiting = [];
      for (const chore of chores) {
        try {
          await chore();
        } catch (error) {
          this.#log.warn({ error: messageOf(error) }, 'a chore of the content store failed');
        }
      }
    }
    this.#running = undefined;
  }
}
