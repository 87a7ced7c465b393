/** Lets an ordinary user reach a checkout that lies below a directory which is closed to others, as `mktemp -d` makes it. */
import { statSync } from 'node:fs';
import { dirname } from 'node:path';

const MAY_BE_PASSED = 0o001;

/** In a mount namespace of its own: hides what is in the closed directory $2 of the way to $1, and leaves $1 itself. */
const SCRIPT = `set -e
aside=$(mktemp -d); mount --bind "$1" "$aside"
mount -t tmpfs -o mode=0755 none "$2"; mkdir -p "$1"; mount --move "$aside" "$1"; rmdir "$aside"
shift 2; exec "$@"`;

/**
 * What stands before a command that root starts, so that it finds `path` whoever it becomes. Empty if everybody can reach
 * that already.
 * @param path an absolute, canonical directory
 */
export function reachable(path: string): string[] {
  let closed: string | undefined;
  for (let above = dirname(path); above !== dirname(above); above = dirname(above)) {
    if ((statSync(above).mode & MAY_BE_PASSED) === 0) closed = above;
  }
  if (closed === undefined) return [];
  return ['unshare', '--mount', 'sh', '-c', SCRIPT, 'sh', path, closed];
}
