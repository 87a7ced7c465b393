/**
 * A control group per host of a test cluster: limits its CPU, and knows its processes even when they
 * left the network namespace (a confined compiler has one of its own). cgroup v1 (cpu) or v2.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { killQuietly, pauseSync } from './process-end.ts';

/** One group, or an empty stand-in where groups cannot be made. */
export interface CpuGroup {
  /** Files to write a pid into; none if there is no group. */
  readonly memberFiles: readonly string[];
  /** Kills what is in the group and removes it. */
  remove(): void;
}

const PERIOD_US = 20_000;
const V1 = '/sys/fs/cgroup/cpu';
const V2 = '/sys/fs/cgroup';
const GROUP_NAME = /^meshcc(\d+)n\d+-/;

interface Hierarchy {
  readonly root: string;
  setQuota(directory: string, cores: number): void;
}

function findHierarchy(): Hierarchy | undefined {
  if (existsSync(join(V1, 'cpu.cfs_quota_us'))) {
    return {
      root: V1,
      setQuota: (directory, cores) => {
        writeFileSync(join(directory, 'cpu.cfs_period_us'), String(PERIOD_US));
        writeFileSync(join(directory, 'cpu.cfs_quota_us'), String(Math.round(cores * PERIOD_US)));
      },
    };
  }
  const controllers = join(V2, 'cgroup.controllers');
  if (!existsSync(controllers) || !readFileSync(controllers, 'utf8').split(/\s/).includes('cpu'))
    return undefined;
  return {
    root: V2,
    setQuota: (directory, cores) => {
      writeFileSync(join(V2, 'cgroup.subtree_control'), '+cpu');
      writeFileSync(join(directory, 'cpu.max'), `${Math.round(cores * PERIOD_US)} ${PERIOD_US}`);
    },
  };
}

function members(directory: string): number[] {
  try {
    return readFileSync(join(directory, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** Kills what is in a group that we made, and removes it; a dying process keeps it for some milliseconds. */
function removeGroup(directory: string): void {
  for (let attempt = 0; attempt < 50 && existsSync(directory); attempt += 1) {
    for (const pid of members(directory)) killQuietly(pid);
    try {
      rmdirSync(directory);
    } catch {
      pauseSync(20);
    }
  }
}

/**
 * Makes a group.
 * @param cores CPU quota in cores; no limit if undefined
 * @returns a group without member files if this machine does not let us make one
 */
export function createCpuGroup(name: string, cores: number | undefined): CpuGroup {
  const hierarchy = findHierarchy();
  const directory = join(hierarchy?.root ?? V2, name);
  try {
    if (!hierarchy) return { memberFiles: [], remove: () => undefined };
    mkdirSync(directory);
    if (cores !== undefined) hierarchy.setQuota(directory, cores);
    return { memberFiles: [join(directory, 'cgroup.procs')], remove: () => removeGroup(directory) };
  } catch {
    removeGroup(directory);
    return { memberFiles: [], remove: () => undefined };
  }
}

/** Removes groups of test runs that no longer exist. */
export function removeStaleGroups(isAlive: (pid: number) => boolean): void {
  const root = findHierarchy()?.root;
  if (root === undefined) return;
  for (const name of readdirSync(root)) {
    const pid = GROUP_NAME.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) removeGroup(join(root, name));
  }
}
