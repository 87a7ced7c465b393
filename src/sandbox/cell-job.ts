/** What a cell is asked to run, and what comes back. */

/** One command. Times, sizes and counts are whole numbers; 0 means no limit for those marked so. */
export interface CellJob {
  /** Absolute path of the program in the job's view. */
  readonly executable: string;
  /** All arguments with argv[0], which for gcc must be absolute too: it finds cc1 through it. */
  readonly argv: readonly string[];
  /** `NAME=value`. A confined cell replaces TMPDIR, TMP and TEMP by {@link CELL_TEMPORARY_DIRECTORY}. */
  readonly environment: readonly string[];
  /** Absolute; must exist in the view. */
  readonly cwd: string;
  readonly umask: number;
  /**
   * Given: stderr is a pseudo-terminal of this size, so that the compiler chooses colours, links and width itself.
   * GCC asks file descriptor 0 for the width (gcc/diagnostic.cc, get_terminal_width), Clang descriptor 2: set
   * `stdinToo` if stdin was the terminal as well, else the lines of GCC are not cut.
   */
  readonly stderrTty?: { readonly columns: number; readonly rows: number; readonly stdinToo?: boolean };
  /** Wall time until the whole job is killed; 0: none. */
  readonly wallLimitMs: number;
  /** CPU time of each process: SIGXCPU then, SIGKILL a second later; 0: none. */
  readonly cpuLimitSeconds: number;
  /**
   * Processes and threads of the user whom the job belongs to, where they can be told from others'; on the rung
   * `namespaces` that is the whole cell. 0, as by default: no limit.
   */
  readonly maxProcesses?: number;
  /** Address space of each process; 0, as by default: no limit. */
  readonly maxMemoryBytes?: number;
  /** RLIMIT_FSIZE of the job; 0: none. */
  readonly maxFileBytes: number;
  /** stdout and stderr together; more ends the job. */
  readonly maxDiagnosticBytes: number;
  /** A larger file is listed as irregular and cannot be read. */
  readonly maxOutputBytes: number;
  /**
   * What the job is to see of the tree, parents included; counts only where {@link Cell.wantsView}, in other cells a
   * job sees the whole tree. Each entry is a word, a space and a canonical path. The word is `d` for a directory;
   * else, within one cell, it is another one whenever there is something else at the path.
   */
  readonly view?: readonly string[];
  /** Directories of its view (and `/`) in which the job may make files; counts where the view counts. */
  readonly writable?: readonly string[];
}

/** Where temporary files go in a confined view: a directory of the job's own that is never an output. */
export const CELL_TEMPORARY_DIRECTORY = '/.meshcc-tmp';

/** A regular file that a job wrote. It stays in the scratch until the result is released. */
export interface CellOutput {
  /** Absolute path in the job's view. */
  readonly path: string;
  /** Permission bits. */
  readonly mode: number;
  readonly sizeBytes: number;
  /**
   * Bytes of the file, fewer than `length` at its end. Not held anywhere: ask for the next piece when this one is
   * written down.
   * @throws MeshError MESHCC_SANDBOX after the release or if the runner has died
   */
  read(offset: number, length: number): Promise<Buffer>;
}

/** Something that a job left and that is not a file of its own to be taken. */
export interface IrregularOutput {
  readonly path: string;
  readonly type: IrregularType;
}

/** Result of {@link Cell.run}. `fault`: the command's own outcome is unknown or worth nothing. */
export type CellResult = CellExit | CellFault;

export interface CellExit {
  readonly kind: 'exited';
  /** 0 if it died by a signal. */
  readonly exitStatus: number;
  /** Number of the signal it died by, 0 for none. */
  readonly signal: number;
  /** User and system time of the command and of all children it waited for. */
  readonly cpuUs: number;
  /** Largest resident set of any of them. */
  readonly maxRssKib: number;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  readonly outputs: readonly CellOutput[];
  readonly irregular: readonly IrregularOutput[];
  /** Frees the scratch of the job; needed once per result, harmless again. */
  release(): void;
}

export interface CellFault {
  readonly kind: 'fault';
  readonly cause: FaultCause;
  /** For people. */
  readonly detail: string;
}

/** Why a job has no outcome. `code` is that of the FAULT frame; 0: the agent's side finds out itself. */
export const FAULT_CAUSES = {
  'wall-limit': { code: 1, meaning: 'it ran longer than wallLimitMs' },
  'diagnostics-too-large': { code: 2, meaning: 'it printed more than maxDiagnosticBytes' },
  'setup-failed': { code: 3, meaning: 'the view or the command could not be started' },
  killed: { code: 4, meaning: 'the agent aborted it' },
  'too-many-outputs': { code: 5, meaning: 'it left more files or deeper directories than a compile does' },
  'too-many-jobs': {
    code: 6,
    meaning:
      'the runner holds 256 jobs that run or wait for their release, or still removes what four jobs left',
  },
  'scratch-full': { code: 7, meaning: 'it wrote more than the scratch of its cell may hold' },
  'runner-lost': { code: 0, meaning: 'the runner ended, and the job with it' },
} as const satisfies Record<string, { code: number; meaning: string }>;

export type FaultCause = keyof typeof FAULT_CAUSES;

/** What an output can be instead of a regular file; `code` is that of the EXITED frame. */
export const IRREGULAR_TYPES = {
  symlink: { code: 1, meaning: 'a symbolic link' },
  fifo: { code: 2, meaning: 'a named pipe' },
  socket: { code: 3, meaning: 'a socket' },
  device: { code: 4, meaning: 'a device or something unknown' },
  whiteout: { code: 5, meaning: 'the removal of a file that the tree has' },
  'hard-linked': { code: 6, meaning: 'a regular file with a second name' },
  'too-large': { code: 7, meaning: 'a regular file of more than maxOutputBytes' },
} as const satisfies Record<string, { code: number; meaning: string }>;

export type IrregularType = keyof typeof IRREGULAR_TYPES;
