/** Where the hierarchies of control groups are mounted, and where this process is in them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface CgroupMounts {
  /** Controller -> directory of this process's group, of hierarchies of version 1. */
  readonly v1: ReadonlyMap<string, string>;
  /** The unified hierarchy: its mount point, and the directory of this process's group. */
  readonly v2: { readonly root: string; readonly own: string } | undefined;
}

/** Text of a file, undefined if it cannot be read. */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/**
 * Finds the groups of this process (proc(5), cgroups(7)).
 * @param membership text of /proc/self/cgroup
 * @param mountInfo text of /proc/self/mountinfo
 */
export function cgroupMountsOf(
  membership = readIfThere('/proc/self/cgroup') ?? '',
  mountInfo = readIfThere('/proc/self/mountinfo') ?? '',
): CgroupMounts {
  const paths = new Map<string, string>();
  for (const line of membership.split('\n')) {
    const match = /^\d+:([^:]*):(.*)$/.exec(line);
    for (const controller of match?.[1]?.split(',') ?? []) paths.set(controller, match?.[2] ?? '/');
  }
  const v1 = new Map<string, string>();
  let v2: CgroupMounts['v2'];
  for (const line of mountInfo.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const [, , , mountRoot = '/', mountPoint = ''] = before.split(' ');
    const [type, , superOptions = ''] = after.split(' ');
    if (type === 'cgroup2') v2 ??= { root: mountPoint, own: inside(mountPoint, mountRoot, paths.get('')) };
    if (type !== 'cgroup') continue;
    for (const option of superOptions.split(','))
      if (paths.has(option) && !v1.has(option))
        v1.set(option, inside(mountPoint, mountRoot, paths.get(option)));
  }
  return { v1, v2 };
}

/** A container may have only the part of a hierarchy that begins at its own group. */
function inside(mountPoint: string, mountRoot: string, path = '/'): string {
  const below = mountRoot === '/' ? path : path.startsWith(mountRoot) ? path.slice(mountRoot.length) : '/';
  return join(mountPoint, below).replace(/\/$/, '');
}
