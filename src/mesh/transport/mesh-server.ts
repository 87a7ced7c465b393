/** The worker's end: a gRPC server that admits members of the mesh and hands each stream to a session. */
import { randomUUID } from 'node:crypto';
import * as grpc from '@grpc/grpc-js';
import { MeshError, messageOf } from '../../base/errors.ts';
import { nodeNameFrom } from '../identity/index.ts';
import { type Security, serverCredentials } from './credentials.ts';
import {
  type BlobBatch,
  type BlobChunk,
  type FromSubmitter,
  type FromWorker,
  PROTOCOL_VERSION,
  type WireWelcome,
} from './messages.ts';
import { Outbound } from './outbound.ts';
import { CHANNEL_OPTIONS, MeshService, SESSION_METADATA_KEY } from './service.ts';

/** Who is at the other end of a session; the id is the certificate's, not what the peer says. */
export interface SubmitterPeer {
  readonly nodeId: string;
  readonly nodeName: string;
  readonly address: string;
}

/** What the worker does with one submitter's stream. */
export interface SessionHandler {
  onMessage(message: FromSubmitter): void;
  /** Takes one piece of a blob; reading goes on when the promise resolves (backpressure). */
  onBlobChunk(chunk: BlobChunk): Promise<void>;
  /** The stream is gone: everything that runs for it must end. */
  onClosed(reason: string): void;
}

export interface MeshServerOptions {
  readonly security: Security;
  /** `0.0.0.0`, `::` or one address. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly welcome: () => Omit<WireWelcome, 'sessionId' | 'protocolVersion'>;
  readonly accept: (
    peer: SubmitterPeer,
    out: Outbound<FromWorker>,
    hangUp: (why: string) => void,
  ) => SessionHandler;
  readonly log: (line: string) => void;
}

export interface MeshServer {
  readonly port: number;
  /** Refuses new streams and ends the present ones, behind what was said on them. Resolves when nothing is open. */
  stop(): Promise<void>;
}

/** Time for the last messages to reach their readers before connections are cut. */
const FLUSH_MS = 1_000;

type WorkCall = grpc.ServerDuplexStream<FromSubmitter, FromWorker>;
type BlobCall = grpc.ServerDuplexStream<BlobBatch, unknown>;

/** Starts listening. @throws MeshError MESHCC_PEER if the port cannot be had */
export async function serveMesh(options: MeshServerOptions): Promise<MeshServer> {
  const sessions = new Map<string, { peerId: string; handler: SessionHandler }>();
  const streams = new Set<Outbound<FromWorker>>();
  const server = new grpc.Server(CHANNEL_OPTIONS);
  server.addService(MeshService.service, {
    Work: (call: WorkCall) => serveWork(call, options, sessions, streams),
    Blobs: (call: BlobCall) => void serveBlobs(call, options, sessions),
  });
  const port = await new Promise<number>((resolve, reject) => {
    const host = options.host.includes(':') ? `[${options.host}]` : options.host;
    server.bindAsync(`${host}:${options.port}`, serverCredentials(options.security), (error, bound) => {
      if (error === null) resolve(bound);
      else
        reject(
          new MeshError(
            'MESHCC_PEER',
            `listening on ${host}:${options.port}: ${error.message}. Choose another --port.`,
            {
              cause: error,
            },
          ),
        );
    });
  });
  const stop = (): Promise<void> => {
    for (const stream of streams) stream.end();
    return new Promise((resolve) => {
      const force = setTimeout(() => {
        server.forceShutdown();
        resolve();
      }, FLUSH_MS);
      server.tryShutdown(() => {
        clearTimeout(force);
        resolve();
      });
    });
  };
  return { port, stop };
}

/** The node id in the peer's certificate; without TLS the one it claims. */
function peerIdOf(call: WorkCall | BlobCall, security: Security, claimed: string): string | undefined {
  if (security.kind === 'insecure') return claimed;
  const certificate = call.getAuthContext().sslPeerCertificate;
  const name = certificate?.subject?.CN;
  return typeof name === 'string' ? name : undefined;
}

function serveWork(
  call: WorkCall,
  options: MeshServerOptions,
  sessions: Map<string, { peerId: string; handler: SessionHandler }>,
  streams: Set<Outbound<FromWorker>>,
): void {
  const sessionId = randomUUID();
  const out = new Outbound<FromWorker>(call);
  streams.add(out);
  let handler: SessionHandler | undefined;
  let ended = false;
  const finish = (reason: string): void => {
    if (ended) return;
    ended = true;
    sessions.delete(sessionId);
    streams.delete(out);
    handler?.onClosed(reason);
    out.end();
  };
  const refuse = (code: grpc.status, details: string): void => {
    call.emit('error', Object.assign(new Error(details), { code, details }));
    finish(details);
  };
  call.on('cancelled', () => finish('connection lost'));
  call.on('error', (error: Error) => finish(messageOf(error)));
  call.on('end', () => finish('submitter closed the stream'));
  call.on('data', (message: FromSubmitter) => {
    if (ended) return;
    if (handler !== undefined) return handler.onMessage(message);
    const hello = message.hello;
    if (!hello) return refuse(grpc.status.INVALID_ARGUMENT, 'the first message must be Hello');
    const peerId = peerIdOf(call, options.security, hello.nodeId);
    if (peerId === undefined || peerId !== hello.nodeId) {
      return refuse(grpc.status.PERMISSION_DENIED, 'the certificate belongs to another node');
    }
    out.send({ welcome: { ...options.welcome(), sessionId, protocolVersion: PROTOCOL_VERSION } });
    if (hello.protocolVersion !== PROTOCOL_VERSION) {
      return refuse(grpc.status.FAILED_PRECONDITION, `this worker speaks protocol ${PROTOCOL_VERSION}`);
    }
    // For logs and terminals: whatever it says, what is shown has the form of a name.
    const nodeName = nodeNameFrom(hello.nodeName.slice(0, 128));
    const peer = { nodeId: peerId, nodeName, address: call.getPeer() };
    handler = options.accept(peer, out, (why) => refuse(grpc.status.INVALID_ARGUMENT, why));
    sessions.set(sessionId, { peerId, handler });
  });
}

async function serveBlobs(
  call: BlobCall,
  options: MeshServerOptions,
  sessions: Map<string, { peerId: string; handler: SessionHandler }>,
): Promise<void> {
  const session = sessions.get(String(call.metadata.get(SESSION_METADATA_KEY)[0] ?? ''));
  const foreign =
    session !== undefined &&
    options.security.kind !== 'insecure' &&
    peerIdOf(call, options.security, '') !== session.peerId;
  call.on('error', () => {});
  if (session === undefined || foreign) {
    const details = 'no such session';
    call.emit('error', Object.assign(new Error(details), { code: grpc.status.NOT_FOUND, details }));
    return;
  }
  try {
    for await (const { chunks } of call as AsyncIterable<BlobBatch>)
      for (const chunk of chunks) await session.handler.onBlobChunk(chunk);
  } catch (error) {
    options.log(`blob stream of ${session.peerId} ended: ${messageOf(error)}`);
  }
  call.end();
}
