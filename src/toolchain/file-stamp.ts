/**
 * Tells by stat alone whether a file or directory is still what it was. ctime cannot be set by a program,
 * so a file that was changed and given its old mtime back is noticed too.
 */
import { stat } from 'node:fs/promises';
import { errnoOf } from '../base/errors.ts';

/**
 * What a change means: `content` of a file; `entries` of a directory (something appeared or went that a lookup
 * could find); or whether there is anything at all (`existence`).
 */
export type WatchedAspect = 'content' | 'entries' | 'existence';

/** Something that an earlier answer rests on. Links are followed. */
export interface WatchedPath {
  readonly path: string;
  readonly aspect: WatchedAspect;
}

/** The state of a path as text: equal texts, nothing changed. `absent` if there is nothing. */
export async function stampOf(watched: WatchedPath): Promise<string> {
  try {
    const found = await stat(watched.path, { bigint: true });
    const place = `${found.dev}:${found.ino}`;
    if (watched.aspect === 'existence') return found.isDirectory() ? 'directory' : 'file';
    if (watched.aspect === 'entries') return `${place}:${found.mtimeNs}`;
    return `${place}:${found.size}:${found.mtimeNs}:${found.ctimeNs}`;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR' || errno === 'ELOOP') return 'absent';
    throw error;
  }
}
