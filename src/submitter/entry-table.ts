/**
 * The submitter's dictionary: every (path, what is there) that a job ever listed, under a small id. Ids are
 * the same for all peers; each peer is told an entry when a job for it first needs it.
 */
import { LRUCache } from 'lru-cache';
import type { Digest } from '../base/digest.ts';
import { digestToBytes } from '../base/digest.ts';
import type { PathNode } from '../base/path-walk.ts';
import type { SourceFile } from '../include-scan/index.ts';
import type { WireEntry } from '../mesh/index.ts';
import type { BlobSource } from './blob-uploader.ts';

/** About 400,000 entries: a build tells some ten thousand, and every change of a file adds one. */
const MAX_BYTES = 256 * 1024 * 1024;

/** Memory of an entry besides its text, and how often its path is part of that; as measured with Node 20. */
const ENTRY_BYTES = 400;
const TEXTS_PER_ENTRY = 3;

/** Contents of forgotten entries that can still be sent: far more than jobs under way can want. */
const MAX_FORMER_SOURCES = 20_000;

export class EntryTable {
  readonly #maxBytes: number;
  #entries: WireEntry[] = [];
  #pathOfEntry: number[] = [];
  #paths = new Map<string, number>();
  #idOfFile = new WeakMap<SourceFile, number>();
  #idOfKey = new Map<string, number>();
  /** Numbers of all entries with some content, oldest first. */
  #entriesOf = new Map<Digest, number[]>();
  #kinds = new Map<string, PathNode['kind']>();
  /** Of entries that were forgotten: workers may still ask for the contents of jobs in their hands. */
  readonly #formerSources = new LRUCache<Digest, BlobSource[]>({ max: MAX_FORMER_SOURCES });
  #kindVersion = 0;
  /** The id of the first entry that is kept; no id is ever given twice. */
  #firstId = 0;
  #generation = 0;
  #bytes = 0;

  /** @param maxBytes memory that it may take, about */
  constructor(maxBytes = MAX_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** Grows whenever everything was forgotten: ids of before mean nothing any more. */
  get generation(): number {
    return this.#generation;
  }

  /** Forgets everything if it takes too much memory; most of it is then about files as they once were. */
  limit(): void {
    if (this.#bytes <= this.#maxBytes) return;
    for (const digest of [...this.#entriesOf.keys()].slice(-MAX_FORMER_SOURCES))
      this.#formerSources.set(digest, this.sourcesOf(digest).slice(0, 1));
    this.#firstId += this.#entries.length;
    this.#entries = [];
    this.#pathOfEntry = [];
    this.#paths = new Map();
    this.#idOfFile = new WeakMap();
    this.#idOfKey = new Map();
    this.#entriesOf = new Map();
    this.#kinds = new Map();
    this.#kindVersion++;
    this.#generation++;
    this.#bytes = 0;
  }

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
    const entry = this.#entries[id - this.#firstId];
    if (entry === undefined) throw new RangeError(`no dictionary entry ${id}`);
    return entry;
  }

  /** A small number for the path of an entry; one path has one number, whatever was at it. */
  pathNumber(id: number): number {
    return this.#pathOfEntry[id - this.#firstId] ?? -1;
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
    const ids = this.#entriesOf.get(digest);
    if (ids === undefined) return this.#formerSources.get(digest) ?? [];
    const sources: BlobSource[] = [];
    for (const id of ids) {
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
    id = this.#firstId + this.#entries.length;
    this.#bytes += ENTRY_BYTES + TEXTS_PER_ENTRY * path.length;
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
