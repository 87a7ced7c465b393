/**
 * Child process: the submitter's end of the transport, which uploads whatever the worker asks for.
 * Arguments: the worker's port, and the file that holds every content.
 */
import { statSync } from 'node:fs';
import type { FromWorker } from '../../../src/mesh/index.ts';
import { connectWorker } from '../../../src/mesh/index.ts';
import { BlobUploader } from '../../../src/submitter/blob-uploader.ts';
import type { SenderMessage } from './backpressure-messages.ts';

const [port, file = ''] = process.argv.slice(2);
const link = await connectWorker({
  address: `127.0.0.1:${port}`,
  expectedNodeId: 'receiver',
  security: { kind: 'insecure' },
  hello: { nodeId: 'sender', nodeName: 'sender', agentVersion: '0' },
  connectTimeoutMs: 10_000,
});
const { size: sizeBytes, mtimeMs } = statSync(file);
const source = { path: file, sizeBytes, mtimeSeconds: Math.floor(mtimeMs / 1000) };
const uploader = new BlobUploader(
  link.blobs,
  () => [source],
  () => process.exit(3),
);
link.receive((message: FromWorker) => {
  if (message.needBlobs) uploader.request(message.needBlobs.sha256);
});
process.on('disconnect', () => process.exit());
const connected: SenderMessage = { kind: 'connected' };
process.send?.(connected);
