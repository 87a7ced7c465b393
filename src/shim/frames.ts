/**
 * The frames between the gcc shim and the agent, and the words that the shim uses for its own decisions:
 * the tables behind the codec (wire.ts), the C program (meshcc-shim.c) and docs/shim-protocol.md.
 */

/** What a shim writes as version, and the only one that an agent of this version understands. */
export const SHIM_PROTOCOL_VERSION = 1;

/**
 * The longest payload. A longer REQUEST is refused by the agent, which closes the connection so that the shim
 * compiles locally; an agent cuts longer output data into several frames.
 */
export const MAX_FRAME_BYTES = 64 * 1024 * 1024;

/** The longest RUN_LOCAL or OUTPUT_BEGIN text that a shim takes. */
export const MAX_TEXT_BYTES = 64 * 1024;

/** The most bytes of STDOUT, and of STDERR, that a shim holds back for one call. */
export const MAX_DIAGNOSTIC_BYTES = 64 * 1024 * 1024;

/** The most outputs of one call. */
export const MAX_OUTPUTS = 32;

/** An agent writes ACCEPTED this often while a job is pending. */
export const HEARTBEAT_MS = 3_000;

/** A shim that hears nothing for this long compiles locally. */
export const STALL_MS = 10_000;

interface FrameKind {
  readonly id: number;
  readonly from: 'shim' | 'agent';
  /** Layout after the eight bytes of type and length; all integers are little-endian. */
  readonly payload: string;
  readonly meaning: string;
}

/** Every frame. */
export const SHIM_FRAMES = {
  REQUEST: {
    id: 1,
    from: 'shim',
    payload: 'see below',
    meaning: 'the call; the first frame, and the only one of its kind',
  },
  COMMITTED: {
    id: 2,
    from: 'shim',
    payload: 'empty',
    meaning: 'every output is at its final path',
  },
  LOCAL: {
    id: 3,
    from: 'shim',
    payload: 'u32 cause, text to the end of the frame',
    meaning: 'the shim compiles here, or dies of a signal; no temporary file is left',
  },
  ACCEPTED: {
    id: 16,
    from: 'agent',
    payload: 'empty',
    meaning: 'the heartbeat: the request was understood and is pending',
  },
  RUN_LOCAL: {
    id: 17,
    from: 'agent',
    payload: 'reason id NUL detail NUL',
    meaning: 'compile here; the connection stays open as the local slot until the compiler ends',
  },
  OUTPUT_BEGIN: {
    id: 18,
    from: 'agent',
    payload: 'u32 index, u64 size in bytes, final path NUL temporary path NUL',
    meaning: 'an output follows; indices count from 0, both paths are absolute and in one directory',
  },
  OUTPUT_DATA: {
    id: 19,
    from: 'agent',
    payload: 'u32 index, bytes',
    meaning: 'the next bytes of that output',
  },
  DISCARD: {
    id: 20,
    from: 'agent',
    payload: 'empty',
    meaning: 'forget outputs and diagnostics so far: another attempt follows, and numbers its outputs from 0',
  },
  STDOUT: {
    id: 21,
    from: 'agent',
    payload: 'bytes',
    meaning: 'standard output of the compiler, held back until the commit',
  },
  STDERR: {
    id: 22,
    from: 'agent',
    payload: 'bytes',
    meaning: 'standard error of the compiler, held back until the commit',
  },
  COMMIT: {
    id: 23,
    from: 'agent',
    payload: 'u32 exit status, 0 to 255',
    meaning: 'the result is whole: put it in place, print, exit with the status',
  },
} as const satisfies Record<string, FrameKind>;

export type ShimFrameName = keyof typeof SHIM_FRAMES;

/** Why a shim sent LOCAL. */
export const SHIM_LOCAL_CAUSES = {
  OUTPUT: {
    id: 1,
    meaning: 'an output could not be written or put in place; the connection stays open as local slot',
  },
  STALLED: { id: 2, meaning: 'nothing was heard from the agent for ten seconds' },
  PROTOCOL: { id: 3, meaning: 'the agent sent something that the protocol does not allow' },
  INTERRUPTED: { id: 4, meaning: 'SIGINT, SIGTERM, SIGHUP or SIGQUIT came; the shim dies of it' },
} as const;

export type ShimLocalCause = keyof typeof SHIM_LOCAL_CAUSES;

/** The reasons to compile locally that the shim finds itself; those of RUN_LOCAL are the agent's. */
export const SHIM_REASONS = {
  disabled: 'MESHCC_DISABLE is set',
  'no-cwd': 'the working directory cannot be told',
  'no-agent': 'no agent listens on the socket',
  'stdio-closed': 'standard input, output or error is closed, so a socket could be taken for it',
  'agent-unsafe': 'the socket or its directory is not this user’s alone',
  'agent-lost': 'the agent closed the connection before the result was whole',
  'agent-stalled': 'nothing was heard from the agent for ten seconds',
  'agent-protocol': 'the agent sent something that the protocol does not allow',
  'output-write-failed': 'an output could not be written or put in place',
  'output-not-regular': 'an output path holds something else than a plain, writable file with one link',
  'shim-memory': 'the shim ran out of memory',
} as const;

export type ShimReason = keyof typeof SHIM_REASONS;
