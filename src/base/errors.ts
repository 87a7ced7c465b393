/** Errors that a person or a caller acts on: a stable code, and a message that says what to do next. */

/** Every code that a {@link MeshError} can carry. Stable: scripts may match on it. */
export const MESH_ERROR_CODES = {
  MESHCC_BAD_CONFIG: 'a setting or an option has a value that cannot be used',
  MESHCC_AGENT_UNREACHABLE: 'no agent answers on the control socket',
  MESHCC_AGENT_RUNNING: 'another agent of this user already runs in the same state directory',
  MESHCC_SOCKET_UNSAFE: 'the socket directory can be entered by another user',
  MESHCC_NATIVE_BUILD: 'a native helper could not be compiled on this machine',
  MESHCC_IDENTITY: 'the key or certificate of this node is missing or damaged',
  MESHCC_PAIRING: 'a node could not be admitted to a mesh',
  MESHCC_PEER: 'a connection to another node failed',
  MESHCC_PROTOCOL: 'the other side sent something that the protocol does not allow',
  MESHCC_STORE: 'the content store could not read or write',
  MESHCC_SANDBOX: 'a confined process could not be prepared or started',
  MESHCC_COMPILER: 'a compiler could not be found or asked about itself',
} as const;

export type MeshErrorCode = keyof typeof MESH_ERROR_CODES;

/** A failure with a stable code. The message says what was attempted, what happened and what to do next. */
export class MeshError extends Error {
  readonly code: MeshErrorCode;

  constructor(code: MeshErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'MeshError';
    this.code = code;
  }
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The errno name (`ENOENT`, …) of a thrown system error, or undefined. */
export function errnoOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
