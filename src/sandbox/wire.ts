/** Frames between the agent and the job runner; docs/runner-protocol.md, and runner-frames.h on the other side. */
import { MeshError } from '../base/errors.ts';
import type { CellJob, FaultCause, IrregularOutput, IrregularType } from './cell-job.ts';
import { FAULT_CAUSES, IRREGULAR_TYPES } from './cell-job.ts';

export const PROTOCOL_VERSION = 2;
export const HEADER_BYTES = 8;
/** Largest body of a request. Linux takes at most 2 MiB of arguments and environment anyway. */
export const MAX_REQUEST_BYTES = 1 << 20;
/** Largest piece of an output in one DATA frame. */
export const MAX_READ_BYTES = 256 << 10;

/** Frame types of requests (agent to runner). */
export const REQUEST_TYPES = { RUN: 1, KILL: 2, READ: 3, RELEASE: 4 } as const;
/** Frame types of replies (runner to agent). */
export const REPLY_TYPES = { READY: 64, REFUSED: 65, EXITED: 66, FAULT: 67, DATA: 68 } as const;

/** Steps of the runner's start that a REFUSED frame names. */
export const SETUP_STEPS = {
  tree: { code: 1, meaning: 'the tree cannot be entered or bind-mounted' },
  namespaces: { code: 2, meaning: 'the kernel refuses new namespaces' },
  'id-map': { code: 3, meaning: 'the user id cannot be mapped into the user namespace' },
  mounts: { code: 4, meaning: 'the private root of the cell cannot be mounted' },
  overlay: { code: 5, meaning: 'the kernel cannot mount an overlay here' },
  privileges: { code: 6, meaning: 'privileges cannot be given up' },
  group: { code: 7, meaning: 'the control group of the cell cannot be joined' },
  owner: { code: 8, meaning: 'the cell cannot become the user that it is to belong to' },
  chroot: { code: 9, meaning: 'the root of a job cannot be made or entered' },
  filter: { code: 10, meaning: 'the kernel does not take the system-call filter, or another wall of a job' },
} as const satisfies Record<string, { code: number; meaning: string }>;

export type SetupStep = keyof typeof SETUP_STEPS;

/** Of a view: `d` for a directory or what tells two contents of a path apart, and the path. */
const VIEW_ENTRY = /^[a-z0-9]+ \/./;

const TTY_STDERR = 1;
const TTY_STDIN = 2;

export interface ExitedReply {
  readonly type: 'exited';
  readonly job: number;
  readonly exitStatus: number;
  readonly signal: number;
  readonly cpuUs: number;
  readonly maxRssKib: number;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  readonly outputs: readonly { path: string; mode: number; sizeBytes: number }[];
  readonly irregular: readonly IrregularOutput[];
}

export interface RefusedReply {
  readonly type: 'refused';
  readonly step: SetupStep;
  readonly errno: number;
  readonly detail: string;
}

/** A reply of the runner. */
export type RunnerReply =
  | { readonly type: 'ready'; readonly version: number; readonly landlock: number }
  | RefusedReply
  | ExitedReply
  | { readonly type: 'fault'; readonly job: number; readonly cause: FaultCause; readonly detail: string }
  | { readonly type: 'data'; readonly bytes: Buffer };

function frame(type: number, body: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(body.length, 0);
  header.writeUInt32LE(type, 4);
  return Buffer.concat([header, body]);
}

function numbers(...fields: readonly (number | bigint)[]): Buffer {
  const buffer = Buffer.alloc(
    fields.reduce<number>((sum, field) => sum + (typeof field === 'bigint' ? 8 : 4), 0),
  );
  let at = 0;
  for (const field of fields) {
    at = typeof field === 'bigint' ? buffer.writeBigUInt64LE(field, at) : buffer.writeUInt32LE(field, at);
  }
  return buffer;
}

function isCount(value: number, largest: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value <= largest;
}

function hasValidNumbers(job: CellJob): boolean {
  const u32 = [job.umask, job.wallLimitMs, job.cpuLimitSeconds, job.maxProcesses ?? 0];
  const u64 = [job.maxMemoryBytes ?? 0, job.maxFileBytes, job.maxDiagnosticBytes, job.maxOutputBytes];
  const tty = job.stderrTty;
  return (
    u32.every((value) => isCount(value, 0xffffffff)) &&
    u64.every((value) => isCount(value, Number.MAX_SAFE_INTEGER)) &&
    (tty === undefined || (isCount(tty.columns, 0xffff) && isCount(tty.rows, 0xffff)))
  );
}

/**
 * A RUN request.
 * @returns the frame, or in words why the job cannot be expressed as one
 */
export function encodeRun(id: number, job: CellJob): Buffer | { readonly unfit: string } {
  const view = job.view ?? [];
  const writable = job.writable ?? [];
  const strings = [job.executable, job.cwd, ...job.argv, ...job.environment, ...view, ...writable];
  if (strings.some((text) => text.includes('\0'))) return { unfit: 'an argument holds a NUL character' };
  if (job.argv.length === 0) return { unfit: 'it has no argv[0]' };
  if (!job.executable.startsWith('/') || !job.cwd.startsWith('/')) {
    return { unfit: 'the executable and the working directory must be absolute paths' };
  }
  if (!view.every((entry) => VIEW_ENTRY.test(entry)) || !writable.every((path) => path.startsWith('/'))) {
    return { unfit: 'its view holds something else than a version and an absolute path' };
  }
  if (!hasValidNumbers(job)) return { unfit: 'a limit or a size is not a whole number in its range' };
  const tty = job.stderrTty;
  const fixed = numbers(
    id,
    job.umask,
    tty ? TTY_STDERR | (tty.stdinToo ? TTY_STDIN : 0) : 0,
    tty?.columns ?? 0,
    tty?.rows ?? 0,
    job.wallLimitMs,
    job.cpuLimitSeconds,
    job.maxProcesses ?? 0,
    BigInt(job.maxMemoryBytes ?? 0),
    BigInt(job.maxFileBytes),
    BigInt(job.maxDiagnosticBytes),
    BigInt(job.maxOutputBytes),
    job.argv.length,
    job.environment.length,
    view.length,
    writable.length,
  );
  const body = Buffer.concat([fixed, Buffer.from(`${strings.join('\0')}\0`)]);
  if (body.length > MAX_REQUEST_BYTES) {
    return {
      unfit: `its arguments, environment and view take ${body.length} bytes of at most ${MAX_REQUEST_BYTES}`,
    };
  }
  return frame(REQUEST_TYPES.RUN, body);
}

/** A KILL request: the job answers with FAULT, unless its result is already on the way. */
export function encodeKill(job: number): Buffer {
  return frame(REQUEST_TYPES.KILL, numbers(job));
}

/** A READ request for at most {@link MAX_READ_BYTES} of the output with this index in EXITED. */
export function encodeRead(job: number, index: number, offset: number, length: number): Buffer {
  return frame(REQUEST_TYPES.READ, numbers(job, index, BigInt(offset), length));
}

/** A RELEASE request: the outputs of the job are not needed any more. */
export function encodeRelease(job: number): Buffer {
  return frame(REQUEST_TYPES.RELEASE, numbers(job));
}

/** Reads the fields of one body in order. */
class BodyReader {
  #at = 0;
  readonly #body: Buffer;

  constructor(body: Buffer) {
    this.#body = body;
  }

  u32(): number {
    return this.bytes(4).readUInt32LE();
  }

  u64(): number {
    return Number(this.bytes(8).readBigUInt64LE());
  }

  bytes(length: number): Buffer {
    if (this.#at + length > this.#body.length) throw malformed('a reply ends too early');
    this.#at += length;
    return this.#body.subarray(this.#at - length, this.#at);
  }

  string(): string {
    const end = this.#body.indexOf(0, this.#at);
    if (end < 0) throw malformed('a string has no end');
    const text = this.#body.toString('utf8', this.#at, end);
    this.#at = end + 1;
    return text;
  }
}

function malformed(what: string): MeshError {
  return new MeshError(
    'MESHCC_PROTOCOL',
    `cannot understand the job runner: ${what}. It is not of this version.`,
  );
}

function nameOfCode<Name extends string>(table: Record<Name, { code: number }>, code: number): Name {
  for (const name in table) if (table[name].code === code) return name;
  throw malformed(`unknown code ${code}`);
}

function repeat<Item>(count: number, read: () => Item): Item[] {
  return Array.from({ length: count }, read);
}

function decodeExited(body: BodyReader): ExitedReply {
  const [job, exitStatus, signal] = [body.u32(), body.u32(), body.u32()];
  const [cpuUs, maxRssKib] = [body.u64(), body.u64()];
  const [stdoutBytes, stderrBytes, outputs, irregular] = [body.u32(), body.u32(), body.u32(), body.u32()];
  return {
    type: 'exited',
    job,
    exitStatus,
    signal,
    cpuUs,
    maxRssKib,
    stdout: body.bytes(stdoutBytes),
    stderr: body.bytes(stderrBytes),
    outputs: repeat(outputs, () => ({ mode: body.u32(), sizeBytes: body.u64(), path: body.string() })),
    irregular: repeat(irregular, () => {
      const type: IrregularType = nameOfCode(IRREGULAR_TYPES, body.u32());
      return { type, path: body.string() };
    }),
  };
}

/**
 * The reply that a frame holds.
 * @throws MeshError MESHCC_PROTOCOL if it is none
 */
export function decodeReply(type: number, bytes: Buffer): RunnerReply {
  const body = new BodyReader(bytes);
  switch (type) {
    case REPLY_TYPES.READY:
      return { type: 'ready', version: body.u32(), landlock: body.u32() };
    case REPLY_TYPES.REFUSED:
      return {
        type: 'refused',
        step: nameOfCode(SETUP_STEPS, body.u32()),
        errno: body.u32(),
        detail: body.string(),
      };
    case REPLY_TYPES.EXITED:
      return decodeExited(body);
    case REPLY_TYPES.FAULT:
      return {
        type: 'fault',
        job: body.u32(),
        cause: nameOfCode(FAULT_CAUSES, body.u32()),
        detail: body.string(),
      };
    case REPLY_TYPES.DATA:
      return { type: 'data', bytes };
    default:
      throw malformed(`unknown frame type ${type}`);
  }
}

/** Cuts the runner's stdout into frames, whatever the pieces it arrives in. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #lengthBytes = 0;
  #neededBytes = HEADER_BYTES;

  /**
   * Takes the next piece of the stream.
   * @returns the replies that it completes
   * @throws MeshError MESHCC_PROTOCOL if the stream cannot be understood
   */
  push(chunk: Buffer): RunnerReply[] {
    this.#chunks.push(chunk);
    this.#lengthBytes += chunk.length;
    const replies: RunnerReply[] = [];
    while (this.#lengthBytes >= this.#neededBytes) {
      const bytes =
        this.#chunks.length === 1 && this.#chunks[0] ? this.#chunks[0] : Buffer.concat(this.#chunks);
      const end = HEADER_BYTES + bytes.readUInt32LE(0);
      this.#chunks = [bytes];
      this.#neededBytes = end;
      if (bytes.length < end) break;
      replies.push(decodeReply(bytes.readUInt32LE(4), bytes.subarray(HEADER_BYTES, end)));
      this.#chunks = [bytes.subarray(end)];
      this.#lengthBytes = bytes.length - end;
      this.#neededBytes = HEADER_BYTES;
    }
    return replies;
  }
}
