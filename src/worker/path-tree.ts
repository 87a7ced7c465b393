/** A set of absolute paths that knows which of them lie below a directory, without looking at the others. */
import { dirname } from 'node:path';

export class PathTree {
  readonly #paths = new Set<string>();
  /** Directory -> what is right below it: paths of the set, and directories that lead to some. */
  readonly #below = new Map<string, Set<string>>();

  add(path: string): void {
    if (this.#paths.has(path)) return;
    this.#paths.add(path);
    for (let at = path; at !== '/'; at = dirname(at)) {
      const parent = dirname(at);
      const siblings = this.#below.get(parent);
      siblings?.add(at);
      if (siblings !== undefined) break;
      this.#below.set(parent, new Set([at]));
    }
  }

  delete(path: string): void {
    this.#paths.delete(path);
    for (let at = path; at !== '/' && !this.#paths.has(at) && !this.#below.has(at); at = dirname(at)) {
      const siblings = this.#below.get(dirname(at));
      siblings?.delete(at);
      if (siblings?.size === 0) this.#below.delete(dirname(at));
    }
  }

  /** The paths below a directory, whether that is in the set or not; those nearer to it first in each branch. */
  below(directory: string): string[] {
    const found: string[] = [];
    const open = [directory];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      for (const path of this.#below.get(at) ?? []) {
        if (this.#paths.has(path)) found.push(path);
        if (this.#below.has(path)) open.push(path);
      }
    }
    return found;
  }
}
