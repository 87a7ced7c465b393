/**
 * A control group per host of a test cluster: limits its CPU, counts what it used, and knows its processes even
 * when they left the network namespace (a confined compiler has one of its own). cgroup v1 (cpu, cpuacct) or v2.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { killQuietly, pauseSync } from './process-end.ts';

/** What a group used since it was made. */
export interface CpuUsage {
  /** User and system time of all its processes, past ones included. */
  readonly cpuSeconds: number;
  /** How long its processes were kept from running because the quota was used up. */
  readonly throttledSeconds: number;
}

/** One group, or an empty stand-in where groups cannot be made. */
export interface CpuGroup {
  /** Files to write a pid into; none if there is no group. */
  readonly memberFiles: readonly string[];
  /** @throws Error if there is no group */
  usage(): CpuUsage;
  /** Kills what is in the group and removes it. */
  remove(): void;
}

const PERIOD_US = 20_000;
const V1_CPU = '/sys/fs/cgroup/cpu';
const V1_ACCOUNT = '/sys/fs/cgroup/cpuacct';
const V2 = '/sys/fs/cgroup';
const GROUP_NAME = /^meshcc(\d+)n\d+-/;

/** One version of the kernel's interface. A group is one directory below each root; the first has the quota. */
interface Hierarchy {
  readonly roots: readonly string[];
  setQuota(directory: string, cores: number): void;
  usage(directories: readonly string[]): CpuUsage;
}

/** A value of a file such as cpu.stat, whose lines are a name and a number. */
function valueIn(file: string, name: string): number {
  const line = new RegExp(`^${name} (\\d+)$`, 'm').exec(readFileSync(file, 'utf8'));
  return Number(line?.[1] ?? 0);
}

const VERSION_1: Hierarchy = {
  get roots() {
    // Distributions mount the two apart, or together under both names.
    const isOne = !existsSync(V1_ACCOUNT) || realpathSync(V1_CPU) === realpathSync(V1_ACCOUNT);
    return isOne ? [V1_CPU] : [V1_CPU, V1_ACCOUNT];
  },
  setQuota: (directory, cores) => {
    writeFileSync(join(directory, 'cpu.cfs_period_us'), String(PERIOD_US));
    writeFileSync(join(directory, 'cpu.cfs_quota_us'), String(Math.round(cores * PERIOD_US)));
  },
  usage: ([cpu = '', account = cpu]) => ({
    cpuSeconds: Number(readFileSync(join(account, 'cpuacct.usage'), 'utf8')) / 1e9,
    throttledSeconds: valueIn(join(cpu, 'cpu.stat'), 'throttled_time') / 1e9,
  }),
};

const VERSION_2: Hierarchy = {
  roots: [V2],
  setQuota: (directory, cores) => {
    writeFileSync(join(V2, 'cgroup.subtree_control'), '+cpu');
    writeFileSync(join(directory, 'cpu.max'), `${Math.round(cores * PERIOD_US)} ${PERIOD_US}`);
  },
  usage: ([directory = '']) => ({
    cpuSeconds: valueIn(join(directory, 'cpu.stat'), 'usage_usec') / 1e6,
    throttledSeconds: valueIn(join(directory, 'cpu.stat'), 'throttled_usec') / 1e6,
  }),
};

function findHierarchy(): Hierarchy | undefined {
  if (existsSync(join(V1_CPU, 'cpu.cfs_quota_us'))) return VERSION_1;
  const controllers = join(V2, 'cgroup.controllers');
  const hasCpu = existsSync(controllers) && readFileSync(controllers, 'utf8').split(/\s/).includes('cpu');
  return hasCpu ? VERSION_2 : undefined;
}

function members(directory: string): number[] {
  try {
    return readFileSync(join(directory, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** Kills what is in a group that we made, and removes it; a dying process keeps it for some milliseconds. */
function removeGroup(directories: readonly string[]): void {
  for (const directory of directories) {
    for (let attempt = 0; attempt < 50 && existsSync(directory); attempt += 1) {
      for (const pid of members(directory)) killQuietly(pid);
      try {
        rmdirSync(directory);
      } catch {
        pauseSync(20);
      }
    }
  }
}

const NO_GROUP: CpuGroup = {
  memberFiles: [],
  usage: () => {
    throw new Error('this machine does not let us make control groups, so CPU time cannot be counted');
  },
  remove: () => undefined,
};

/**
 * Makes a group.
 * @param cores CPU quota in cores; no limit if undefined
 * @returns a group without member files if this machine does not let us make one
 */
export function createCpuGroup(name: string, cores: number | undefined): CpuGroup {
  const hierarchy = findHierarchy();
  if (!hierarchy) return NO_GROUP;
  const directories = hierarchy.roots.map((root) => join(root, name));
  try {
    for (const directory of directories) mkdirSync(directory);
    if (cores !== undefined) hierarchy.setQuota(directories[0]!, cores);
    return {
      memberFiles: directories.map((directory) => join(directory, 'cgroup.procs')),
      usage: () => hierarchy.usage(directories),
      remove: () => removeGroup(directories),
    };
  } catch {
    removeGroup(directories);
    return NO_GROUP;
  }
}

/** Removes groups of test runs that no longer exist. */
export function removeStaleGroups(isAlive: (pid: number) => boolean): void {
  for (const root of findHierarchy()?.roots ?? []) {
    for (const name of readdirSync(root)) {
      const pid = GROUP_NAME.exec(name)?.[1];
      if (pid !== undefined && !isAlive(Number(pid))) removeGroup([join(root, name)]);
    }
  }
}
