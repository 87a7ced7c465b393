/** Ascending ids as LEB128 varints of their differences: ~600 file ids of a kernel unit take ~700 bytes. */
import type { IdSet } from './id-set.ts';

/** Encodes ascending, distinct, non-negative integers below 2^31. */
export function encodeAscending(ids: readonly number[] | IdSet): Buffer {
  const bytes = Buffer.allocUnsafe(5 * ('length' in ids ? ids.length : ids.size));
  let length = 0;
  let previous = 0;
  ids.forEach((id) => {
    let difference = id - previous;
    previous = id;
    while (difference >= 0x80) {
      bytes[length++] = (difference & 0x7f) | 0x80;
      difference >>>= 7;
    }
    bytes[length++] = difference;
  });
  return bytes.subarray(0, length);
}

/**
 * Decodes what {@link encodeAscending} made.
 * @returns undefined if the bytes end within a number, or a number does not fit 31 bits
 */
export function decodeAscending(bytes: Uint8Array): number[] | undefined {
  const ids: number[] = [];
  let previous = 0;
  let value = 0;
  let shift = 0;
  for (const byte of bytes) {
    if (shift > 28) return undefined;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte & 0x80) {
      shift += 7;
      continue;
    }
    previous += value;
    if (previous >= 2 ** 31) return undefined;
    ids.push(previous);
    value = 0;
    shift = 0;
  }
  return shift === 0 ? ids : undefined;
}
