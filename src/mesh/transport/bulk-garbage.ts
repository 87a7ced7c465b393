/**
 * Buffers of bulk data are garbage as soon as they are on the wire, but V8 does not count what they hold when it decides
 * whether to collect young objects: it lets them be until 64 MiB of them lie about (V8 12 and later), which is as much
 * as a whole agent. So whoever moves bulk data says how much, and young garbage is collected in between.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Collect = (options: { type: 'minor' }) => void;

/** A collection of young objects takes about a millisecond: nothing beside encrypting so many bytes. */
const COLLECT_EVERY_BYTES = 8 * 1024 * 1024;

let collect: Collect | undefined;
let passedBytes = 0;

/** So many bytes have been put into a buffer, or taken out of one, that is thrown away. */
export function countBulk(sizeBytes: number): void {
  passedBytes += sizeBytes;
  if (passedBytes < COLLECT_EVERY_BYTES) return;
  passedBytes = 0;
  collect ??= collector();
  collect({ type: 'minor' });
}

function collector(): Collect {
  setFlagsFromString('--expose-gc');
  const found: Collect = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  return found;
}
