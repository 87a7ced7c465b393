/**
 * The submitter's dictionary: every (path, what is there) that a job ever listed, under a small id. Ids are
 * the same for all peers; each peer is told an entry when a job for it first needs it.
 */
import type { Digest } from '../base/digest.ts';
import { digestToBytes } from '../base/digest.ts';
import type { PathNode } from '../base/path-walk.ts';
import type { SourceFile } from '../include-scan/index.ts';
import type { WireEntry } from '../mesh/index.ts';
import type { BlobSource } from './blob-uploader.ts';

export class EntryTable {
  readonly #entries: WireEntry[] = [];
  readonly #pathOfEntry: number[] = [];
  readonly #paths = new Map<string, number>();
  readonly #idOfFile = new WeakMap<SourceFile, number>();
  readonly #idOfKey = new Map<string, number>();
  /** Numbers of all entries with some content, oldest first. */
  readonly #entriesOf = new Map<Digest, number[]>();
  readonly #kinds = new Map<string, PathNode['kind']>();
  #kindVersion = 0;

  /** The id of a file with this content and time at its path. */
  fileId(file: SourceFile): number {
    const known = this.#idOfFile.get(file);
    if (known !== undefined) return known;
    const id = this.#intern('file', `f${file.path}\0${file.digest}\0${file.mtimeSeconds}`, file.path, {
      file: {
        sha256: digestToBytes(file.digest),
        sizeBytes: file.sizeBytes,
        mtimeSeconds: file.mtimeSeconds,
      },
    });
    this.#idOfFile.set(file, id);
    const sameContent = this.#entriesOf.get(file.digest);
    if (sameContent === undefined) this.#entriesOf.set(file.digest, [id]);
    else if (!sameContent.includes(id)) sameContent.push(id);
    return id;
  }

  /** The id of a directory at its path. */
  directoryId(path: string): number {
    return this.#intern('directory', `d${path}`, path, { directory: {} });
  }

  /** The id of a symbolic link with this target at its path. */
  symlinkId(path: string, target: string): number {
    return this.#intern('symlink', `l${path}\0${target}`, path, { symlink: { target } });
  }

  /** The entry under an id that this table gave out. */
  entry(id: number): WireEntry {
    const entry = this.#entries[id];
    if (entry === undefined) throw new RangeError(`no dictionary entry ${id}`);
    return entry;
  }

  /** A small number for the path of an entry; one path has one number, whatever was at it. */
  pathNumber(id: number): number {
    return this.#pathOfEntry[id] ?? -1;
  }

  /** The number of a path if any job ever listed it. */
  knownPathNumber(path: string): number | undefined {
    return this.#paths.get(path);
  }

  /** Every path that any job ever listed, with what was there the last time. */
  latestKinds(): IterableIterator<[string, PathNode['kind']]> {
    return this.#kinds.entries();
  }

  /** Grows whenever a known path got another kind. */
  get kindVersion(): number {
    return this.#kindVersion;
  }

  /** Files that had this content when they were looked at, the latest first. */
  sourcesOf(digest: Digest): BlobSource[] {
    const sources: BlobSource[] = [];
    for (const id of this.#entriesOf.get(digest) ?? []) {
      const { path, file } = this.entry(id);
      if (file !== undefined)
        sources.unshift({ path, sizeBytes: file.sizeBytes, mtimeSeconds: file.mtimeSeconds });
    }
    return sources;
  }

  #intern(kind: PathNode['kind'], key: string, path: string, node: Omit<WireEntry, 'id' | 'path'>): number {
    if (this.#kinds.get(path) !== kind) {
      // A path that is new changes nothing for what is known of others.
      if (this.#kinds.has(path)) this.#kindVersion++;
      this.#kinds.set(path, kind);
    }
    let id = this.#idOfKey.get(key);
    if (id !== undefined) return id;
    id = this.#entries.length;
    this.#idOfKey.set(key, id);
    this.#entries.push({ id, path, ...node });
    let number = this.#paths.get(path);
    if (number === undefined) {
      number = this.#paths.size;
      this.#paths.set(path, number);
    }
    this.#pathOfEntry.push(number);
    return id;
  }
}
