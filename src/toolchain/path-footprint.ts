/** Everything on disk that must be there for a set of spelled paths to lead where they lead here. */
import { lstatSync, readlinkSync } from 'node:fs';
import { errnoOf } from '../base/errors.ts';
import { type PathNode, walkPath } from '../base/path-walk.ts';
import type { ToolchainLink } from './toolchain.ts';

/** Collects the directories and links that paths lead through. */
export class PathFootprint {
  readonly #nodes = new Map<string, PathNode | undefined>();
  readonly #directories = new Set<string>();
  readonly #links = new Map<string, string>();

  /** Canonical paths of the directories, parents first. */
  get directories(): string[] {
    return [...this.#directories].sort();
  }

  get links(): ToolchainLink[] {
    return [...this.#links].sort().map(([path, target]) => ({ path, target }));
  }

  /**
   * Resolves an absolute path and keeps what it leads through (a directory is part of its own footprint).
   * @returns its canonical path, or undefined if there is nothing; then nothing is kept
   */
  add(path: string): string | undefined {
    const walk = walkPath(path, (canonicalPath) => this.#lookup(canonicalPath));
    if (walk.node === undefined) return undefined;
    for (const step of walk.steps) {
      if (step.node.kind === 'symlink') this.#links.set(step.path, step.node.target);
      else this.#directories.add(step.path);
    }
    return walk.canonicalPath;
  }

  #lookup(path: string): PathNode | undefined {
    if (!this.#nodes.has(path)) this.#nodes.set(path, examine(path));
    return this.#nodes.get(path);
  }
}

function examine(path: string): PathNode | undefined {
  try {
    const stat = lstatSync(path);
    if (stat.isSymbolicLink()) return { kind: 'symlink', target: readlinkSync(path) };
    if (stat.isDirectory()) return { kind: 'directory' };
    return { kind: stat.isFile() ? 'file' : 'other' };
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}
