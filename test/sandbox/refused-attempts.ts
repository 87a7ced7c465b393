/** What each attempt of test/support/attacks.h comes to on each rung. */
import { constants } from 'node:os';
import type { Cell } from '../../src/sandbox/index.ts';

const { ENOSYS, EPERM, ENOTTY, ESRCH } = constants.errno;

/** Calls that are in the filter's list, but for the runner alone, or with other arguments. */
const DENIED = new Set([
  ...['clone-user', 'clone-mount', 'clone-pid', 'clone-net', 'clone-ipc', 'clone-uts', 'clone-cgroup'],
  ...['mount', 'bind-mount', 'umount', 'pivot_root', 'chroot', 'setresuid', 'setgroups', 'capset', 'ambient'],
  ...['mknod-device', 'mknod-fifo', 'link', 'symlink', 'seccomp'],
  ...['prctl-seccomp', 'prctl-subreaper', 'prctl-dumpable'],
]);

/** What comes to something else than a call that does not exist. */
const OTHERS: Record<string, readonly number[]> = {
  'tty-input': [ENOTTY],
  'block-ioctl': [ENOTTY],
  'x32-call': [-constants.signals.SIGSYS],
  'compat-call': [-constants.signals.SIGSYS],
  // PID 1 of a namespace has no parent in it; the parent of a supervised job is root's.
  'kill-parent': [ESRCH, EPERM],
  'raise-files': [EPERM],
  'raise-processes': [EPERM],
  'raise-core': [EPERM],
};

/** Without a filter, what an ordinary user may do on this kernel, in a view where it can do no harm. */
const HARMLESS = new Set([
  ...[
    'socket-inet',
    'socket-udp',
    'socket-unix',
    'socket-netlink',
    'socket-alg',
    'socket-vsock',
    'socketpair',
  ],
  ...['unshare-user', 'clone-user', 'clone3-user', 'io_uring', 'userfaultfd', 'keyctl', 'add_key', 'memfd'],
  ...['inotify', 'fanotify', 'eventfd', 'timerfd', 'shmget', 'semget', 'msgget', 'setgroups', 'perf', 'bpf'],
  ...[
    'ptrace',
    'pidfd',
    'kcmp',
    'personality',
    'prctl-subreaper',
    'prctl-dumpable',
    'compat-call',
    'x32-call',
  ],
  ...['vmsplice', 'vm_readv', 'modify_ldt', 'remap_pages', 'adjtime', 'link', 'setxattr', 'seccomp'],
]);

/**
 * Whether an attempt came to what it must come to.
 * @param got an errno, 0 for success; negative: the signal that ended the process
 */
export function isRefusedRightly(attempt: string, got: number, rung: Cell['rung']): boolean {
  if (rung === 'uid') return got !== 0 || HARMLESS.has(attempt);
  return (OTHERS[attempt] ?? (DENIED.has(attempt) ? [EPERM] : [ENOSYS])).includes(got);
}
