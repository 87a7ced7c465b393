/** The submitter: one compiler call from the shim to the object. */
export { type BenchCompiler, BenchCompiles, type TimedCompile } from './bench-compiles.ts';
export { otherHostKey, ownIdOf } from './compiler-demand.ts';
export type { HostComparison } from './host-comparisons.ts';
export type { CallLimits } from './job-preparation.ts';
export type { MachineAnswer } from './machine-asker.ts';
export type { QuarantinedToolchain } from './node-standings.ts';
export type { OtherHosts, OtherHostView } from './other-hosts.ts';
export type { RemoteWorker as RemoteNode } from './remote-worker.ts';
export { listenReplacingStale } from './shim-server.ts';
export { Submitter, type SubmitterOptions } from './submitter.ts';
export type { NodeAddresses } from './worker-pool.ts';
