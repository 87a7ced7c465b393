/** A 32-bit hash of macro names: files keep four bytes per macro instead of its text. A collision costs a closer look. */

/** FNV-1a over the characters of `text` from `start` to `end`. Unsigned. */
export function nameHash(text: string, start = 0, end = text.length): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
