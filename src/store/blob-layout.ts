/**
 * Where things lie below a store's directory:
 *   blobs/<2 hex>/<62 hex>   a blob, mode 0444 less the umask
 *   blobs/CACHEDIR.TAG       marks `blobs` as ours, and as not worth a backup (https://bford.info/cachedir/)
 *   temporary/               what is being written; emptied when the store is opened
 */
import { lstat, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, isDigest } from '../base/digest.ts';
import { errnoOf, MeshError, messageOf } from '../base/errors.ts';

const TAG_NAME = 'CACHEDIR.TAG';
const TAG_TEXT = `Signature: 8a477f597d28d172789f06886806bc55
# Content store of meshcc: blobs by SHA-256. It may be deleted while no agent runs.
`;

/** The paths of one store. */
export class BlobLayout {
  readonly directory: string;
  readonly blobsDirectory: string;
  readonly temporaryDirectory: string;
  #temporaries = 0;

  constructor(directory: string) {
    this.directory = directory;
    this.blobsDirectory = join(directory, 'blobs');
    this.temporaryDirectory = join(directory, 'temporary');
  }

  blobPath(digest: Digest): string {
    return `${this.blobsDirectory}/${digest.slice(0, 2)}/${digest.slice(2)}`;
  }

  blobDirectory(digest: Digest): string {
    return `${this.blobsDirectory}/${digest.slice(0, 2)}`;
  }

  /** Makes again what somebody removed while the store is open. */
  async restore(): Promise<void> {
    await mkdir(this.blobsDirectory, { recursive: true, mode: 0o700 });
    await mkdir(this.temporaryDirectory, { recursive: true, mode: 0o700 });
    await writeFile(join(this.blobsDirectory, TAG_NAME), TAG_TEXT, { flag: 'wx', mode: 0o444 }).catch(
      (error) => {
        if (errnoOf(error) !== 'EEXIST') throw error;
      },
    );
  }

  /** A path that no other writer of this process has. */
  temporaryPath(): string {
    this.#temporaries++;
    return `${this.temporaryDirectory}/${process.pid}-${this.#temporaries}`;
  }
}

/** The digest that a blob's place stands for, or undefined if no blob has this place. */
export function digestAt(directoryName: string, fileName: string): Digest | undefined {
  const text = directoryName + fileName;
  return directoryName.length === 2 && isDigest(text) ? text : undefined;
}

/** True for the one file in `blobs` that is ours and no blob. */
export function isStoreTag(fileName: string): boolean {
  return fileName === TAG_NAME;
}

/**
 * Makes the directories, and throws away what an earlier run left half written.
 * @throws MeshError MESHCC_STORE if they cannot be made, or if `blobs` holds files and is not a store's:
 *   opening a store deletes what it does not know, so it must not be pointed at a stranger's directory
 */
export async function prepareLayout(layout: BlobLayout): Promise<void> {
  try {
    await mkdir(layout.blobsDirectory, { recursive: true, mode: 0o700 });
    await assertOurs(layout);
    await rm(layout.temporaryDirectory, { recursive: true, force: true });
    await mkdir(layout.temporaryDirectory, { mode: 0o700 });
  } catch (error) {
    if (error instanceof MeshError) throw error;
    throw new MeshError(
      'MESHCC_STORE',
      `cannot prepare the content store in ${layout.directory}: ${messageOf(error)}. Check that the directory can be written and its disk is not full.`,
      { cause: error },
    );
  }
}

async function assertOurs(layout: BlobLayout): Promise<void> {
  const tagPath = join(layout.blobsDirectory, TAG_NAME);
  try {
    if (!(await lstat(tagPath)).isFile() || (await readFile(tagPath, 'utf8')) !== TAG_TEXT) {
      throw foreignStore(layout);
    }
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    if ((await readdir(layout.blobsDirectory)).length > 0) throw foreignStore(layout);
    await writeFile(tagPath, TAG_TEXT, { flag: 'wx', mode: 0o444 });
  }
}

function foreignStore(layout: BlobLayout): MeshError {
  return new MeshError(
    'MESHCC_STORE',
    `will not use ${layout.blobsDirectory} as a content store: it holds files, but not the ${TAG_NAME} that a store begins with. Choose another directory, or delete this one if nobody needs it.`,
  );
}
