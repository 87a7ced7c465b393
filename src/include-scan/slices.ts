/** Long work in slices, so that the event loop stays free for others. */
import { setImmediate as nextTurn } from 'node:timers/promises';

export class Slices {
  readonly #sliceMs: number;
  #startMs = performance.now();

  constructor(sliceMs: number) {
    this.#sliceMs = sliceMs;
  }

  /** True if others should have a turn. */
  get isOver(): boolean {
    return performance.now() - this.#startMs > this.#sliceMs;
  }

  /** Gives others a turn and begins a new slice. */
  async next(): Promise<void> {
    await nextTurn();
    this.#startMs = performance.now();
  }
}
