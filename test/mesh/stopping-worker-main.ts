/** A program for transport-stop.test.ts: workers stop while their submitter is writing. Ends with status 0 if it ends. */
import { connectWorker, serveMesh } from '../../src/mesh/index.ts';

const insecure = { kind: 'insecure' } as const;

async function stopWhileWriting(round: number): Promise<void> {
  const server = await serveMesh({
    security: insecure,
    host: '127.0.0.1',
    port: 0,
    welcome: () => ({ nodeId: 'worker', nodeName: 'worker', agentVersion: '0', slots: 1, toolchains: [] }),
    accept: () => ({ onMessage: () => {}, onBlobChunk: async () => {}, onClosed: () => {} }),
    log: () => {},
  });
  const link = await connectWorker({
    address: `127.0.0.1:${server.port}`,
    expectedNodeId: 'worker',
    security: insecure,
    hello: { nodeId: 'submitter', nodeName: 'submitter', agentVersion: '0' },
    connectTimeoutMs: 5_000,
  });
  link.receive(() => {});
  const data = Buffer.alloc(64 * 1024);
  const write = (): void => {
    for (let count = 0; count < 3; count++) link.work.send({ outputCredit: { jobId: 1, sizeBytes: 5 } });
    if (round % 2 === 1) link.blobs.send({ sha256: Buffer.alloc(32), sizeBytes: 1, data, last: false });
  };
  const writing = setInterval(write, 0);
  await new Promise((resolve) => setTimeout(resolve, 5 + (round % 7)));
  write();
  server.stop();
  await link.closed;
  clearInterval(writing);
}

for (let round = 0; round < 20; round++) await stopWhileWriting(round);
process.exit(0);
