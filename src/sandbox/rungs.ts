/** The ladder: how a job can be confined, strongest first. docs/security.md holds each promise to a test. */

/** One rung. */
interface RungRow {
  /** Whom a worker may serve on it: every member of its mesh, or only nodes that its owner has named. */
  readonly serves: 'members' | 'named nodes';
  /** What a machine needs for it. */
  readonly needs: string;
  /** What stands between a job and the machine. */
  readonly walls: string;
  /** What is weaker than on the rung above. */
  readonly weaker: string;
}

/** The rungs on which jobs of others are run. Every one keeps the submitter's absolute paths. */
export const RUNGS = {
  namespaces: {
    serves: 'members',
    needs: 'user namespaces and overlayfs (Linux 5.11 or later), or root',
    walls:
      'a root of its own (the submitter’s tree below a private overlay in memory), PID, network, IPC, UTS and mount namespaces, a system-call filter, no capability, Landlock where the kernel has it, limits',
    weaker: '',
  },
  chroot: {
    serves: 'members',
    needs: 'root that may change the root, the user and make devices, as in an ordinary container',
    walls:
      'a root of its own (links to what the job lists), a user of its own for each job, a system-call filter, no capability, Landlock where the kernel has it, limits',
    weaker:
      'no namespaces: the kernel’s tables of processes are shared, though nobody in them can be signalled or traced; scratch is on the worker’s disk, and its bound is enforced four times a second',
  },
  uid: {
    serves: 'named nodes',
    needs: 'the same on a kernel without system-call filters',
    walls: 'as `chroot`, without the system-call filter',
    weaker: 'the network of the machine, and every interface of its kernel that an ordinary user may use',
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
