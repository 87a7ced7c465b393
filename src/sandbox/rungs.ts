/** The ladder: how a job can be confined, strongest first. docs/security.md holds each promise to a test. */

/** What can stand between a job and the machine: each is a promise, and docs/security.md names the tests of each. */
export const WALLS = {
  sight:
    'it sees the files of its submitter, those of the compiler and `/dev/null`, at the submitter’s paths: no `/proc`, `/sys`, `/etc` or home of the worker, nothing of other submitters',
  inputs: 'what it was given to read it cannot change, and what it writes no other job sees',
  outputs:
    'what it leaves is taken only if it is a plain file of its own with one name, and not too large; no link of it is followed',
  processes: 'it signals and traces no process but its own, and none of these outlives it',
  privileges:
    'no capability, no set-user-id program, no way to get a privilege; its files and processes are nobody else’s',
  network: 'it reaches no network, no server of this machine and no socket of another process',
  calls: 'system calls that no compiler needs do not exist for it',
  tables: 'the kernel’s tables of processes, networks and IPC are its own',
  limits:
    'wall time, CPU time, memory, processes, open files, size of a file, diagnostics and number of outputs are bounded',
  scratch: 'all that it writes is bounded',
} as const satisfies Record<string, string>;

export type Wall = keyof typeof WALLS;

/** One rung. */
interface RungRow {
  /** Whom a worker may serve on it: every member of its mesh, or only nodes that its owner has named. */
  readonly serves: 'members' | 'named nodes';
  /** What a machine needs for it. */
  readonly needs: string;
  /** How each wall is built; undefined: there is none. */
  readonly walls: Readonly<Record<Wall, string | undefined>>;
}

const LINKED_WALLS = {
  sight: 'a root of links to what the job lists',
  inputs: 'it owns none of them; its directories are emptied after it',
  outputs: 'the runner looks, when the job is dead',
  processes: 'a user of its own for each job, Landlock',
  privileges: 'that user, and none of root’s capabilities',
  tables: undefined,
  limits:
    'limits of processes and of the job’s user, the runner’s clock, control groups where they can be made',
  scratch:
    'each file by a limit of the kernel; all together on the worker’s disk, looked at four times a second, and at its end',
} as const;

/** The rungs on which jobs of others are run. Every one keeps the submitter’s absolute paths. */
export const RUNGS = {
  namespaces: {
    serves: 'members',
    needs: 'user namespaces and overlayfs (Linux 5.11 or later), or root',
    walls: {
      sight: 'the submitter’s tree, mounted as the root, Landlock',
      inputs: 'a private overlay in memory',
      outputs: 'the runner looks, when the job is dead',
      processes: 'a PID namespace for each job, which dies with it',
      privileges: 'a user namespace, or a user of the agent’s own if it is root; no capability',
      network: 'an empty network namespace, and no sockets',
      calls: 'a filter (seccomp)',
      tables: 'PID, network, IPC, UTS and mount namespaces',
      limits: 'limits of processes, the runner’s clock, control groups where they can be made',
      scratch: 'a tmpfs of a fixed size for all jobs of a submitter',
    },
  },
  chroot: {
    serves: 'members',
    needs: 'root that may change the root, the user and make devices, as in an ordinary container',
    walls: { ...LINKED_WALLS, network: 'no sockets', calls: 'a filter (seccomp)' },
  },
  uid: {
    serves: 'named nodes',
    needs: 'the same on a kernel without system-call filters',
    walls: { ...LINKED_WALLS, network: undefined, calls: undefined },
  },
} as const satisfies Record<string, RungRow>;

export type Rung = keyof typeof RUNGS;

/** The rungs, strongest first. */
export const RUNG_NAMES = Object.keys(RUNGS) as Rung[];

/** How the runner sets a rung up. */
export type RunnerVariant = 'namespaces-user' | 'namespaces-host' | 'chroot' | 'uid';

/** A way to confine that works on this machine, as {@link probeConfinement} found it. */
export interface Sandbox {
  readonly rung: Rung;
  readonly variant: RunnerVariant;
  /**
   * User and group of confined processes if the agent is root, else 0 (they are the agent's own). On the rungs
   * `chroot` and `uid` it is the first of a range of which each job has one. On the rung `namespaces` the
   * directories of a tree must belong to it.
   */
  readonly owner: number;
  /** Version of Landlock that confines them too, 0 for none. */
  readonly landlock: number;
}
