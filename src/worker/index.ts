/** The worker: one job from the wire to its outputs. */
export type { CompileLimits } from './compile.ts';
export { startWorker, type Worker, type WorkerOptions } from './worker.ts';
