/** An agent whose every step the test decides: a real socket, the real wire, no compile mesh behind it. */
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { decodeRequest, type ShimFrame, ShimFrameDecoder, type ShimRequest } from '../../src/shim/index.ts';

/** One connection of a shim. */
export class AgentCall {
  readonly socket: Socket;
  /** What came after the REQUEST, in order. */
  readonly frames: ShimFrame[] = [];
  /** Resolves when the shim, or the compiler that it became, has closed the connection. */
  readonly closed: Promise<void>;
  isClosed = false;
  #request: ShimRequest | undefined;

  constructor(socket: Socket, onRequest: (call: AgentCall) => void) {
    this.socket = socket;
    const decoder = new ShimFrameDecoder();
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      for (const frame of decoder.push(chunk)) {
        if (frame.name !== 'REQUEST') this.frames.push(frame);
        else {
          this.#request = decodeRequest(frame.payload);
          onRequest(this);
        }
      }
    });
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.isClosed = true;
        resolve();
      });
    });
  }

  get request(): ShimRequest {
    if (this.#request === undefined) throw new Error('the shim has not sent a request');
    return this.#request;
  }

  send(...frames: readonly Uint8Array[]): void {
    for (const frame of frames) this.socket.write(frame);
  }
}

/** Listens on a socket path until it is closed. */
export class ScriptedAgent {
  readonly calls: AgentCall[] = [];
  readonly socketPath: string;
  readonly #server: Server;

  private constructor(socketPath: string, script: (call: AgentCall) => void) {
    this.socketPath = socketPath;
    this.#server = createServer((socket) => {
      this.calls.push(new AgentCall(socket, script));
    });
  }

  /** @param script what the agent does when a request has come */
  static async start(socketPath: string, script: (call: AgentCall) => void): Promise<ScriptedAgent> {
    const agent = new ScriptedAgent(socketPath, script);
    mkdirSync(dirname(socketPath), { recursive: true, mode: 0o700 });
    chmodSync(dirname(socketPath), 0o700);
    rmSync(socketPath, { force: true });
    await new Promise<void>((resolve, reject) => {
      agent.#server.once('error', reject).listen(socketPath, resolve);
    });
    return agent;
  }

  /** The only call. */
  get call(): AgentCall {
    const [call, ...others] = this.calls;
    if (call === undefined || others.length > 0)
      throw new Error(`${this.calls.length} calls came, and not one`);
    return call;
  }

  close(): void {
    for (const call of this.calls) call.socket.destroy();
    this.#server.close();
  }
}
