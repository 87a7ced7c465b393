/** The submitter's end of a connection: one Work stream and one Blobs stream to one worker. */
import { setTimeout as sleep } from 'node:timers/promises';
import * as grpc from '@grpc/grpc-js';
import { MeshError, messageOf } from '../../base/errors.ts';
import { BlobOutbound } from './blob-outbound.ts';
import { troubleInWords } from './connection-trouble.ts';
import { clientCredentials, type Security } from './credentials.ts';
import {
  type BlobBatch,
  type FromSubmitter,
  type FromWorker,
  PROTOCOL_VERSION,
  type WireWelcome,
} from './messages.ts';
import { Outbound } from './outbound.ts';
import { CHANNEL_OPTIONS, MeshService, SESSION_METADATA_KEY } from './service.ts';

export interface ConnectOptions {
  /** `host:port`. */
  readonly address: string;
  /** The node that must answer; undefined: any member of the mesh, for an address that a person typed. */
  readonly expectedNodeId: string | undefined;
  readonly security: Security;
  readonly hello: { readonly nodeId: string; readonly nodeName: string; readonly agentVersion: string };
  /** Time for connect, TLS and Welcome together. */
  readonly connectTimeoutMs: number;
}

type WorkCall = grpc.ClientDuplexStream<FromSubmitter, FromWorker>;
type BlobsCall = grpc.ClientDuplexStream<BlobBatch, unknown>;

/** How long the end of the Work stream may come after that of the Blobs stream and still be its cause. */
const CAUSE_WAIT_MS = 200;

/** The client that grpc-js makes of the service definition. */
interface MeshClient extends grpc.Client {
  Work(): WorkCall;
  Blobs(metadata: grpc.Metadata): BlobsCall;
}

/** A live connection to a worker. */
export class WorkerLink {
  readonly welcome: WireWelcome;
  readonly address: string;
  /** Jobs and control. */
  readonly work: Outbound<FromSubmitter>;
  /** File contents. */
  readonly blobs: BlobOutbound;
  /** Resolves with a phrase for people when the connection is gone, for whatever reason; never rejects. */
  readonly closed: Promise<string>;
  readonly #inbox: Inbox;
  readonly #hangUp: () => void;

  constructor(parts: {
    welcome: WireWelcome;
    address: string;
    inbox: Inbox;
    work: WorkCall;
    blobs: BlobsCall;
    closed: Promise<string>;
    hangUp: () => void;
  }) {
    this.welcome = parts.welcome;
    this.address = parts.address;
    this.work = new Outbound(parts.work);
    this.blobs = new BlobOutbound(new Outbound(parts.blobs));
    this.closed = parts.closed;
    this.#inbox = parts.inbox;
    this.#hangUp = parts.hangUp;
  }

  /** Hands every message that came since Welcome, and every later one, to `handler`. Call it once. */
  receive(handler: (message: FromWorker) => void): void {
    this.#inbox.open(handler);
  }

  /** Drops the connection now; jobs in the worker's hands are cancelled by it. */
  close(): void {
    this.#hangUp();
  }
}

/** Keeps what arrives until somebody listens, so that nothing after Welcome is lost. */
class Inbox {
  #handler: ((message: FromWorker) => void) | undefined;
  #waiting: FromWorker[] = [];

  deliver(message: FromWorker): void {
    if (this.#handler === undefined) this.#waiting.push(message);
    else this.#handler(message);
  }

  open(handler: (message: FromWorker) => void): void {
    this.#handler = handler;
    for (const message of this.#waiting.splice(0)) handler(message);
  }
}

/**
 * Connects to a worker and shakes hands.
 * @throws MeshError MESHCC_PEER if it does not answer in time, is not who it should be, or speaks another protocol version
 */
export async function connectWorker(options: ConnectOptions): Promise<WorkerLink> {
  const identity = clientCredentials(options.security, options.expectedNodeId);
  const client = new MeshService(options.address, identity.credentials, {
    ...CHANNEL_OPTIONS,
    ...identity.options,
  }) as unknown as MeshClient;
  const work = client.Work();
  const workClosed = streamClosed(work);
  const inbox = new Inbox();
  try {
    const welcome = await shakeHands(work, workClosed, inbox, options);
    checkPeer(welcome, identity.serverId() ?? options.expectedNodeId);
    const metadata = new grpc.Metadata();
    metadata.set(SESSION_METADATA_KEY, welcome.sessionId);
    const blobs = client.Blobs(metadata);
    blobs.on('data', () => {});
    const hangUp = (): void => void setImmediate(() => cancelAll([work, blobs], client));
    // A worker that ends the Work stream refuses Blobs for that reason: what it said first is the cause.
    const blobsClosed = streamClosed(blobs).then(async (why) => {
      const cause = await Promise.race([workClosed, sleep(CAUSE_WAIT_MS, undefined, { ref: false })]);
      return cause ?? why;
    });
    const closed = Promise.race([workClosed, blobsClosed]).then((why) => {
      hangUp();
      return troubleInWords(why);
    });
    return new WorkerLink({ welcome, address: options.address, inbox, work, blobs, closed, hangUp });
  } catch (error) {
    work.cancel();
    client.close();
    const cause = new Error(troubleInWords(messageOf(error)), { cause: error });
    const who = options.expectedNodeId ?? 'a node';
    throw new MeshError('MESHCC_PEER', `connecting to ${who} at ${options.address}: ${cause.message}`, {
      cause,
    });
  }
}

/**
 * Ends streams and their connection. Never to be called in the turn in which a stream of it was reported closed:
 * inside that report, resetting another stream makes Node's HTTP/2 send empty frames for ever if the closed one
 * had something left to send (`Http2Stream::SubmitRstStream` flushes, and the closed stream's source says neither
 * "end" nor "later").
 */
function cancelAll(calls: readonly (WorkCall | BlobsCall)[], client: MeshClient): void {
  for (const call of calls) call.cancel();
  client.close();
}

/** Resolves when a stream is over. `end` alone says nothing: a dying peer looks like an orderly one. */
function streamClosed(call: WorkCall | BlobsCall): Promise<string> {
  return new Promise((resolve) => {
    call.once('status', (status) => resolve(status.details || grpc.status[status.code] || 'closed'));
    call.on('error', (error) => resolve(messageOf(error)));
    call.once('close', () => resolve('stream closed'));
  });
}

/** Sends Hello, awaits Welcome and checks it; whatever follows Welcome goes to the inbox. */
async function shakeHands(
  work: WorkCall,
  closed: Promise<string>,
  inbox: Inbox,
  options: ConnectOptions,
): Promise<WireWelcome> {
  const welcome = await new Promise<WireWelcome>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`no answer within ${options.connectTimeoutMs} ms`)),
      options.connectTimeoutMs,
    );
    let welcomed = false;
    work.on('data', (message: FromWorker) => {
      if (welcomed) return inbox.deliver(message);
      clearTimeout(timer);
      welcomed = true;
      if (message.welcome) resolve(message.welcome);
      else reject(new Error('it did not begin with a Welcome'));
    });
    void closed.then((why) => {
      clearTimeout(timer);
      reject(new Error(why));
    });
    work.write({ hello: { protocolVersion: PROTOCOL_VERSION, ...options.hello } });
  });
  if (welcome.protocolVersion !== PROTOCOL_VERSION) {
    throw new Error(
      `it speaks protocol ${welcome.protocolVersion}, this agent ${PROTOCOL_VERSION}: run the same meshcc version on both`,
    );
  }
  return welcome;
}

/** What a node says of itself must be what its certificate says, or (without TLS) what was announced. */
function checkPeer(welcome: WireWelcome, expectedNodeId: string | undefined): void {
  if (expectedNodeId !== undefined && welcome.nodeId !== expectedNodeId) {
    throw new Error(`it says that it is node ${welcome.nodeId}, and is ${expectedNodeId}`);
  }
}
