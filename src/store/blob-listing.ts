/** Finds the blobs that an earlier run left on disk, and clears away whatever else lies between them. */
import type { Dirent } from 'node:fs';
import { lstat, readdir, unlink } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Digest } from '../base/digest.ts';
import { messageOf } from '../base/errors.ts';
import type { BlobEntry } from './blob-index.ts';
import { type BlobLayout, digestAt, isStoreTag } from './blob-layout.ts';
import type { BlobStoreLog } from './blob-store-types.ts';

/** A blob of an earlier run. */
export type FoundBlob = readonly [Digest, BlobEntry];

/** Files asked about at once: the thread pool has four threads, more would only hold memory. */
const BATCH_FILES = 64;

/**
 * Lists all blobs, least recently used first. The later of access and modification time counts: many
 * filesystems are mounted noatime, and the store writes the access time itself.
 * Files that are no blobs are deleted, directories that do not belong here are left and logged.
 */
export async function listBlobs(layout: BlobLayout, log: BlobStoreLog): Promise<FoundBlob[]> {
  const lists: FoundBlob[][] = [];
  for (const child of await readdir(layout.blobsDirectory, { withFileTypes: true })) {
    if (isStoreTag(child.name)) continue;
    const path = `${layout.blobsDirectory}/${child.name}`;
    if (!child.isDirectory()) await removeForeign(path, log);
    else if (!/^[0-9a-f]{2}$/.test(child.name)) log.warn({ path }, 'foreign directory in the content store');
    else lists.push(await listFanOut(path, child.name, log));
  }
  return mergeSorted(lists);
}

/** Merges two by two with a pause after each: sorting 200,000 blobs at once holds the event loop for 0.2 s. */
async function mergeSorted(lists: FoundBlob[][]): Promise<FoundBlob[]> {
  const waiting = [...lists];
  for (;;) {
    const first = waiting.shift();
    const second = waiting.shift();
    if (first === undefined) return [];
    if (second === undefined) return first;
    waiting.push(merge(first, second));
    await nextTurn();
  }
}

function merge(first: readonly FoundBlob[], second: readonly FoundBlob[]): FoundBlob[] {
  const merged: FoundBlob[] = [];
  let at = 0;
  for (const blob of first) {
    for (let other = second[at]; other !== undefined && isOlder(other, blob); other = second[at]) {
      merged.push(other);
      at++;
    }
    merged.push(blob);
  }
  return merged.concat(second.slice(at));
}

function isOlder(a: FoundBlob, b: FoundBlob): boolean {
  return a[1].usedAtMs < b[1].usedAtMs;
}

async function listFanOut(directory: string, directoryName: string, log: BlobStoreLog): Promise<FoundBlob[]> {
  const found: FoundBlob[] = [];
  const children = await readdir(directory, { withFileTypes: true });
  for (let start = 0; start < children.length; start += BATCH_FILES) {
    const batch = children.slice(start, start + BATCH_FILES);
    const entries = await Promise.all(batch.map((child) => describe(directory, directoryName, child, log)));
    for (const entry of entries) if (entry !== undefined) found.push(entry);
  }
  return found.sort(([, a], [, b]) => a.usedAtMs - b.usedAtMs);
}

async function describe(
  directory: string,
  directoryName: string,
  child: Dirent,
  log: BlobStoreLog,
): Promise<FoundBlob | undefined> {
  const path = `${directory}/${child.name}`;
  const digest = digestAt(directoryName, child.name);
  if (digest === undefined || !child.isFile()) {
    if (child.isDirectory()) log.warn({ path }, 'foreign directory in the content store');
    else await removeForeign(path, log);
    return undefined;
  }
  try {
    const stat = await lstat(path);
    const usedAtMs = Math.max(stat.atimeMs, stat.mtimeMs);
    return [digest, { sizeBytes: stat.size, verified: false, usedAtMs, recordedAtMs: usedAtMs }];
  } catch (error) {
    log.warn({ path, error: messageOf(error) }, 'a file of the content store cannot be examined');
    return undefined;
  }
}

async function removeForeign(path: string, log: BlobStoreLog): Promise<void> {
  try {
    await unlink(path);
    log.warn({ path }, 'removed a file from the content store that is no blob');
  } catch (error) {
    log.warn({ path, error: messageOf(error) }, 'cannot remove a foreign file from the content store');
  }
}
