/** The socket that gcc shims of this user connect to. */
import { chmodSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Logger } from 'pino';
import { errnoOf, MeshError, messageOf } from '../base/errors.ts';
import { decodeRequest, ShimFrameDecoder } from '../shim/index.ts';
import { type CallParts, CompileCall } from './compile-call.ts';
import { ShimSession } from './shim-session.ts';

/**
 * A request that comes later than this after its connection needs a proof of its own: its shim, or this process, was
 * held up meanwhile, and a compiler that was held up like that would see what has changed. A compiler takes about as long
 * from its start to its first header.
 */
const MAX_REQUEST_DELAY_MS = 4;

export class ShimServer {
  readonly #server: Server;
  readonly #parts: CallParts;
  readonly #log: Logger;
  readonly #sockets = new Set<Socket>();
  #open = 0;
  #taken = 0;

  constructor(parts: CallParts) {
    this.#parts = parts;
    this.#log = parts.log;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  /** Calls that are being served or compile locally in a slot of ours. */
  get openCalls(): number {
    return this.#open;
  }

  /** Calls since the start. */
  get takenCalls(): number {
    return this.#taken;
  }

  /**
   * Listens; a socket file that nobody listens on any more is replaced.
   * @throws MeshError MESHCC_AGENT_RUNNING if an agent listens there already
   */
  async listen(path: string): Promise<void> {
    await listenReplacingStale(this.#server, path);
    chmodSync(path, 0o600);
  }

  /** Refuses new calls; the present ones go on. */
  stopListening(): void {
    this.#server.close();
  }

  /** Drops the calls that are still open: their shims compile locally. */
  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #serve(socket: Socket): void {
    const decoder = new ShimFrameDecoder();
    let session: ShimSession | undefined;
    this.#sockets.add(socket);
    this.#open++;
    this.#taken++;
    this.#parts.onWork();
    // Now, and not with the request: it is there a turn later, and so is the proof that nothing older was missed.
    const connectedMs = performance.now();
    let caughtUp = this.#parts.view.refresh();
    caughtUp.catch(() => {});
    socket.on('error', () => socket.destroy());
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#open--;
    });
    socket.on('data', (chunk: Buffer) => {
      try {
        for (const frame of decoder.push(chunk)) {
          if (session !== undefined) {
            if (!session.receive(frame))
              throw new MeshError('MESHCC_PROTOCOL', `a shim sent ${frame.name} out of turn`);
          } else if (frame.name === 'REQUEST') {
            const request = decodeRequest(frame.payload);
            if (performance.now() - connectedMs > MAX_REQUEST_DELAY_MS) caughtUp = this.#parts.view.refresh();
            session = new ShimSession(socket);
            void new CompileCall(request, caughtUp, session, this.#parts).serve();
          } else throw new MeshError('MESHCC_PROTOCOL', `a shim began with ${frame.name}`);
        }
      } catch (error) {
        this.#log.warn(messageOf(error));
        socket.destroy();
      }
    });
  }
}

/** Listens on a Unix socket; removes a file that a dead process left. @throws MeshError MESHCC_AGENT_RUNNING */
export async function listenReplacingStale(server: Server, path: string): Promise<void> {
  try {
    return await listen(server, path);
  } catch (error) {
    if (errnoOf(error) !== 'EADDRINUSE') throw error;
  }
  if (await answers(path)) {
    throw new MeshError(
      'MESHCC_AGENT_RUNNING',
      `an agent already listens on ${path}. Use it (meshcc status), stop it, or start this one with another MESHCC_HOME.`,
    );
  }
  unlinkSync(path);
  await listen(server, path);
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    // Under make -j200 the default backlog of 511 is enough; the kernel may cap it lower (somaxconn).
    server.listen({ path, backlog: 1024 }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
