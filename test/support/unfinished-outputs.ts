/** What a shim has begun to write and not put in place. */
import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/**
 * The sizes in bytes of the outputs that a process holds open in a directory, be they files without a name or under a
 * temporary one. None if the process is gone.
 */
export function unfinishedOutputs(pid: number, directory: string): number[] {
  const descriptors = join('/proc', String(pid), 'fd');
  const sizes: number[] = [];
  try {
    for (const number of readdirSync(descriptors)) {
      const path = readlinkSync(join(descriptors, number));
      const isUnfinished = path.endsWith(' (deleted)') || basename(path).startsWith('.');
      if (isUnfinished && dirname(path) === directory) sizes.push(statSync(join(descriptors, number)).size);
    }
  } catch {
    return sizes;
  }
  return sizes;
}
