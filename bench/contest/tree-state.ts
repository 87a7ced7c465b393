/** Every run starts from the same tree: cleaned, and compared file by file with how it was before the first. */
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BenchError } from '../bench-error.ts';
import type { PreparedTree } from '../workloads/index.ts';

/** Size and time of every file, by path relative to the tree. */
type TreeState = ReadonlyMap<string, string>;

const CHUNK_BYTES = 1 << 20;
const NAMED_IN_ERROR = 10;

async function* filesBelow(directory: string, prefix = ''): AsyncGenerator<string> {
  for (const entry of await readdir(join(directory, prefix), { withFileTypes: true })) {
    const path = join(prefix, entry.name);
    if (entry.isDirectory()) yield* filesBelow(directory, path);
    else if (entry.isFile()) yield path;
  }
}

async function stateOf(directory: string): Promise<TreeState> {
  const state = new Map<string, string>();
  for await (const path of filesBelow(directory)) {
    const { size, mtimeMs } = await stat(join(directory, path));
    state.set(path, `${size} ${mtimeMs}`);
  }
  return state;
}

/** A tree that can be brought back to one state, again and again. */
export class RepeatableTree {
  readonly #tree: PreparedTree;
  readonly #state: TreeState;

  private constructor(tree: PreparedTree, state: TreeState) {
    this.#tree = tree;
    this.#state = state;
  }

  /**
   * Takes the state after a build and a clean as the one to come back to, and reads every file, so that no run finds
   * more of it in the page cache than another.
   */
  static async of(tree: PreparedTree): Promise<RepeatableTree> {
    await tree.clean();
    const state = await stateOf(tree.directory);
    const buffer = Buffer.alloc(CHUNK_BYTES);
    for (const path of state.keys()) {
      const file = await open(join(tree.directory, path));
      while ((await file.read(buffer, 0, CHUNK_BYTES)).bytesRead > 0);
      await file.close();
    }
    return new RepeatableTree(tree, state);
  }

  /** @throws BenchError if cleaning does not lead back to the state, because then runs would differ */
  async restore(): Promise<void> {
    await this.#tree.clean();
    const now = await stateOf(this.#tree.directory);
    const changed = [...now].filter(([path, state]) => this.#state.get(path) !== state).map(([path]) => path);
    const gone = [...this.#state.keys()].filter((path) => !now.has(path));
    if (changed.length + gone.length === 0) return;
    const names = [...changed, ...gone.map((path) => `${path} (gone)`)].slice(0, NAMED_IN_ERROR);
    throw new BenchError(
      `cleaning ${this.#tree.directory} does not bring back what was there before the first run: ${changed.length} files are new or changed, ${gone.length} are gone:\n  ${names.join('\n  ')}\nRemove the tree, so that it is prepared anew.`,
    );
  }
}
