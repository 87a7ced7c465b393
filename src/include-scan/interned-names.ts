/**
 * One string per header name. A name cut out of a file's text would keep the whole text in memory, and the
 * same few thousand names occur in tens of thousands of files.
 */

/** Beyond this many names the pool starts anew; nothing depends on two equal names being one string. */
const MAX_NAMES = 100_000;

let pool = new Map<string, string>();

/**
 * The name as the file system spells it.
 * @param name the bytes as Latin-1 characters
 * @returns undefined if the bytes are not UTF-8, or cannot be part of a name
 */
export function internName(name: string): string | undefined {
  const known = pool.get(name);
  if (known !== undefined) return known;
  const bytes = Buffer.from(name, 'latin1');
  const copy = bytes.toString('utf8');
  if (copy.length !== name.length && !Buffer.from(copy).equals(bytes)) return undefined;
  if (copy.includes('\ufffd') || copy.includes('\0')) return undefined;
  if (pool.size >= MAX_NAMES) pool = new Map();
  pool.set(bytes.toString('latin1'), copy);
  return copy;
}
