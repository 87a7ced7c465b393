/** The highest resident memory of a process over a while. */
import { residentBytes } from './process-table.ts';

const INTERVAL_MS = 50;

export class MemoryWatch {
  readonly startBytes: number;
  #peakBytes: number;
  readonly #timer: NodeJS.Timeout;
  readonly #pid: number;

  constructor(pid: number) {
    this.#pid = pid;
    this.startBytes = residentBytes(pid);
    this.#peakBytes = this.startBytes;
    this.#timer = setInterval(() => this.#look(), INTERVAL_MS);
    // A test that fails before it stops the watch must still end.
    this.#timer.unref();
  }

  /** Ends the watch. @returns by how much the process had grown at most, in bytes */
  stop(): number {
    this.#look();
    clearInterval(this.#timer);
    return this.#peakBytes - this.startBytes;
  }

  #look(): void {
    this.#peakBytes = Math.max(this.#peakBytes, residentBytes(this.#pid));
  }
}
