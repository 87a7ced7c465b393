/** Looks at the place of an output before a compile is given away: only what a rename can make is made elsewhere. */
import { accessSync, constants, lstatSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import type { LocalReasonId, OutputKind } from '../compiler/index.ts';

/**
 * Why an output cannot be put in place as the compiler itself would have made it; undefined if it can.
 * @param path absolute
 * @param umask mode bits that new files of the call must not have
 */
export function outputObstacle(path: string, kind: OutputKind, umask: number): LocalReasonId | undefined {
  let stat: Stats | undefined;
  try {
    stat = lstatSync(path, { throwIfNoEntry: false });
    // Elsewhere the compiler would complain about a directory that this machine alone knows.
    if (stat === undefined) accessSync(dirname(path), constants.W_OK | constants.X_OK);
  } catch {
    return 'output-write-failed';
  }
  return stat === undefined || isReplaceable(stat, kind, umask) ? undefined : 'output-not-regular';
}

/**
 * True if a new file in this one's place is what the compiler would leave. It writes through a link and into a
 * device, and what it does not make anew keeps its owner and mode; only an object that holds something is made anew.
 */
function isReplaceable(stat: Stats, kind: OutputKind, umask: number): boolean {
  if (!stat.isFile() || stat.nlink !== 1) return false;
  if (kind === 'object' && stat.size > 0) return true;
  return (stat.mode & 0o7777) === (0o666 & ~umask) && stat.uid === process.getuid?.();
}
