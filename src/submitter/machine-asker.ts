/** Questions to one worker about its machine: one after the other, and each has an end. What comes back is checked. */
import type { MachineFigures, MachineState } from '../benchmark/index.ts';
import type {
  FromSubmitter,
  WireMachineAnswer,
  WireMachineFigures,
  WireMachineState,
} from '../mesh/index.ts';

/** What a worker said of its machine. */
export interface MachineAnswer {
  readonly state: MachineState;
  /** Undefined if they were not asked for. */
  readonly figures: MachineFigures | undefined;
  /** Why they were asked for and are missing; for people. */
  readonly notMeasured: string | undefined;
}

/** Building the program on a slow board, and measuring. */
const MEASURE_TIMEOUT_MS = 60_000;
const STATE_TIMEOUT_MS = 5_000;

/** Sizes of walks, and caches, that a worker may name. */
const MAX_ROWS = 64;

type Question = NonNullable<FromSubmitter['machineQuestion']>;

export class MachineAsker {
  readonly #answers: boolean;
  readonly #agentVersion: string;
  readonly #send: (question: Question) => void;
  #open: { readonly questionId: number; readonly settle: (answer: MachineAnswer) => void } | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #lastId = 0;
  #lostBecause: string | undefined;

  /**
   * @param answers what the worker said in its Welcome
   * @param agentVersion its version, for people
   */
  constructor(answers: boolean, agentVersion: string, send: (question: Question) => void) {
    this.#answers = answers;
    this.#agentVersion = agentVersion;
    this.#send = send;
  }

  /**
   * Asks when the questions before have been answered. Never rejects.
   * @param measure false: only how the machine is just now
   */
  ask(measure: boolean): Promise<MachineAnswer> {
    const turn = this.#turn.then(() => this.#ask(measure));
    this.#turn = turn;
    return turn;
  }

  /** An answer has come. */
  receive(answer: WireMachineAnswer): void {
    if (this.#open?.questionId !== answer.questionId) return;
    const figures = answer.figures ? checkedFigures(answer.figures) : undefined;
    this.#open.settle({
      state: checkedState(answer.state ?? {}),
      figures,
      notMeasured: figures === undefined ? words(answer.notMeasured ?? '') || undefined : undefined,
    });
  }

  /** The connection is gone. */
  lose(why: string): void {
    this.#lostBecause = why;
    this.#open?.settle(without(why));
  }

  #ask(measure: boolean): Promise<MachineAnswer> {
    if (this.#lostBecause !== undefined) return Promise.resolve(without(this.#lostBecause));
    if (!this.#answers)
      return Promise.resolve(
        without(`its meshcc (${words(this.#agentVersion)}) does not know this question`),
      );
    return new Promise((resolve) => {
      const questionId = ++this.#lastId;
      const timeoutMs = measure ? MEASURE_TIMEOUT_MS : STATE_TIMEOUT_MS;
      const settle = (answer: MachineAnswer): void => {
        clearTimeout(timer);
        this.#open = undefined;
        resolve(answer);
      };
      const timer = setTimeout(() => settle(without(`no answer within ${timeoutMs / 1000} s`)), timeoutMs);
      this.#open = { questionId, settle };
      this.#send({ questionId, measure });
    });
  }
}

function without(notMeasured: string): MachineAnswer {
  return { state: {}, figures: undefined, notMeasured };
}

/** Said by another node, and meant for a terminal: printable ASCII, and not much of it. */
function words(text: string): string {
  return text.slice(0, 200).replace(/[^ -~]/g, '?');
}

function isSane(value: number | undefined): value is number {
  return value !== undefined && Number.isFinite(value) && value >= 0;
}

function checkedState(wire: WireMachineState): MachineState {
  const { clockMhz, allowedMhz, highestMhz, throttleCount, coolingSteps, hottestCelsius } = wire;
  const numbers = { clockMhz, allowedMhz, highestMhz, throttleCount, coolingSteps, hottestCelsius };
  const said = Object.entries(numbers).filter(([, value]) => isSane(value));
  const governor = /^[a-z_,]{1,100}$/.exec(wire.governor ?? '')?.[0];
  return { ...Object.fromEntries(said), ...(governor === undefined ? {} : { governor }) };
}

/** Undefined if it is no measurement. */
function checkedFigures(wire: WireMachineFigures): MachineFigures | undefined {
  const { processors, clockMhz, busyClockMhz } = wire;
  const latencies = wire.latencies.slice(0, MAX_ROWS).map(({ sizeBytes, ns }) => ({ sizeBytes, ns }));
  const caches = wire.caches.slice(0, MAX_ROWS).map(({ level, sizeBytes }) => ({ level, sizeBytes }));
  const numbers = [processors, clockMhz, busyClockMhz];
  for (const { sizeBytes, ns } of latencies) numbers.push(sizeBytes, ns);
  for (const { sizeBytes } of caches) numbers.push(sizeBytes);
  return numbers.every(isSane) ? { processors, clockMhz, busyClockMhz, latencies, caches } : undefined;
}
