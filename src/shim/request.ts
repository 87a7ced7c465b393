/** The REQUEST frame: one compiler call as the shim saw it. Layout: docs/shim-protocol.md. */
import { isUtf8 } from 'node:buffer';
import { MeshError } from '../base/errors.ts';
import { SHIM_PROTOCOL_VERSION } from './frames.ts';

/** A compiler call. */
export interface ShimRequest {
  /** The real compiler: absolute, symbolic links not resolved. */
  readonly compiler: string;
  /** The name that the user called, e.g. `gcc`. */
  readonly name: string;
  readonly cwd: string;
  /** Without argv[0]. */
  readonly args: readonly string[];
  /** Only variables that a compile depends on, and only those that are set. */
  readonly env: Readonly<Record<string, string>>;
  /** Mode bits that new files must not have, e.g. 0o022. */
  readonly umask: number;
  readonly pid: number;
  readonly stdoutIsTerminal: boolean;
  readonly stdinIsTerminal: boolean;
  readonly stderrIsTerminal: boolean;
  /** Size of the terminal behind standard error; 0 if there is none. */
  readonly columns: number;
  readonly rows: number;
  /** False if some text was not UTF-8: the strings here are then not what the user wrote. */
  readonly isFaithful: boolean;
}

const HEADER_BYTES = 32;
const STDERR_IS_TERMINAL = 1;
const STDOUT_IS_TERMINAL = 2;
const STDIN_IS_TERMINAL = 4;

function protocolError(problem: string): MeshError {
  return new MeshError(
    'MESHCC_PROTOCOL',
    `a compiler call could not be read: ${problem}. Is the shim of another version? Install it again.`,
  );
}

function splitAssignments(assignments: readonly string[]): Record<string, string> {
  const env: Record<string, string> = Object.create(null);
  for (const assignment of assignments) {
    const at = assignment.indexOf('=');
    if (at < 1) throw protocolError('a variable has no name');
    env[assignment.slice(0, at)] = assignment.slice(at + 1);
  }
  return env;
}

/**
 * Reads the payload of a REQUEST.
 * @throws MeshError MESHCC_PROTOCOL if it has another version or is malformed
 */
export function decodeRequest(payload: Buffer): ShimRequest {
  if (payload.length < HEADER_BYTES) throw protocolError(`${payload.length} bytes are too few`);
  const version = payload.readUInt32LE(0);
  if (version !== SHIM_PROTOCOL_VERSION) {
    throw protocolError(`it has protocol version ${version}, and this agent speaks ${SHIM_PROTOCOL_VERSION}`);
  }
  const flags = payload.readUInt32LE(4);
  const argumentCount = payload.readUInt32LE(24);
  const variableCount = payload.readUInt32LE(28);
  const text = payload.subarray(HEADER_BYTES);
  const [compiler, name, cwd, ...strings] = text.toString('utf8').split('\0');
  if (strings.pop() !== '' || strings.length !== argumentCount + variableCount) {
    throw protocolError(
      `${argumentCount} arguments and ${variableCount} variables were announced, and ${strings.length} strings came`,
    );
  }
  if (!compiler?.startsWith('/') || !name || !cwd?.startsWith('/')) {
    throw protocolError('the compiler and the working directory must be absolute paths');
  }
  return {
    compiler,
    name,
    cwd,
    args: strings.slice(0, argumentCount),
    env: splitAssignments(strings.slice(argumentCount)),
    umask: payload.readUInt32LE(8),
    pid: payload.readUInt32LE(12),
    stdoutIsTerminal: (flags & STDOUT_IS_TERMINAL) !== 0,
    stdinIsTerminal: (flags & STDIN_IS_TERMINAL) !== 0,
    stderrIsTerminal: (flags & STDERR_IS_TERMINAL) !== 0,
    columns: payload.readUInt32LE(16),
    rows: payload.readUInt32LE(20),
    isFaithful: isUtf8(text),
  };
}

/** The payload of a REQUEST, as the C shim would write it. */
export function encodeRequestPayload(request: Omit<ShimRequest, 'isFaithful'>): Buffer {
  const variables = Object.entries(request.env).map(([key, value]) => `${key}=${value}`);
  const strings = [request.compiler, request.name, request.cwd, ...request.args, ...variables];
  const header = Buffer.alloc(HEADER_BYTES);
  const flags =
    (request.stderrIsTerminal ? STDERR_IS_TERMINAL : 0) |
    (request.stdoutIsTerminal ? STDOUT_IS_TERMINAL : 0) |
    (request.stdinIsTerminal ? STDIN_IS_TERMINAL : 0);
  const numbers = [
    SHIM_PROTOCOL_VERSION,
    flags,
    request.umask,
    request.pid,
    request.columns,
    request.rows,
    request.args.length,
    variables.length,
  ];
  numbers.forEach((number, index) => {
    header.writeUInt32LE(number, index * 4);
  });
  return Buffer.concat([header, Buffer.from(strings.map((string) => `${string}\0`).join(''))]);
}
