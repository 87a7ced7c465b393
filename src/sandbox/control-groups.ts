/**
 * Control groups around the cells of submitters, where the agent may make them: as root, or below what systemd has
 * delegated to its user or unit. They bound what no limit of single processes can: the memory, the number and the
 * processor time of all jobs of one submitter together. cgroup v1 and v2 (Documentation/admin-guide/cgroup-v1 and
 * cgroup-v2.rst of the kernel).
 */
import { accessSync, constants, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errnoOf, messageOf } from '../base/errors.ts';
import { type CgroupMounts, cgroupMountsOf, readIfThere } from './cgroup-mounts.ts';

/** What the jobs of one submitter may use together. */
export interface GroupLimits {
  readonly memoryBytes: number;
  readonly processes: number;
  /** Processors' worth of time. */
  readonly processors: number;
}

/** One group. */
export interface ControlGroup {
  /** Files that a process writes 0 to, to become a member. */
  readonly members: readonly string[];
  /** Kills what is left in it, where the kernel can do that, and removes it. Never rejects. */
  remove(): Promise<void>;
}

export interface ControlGroups {
  /** For people: what is bounded, and by which version. */
  readonly detail: string;
  /** @throws Error if the kernel refuses a further group */
  open(): ControlGroup;
}

const CONTROLLERS = ['memory', 'pids', 'cpu'] as const;
type Controller = (typeof CONTROLLERS)[number];

const PERIOD_US = 100_000;
const REMOVE_ATTEMPTS = 50;
const REMOVE_PAUSE_MS = 20;
const NAME = /^meshcc-(\d+)-\d+$/;

/** Directories in which groups can be made, with the controllers that they have there. */
interface Parent {
  readonly version: 1 | 2;
  readonly directory: string;
  readonly controllers: readonly Controller[];
}

/**
 * Looks for a place for groups and tries it.
 * @param mounts what the kernel says of its hierarchies, and where this process is in them
 * @returns the groups, or in words why there are none
 */
export function findControlGroups(
  limits: GroupLimits,
  mounts: CgroupMounts = cgroupMountsOf(),
): ControlGroups | { readonly none: string } {
  const parents = parentsIn(mounts);
  if (parents.length === 0) return { none: 'this agent may make no control groups' };
  for (const { directory } of parents) void removeStale(directory);
  let sequence = 0;
  const open = (): ControlGroup => makeGroup(parents, `meshcc-${process.pid}-${++sequence}`, limits);
  try {
    void open().remove();
  } catch (error) {
    return { none: messageOf(error) };
  }
  const bounded = CONTROLLERS.filter((one) => parents.some(({ controllers }) => controllers.includes(one)));
  const versions = [...new Set(parents.map(({ version }) => `v${version}`))].join(' and ');
  return { detail: `${bounded.join(', ')} of all jobs of a submitter bounded by cgroup ${versions}`, open };
}

function parentsIn(mounts: CgroupMounts): Parent[] {
  const found: Parent[] = [];
  const missing = new Set<Controller>(CONTROLLERS);
  for (const controller of CONTROLLERS) {
    const directory = mounts.v1.get(controller);
    if (directory === undefined || !isWritable(directory)) continue;
    const same = found.find((parent) => parent.directory === directory);
    if (same === undefined) found.push({ version: 1, directory, controllers: [controller] });
    else found.splice(found.indexOf(same), 1, { ...same, controllers: [...same.controllers, controller] });
    missing.delete(controller);
  }
  const unified = mounts.v2 === undefined ? undefined : unifiedParent(mounts.v2, missing);
  return unified === undefined ? found : [...found, unified];
}

function isWritable(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function wordsOf(path: string): string[] {
  return (readIfThere(path) ?? '').split(/\s+/).filter(Boolean);
}

/**
 * In v2 a group with members gives its children no controllers. If this process is alone in its group (a unit of
 * systemd), it moves into a leaf of it; else (a terminal's scope) groups are made beside its own, further up.
 */
function unifiedParent(
  { root, own }: { root: string; own: string },
  wanted: ReadonlySet<Controller>,
): Parent | undefined {
  for (let directory = own; directory.startsWith(root); directory = dirname(directory)) {
    const offered = CONTROLLERS.filter(
      (one) => wanted.has(one) && wordsOf(join(directory, 'cgroup.controllers')).includes(one),
    );
    if (offered.length > 0 && isWritable(directory)) {
      const enabled = enable(directory, offered, directory === own && own !== root);
      if (enabled.length > 0) return { version: 2, directory, controllers: enabled };
    }
    if (directory === root) break;
  }
  return undefined;
}

/** Gives the children of a group its controllers. @returns those that they have then */
function enable(directory: string, controllers: readonly Controller[], mayMove: boolean): Controller[] {
  const control = join(directory, 'cgroup.subtree_control');
  const enabled = (): Controller[] => controllers.filter((one) => wordsOf(control).includes(one));
  if (enabled().length === controllers.length) return enabled();
  try {
    const members = wordsOf(join(directory, 'cgroup.procs'));
    if (mayMove && members.length === 1 && members[0] === String(process.pid)) {
      const leaf = join(directory, 'meshcc-agent');
      if (!existsSync(leaf)) mkdirSync(leaf);
      writeFileSync(join(leaf, 'cgroup.procs'), '0');
    }
    for (const controller of controllers) writeFileSync(control, `+${controller}`);
  } catch {
    // It has members, or belongs to somebody else.
  }
  return enabled();
}

function makeGroup(parents: readonly Parent[], name: string, limits: GroupLimits): ControlGroup {
  const directories: string[] = [];
  const remove = async (): Promise<void> => {
    await Promise.all(directories.map(removeGroup));
  };
  try {
    for (const parent of parents) {
      const directory = join(parent.directory, name);
      mkdirSync(directory);
      directories.push(directory);
      for (const controller of parent.controllers) bound(directory, parent.version, controller, limits);
    }
  } catch (error) {
    void remove();
    throw error;
  }
  return { members: directories.map((directory) => join(directory, 'cgroup.procs')), remove };
}

function bound(directory: string, version: 1 | 2, controller: Controller, limits: GroupLimits): void {
  const write = (file: string, value: string | number): void =>
    writeFileSync(join(directory, file), String(value));
  const quotaUs = Math.round(limits.processors * PERIOD_US);
  if (controller === 'pids') write('pids.max', limits.processes);
  else if (controller === 'memory') {
    write(version === 1 ? 'memory.limit_in_bytes' : 'memory.max', limits.memoryBytes);
    // Kernels without swap accounting have no such file; a group that swaps takes the machine with it.
    const swap = version === 1 ? 'memory.memsw.limit_in_bytes' : 'memory.swap.max';
    if (existsSync(join(directory, swap))) write(swap, version === 1 ? limits.memoryBytes : 0);
  } else if (version === 1) {
    write('cpu.cfs_period_us', PERIOD_US);
    write('cpu.cfs_quota_us', quotaUs);
  } else write('cpu.max', `${quotaUs} ${PERIOD_US}`);
}

/** A process that is dying keeps its group for some milliseconds. */
async function removeGroup(directory: string): Promise<void> {
  const kill = join(directory, 'cgroup.kill');
  try {
    if (existsSync(kill)) writeFileSync(kill, '1');
  } catch {
    // The group is gone, or empties by itself.
  }
  for (let attempt = 0; attempt < REMOVE_ATTEMPTS; attempt++) {
    try {
      return await rmdir(directory);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return;
      await sleep(REMOVE_PAUSE_MS);
    }
  }
}

/** Groups of agents that no longer exist: what was killed by force removes nothing. */
async function removeStale(parent: string): Promise<void> {
  for (const name of namesIn(parent)) {
    const pid = NAME.exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) await removeGroup(join(parent, name));
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
