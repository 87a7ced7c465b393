/**
 * The content store on disk: an index in memory (blob-index.ts) over one file per blob (blob-layout.ts).
 * A blob is verified when it is written, and once more before its first use after a restart.
 */
import { constants } from 'node:fs';
import { chmod, copyFile, lstat, mkdir, readFile, rename, stat, unlink, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Digest } from '../base/digest.ts';
import { errnoOf, MeshError, messageOf } from '../base/errors.ts';
import { digestOfFile } from '../base/file-digest.ts';
import { BackgroundChores } from './background-chores.ts';
import { type BlobEntry, BlobIndex } from './blob-index.ts';
import { BlobLayout, prepareLayout } from './blob-layout.ts';
import { type FoundBlob, listBlobs } from './blob-listing.ts';
import type {
  BlobStore,
  BlobStoreLog,
  BlobStoreOptions,
  BlobStoreStats,
  BlobWriter,
  MaterialiseOptions,
  MaterialiseOutcome,
} from './blob-store-types.ts';
import { FileBlobWriter } from './file-blob-writer.ts';
import { KeyedQueue } from './keyed-queue.ts';

const DEFAULT_LISTING_WAIT_MS = 2000;
/** Blobs taken into or out of the index before the event loop gets its turn; about a millisecond. */
const BATCH_BLOBS = 1000;
/** A use is written to the file's access time when the last one written is older than this. */
const RECENCY_GRAIN_MS = 600_000;

/**
 * Opens the content store of a directory, and waits (boundedly) until the blobs of the last run are known.
 * @throws MeshError MESHCC_BAD_CONFIG if the bound is no number of bytes, MESHCC_STORE if the directory cannot be used
 */
export async function openBlobStore(options: BlobStoreOptions): Promise<BlobStore> {
  if (!Number.isSafeInteger(options.maxBytes) || options.maxBytes <= 0) {
    throw new MeshError(
      'MESHCC_BAD_CONFIG',
      `cannot open the content store in ${options.directory} with a bound of ${options.maxBytes} bytes: give a whole number above zero.`,
    );
  }
  const layout = new BlobLayout(options.directory);
  await prepareLayout(layout);
  const store = new DiskBlobStore(layout, options.maxBytes, options.log);
  let timer: NodeJS.Timeout | undefined;
  const waited = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, options.listingWaitMs ?? DEFAULT_LISTING_WAIT_MS);
  });
  try {
    await Promise.race([store.listed, waited]);
  } finally {
    clearTimeout(timer);
  }
  return store;
}

class DiskBlobStore implements BlobStore {
  readonly listed: Promise<void>;
  readonly #layout: BlobLayout;
  readonly #log: BlobStoreLog;
  readonly #index: BlobIndex;
  readonly #chores: BackgroundChores;
  readonly #perBlob = new KeyedQueue<Digest>();
  #evictedBlobs = 0;
  #corruptBlobs = 0;
  #materialised = 0;

  constructor(layout: BlobLayout, maxBytes: number, log: BlobStoreLog) {
    this.#layout = layout;
    this.#log = log;
    this.#chores = new BackgroundChores(log);
    this.#index = new BlobIndex(maxBytes, (digest) => {
      this.#evictedBlobs++;
      this.#deleteLater(digest);
    });
    this.listed = this.#list();
    this.listed.catch((error) => log.warn({ error: messageOf(error) }, 'the content store begins empty'));
  }

  has(digest: Digest): boolean {
    return this.#index.has(digest);
  }

  missing(digests: readonly Digest[]): Digest[] {
    return [...new Set(digests)].filter((digest) => !this.#index.has(digest));
  }

  touch(digests: readonly Digest[]): void {
    for (const digest of digests) this.#use(digest);
  }

  sizeBytes(digest: Digest): number | undefined {
    return this.#index.peek(digest)?.sizeBytes;
  }

  async put(digest: Digest, bytes: Uint8Array): Promise<void> {
    // An unverified one is written again: its file may be a crash's garbage.
    if (this.#index.peek(digest)?.verified) {
      this.#use(digest);
      return;
    }
    const writer = this.startWrite(digest, bytes.length);
    await writer.write(bytes);
    await writer.finish();
  }

  startWrite(digest: Digest, sizeBytes: number): BlobWriter {
    if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0) {
      throw new MeshError(
        'MESHCC_STORE',
        `cannot store blob ${digest}: ${sizeBytes} is not a size in bytes.`,
      );
    }
    if (sizeBytes > this.#index.maxBytes) {
      throw new MeshError(
        'MESHCC_STORE',
        `cannot store blob ${digest}: it has ${sizeBytes} bytes, and the whole store may hold ${this.#index.maxBytes}. Raise the size of the cache.`,
      );
    }
    this.#index.reserve(sizeBytes);
    return new FileBlobWriter(digest, sizeBytes, {
      temporaryPath: () => this.#layout.temporaryPath(),
      restore: () => this.#layout.restore(),
      commit: (blob, size, temporaryPath) => this.#commit(blob, size, temporaryPath),
      abandoned: (size) => this.#index.release(size),
    });
  }

  path(digest: Digest): string {
    return this.#layout.blobPath(digest);
  }

  async verifiedPath(digest: Digest): Promise<string | undefined> {
    return (await this.#verify(digest)) === 'done' ? this.#layout.blobPath(digest) : undefined;
  }

  async read(digest: Digest): Promise<Buffer | undefined> {
    const path = await this.verifiedPath(digest);
    if (path === undefined) return undefined;
    try {
      return await readFile(path);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw this.#readError(digest, error);
      this.#index.remove(digest);
      return undefined;
    }
  }

  async materialise(
    digest: Digest,
    targetPath: string,
    options: MaterialiseOptions,
  ): Promise<MaterialiseOutcome> {
    const outcome = await this.#verify(digest);
    if (outcome !== 'done') return outcome;
    const source = this.#layout.blobPath(digest);
    // Not the target's name with something appended: that may be as long as a name can be already.
    const temporary = join(dirname(targetPath), `.meshcc-${process.pid}-${++this.#materialised}.tmp`);
    try {
      await copyFile(source, temporary, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
      await chmod(temporary, options.mode);
      await utimes(temporary, options.mtimeMs / 1000, options.mtimeMs / 1000);
      await rename(temporary, targetPath);
      return 'done';
    } catch (error) {
      await unlink(temporary).catch(() => {});
      if (errnoOf(error) === 'ENOENT' && !(await exists(source))) {
        this.#index.remove(digest);
        return 'missing';
      }
      throw new MeshError(
        'MESHCC_STORE',
        `cannot make ${targetPath} from blob ${digest}: ${messageOf(error)}. Check that its directory exists, can be written and has room.`,
        { cause: error },
      );
    }
  }

  pin(digests: Iterable<Digest>): () => void {
    const pinned = [...new Set(digests)];
    for (const digest of pinned) this.#index.pin(digest);
    let released = false;
    return () => {
      if (released) return;
      released = true;
      for (const digest of pinned) this.#index.unpin(digest);
      this.#index.trim();
    };
  }

  stats(): BlobStoreStats {
    return {
      blobs: this.#index.count,
      sizeBytes: this.#index.sizeBytes,
      maxBytes: this.#index.maxBytes,
      pinnedBlobs: this.#index.pinnedCount,
      pinnedBytes: this.#index.pinnedBytes,
      reservedBytes: this.#index.reservedBytes,
      evictedBlobs: this.#evictedBlobs,
      corruptBlobs: this.#corruptBlobs,
    };
  }

  async close(): Promise<void> {
    await this.listed.catch(() => {});
    for (const [digest, entry] of this.#index.entries()) this.#recordUseLater(digest, entry, 0);
    await this.#chores.idle();
    await this.#perBlob.idle();
  }

  async #list(): Promise<void> {
    const startMs = Date.now();
    let found: FoundBlob[];
    try {
      found = await listBlobs(this.#layout, this.#log);
    } catch (error) {
      throw new MeshError(
        'MESHCC_STORE',
        `cannot list the content store in ${this.#layout.directory}: ${messageOf(error)}. Check the disk, or delete the directory.`,
        { cause: error },
      );
    }
    const usedMeanwhile = this.#index.order();
    for (let start = 0; start < found.length; start += BATCH_BLOBS) {
      this.#index.adopt(found.slice(start, start + BATCH_BLOBS));
      await nextTurn();
    }
    this.#index.moveToEnd(usedMeanwhile);
    while (this.#index.trim(BATCH_BLOBS)) await nextTurn();
    this.#log.info(
      { blobs: this.#index.count, sizeBytes: this.#index.sizeBytes, elapsedMs: Date.now() - startMs },
      'content store listed',
    );
  }

  #commit(digest: Digest, sizeBytes: number, temporaryPath: string): Promise<void> {
    return this.#perBlob.run(digest, async () => {
      const path = this.#layout.blobPath(digest);
      try {
        await rename(temporaryPath, path);
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT') throw error;
        await this.#layout.restore();
        await mkdir(this.#layout.blobDirectory(digest), { recursive: true, mode: 0o700 });
        await rename(temporaryPath, path);
      }
      const nowMs = Date.now();
      this.#index.release(sizeBytes);
      this.#index.add(digest, { sizeBytes, verified: true, usedAtMs: nowMs, recordedAtMs: nowMs });
    });
  }

  /** Makes sure that a blob's file has its digest: the first time by reading it, then by remembering. */
  async #verify(digest: Digest): Promise<MaterialiseOutcome> {
    const entry = this.#use(digest);
    if (entry === undefined) return 'missing';
    if (entry.verified) return 'done';
    return this.#perBlob.run(digest, async () => {
      const current = this.#index.peek(digest);
      if (current === undefined) return 'missing';
      if (current.verified) return 'done';
      const path = this.#layout.blobPath(digest);
      try {
        if ((await digestOfFile(path, current.sizeBytes)) === digest) {
          current.verified = true;
          return 'done';
        }
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT') throw this.#readError(digest, error);
        this.#index.remove(digest);
        return 'missing';
      }
      this.#corruptBlobs++;
      this.#log.warn({ digest, path }, 'a blob did not have its digest any more and was dropped');
      this.#index.remove(digest);
      await unlink(path);
      return 'corrupt';
    });
  }

  #use(digest: Digest): BlobEntry | undefined {
    const entry = this.#index.use(digest, Date.now());
    if (entry !== undefined) this.#recordUseLater(digest, entry, RECENCY_GRAIN_MS);
    return entry;
  }

  /** Writes the last use to the file's access time, so that the order survives a restart. */
  #recordUseLater(digest: Digest, entry: BlobEntry, grainMs: number): void {
    if (entry.usedAtMs - entry.recordedAtMs <= grainMs) return;
    entry.recordedAtMs = entry.usedAtMs;
    this.#chores.add(async () => {
      if (!this.#index.has(digest)) return;
      const path = this.#layout.blobPath(digest);
      await utimes(path, entry.usedAtMs / 1000, (await stat(path)).mtimeMs / 1000);
    });
  }

  #deleteLater(digest: Digest): void {
    this.#chores.add(() =>
      this.#perBlob.run(digest, async () => {
        if (this.#index.has(digest)) return;
        await unlink(this.#layout.blobPath(digest)).catch((error) => {
          if (errnoOf(error) !== 'ENOENT') throw error;
        });
      }),
    );
  }

  #readError(digest: Digest, error: unknown): MeshError {
    return new MeshError(
      'MESHCC_STORE',
      `cannot read blob ${digest}: ${messageOf(error)}. Check the disk below ${this.#layout.directory}.`,
      { cause: error },
    );
  }
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
