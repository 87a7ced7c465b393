/** One gcc shim on the other end of the socket: what it asked, and what it is told to do. */
import { unlink } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { dirname } from 'node:path';
import {
  decodeLocal,
  encodeAccepted,
  encodeCommit,
  encodeDiscard,
  encodeOutputBegin,
  encodeOutputDataHeader,
  encodeRunLocal,
  encodeStderr,
  encodeStdout,
  HEARTBEAT_MS,
  type ShimFrame,
  type ShimLocalCause,
} from '../shim/index.ts';

/** How a shim's call ended after its result was offered. */
export type CommitOutcome =
  | { readonly kind: 'committed' }
  | { readonly kind: 'local'; readonly cause: ShimLocalCause | undefined };

let sequence = 0;

/** Results up to this size reach the shim in one piece: each piece wakes it up and costs a system call on both sides. */
const HOLD_BYTES = 128 * 1024;

/** Why `gone` fires. A value of its own, because an AbortController without one makes an error with a stack trace. */
const GONE = 'the shim is gone';

const HEARTBEAT = encodeAccepted();

export class ShimSession {
  /** Fires when the shim is gone: interrupted, done, or compiling on its own. */
  readonly gone: AbortSignal;
  readonly #socket: Socket;
  readonly #gone = new AbortController();
  readonly #temporaries: string[] = [];
  readonly #number = ++sequence;
  readonly #heartbeat: NodeJS.Timeout;
  #lastBeatMs = performance.now();
  #heldUpUntilMs = Number.NEGATIVE_INFINITY;
  #wasHeldUp = false;
  #committed = false;
  #localCause: ShimLocalCause | undefined;
  #settleCommit: ((outcome: CommitOutcome) => void) | undefined;
  #pause: { readonly over: Promise<void>; readonly end: () => void } | undefined;
  #attempt = 0;
  /** Frames of the current attempt that were not sent yet, and their size. */
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  /** Some of the current attempt was sent. */
  #isShown = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.gone = this.#gone.signal;
    socket.once('close', () => this.#onClose());
    socket.on('error', () => socket.destroy());
    this.#heartbeat = setInterval(() => this.#beat(), HEARTBEAT_MS);
  }

  /** Takes a frame that came after the request. @returns false if it has no place here */
  receive(frame: ShimFrame): boolean {
    if (frame.name === 'COMMITTED') {
      this.#committed = true;
      this.#settleCommit?.({ kind: 'committed' });
      return true;
    }
    if (frame.name !== 'LOCAL') return false;
    this.#localCause = decodeLocal(frame.payload).cause;
    this.#stopHeartbeat();
    this.#settleCommit?.({ kind: 'local', cause: this.#localCause });
    this.#gone.abort(GONE);
    return true;
  }

  /** Why the shim compiles on its own, if it said so. */
  get localCause(): ShimLocalCause | undefined {
    return this.#localCause;
  }

  /** The shim left after this agent had been stopped, or starved, for so long that the shim may have given it up. */
  get wasHeldUp(): boolean {
    return this.#wasHeldUp;
  }

  /** Tells the shim to run the real compiler. The connection stays open until that ends. */
  runLocal(reason: string, detail: string): void {
    this.#stopHeartbeat();
    this.#socket.write(encodeRunLocal(reason, detail));
  }

  /** An output of the current attempt begins. */
  beginOutput(index: number, finalPath: string, sizeBytes: number): void {
    const temporaryPath = `${dirname(finalPath)}/.meshcc-${process.pid}-${this.#number}-${this.#attempt}-${index}`;
    this.#temporaries.push(temporaryPath);
    this.#hold(encodeOutputBegin({ index, sizeBytes, finalPath, temporaryPath }));
  }

  /** A piece of an output; resolves when the shim takes more. */
  outputData(index: number, piece: Uint8Array): Promise<void> | void {
    this.#hold(encodeOutputDataHeader(index, piece.length));
    this.#hold(piece);
    if (this.#heldBytes >= HOLD_BYTES) return this.#flush();
  }

  /** The attempt is void; another may follow. */
  discard(): void {
    this.#attempt++;
    this.#held = [];
    this.#heldBytes = 0;
    if (this.#isShown) this.#socket.write(encodeDiscard());
    this.#isShown = false;
  }

  /** Offers the whole result and waits until the shim has put it in place. */
  commit(exitStatus: number, stdout: Buffer, stderr: Buffer): Promise<CommitOutcome> {
    return new Promise((resolve) => {
      this.#settleCommit = resolve;
      if (stdout.length > 0) this.#hold(encodeStdout(stdout));
      if (stderr.length > 0) this.#hold(encodeStderr(stderr));
      this.#stopHeartbeat();
      this.#hold(encodeCommit(exitStatus));
      void this.#flush();
      if (this.gone.aborted) resolve({ kind: 'local', cause: this.#localCause });
    });
  }

  /** Ends the connection from this side; a shim without a result then compiles on its own. */
  drop(): void {
    this.#socket.destroy();
  }

  #hold(bytes: Uint8Array): void {
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
  }

  /** Sends what was held; resolves when the shim takes more. */
  #flush(): Promise<void> | void {
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    this.#isShown = true;
    if (this.#socket.destroyed) return;
    this.#socket.cork();
    for (const piece of held) this.#socket.write(piece);
    this.#socket.uncork();
    if (!this.#socket.writableNeedDrain) return;
    if (this.#pause === undefined) {
      let end: () => void = () => {};
      const over = new Promise<void>((resolve) => {
        end = resolve;
      });
      this.#pause = { over, end };
      // The end of the connection ends a pause too, in #onClose: a listener per pause would pile up.
      this.#socket.once('drain', () => this.#endPause());
    }
    return this.#pause.over;
  }

  #endPause(): void {
    const pause = this.#pause;
    this.#pause = undefined;
    pause?.end();
  }

  #beat(): void {
    this.#lookAtClock(performance.now());
    this.#socket.write(HEARTBEAT);
  }

  /** What the shim says when it gives the agent up is lost if it is written to before that is read. */
  #lookAtClock(nextBeatMs: number): void {
    const nowMs = performance.now();
    if (nowMs - this.#lastBeatMs > 2 * HEARTBEAT_MS) this.#heldUpUntilMs = nowMs;
    this.#lastBeatMs = nextBeatMs;
  }

  #stopHeartbeat(): void {
    this.#lookAtClock(Number.POSITIVE_INFINITY);
    clearInterval(this.#heartbeat);
  }

  #onClose(): void {
    this.#stopHeartbeat();
    this.#wasHeldUp = performance.now() - this.#heldUpUntilMs < HEARTBEAT_MS;
    this.#endPause();
    this.#gone.abort(GONE);
    this.#settleCommit?.(
      this.#committed ? { kind: 'committed' } : { kind: 'local', cause: this.#localCause },
    );
    // A shim that was killed outright could not remove what it had begun to write.
    if (!this.#committed) for (const path of this.#temporaries) unlink(path).catch(() => {});
  }
}
