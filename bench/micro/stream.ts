/** Contents of files over the mutual-TLS gRPC stream, beside a plain TLS socket with the same certificates. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { digestOf, digestToBytes } from '../../src/base/digest.ts';
import { CHUNK_BYTES, connectWorker, serveMesh } from '../../src/mesh/index.ts';
import { type Member, membersIn } from '../../test/mesh/transport-peers.ts';
import { BenchError } from '../bench-error.ts';
import { cpuMsOf, type OpenPart, type Part, scaled } from './part.ts';

const MEBIBYTE = 1024 * 1024;
const BLOBS = 64;
const UNIT = 'ms of CPU per MiB, both ends';

/** One end that receives and one that sends. */
interface Pipe {
  /** Resolves when everything has been received. */
  send(count: number): Promise<void>;
  close(): Promise<void> | void;
}

const BLOB = randomBytes(MEBIBYTE);

/** Counts what arrives. */
class Arrivals {
  #bytes = 0;
  #wanted = 0;
  #done: () => void = () => {};

  wait(bytes: number): Promise<void> {
    this.#bytes = 0;
    this.#wanted = bytes;
    return new Promise((resolve) => {
      this.#done = resolve;
    });
  }

  add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes === this.#wanted) this.#done();
  }
}

async function meshPipe(submitter: Member, worker: Member): Promise<Pipe> {
  const arrivals = new Arrivals();
  const server = await serveMesh({
    security: worker.security,
    host: '127.0.0.1',
    port: 0,
    welcome: () => ({ nodeId: worker.nodeId, nodeName: 'w', agentVersion: '0', slots: 1, toolchains: [] }),
    accept: () => ({
      onMessage: () => {},
      onBlobChunk: async ({ data }) => arrivals.add(data.length),
      onClosed: () => {},
    }),
    log: () => {},
  });
  const link = await connectWorker({
    address: `127.0.0.1:${server.port}`,
    expectedNodeId: worker.nodeId,
    security: submitter.security,
    hello: { nodeId: submitter.nodeId, nodeName: 's', agentVersion: '0' },
    connectTimeoutMs: 10_000,
  });
  const sha256 = digestToBytes(digestOf(BLOB));
  return {
    send: async (count) => {
      const arrived = arrivals.wait(count * BLOB.length);
      for (let blob = 0; blob < count; blob++) {
        for (let offset = 0; offset < BLOB.length; offset += CHUNK_BYTES) {
          const data = BLOB.subarray(offset, offset + CHUNK_BYTES);
          const last = offset + data.length === BLOB.length;
          await link.blobs.sendWhenReady({ sha256, sizeBytes: BLOB.length, data, last });
        }
      }
      await arrived;
    },
    close: async () => {
      link.close();
      await server.stop();
    },
  };
}

async function tlsPipe(submitter: Member, worker: Member): Promise<Pipe> {
  const arrivals = new Arrivals();
  const parts = ({ security }: Member): { key: string; cert: string; ca: string } => ({
    key: security.keyPem,
    cert: security.certificatePem,
    ca: security.caPem,
  });
  const server = createServer(
    { ...parts(worker), requestCert: true, rejectUnauthorized: true },
    (socket: TLSSocket) => socket.on('data', (piece: Buffer) => arrivals.add(piece.length)),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new BenchError('no port');
  const socket = connect({
    ...parts(submitter),
    host: '127.0.0.1',
    port: address.port,
    checkServerIdentity: () => undefined,
  });
  await once(socket, 'secureConnect');
  return {
    send: async (count) => {
      const arrived = arrivals.wait(count * BLOB.length);
      for (let blob = 0; blob < count; blob++) {
        for (let offset = 0; offset < BLOB.length; offset += CHUNK_BYTES)
          if (!socket.write(BLOB.subarray(offset, offset + CHUNK_BYTES))) await once(socket, 'drain');
      }
      await arrived;
    },
    close: () => {
      socket.destroy();
      server.close();
    },
  };
}

export const streamPart: Part = {
  name: 'stream',
  what: 'blobs of 1 MiB from one node to another on this machine',
  async open(context): Promise<OpenPart> {
    const places = ['submitter', 'worker'].map((name) => join(context.directory, name));
    const [submitter, worker] = await membersIn(places);
    if (submitter === undefined || worker === undefined) throw new BenchError('there are no two members');
    const [mesh, tls] = [await meshPipe(submitter, worker), await tlsPipe(submitter, worker)];
    const blobs = scaled(context, BLOBS);
    const series = (name: string, pipe: Pipe) => [
      { name, unit: UNIT, measure: async () => (await cpuMsOf(() => pipe.send(blobs))) / blobs },
    ];
    return {
      series: [...series('plain TLS socket', tls), ...series('mutual-TLS gRPC', mesh)],
      lines: [{ series: 'mutual-TLS gRPC', reference: 'plain TLS socket' }],
      notes: ['Both ends are in one process: the figure is the sum of both.'],
      close: async () => {
        await mesh.close();
        await tls.close();
      },
    };
  },
};
