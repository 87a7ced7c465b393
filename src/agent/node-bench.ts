/**
 * `meshcc bench`: how fast the connected nodes compile, one after the other, and this machine beside them. Jobs go the
 * way of every job, to a node that was chosen; what only a node itself can tell, it is asked.
 */
import { setMaxListeners } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MeshError, messageOf } from '../base/errors.ts';
import { PACKAGE_VERSION } from '../base/package-root.ts';
import {
  AGREEMENT,
  type Agreement,
  type BenchResult,
  buildMachineProgram,
  CORPUS_OPTIONS,
  type CompileSpeed,
  type Corpus,
  type CorpusUnit,
  keepResult,
  knownSpeeds,
  loadedState,
  type MachineFigures,
  type MachineState,
  type Measured,
  makeCorpus,
  measureMachine,
  type NodeResult,
  readMachineState,
  repeatUntilAgreed,
} from '../benchmark/index.ts';
import type {
  BenchCompiles,
  MachineAnswer,
  RemoteNode,
  Submitter,
  TimedCompile,
} from '../submitter/index.ts';
import { type Agent, notInMesh } from './agent.ts';
import { chosenWorkers, commonCompiler, nameOf, plainName } from './bench-choice.ts';
import { BuildPause } from './build-pause.ts';

/** What is asked for. */
export interface BenchQuestion {
  /** Names or ids of nodes; empty: all that are connected. */
  readonly nodes: readonly string[];
  /** Two units, once: shows that everything works. */
  readonly isShort: boolean;
}

interface Follower {
  readonly onProgress: (sentence: string) => void;
  readonly signal: AbortSignal;
}

const SHORT: Agreement = { leastRuns: 1, mostRuns: 1, tolerance: 0, mostMs: 0 };
const SHORT_UNITS = 2;
const LOOK_INTERVAL_MS = 1_000;

/** Something that compiles: a node, or this machine. */
interface Subject {
  readonly nodeId: string;
  readonly name: string;
  readonly isHere: boolean;
  /** Compiles at once that it is made for. */
  readonly slots: number;
  /** Compiles under way that keep the slots full. */
  readonly inFlight: number;
  compile(args: readonly string[], signal: AbortSignal): Promise<TimedCompile>;
  machine(measure: boolean, signal: AbortSignal): Promise<MachineAnswer>;
}

export class NodeBench {
  readonly #agent: Agent;
  readonly #submitter: Submitter;
  readonly #corpus: Corpus;
  readonly #units: readonly CorpusUnit[];
  readonly #agreement: Agreement;
  readonly #follower: Follower;
  readonly #pause: BuildPause;

  private constructor(agent: Agent, submitter: Submitter, question: BenchQuestion, follower: Follower) {
    this.#agent = agent;
    this.#submitter = submitter;
    this.#corpus = makeCorpus();
    this.#units = question.isShort ? this.#corpus.units.slice(0, SHORT_UNITS) : this.#corpus.units;
    this.#agreement = question.isShort ? SHORT : AGREEMENT;
    this.#follower = follower;
    this.#pause = new BuildPause({
      calls: () => ({ open: submitter.load.openCalls, taken: submitter.takenCalls }),
      onPause: () => follower.onProgress('a build is under way here: waiting until it is over'),
      signal: follower.signal,
    });
  }

  /**
   * Measures, keeps the result, and lets the scheduler know.
   * @throws MeshError if there is nothing that can be measured, or another build is under way
   */
  static async run(agent: Agent, question: BenchQuestion, follower: Follower): Promise<BenchResult> {
    const { submitter } = agent;
    if (submitter === undefined)
      throw new MeshError(
        'MESHCC_BAD_CONFIG',
        'this agent takes no compiler calls (--no-submitter), so it cannot send any to a node. Run `meshcc bench` where you build.',
      );
    if (submitter.pool === undefined) throw notInMesh();
    if (!agent.idle)
      throw new MeshError(
        'MESHCC_PEER',
        'compiles, or another `meshcc bench`, are under way on this machine, which would distort every figure. Try again when they are done.',
      );
    // Every compile under way listens to it.
    setMaxListeners(0, follower.signal);
    agent.isMeasuring = true;
    try {
      return await new NodeBench(agent, submitter, question, follower).#run(question);
    } finally {
      agent.isMeasuring = false;
    }
  }

  async #run(question: BenchQuestion): Promise<BenchResult> {
    const workers = chosenWorkers(this.#submitter, question.nodes);
    const compiler = commonCompiler(this.#agent.compilers.toolchains, workers);
    const path = plainName(compiler);
    const directory = this.#writeCorpus();
    const compiles = this.#submitter.benchCompiles(directory, { path, name: basename(path) });
    const nodes: NodeResult[] = [await this.#measure(this.#thisMachine(compiles))];
    for (const object of readdirSync(directory)) if (object.endsWith('.o')) rmSync(join(directory, object));
    const { id, version, targetTriple } = compiler.toolchain;
    for (const worker of workers) {
      const without = `it does not have this compiler: ${basename(path)} ${version} for ${targetTriple}`;
      nodes.push(
        await (worker.toolchainIds.has(id)
          ? this.#measure(nodeSubject(worker, compiles))
          : this.#onlyMachine(nodeSubject(worker, compiles), without)),
      );
    }
    const result: BenchResult = {
      corpus: this.#corpus.version,
      isWhole: !question.isShort,
      measuredAt: new Date().toISOString(),
      meshcc: PACKAGE_VERSION,
      compiler: { name: basename(path), version, targetTriple },
      nodes,
    };
    const { stateDirectory } = this.#agent.paths;
    keepResult(stateDirectory, result);
    this.#submitter.learnSpeeds(knownSpeeds(stateDirectory, this.#corpus.version));
    return result;
  }

  #writeCorpus(): string {
    const { version, files } = this.#corpus;
    const directory = join(this.#agent.paths.cacheDirectory, `bench-corpus-${version}`);
    mkdirSync(directory, { recursive: true });
    for (const [name, text] of files) {
      const path = join(directory, name);
      // What is there already keeps its time, and workers what they were told of it.
      if (!existsSync(path) || readFileSync(path, 'utf8') !== text) writeFileSync(path, text);
    }
    return directory;
  }

  #thisMachine(compiles: BenchCompiles): Subject {
    const { identity, paths, config } = this.#agent;
    const slots = Math.min(availableParallelism(), config.localSlots);
    return {
      nodeId: identity.nodeId,
      name: identity.name,
      isHere: true,
      slots,
      inFlight: slots,
      compile: (args, signal) => compiles.here(args, signal),
      machine: async (measure, signal) => {
        const figures = measure
          ? await measureMachine(await buildMachineProgram(paths.cacheDirectory), signal)
          : undefined;
        return { state: readMachineState(), figures, notMeasured: undefined };
      },
    };
  }

  /** Everything about one machine. What fails is named in its place, and the others go on. */
  async #measure(subject: Subject): Promise<NodeResult> {
    const machine = await this.#machineOf(subject);
    const oneCore = await this.#speed(subject, 'one at a time', 1);
    const allSlots =
      'notMeasured' in oneCore
        ? oneCore
        : await this.#speed(subject, `${subject.slots} at once`, subject.slots);
    const { nodeId, name, isHere, slots } = subject;
    return { nodeId, name, isHere, slots, oneCore, allSlots, machine };
  }

  async #onlyMachine(subject: Subject, notMeasured: string): Promise<NodeResult> {
    const { nodeId, name, isHere, slots } = subject;
    const machine = await this.#machineOf(subject);
    return { nodeId, name, isHere, slots, oneCore: { notMeasured }, allSlots: { notMeasured }, machine };
  }

  async #machineOf(subject: Subject): Promise<Measured<MachineFigures>> {
    await this.#pause.over();
    this.#follower.onProgress(`${subject.name}: clock and memory`);
    return this.#unlessFailed(async () => {
      const { figures, notMeasured } = await subject.machine(true, this.#follower.signal);
      if (figures !== undefined) return figures;
      throw new MeshError('MESHCC_PEER', notMeasured ?? 'it did not say');
    });
  }

  async #speed(subject: Subject, how: string, atOnce: number): Promise<Measured<CompileSpeed>> {
    return this.#unlessFailed(async () => {
      // Not counted: compilers and sources travel, caches fill.
      if (atOnce === 1) for (const unit of this.#units) await this.#compile(subject, unit, 0);
      const states: MachineState[] = [];
      const look = async (): Promise<void> => {
        const { state } = await subject.machine(false, this.#follower.signal);
        if (Object.keys(state).length > 0) states.push(state);
      };
      await look();
      const ended = new AbortController();
      const looking = this.#everySecond(look, ended.signal);
      try {
        let run = 0;
        const linesPerSecond = await repeatUntilAgreed(
          async () => {
            const value = await this.#pause.undisturbed(() =>
              atOnce === 1 ? this.#oneByOne(subject) : this.#together(subject),
            );
            this.#follower.onProgress(
              `${subject.name}, ${how}: run ${++run}, ${Math.round(value)} lines per second`,
            );
            return value;
          },
          this.#agreement,
          () => performance.now() - this.#pause.pausedMs,
        );
        ended.abort();
        await looking;
        await look();
        return { linesPerSecond, atOnce, state: states.length === 0 ? undefined : loadedState(states) };
      } finally {
        ended.abort();
      }
    });
  }

  async #everySecond(look: () => Promise<void>, ended: AbortSignal): Promise<void> {
    while (!ended.aborted) {
      await sleep(LOOK_INTERVAL_MS, undefined, { signal: ended, ref: false }).catch(() => {});
      if (!ended.aborted) await look();
    }
  }

  /** By the clock of the machine that compiles: the way there is no part of what one of its cores can do. */
  async #oneByOne(subject: Subject): Promise<number> {
    let [lines, wallMs] = [0, 0];
    for (const unit of this.#units) {
      wallMs += (await this.#compile(subject, unit, 0)).wallMs;
      lines += unit.lines;
    }
    return (1000 * lines) / wallMs;
  }

  /** By the clock here, all slots full: each compiles every unit once. */
  async #together(subject: Subject): Promise<number> {
    const waiting = Array.from({ length: subject.slots }, () => this.#units).flat();
    const lines = waiting.reduce((sum, unit) => sum + unit.lines, 0);
    const startedMs = performance.now();
    const lane = async (number: number): Promise<void> => {
      for (let unit = waiting.shift(); unit !== undefined; unit = waiting.shift())
        await this.#compile(subject, unit, number);
    };
    const lanes = Array.from({ length: subject.inFlight }, (_, number) => lane(number));
    try {
      await Promise.all(lanes);
    } finally {
      // One that fails ends the run; what the others have under way must not disturb what is measured next.
      waiting.length = 0;
      await Promise.allSettled(lanes);
    }
    return (1000 * lines) / (performance.now() - startedMs);
  }

  /** @param lane several compiles of one unit must not write one object */
  async #compile(subject: Subject, { name }: CorpusUnit, lane: number): Promise<TimedCompile> {
    await this.#pause.over();
    const args = [...CORPUS_OPTIONS, '-c', name, '-o', `${name}.${lane}.o`];
    return subject.compile(args, this.#follower.signal);
  }

  /** @throws MeshError if it failed because nobody waits any more */
  async #unlessFailed<Value>(work: () => Promise<Value>): Promise<Measured<Value>> {
    try {
      return { value: await work() };
    } catch (error) {
      if (this.#follower.signal.aborted) throw error;
      return { notMeasured: messageOf(error) };
    }
  }
}

function nodeSubject(worker: RemoteNode, compiles: BenchCompiles): Subject {
  return {
    nodeId: worker.nodeId,
    name: nameOf(worker),
    isHere: false,
    slots: worker.slots,
    // The next one is on the way while the last one compiles.
    inFlight: worker.slots + 1,
    compile: (args, signal) => compiles.on(worker.nodeId, args, signal),
    machine: (measure) => worker.machine.ask(measure),
  };
}
