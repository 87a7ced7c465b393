/** Everything between nodes: who they are, where they are, and the streams that join them. */
export * from './discovery/index.ts';
export * from './identity/index.ts';
export * from './pairing/index.ts';
export * from './transport/index.ts';
