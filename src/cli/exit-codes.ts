/** What the exit status of `meshcc` means; a wrapped compiler or build command passes its own status through. */
import type { MeshErrorCode } from '../base/errors.ts';

/** Values from sysexits.h where one fits. */
export const EXIT_CODES = {
  ok: { status: 0, text: 'done' },
  notSo: { status: 1, text: 'the thing asked about is not so' },
  usage: { status: 64, text: 'the command line is wrong' },
  unavailable: { status: 69, text: 'no agent, or no other node, answers' },
  internal: { status: 70, text: 'a defect of meshcc itself' },
  cannotCreate: { status: 73, text: 'a file or a native helper cannot be made' },
  tryAgain: { status: 75, text: 'another agent runs already' },
  protocol: { status: 76, text: 'the other side speaks another protocol' },
  notPermitted: { status: 77, text: 'identity or pairing forbids it' },
  config: { status: 78, text: 'a setting cannot be used' },
} as const;

const BY_ERROR: Record<MeshErrorCode, keyof typeof EXIT_CODES> = {
  MESHCC_BAD_CONFIG: 'config',
  MESHCC_AGENT_UNREACHABLE: 'unavailable',
  MESHCC_AGENT_RUNNING: 'tryAgain',
  MESHCC_SOCKET_UNSAFE: 'notPermitted',
  MESHCC_NATIVE_BUILD: 'cannotCreate',
  MESHCC_IDENTITY: 'notPermitted',
  MESHCC_PAIRING: 'notPermitted',
  MESHCC_PEER: 'unavailable',
  MESHCC_PROTOCOL: 'protocol',
  MESHCC_STORE: 'cannotCreate',
  MESHCC_SANDBOX: 'cannotCreate',
  MESHCC_COMPILER: 'unavailable',
};

/** The exit status for an error. */
export function exitCodeOf(code: MeshErrorCode): number {
  return EXIT_CODES[BY_ERROR[code]].status;
}
