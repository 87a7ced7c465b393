/** Every run starts from the same tree: cleaned, and compared file by file with how it was before the first. */
import { readdir, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest } from '../../src/base/digest.ts';
import { digestOfFile } from '../../src/base/file-digest.ts';
import { BenchError } from '../bench-error.ts';
import type { PreparedTree } from '../workloads/index.ts';

interface FileTime {
  readonly sizeBytes: number;
  readonly mtimeMs: number;
}

interface FileState extends FileTime {
  readonly digest: Digest;
}

const NAMED_IN_ERROR = 10;

async function* filesBelow(directory: string, prefix = ''): AsyncGenerator<string> {
  for (const entry of await readdir(join(directory, prefix), { withFileTypes: true })) {
    const path = join(prefix, entry.name);
    if (entry.isDirectory()) yield* filesBelow(directory, path);
    else if (entry.isFile()) yield path;
  }
}

async function timesOf(directory: string): Promise<Map<string, FileTime>> {
  const times = new Map<string, FileTime>();
  for await (const path of filesBelow(directory)) {
    const { size, mtimeMs } = await stat(join(directory, path));
    times.set(path, { sizeBytes: size, mtimeMs });
  }
  return times;
}

/** A tree that can be brought back to one state, again and again. */
export class RepeatableTree {
  readonly #tree: PreparedTree;
  readonly #state: ReadonlyMap<string, FileState>;

  private constructor(tree: PreparedTree, state: ReadonlyMap<string, FileState>) {
    this.#tree = tree;
    this.#state = state;
  }

  /**
   * Takes the state after a build and a clean as the one to come back to. Every file is read, so that no run finds
   * more of it in the page cache than another.
   */
  static async of(tree: PreparedTree): Promise<RepeatableTree> {
    await tree.clean();
    const state = new Map<string, FileState>();
    for (const [path, time] of await timesOf(tree.directory)) {
      state.set(path, { ...time, digest: await digestOfFile(join(tree.directory, path), time.sizeBytes) });
    }
    return new RepeatableTree(tree, state);
  }

  /**
   * Cleans the tree. Files that a build wrote again with the same content get their old time back.
   * @throws BenchError if that does not lead back to the state, because then runs would differ
   */
  async restore(): Promise<void> {
    await this.#tree.clean();
    const now = await timesOf(this.#tree.directory);
    const changed: string[] = [];
    for (const [path, time] of now) if (!(await this.#isRight(path, time))) changed.push(path);
    const gone = [...this.#state.keys()].filter((path) => !now.has(path));
    if (changed.length + gone.length === 0) return;
    const names = [...changed, ...gone.map((path) => `${path} (gone)`)].slice(0, NAMED_IN_ERROR);
    throw new BenchError(
      `cleaning ${this.#tree.directory} does not bring back what was there before the first run: ${changed.length} files are new or changed, ${gone.length} are gone:\n  ${names.join('\n  ')}\nRemove the tree, so that it is prepared anew.`,
    );
  }

  async #isRight(path: string, { sizeBytes, mtimeMs }: FileTime): Promise<boolean> {
    const wanted = this.#state.get(path);
    if (wanted === undefined || wanted.sizeBytes !== sizeBytes) return false;
    if (wanted.mtimeMs === mtimeMs) return true;
    const file = join(this.#tree.directory, path);
    if ((await digestOfFile(file, sizeBytes)) !== wanted.digest) return false;
    await utimes(file, wanted.mtimeMs / 1000, wanted.mtimeMs / 1000);
    return true;
  }
}
