/** Connections between agents: the only room that knows gRPC. */
export { ArgumentDecoder, ArgumentEncoder } from './argument-dictionary.ts';
export { BlobOutbound } from './blob-outbound.ts';
export type { Security } from './credentials.ts';
export { type MeshServer, type SessionHandler, type SubmitterPeer, serveMesh } from './mesh-server.ts';
export * from './messages.ts';
export { Outbound } from './outbound.ts';
export { CHUNK_BYTES, OUTPUT_WINDOW_BYTES } from './service.ts';
export { type ConnectOptions, connectWorker, WorkerLink } from './worker-link.ts';
