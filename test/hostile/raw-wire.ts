/** Streams to a worker that carry whatever bytes a case wants, with whatever certificate. */
import * as grpc from '@grpc/grpc-js';
import type { FromSubmitter, Security } from '../../src/mesh/index.ts';
import { clientCredentials } from '../../src/mesh/transport/credentials.ts';
import { CHANNEL_OPTIONS, MeshService, SESSION_METADATA_KEY } from '../../src/mesh/transport/service.ts';
import { until } from '../mesh/transport-peers.ts';

/** A stream of messages that nobody encodes. */
export class RawStream {
  readonly #call: grpc.ClientDuplexStream<Buffer, Buffer>;
  received = 0;
  /** How it ended: the name of the gRPC status, and what it says. */
  ended: string | undefined;

  constructor(call: grpc.ClientDuplexStream<Buffer, Buffer>) {
    this.#call = call;
    call.on('data', () => this.received++);
    call.on('error', () => {});
    call.on('status', ({ code, details }) => {
      this.ended = `${grpc.status[code]}: ${details}`;
    });
  }

  send(...messages: Buffer[]): void {
    for (const message of messages) this.#call.write(message);
  }

  async end(): Promise<string> {
    await until(() => this.ended !== undefined, 'the stream ends');
    return this.ended ?? '';
  }

  cancel(): void {
    this.#call.cancel();
  }
}

export class RawWire {
  readonly #client: grpc.Client;

  constructor(address: string, credentials: grpc.ChannelCredentials, options: grpc.ChannelOptions) {
    // What a peer may send is its own affair.
    const channel = { ...CHANNEL_OPTIONS, ...options, 'grpc.max_send_message_length': -1 };
    this.#client = new grpc.Client(address, credentials, channel);
  }

  open(method: 'Work' | 'Blobs', sessionId?: string): RawStream {
    const metadata = new grpc.Metadata();
    if (sessionId !== undefined) metadata.set(SESSION_METADATA_KEY, sessionId);
    const asIs = (bytes: Buffer): Buffer => bytes;
    const path = `/meshcc.v1.Mesh/${method}`;
    return new RawStream(this.#client.makeBidiStreamRequest(path, asIs, asIs, metadata));
  }

  close(): void {
    this.#client.close();
  }
}

/** A wire that the mesh's certificates secure. */
export function rawWire(address: string, security: Security, workerId: string): RawWire {
  const { credentials, options } = clientCredentials(security, workerId);
  return new RawWire(address, credentials, options);
}

/** The bytes of a message that is well-formed. */
export function bytesOf(message: FromSubmitter): Buffer {
  return Buffer.from(MeshService.service.Work!.requestSerialize(message));
}
