/** One call of the Node stand-in at the agent: follows the frames, writes the outputs, commits or undoes. */
import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { connect, type Socket } from 'node:net';
import { errnoOf, MeshError, messageOf } from '../base/errors.ts';
import { MAX_OUTPUTS, MAX_TEXT_BYTES, type ShimLocalCause, type ShimReason, STALL_MS } from './frames.ts';
import type { ShimRequest } from './request.ts';
import {
  decodeOutputBegin,
  encodeCommitted,
  encodeLocal,
  encodeRequest,
  type ShimFrame,
  ShimFrameDecoder,
  type ShimOutput,
} from './wire.ts';

/** What came of a call: a committed result, a reason to compile locally, or a signal to die of. */
export type SessionEnd =
  | { readonly status: number }
  | { readonly local: string; readonly detail: string }
  | { readonly signal: NodeJS.Signals };

export interface SessionOptions {
  readonly socketPath: string;
  /** How long the agent may be silent, in milliseconds. */
  readonly stallMs: number | undefined;
}

/** What undoes a call. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

interface OpenOutput extends ShimOutput {
  readonly fd: number;
  writtenBytes: number;
}

/** A call must be left; the cause is what the agent is told. */
class LeaveError extends Error {
  override readonly cause: ShimLocalCause;
  readonly reason: ShimReason;

  constructor(cause: ShimLocalCause, reason: ShimReason, detail: string) {
    super(detail);
    this.cause = cause;
    this.reason = reason;
  }
}

function require(condition: boolean, rule: string): void {
  if (!condition) throw new LeaveError('PROTOCOL', 'agent-protocol', rule);
}

function writeAll(fd: number, bytes: Buffer): void {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      if (errnoOf(error) !== 'EAGAIN') throw error;
      Atomics.wait(pause, 0, 0, 1);
    }
  }
}

/** Runs a step on files; its failure means that the real compiler must meet the same trouble. */
function touchFiles<T>(step: () => T): T {
  try {
    return step();
  } catch (error) {
    throw new LeaveError('OUTPUT', 'output-write-failed', messageOf(error));
  }
}

/** What would kill a compiler before it makes its outputs is left to the real one; else what is lost is lost. */
function print(fd: number, text: readonly Buffer[]): void {
  try {
    writeAll(fd, Buffer.concat(text));
  } catch (error) {
    if (errnoOf(error) === 'EPIPE' || errnoOf(error) === 'EFBIG')
      throw new LeaveError('OUTPUT', 'output-write-failed', messageOf(error));
  }
}

/** False for what a compiler would write through, or could not write. */
function canReplace(path: string): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return true;
  if (!stat.isFile() || stat.nlink !== 1) return false;
  accessSync(path, constants.W_OK);
  return true;
}

/** The outputs and diagnostics of one attempt. */
class Attempt {
  #outputs: OpenOutput[] = [];
  #stdout: Buffer[] = [];
  #stderr: Buffer[] = [];

  discard(): void {
    for (const output of this.#outputs) {
      closeSync(output.fd);
      rmSync(output.temporaryPath, { force: true });
    }
    this.#outputs = [];
    this.#stdout = [];
    this.#stderr = [];
  }

  begin(output: ShimOutput): void {
    require(output.index === this.#outputs.length &&
      output.index < MAX_OUTPUTS, 'outputs must be numbered from 0');
    const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
    const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
    const fd = touchFiles(() => openSync(output.temporaryPath, flags, 0o666));
    this.#outputs.push({ ...output, fd, writtenBytes: 0 });
  }

  write(payload: Buffer): void {
    const output = payload.length < 4 ? undefined : this.#outputs[payload.readUInt32LE(0)];
    if (output === undefined)
      throw new LeaveError('PROTOCOL', 'agent-protocol', 'data of an output that was not begun');
    const bytes = payload.subarray(4);
    output.writtenBytes += bytes.length;
    require(output.writtenBytes <= output.sizeBytes, 'more data than announced');
    touchFiles(() => writeAll(output.fd, bytes));
  }

  hold(stream: 'STDOUT' | 'STDERR', bytes: Buffer): void {
    (stream === 'STDOUT' ? this.#stdout : this.#stderr).push(Buffer.from(bytes));
  }

  /** Prints, as a compiler does first, and puts every output in place. */
  commit(): void {
    for (const output of this.#outputs) {
      require(output.writtenBytes === output.sizeBytes, 'less data than announced');
      if (!touchFiles(() => canReplace(output.finalPath))) {
        throw new LeaveError('OUTPUT', 'output-not-regular', output.finalPath);
      }
    }
    print(1, this.#stdout);
    print(2, this.#stderr);
    touchFiles(() => {
      for (const output of this.#outputs) renameSync(output.temporaryPath, output.finalPath);
    });
    for (const output of this.#outputs) closeSync(output.fd);
    this.#outputs = [];
  }
}

/** @returns the end of the call, or undefined if more frames are to come */
function follow(attempt: Attempt, frame: ShimFrame, socket: Socket): SessionEnd | undefined {
  const { name, payload } = frame;
  if (name === 'OUTPUT_BEGIN') attempt.begin(decodeOutputBegin(payload));
  else if (name === 'OUTPUT_DATA') attempt.write(payload);
  else if (name === 'DISCARD') attempt.discard();
  else if (name === 'STDOUT' || name === 'STDERR') attempt.hold(name, payload);
  else if (name === 'RUN_LOCAL') {
    require(payload.length <= MAX_TEXT_BYTES, 'a text is too long');
    const [reason = '', detail = ''] = payload.toString('utf8').split('\0');
    return { local: reason, detail };
  } else if (name === 'COMMIT') {
    require(payload.length === 4 && payload.readUInt32LE(0) <= 255, 'an exit status is above 255');
    attempt.commit();
    socket.write(encodeCommitted());
    return { status: payload.readUInt32LE(0) };
  } else require(name === 'ACCEPTED', 'a frame of the wrong direction');
  return undefined;
}

/** True while standard input, output and error are open: a socket must not be taken for one of them. */
function standardStreamsAreOpen(): boolean {
  try {
    for (const fd of [0, 1, 2]) fstatSync(fd);
    return true;
  } catch {
    return false;
  }
}

/** Hands a call to the agent. Never rejects; nothing of a result that is not committed is left. */
export function runSession(request: ShimRequest, options: SessionOptions): Promise<SessionEnd> {
  if (!standardStreamsAreOpen()) return Promise.resolve({ local: 'stdio-closed', detail: '' });
  return new Promise((done) => {
    const attempt = new Attempt();
    const decoder = new ShimFrameDecoder();
    const socket = connect(options.socketPath);
    let isConnected = false;
    const end = (result: SessionEnd): void => {
      attempt.discard();
      clearTimeout(stall);
      for (const signal of SIGNALS) process.removeAllListeners(signal);
      socket.removeAllListeners('data').removeAllListeners('close').removeAllListeners('error');
      socket.on('error', () => {});
      done(result);
    };
    const leave = (error: unknown): void => {
      const left =
        error instanceof LeaveError
          ? error
          : new LeaveError(
              'PROTOCOL',
              error instanceof MeshError ? 'agent-protocol' : 'output-write-failed',
              messageOf(error),
            );
      socket.write(encodeLocal(left.cause, left.message));
      end({ local: left.reason, detail: left.message });
    };
    const stall = setTimeout(
      () => leave(new LeaveError('STALLED', 'agent-stalled', 'nothing heard from the agent')),
      options.stallMs ?? STALL_MS,
    );
    // Beyond the limit of `ulimit -f`, a write is then an error instead of the end.
    process.on('SIGXFSZ', () => {});
    for (const signal of SIGNALS) {
      process.on(signal, () => {
        socket.write(encodeLocal('INTERRUPTED', signal));
        end({ signal });
      });
    }
    socket.once('connect', () => {
      isConnected = true;
      socket.write(encodeRequest(request));
    });
    socket.on('error', (error) =>
      end({ local: isConnected ? 'agent-lost' : 'no-agent', detail: messageOf(error) }),
    );
    socket.on('close', () => end({ local: 'agent-lost', detail: 'the agent hung up' }));
    socket.on('data', (chunk: Buffer) => {
      stall.refresh();
      try {
        for (const frame of decoder.push(chunk)) {
          const result = follow(attempt, frame, socket);
          if (result !== undefined) return end(result);
        }
      } catch (error) {
        leave(error);
      }
    });
  });
}
