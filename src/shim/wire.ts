/**
 * Codec of the frames between the gcc shim and the agent: u32 type, u32 payload length, payload,
 * all little-endian. What the frames mean: frames.ts, docs/shim-protocol.md.
 */
import { MeshError } from '../base/errors.ts';
import {
  MAX_DIAGNOSTIC_BYTES,
  MAX_FRAME_BYTES,
  SHIM_FRAMES,
  SHIM_LOCAL_CAUSES,
  type ShimFrameName,
  type ShimLocalCause,
} from './frames.ts';
import { encodeRequestPayload, type ShimRequest } from './request.ts';

/** A whole frame. */
export interface ShimFrame {
  readonly name: ShimFrameName;
  readonly payload: Buffer;
}

const HEADER_BYTES = 8;
const NAME_BY_ID = new Map<number, ShimFrameName>(
  Object.entries(SHIM_FRAMES).map(([name, kind]) => [kind.id, name as ShimFrameName]),
);
const CAUSE_BY_ID = new Map<number, ShimLocalCause>(
  Object.entries(SHIM_LOCAL_CAUSES).map(([name, cause]) => [cause.id, name as ShimLocalCause]),
);

function protocolError(problem: string): MeshError {
  return new MeshError(
    'MESHCC_PROTOCOL',
    `a frame on the shim socket could not be read: ${problem}. The connection is closed and the shim compiles locally; install the shims again if they are of another version.`,
  );
}

/**
 * Cuts a byte stream into frames. Memory: what is announced, up to `maxPayloadBytes`, as it arrives.
 * A payload that lies within one chunk is a view of it, not a copy.
 */
export class ShimFrameDecoder {
  readonly #maxPayloadBytes: number;
  #chunks: Buffer[] = [];
  #heldBytes = 0;
  #neededBytes = HEADER_BYTES;

  /** @param maxPayloadBytes a frame that announces more is an error */
  constructor(maxPayloadBytes: number = MAX_FRAME_BYTES) {
    this.#maxPayloadBytes = maxPayloadBytes;
  }

  /** True between frames: an end of the stream here cuts none. */
  get isIdle(): boolean {
    return this.#heldBytes === 0;
  }

  /**
   * Takes the next bytes and returns the frames that they complete.
   * @throws MeshError MESHCC_PROTOCOL on an unknown type or a payload that is too long; the decoder is done then
   */
  push(chunk: Buffer): ShimFrame[] {
    this.#chunks.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.#heldBytes < this.#neededBytes) return [];
    let bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks, this.#heldBytes);
    const frames: ShimFrame[] = [];
    for (;;) {
      this.#neededBytes = HEADER_BYTES;
      if (bytes.length < HEADER_BYTES) break;
      const { name, length } = this.#readHeader(bytes);
      this.#neededBytes = HEADER_BYTES + length;
      if (bytes.length < this.#neededBytes) break;
      frames.push({ name, payload: bytes.subarray(HEADER_BYTES, this.#neededBytes) });
      bytes = bytes.subarray(this.#neededBytes);
    }
    this.#chunks = bytes.length > 0 ? [bytes] : [];
    this.#heldBytes = bytes.length;
    return frames;
  }

  #readHeader(bytes: Buffer): { name: ShimFrameName; length: number } {
    const id = bytes.readUInt32LE(0);
    const length = bytes.readUInt32LE(4);
    const name = NAME_BY_ID.get(id);
    if (name === undefined) throw protocolError(`there is no frame of type ${id}`);
    if (length > this.#maxPayloadBytes) {
      throw protocolError(`${name} announces ${length} bytes, and ${this.#maxPayloadBytes} are allowed`);
    }
    return { name, length };
  }
}

function frameHeader(name: ShimFrameName, payloadBytes: number, extraBytes = 0): Buffer {
  const header = Buffer.allocUnsafe(HEADER_BYTES + extraBytes);
  header.writeUInt32LE(SHIM_FRAMES[name].id, 0);
  header.writeUInt32LE(payloadBytes, 4);
  return header;
}

function encodeFrame(name: ShimFrameName, payload: Uint8Array): Buffer {
  return Buffer.concat([frameHeader(name, payload.length), payload]);
}

function encodeNumberFrame(name: ShimFrameName, number: number): Buffer {
  const frame = frameHeader(name, 4, 4);
  frame.writeUInt32LE(number, HEADER_BYTES);
  return frame;
}

/** ACCEPTED: sent every HEARTBEAT_MS while the job is pending. */
export function encodeAccepted(): Buffer {
  return frameHeader('ACCEPTED', 0);
}

/** RUN_LOCAL: the shim becomes the real compiler, and the connection its local slot. */
export function encodeRunLocal(reason: string, detail: string): Buffer {
  return encodeFrame('RUN_LOCAL', Buffer.from(`${reason}\0${detail}\0`));
}

/** An output that the shim is to write. */
export interface ShimOutput {
  /** Position among the outputs of this attempt, from 0; renames follow this order. */
  readonly index: number;
  readonly sizeBytes: number;
  /** Absolute. */
  readonly finalPath: string;
  /** Absolute, in the directory of finalPath, and not there yet. */
  readonly temporaryPath: string;
}

/** OUTPUT_BEGIN: the shim makes the temporary file. */
export function encodeOutputBegin(output: ShimOutput): Buffer {
  const paths = Buffer.from(`${output.finalPath}\0${output.temporaryPath}\0`);
  const head = Buffer.allocUnsafe(12);
  head.writeUInt32LE(output.index, 0);
  head.writeBigUInt64LE(BigInt(output.sizeBytes), 4);
  return encodeFrame('OUTPUT_BEGIN', Buffer.concat([head, paths]));
}

/** The first 12 bytes of an OUTPUT_DATA frame; `dataBytes` bytes of the output must be written right after it. */
export function encodeOutputDataHeader(index: number, dataBytes: number): Buffer {
  const frame = frameHeader('OUTPUT_DATA', 4 + dataBytes, 4);
  frame.writeUInt32LE(index, HEADER_BYTES);
  return frame;
}

/** OUTPUT_DATA in one piece, for small data: the bytes are copied. */
export function encodeOutputData(index: number, data: Uint8Array): Buffer {
  return Buffer.concat([encodeOutputDataHeader(index, data.length), data]);
}

/** DISCARD: the shim forgets this attempt. */
export function encodeDiscard(): Buffer {
  return frameHeader('DISCARD', 0);
}

function encodeDiagnostics(name: 'STDOUT' | 'STDERR', bytes: Uint8Array): Buffer {
  if (bytes.length > MAX_DIAGNOSTIC_BYTES) {
    throw protocolError(
      `${bytes.length} bytes of ${name}, and a shim takes ${MAX_DIAGNOSTIC_BYTES}; run it locally`,
    );
  }
  return encodeFrame(name, bytes);
}

/**
 * STDOUT: printed by the shim after the commit.
 * @throws MeshError MESHCC_PROTOCOL if it is more than a shim takes
 */
export function encodeStdout(bytes: Uint8Array): Buffer {
  return encodeDiagnostics('STDOUT', bytes);
}

/**
 * STDERR: printed by the shim after the commit, behind standard output.
 * @throws MeshError MESHCC_PROTOCOL if it is more than a shim takes
 */
export function encodeStderr(bytes: Uint8Array): Buffer {
  return encodeDiagnostics('STDERR', bytes);
}

/** COMMIT. @param exitStatus 0 to 255 */
export function encodeCommit(exitStatus: number): Buffer {
  return encodeNumberFrame('COMMIT', exitStatus);
}

/** REQUEST, as the C shim would send it. */
export function encodeRequest(request: Omit<ShimRequest, 'isFaithful'>): Buffer {
  return encodeFrame('REQUEST', encodeRequestPayload(request));
}

/** COMMITTED: every output is at its final path. */
export function encodeCommitted(): Buffer {
  return frameHeader('COMMITTED', 0);
}

/** LOCAL: the shim leaves the agent's hands. */
export function encodeLocal(cause: ShimLocalCause, detail: string): Buffer {
  const head = Buffer.allocUnsafe(4);
  head.writeUInt32LE(SHIM_LOCAL_CAUSES[cause].id, 0);
  return encodeFrame('LOCAL', Buffer.concat([head, Buffer.from(detail)]));
}

/**
 * Reads the payload of a LOCAL.
 * @throws MeshError MESHCC_PROTOCOL if the cause is unknown
 */
export function decodeLocal(payload: Buffer): { cause: ShimLocalCause; detail: string } {
  const cause = payload.length < 4 ? undefined : CAUSE_BY_ID.get(payload.readUInt32LE(0));
  if (cause === undefined) throw protocolError('LOCAL has no known cause');
  return { cause, detail: payload.toString('utf8', 4) };
}

/**
 * Reads the payload of an OUTPUT_BEGIN.
 * @throws MeshError MESHCC_PROTOCOL if it is malformed
 */
export function decodeOutputBegin(payload: Buffer): ShimOutput {
  const [finalPath, temporaryPath, rest] = payload.toString('utf8', 12).split('\0');
  if (payload.length < 12 || !finalPath?.startsWith('/') || !temporaryPath?.startsWith('/') || rest !== '') {
    throw protocolError('OUTPUT_BEGIN needs two absolute paths');
  }
  const sizeBytes = Number(payload.readBigUInt64LE(4));
  return { index: payload.readUInt32LE(0), sizeBytes, finalPath, temporaryPath };
}
