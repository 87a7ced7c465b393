/**
 * What a worker tells members about its machine for `meshcc bench`. Looking costs a millisecond. Measuring takes some
 * seconds of it, all cores for half a second of these, so that nobody may have it often: one at a time, never while a
 * job runs or waits, and for a minute everybody gets the figures of the last one.
 */
import { messageOf } from '../base/errors.ts';
import { type MachineFigures, type MachineState, readMachineState } from '../benchmark/index.ts';
import type { FromSubmitter, WireMachineAnswer } from '../mesh/index.ts';

/** For so long figures are given again instead of being measured anew. */
const FIGURES_AGE_MS = 60_000;
/** For so long a state is given again: a member that asks all the time costs no more than one that asks now and then. */
const STATE_AGE_MS = 200;

export interface MachineAnswersOptions {
  /** Measures this machine. */
  readonly measure: (signal: AbortSignal) => Promise<MachineFigures>;
  /** Jobs that run or wait. */
  readonly jobs: () => number;
  readonly log: (line: string) => void;
  readonly nowMs?: () => number;
  readonly readState?: () => MachineState;
}

interface Dated<Value> {
  readonly value: Value;
  readonly atMs: number;
}

export class MachineAnswers {
  readonly #options: MachineAnswersOptions;
  readonly #nowMs: () => number;
  readonly #readState: () => MachineState;
  readonly #stopped = new AbortController();
  #figures: Dated<MachineFigures> | undefined;
  #state: Dated<MachineState> | undefined;
  #failedAtMs = Number.NEGATIVE_INFINITY;
  #isMeasuring = false;

  constructor(options: MachineAnswersOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#readState = options.readState ?? readMachineState;
  }

  /** Never rejects. */
  async answer({
    questionId,
    measure,
  }: NonNullable<FromSubmitter['machineQuestion']>): Promise<WireMachineAnswer> {
    if (!measure) return { questionId, state: this.#stateNow() };
    const measured = await this.#measure();
    const state = this.#stateNow();
    return typeof measured === 'string'
      ? { questionId, state, notMeasured: measured }
      : { questionId, state, figures: measured };
  }

  /** Ends a measurement that is under way. */
  stop(): void {
    this.#stopped.abort();
  }

  #stateNow(): MachineState {
    const nowMs = this.#nowMs();
    if (this.#state === undefined || nowMs - this.#state.atMs > STATE_AGE_MS)
      this.#state = { value: this.#readState(), atMs: nowMs };
    return this.#state.value;
  }

  /** The figures, or why there are none. */
  async #measure(): Promise<MachineFigures | string> {
    const nowMs = this.#nowMs();
    if (this.#figures !== undefined && nowMs - this.#figures.atMs < FIGURES_AGE_MS)
      return this.#figures.value;
    if (this.#isMeasuring) return 'it is being measured for another node just now';
    if (nowMs - this.#failedAtMs < FIGURES_AGE_MS) return 'measuring failed there less than a minute ago';
    if (this.#options.jobs() > 0) return 'jobs run there, which measuring would disturb';
    this.#isMeasuring = true;
    try {
      const value = await this.#options.measure(this.#stopped.signal);
      if (this.#options.jobs() > 0) return 'jobs came there while it was being measured';
      this.#figures = { value, atMs: this.#nowMs() };
      return value;
    } catch (error) {
      this.#failedAtMs = this.#nowMs();
      // Paths and compilers of this machine are nobody else's business.
      this.#options.log(`measuring this machine failed: ${messageOf(error)}`);
      return 'measuring failed there; the log of its agent says why';
    } finally {
      this.#isMeasuring = false;
    }
  }
}
