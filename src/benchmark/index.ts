/** How fast machines are: a fixed corpus, runs that must agree, and what only a machine itself can tell. */
export { AGREEMENT, type AgreedFigure, type Agreement, repeatUntilAgreed } from './agreement.ts';
export { CORPUS_OPTIONS, CORPUS_VERSION, type Corpus, type CorpusUnit, makeCorpus } from './corpus.ts';
export {
  buildMachineProgram,
  type Cache,
  type Latency,
  type MachineFigures,
  type MemoryLatencies,
  measureMachine,
  memoryLatencies,
} from './machine-figures.ts';
export { type LoadedState, loadedState, type MachineState, readMachineState } from './machine-state.ts';
export {
  type BenchResult,
  type CompileSpeed,
  keepResult,
  knownSpeeds,
  lastResult,
  type Measured,
  type NodeResult,
} from './results.ts';
