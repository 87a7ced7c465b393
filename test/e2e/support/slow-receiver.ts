/**
 * Child process: the worker's end of the transport, with a session that takes file contents slowly.
 * Argument: a transfer plan as JSON.
 */
import { serveMesh } from '../../../src/mesh/index.ts';
import {
  digestBytesOf,
  type ReceiverMessage,
  type StartMessage,
  type TransferPlan,
} from './backpressure-messages.ts';
import { pause } from './until.ts';

const plan = JSON.parse(process.argv[2] ?? '') as TransferPlan;
const tell = (message: ReceiverMessage): void => void process.send?.(message);
let ask: (blobs: number) => void = () => {};
let askedBlobs = 0;
let receivedBytes = 0;
/** Of the present transfer. */
let transferBytes = 0;
let startedMs = 0;

const server = await serveMesh({
  security: { kind: 'insecure' },
  host: '127.0.0.1',
  port: 0,
  welcome: () => ({ nodeId: 'receiver', nodeName: 'receiver', agentVersion: '0', slots: 1, toolchains: [] }),
  accept: (_peer, out) => {
    ask = (blobs) => {
      const first = askedBlobs;
      askedBlobs += blobs;
      transferBytes = 0;
      startedMs = performance.now();
      out.send({ needBlobs: { sha256: Array.from({ length: blobs }, (_, n) => digestBytesOf(first + n)) } });
    };
    return {
      onMessage: () => {},
      onBlobChunk: async (chunk) => {
        receivedBytes += chunk.data.length;
        transferBytes += chunk.data.length;
        const aheadMs = startedMs + (transferBytes / plan.bytesPerSecond) * 1000 - performance.now();
        if (aheadMs > 5) await pause(aheadMs);
        if (receivedBytes === askedBlobs * plan.blobBytes) tell({ kind: 'done', receivedBytes });
      },
      onClosed: () => {},
    };
  },
  log: () => {},
});
process.on('message', (message: StartMessage) => {
  if (message.kind === 'start') ask(message.blobs);
});
process.on('disconnect', () => process.exit());
tell({ kind: 'listening', port: server.port });
