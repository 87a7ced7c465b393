/** What one worker has been told of the submitter's files: each thing once, every change, and what is gone. */
import { IdSet } from '../base/id-set.ts';
import type { WireEntry } from '../mesh/index.ts';
import type { EntryTable } from './entry-table.ts';
import type { JobInputs } from './input-set.ts';

/** What a worker must hear before a job. */
export interface News {
  /** Paths that no longer hold what the worker believes. To be told first. */
  readonly removed: readonly string[];
  readonly entries: readonly WireEntry[];
}

/** As removed paths: whatever was told. */
const EVERYTHING: readonly string[] = ['/'];

export class ToldEntries {
  readonly #entries: EntryTable;
  /** Entries that the worker has, and believes to be at their paths. */
  #told = new IdSet();
  /** The same by path number. */
  readonly #toldAt = new Map<number, number>();
  /** Of the dictionary that the worker was told of. */
  #generation: number;

  constructor(entries: EntryTable) {
    this.#entries = entries;
    this.#generation = entries.generation;
  }

  /** The worker is to forget everything. @returns what it must hear for that */
  renew(): readonly string[] {
    this.#told = new IdSet();
    this.#toldAt.clear();
    this.#generation = this.#entries.generation;
    return EVERYTHING;
  }

  /** What the worker lacks for a job; from now on it counts as told. */
  newsFor({ entryIds, absentPaths }: JobInputs): News {
    const removed = this.#generation === this.#entries.generation ? [] : [...this.renew()];
    for (const path of absentPaths) {
      const number = this.#entries.knownPathNumber(path);
      if (number !== undefined && this.#forget(number)) removed.push(path);
    }
    if (removed.length > 0) this.#forgetBelow(removed);
    const entries: WireEntry[] = [];
    entryIds.forEachMissingIn(this.#told, (id) => {
      const number = this.#entries.pathNumber(id);
      this.#forget(number);
      this.#told.add(id);
      this.#toldAt.set(number, id);
      entries.push(this.#entries.entry(id));
    });
    return { removed, entries };
  }

  /** @returns true if the worker believed something to be at the path */
  #forget(pathNumber: number): boolean {
    const id = this.#toldAt.get(pathNumber);
    if (id === undefined) return false;
    this.#told.delete(id);
    return this.#toldAt.delete(pathNumber);
  }

  /** With a directory goes what lay in it: should that come back as it was, the worker must be told again. */
  #forgetBelow(directories: readonly string[]): void {
    const prefixes = directories.map((path) => `${path}/`);
    for (const [number, id] of this.#toldAt) {
      const { path } = this.#entries.entry(id);
      if (prefixes.some((prefix) => path.startsWith(prefix))) this.#forget(number);
    }
  }
}
