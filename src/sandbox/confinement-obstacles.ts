/** Why confinement can be impossible on a machine, and what its owner can do about it. */
import { readFileSync } from 'node:fs';
import type { RefusedReply, SetupStep } from './wire.ts';

/** One known obstacle. */
export interface ConfinementObstacle {
  /** The kernel setting that gives it away, and the value it has then. */
  readonly setting: string;
  readonly value: string;
  /** True if it only stands in the way of agents that are not root. */
  readonly unprivilegedOnly: boolean;
  readonly advice: string;
}

/** Obstacles in the order in which they are looked for. */
export const CONFINEMENT_OBSTACLES: readonly ConfinementObstacle[] = [
  {
    setting: 'kernel/apparmor_restrict_unprivileged_userns',
    value: '1',
    unprivilegedOnly: true,
    advice:
      'AppArmor forbids user namespaces to ordinary users here (Ubuntu since 23.10). Allow them to the job runner with the profile in docs/security.md, or to everybody with `sysctl kernel.apparmor_restrict_unprivileged_userns=0` as root, or run the agent as root.',
  },
  {
    setting: 'kernel/unprivileged_userns_clone',
    value: '0',
    unprivilegedOnly: true,
    advice:
      'User namespaces are switched off for ordinary users here. Run `sysctl kernel.unprivileged_userns_clone=1` as root, or run the agent as root.',
  },
  {
    setting: 'user/max_user_namespaces',
    value: '0',
    unprivilegedOnly: false,
    advice:
      'No user namespace may be made here. Run `sysctl user.max_user_namespaces=10000` as root, or run the agent as root.',
  },
];

/** Advice for steps that have nothing to do with namespaces. */
const ADVICE_BY_STEP: Partial<Record<SetupStep, { readonly root: string; readonly user: string }>> = {
  overlay: {
    root: 'This kernel cannot mount an overlay: run `modprobe overlay`, or take a kernel that has it.',
    user: 'An ordinary user can mount an overlay only from Linux 5.11 on, and only where the overlay module is loaded: update the kernel, run `modprobe overlay`, or run the agent as root.',
  },
  chroot: {
    root: 'Jobs need a place where root can make devices and links and change the root: in a container, leave it the capabilities SYS_CHROOT, MKNOD, CHOWN, SETUID, SETGID and SETPCAP, and put the cache on a filesystem that is not mounted nodev.',
    user: 'Without namespaces only an agent that is root can give a compile the paths of its submitter.',
  },
  filter: {
    root: 'The kernel lacks seccomp filters (CONFIG_SECCOMP_FILTER), or something around the agent forbids them.',
    user: 'The kernel lacks seccomp filters (CONFIG_SECCOMP_FILTER), or something around the agent forbids them.',
  },
};

const NAMESPACES_ADVICE =
  'The kernel or a container around the agent forbids namespaces. In a container, allow the system calls clone, unshare, mount and pivot_root (for example with a seccomp profile of your own), or run the agent outside of it.';

/**
 * What to do about a refused setup, or undefined if nothing is known.
 * @param readSetting text of a file below /proc/sys, undefined if it does not exist
 * @param isRoot whether the agent is root
 */
export function adviceFor(
  refusal: RefusedReply | undefined,
  readSetting: (name: string) => string | undefined,
  isRoot: boolean,
): string | undefined {
  if (refusal === undefined || refusal.step === 'tree' || refusal.step === 'group') return undefined;
  const known = ADVICE_BY_STEP[refusal.step];
  if (known !== undefined) return isRoot ? known.root : known.user;
  for (const obstacle of CONFINEMENT_OBSTACLES) {
    if (isRoot && obstacle.unprivilegedOnly) continue;
    if (readSetting(obstacle.setting)?.trim() === obstacle.value) return obstacle.advice;
  }
  return NAMESPACES_ADVICE;
}

/** The text of a kernel setting of this machine. */
export function readKernelSetting(name: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/${name}`, 'utf8');
  } catch {
    return undefined;
  }
}
