/**
 * Small secret files: whole or absent, on the disk when the call returns, readable by this user only.
 * A board that loses power in the middle of a write must come back with its old key or its new one.
 */
import {
  chmodSync,
  closeSync,
  constants,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';
import { errnoOf, MeshError, messageOf } from '../../base/errors.ts';

/** No file of an identity comes near this; more means that the file is something else. */
const MAX_FILE_BYTES = 64 * 1024;

/**
 * Makes the directory of an identity with mode 0700, or narrows an existing one to it.
 * @throws MeshError MESHCC_IDENTITY if it cannot be made or belongs to another user
 */
export function makeIdentityDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const stat = lstatSync(directory);
    const uid = userInfo().uid;
    if (!stat.isDirectory()) throw new Error('it is not a directory');
    if (stat.uid !== uid)
      throw new Error(`it belongs to uid ${stat.uid}, and this process runs as uid ${uid}`);
    if ((stat.mode & 0o077) !== 0) chmodSync(directory, 0o700);
  } catch (error) {
    throw new MeshError(
      'MESHCC_IDENTITY',
      `cannot use ${directory} for the key of this node: ${messageOf(error)}. Run as the user that owns it, or set MESHCC_HOME to a directory of your own.`,
      { cause: error },
    );
  }
}

/**
 * The text of a private file, or undefined if it does not exist.
 * @throws MeshError MESHCC_IDENTITY if it cannot be read, is too large or can be read by other users
 */
export function readPrivateFile(path: string): string | undefined {
  try {
    const stat = lstatSync(path);
    if (!stat.isFile()) throw new Error('it is not a regular file');
    if (stat.size > MAX_FILE_BYTES) throw new Error(`it has ${stat.size} bytes`);
    if ((stat.mode & 0o077) !== 0) {
      throw new Error(`other users can read it (mode ${(stat.mode & 0o777).toString(8)})`);
    }
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw new MeshError(
      'MESHCC_IDENTITY',
      `will not use ${path}: ${messageOf(error)}. If nobody else had it, run chmod 600 on it as its owner; otherwise remove it, and this node starts anew and must join again.`,
      { cause: error },
    );
  }
}

/**
 * Writes a private file, replacing an old one at once.
 * @throws MeshError MESHCC_IDENTITY if the file system refuses
 */
export function replacePrivateFile(path: string, text: string): void {
  writePrivateFile(path, text, renameSync);
}

/**
 * Writes a private file unless there is one already.
 * @returns false if another process was first; its file stays
 * @throws MeshError MESHCC_IDENTITY if the file system refuses
 */
export function createPrivateFile(path: string, text: string): boolean {
  let created = true;
  writePrivateFile(path, text, (temporary, target) => {
    try {
      linkSync(temporary, target);
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
      created = false;
    }
  });
  return created;
}

function writePrivateFile(
  path: string,
  text: string,
  place: (temporary: string, target: string) => void,
): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    rmSync(temporary, { force: true });
    const file = openSync(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    try {
      writeFileSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    place(temporary, path);
    syncDirectory(dirname(path));
  } catch (error) {
    throw new MeshError(
      'MESHCC_IDENTITY',
      `cannot write ${path}: ${messageOf(error)}. Check the free space and the owner of its directory, then try again.`,
      { cause: error },
    );
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** A rename survives a power cut only when the directory is on the disk too. */
function syncDirectory(directory: string): void {
  const handle = openSync(directory, constants.O_RDONLY);
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
