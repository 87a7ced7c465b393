/**
 * Content identity of files on disk, hashed once and trusted as long as the file's stat proves that it is
 * the same. A timestamp proves nothing if the file could have been rewritten within the same clock tick
 * after it was hashed (Git's "racy" rule), so an entry hashed too soon after the last change is not kept.
 */
import { readFileSync, type Stats, statSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { LRUCache } from 'lru-cache';
import { type Digest, digestOf, finishDigest, startDigest } from '../base/digest.ts';
import { type ContentTraits, contentTraitsOf } from './content-traits.ts';

/** A file as one job sees it. */
export interface InputFile {
  readonly path: string;
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly mtimeSeconds: number;
  readonly traits: ContentTraits;
}

interface KnownFile extends InputFile {
  readonly dev: number;
  readonly ino: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  /** False if the file changed so shortly before it was hashed that a later change could look the same. */
  readonly settled: boolean;
}

/** Coarsest timestamp of a file system in use (FAT: 2 s); ext4, xfs, btrfs and tmpfs tick every 1-10 ms. */
const RACY_WINDOW_MS = 2_000;

/** Files up to this size are read in one piece; larger ones in pieces, so that the event loop stays free. */
const READ_WHOLE_BYTES = 1024 * 1024;

/** How long hashing may hold the event loop before others get a turn. */
const SLICE_MS = 8;

/** Files remembered; an entry takes about 300 bytes. */
const MAX_FILES = 200_000;

export class FileTable {
  readonly #known = new LRUCache<string, KnownFile>({ max: MAX_FILES });
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /**
   * The identity of each path's content now.
   * @param paths absolute, canonical paths
   * @param stats the files' stats, taken just before; same order
   * @returns one entry per path, or undefined where the file vanished or changed while it was read
   */
  async identify(
    paths: readonly string[],
    stats: readonly (Stats | undefined)[],
  ): Promise<(InputFile | undefined)[]> {
    const files: (InputFile | undefined)[] = [];
    let sliceStartMs = performance.now();
    for (const [index, path] of paths.entries()) {
      const stat = stats[index];
      if (stat === undefined) {
        files.push(undefined);
        continue;
      }
      const known = this.#known.get(path);
      if (known?.settled && isSame(known, stat)) {
        files.push(known);
        continue;
      }
      files.push(await this.#hash(path, stat));
      if (performance.now() - sliceStartMs > SLICE_MS) {
        await new Promise((resolve) => setImmediate(resolve));
        sliceStartMs = performance.now();
      }
    }
    return files;
  }

  async #hash(path: string, before: Stats): Promise<InputFile | undefined> {
    const hashedAtMs = this.#now();
    let digest: Digest;
    let traits: ContentTraits;
    try {
      if (before.size <= READ_WHOLE_BYTES) {
        const content = readFileSync(path);
        digest = digestOf(content);
        traits = contentTraitsOf(content);
      } else {
        digest = await hashInPieces(path);
        traits = contentTraitsOf(await readFile(path));
      }
    } catch {
      return undefined;
    }
    const after = statSync(path, { throwIfNoEntry: false });
    if (after === undefined || !isSameStat(before, after)) return undefined;
    const file: KnownFile = {
      path,
      digest,
      sizeBytes: after.size,
      mtimeSeconds: Math.floor(after.mtimeMs / 1000),
      traits,
      dev: after.dev,
      ino: after.ino,
      mtimeMs: after.mtimeMs,
      ctimeMs: after.ctimeMs,
      settled: hashedAtMs - after.ctimeMs > RACY_WINDOW_MS,
    };
    this.#known.set(path, file);
    return file;
  }
}

function isSame(known: KnownFile, stat: Stats): boolean {
  return (
    known.sizeBytes === stat.size &&
    known.mtimeMs === stat.mtimeMs &&
    known.ctimeMs === stat.ctimeMs &&
    known.ino === stat.ino &&
    known.dev === stat.dev
  );
}

function isSameStat(a: Stats, b: Stats): boolean {
  return (
    a.size === b.size &&
    a.mtimeMs === b.mtimeMs &&
    a.ctimeMs === b.ctimeMs &&
    a.ino === b.ino &&
    a.dev === b.dev
  );
}

async function hashInPieces(path: string): Promise<Digest> {
  const handle = await open(path);
  try {
    const hash = startDigest();
    const piece = Buffer.allocUnsafe(READ_WHOLE_BYTES);
    for (;;) {
      const { bytesRead } = await handle.read(piece, 0, piece.length);
      if (bytesRead === 0) return finishDigest(hash);
      hash.update(piece.subarray(0, bytesRead));
    }
  } finally {
    await handle.close();
  }
}
