/**
 * Looks header names up in directories, and remembers the answers until the structure of the disk changes.
 * Files get a number each, by the canonical path of the directory that they are found in and their own name
 * there: what an `#include "…"` in them means depends on nothing else, and `a/../a/../b.h` stays one file.
 */
import { dirname } from 'node:path';
import { walkPath } from '../base/path-walk.ts';
import type { SourceFile, SourceView } from './source-view-port.ts';

/** A file with its number. */
export interface GraphNode {
  readonly id: number;
  /** The directory is canonical; the last component may be a symbolic link. */
  readonly path: string;
  /** `path` without its last component. */
  readonly directory: string;
  /** Where the content is; undefined if it is not in a regular file. Holds as long as the structure of the disk. */
  target: string | undefined;
  /** The content as it was asked for last. */
  file: SourceFile | undefined;
  /** Structure of the disk when that was. */
  fileVersion: number;
}

/** A file that was found. */
export interface FoundProbe {
  readonly node: GraphNode;
  /** The directory as spelled, if it is not canonical: the compiler passes through it. */
  readonly via: string | undefined;
}

/** What was found under a name. */
export type Probe =
  | FoundProbe
  | {
      readonly node: undefined;
      /** Canonical path of the first component that is missing; undefined if the name is that of a directory. */
      readonly missing: string | undefined;
    };

/** What is known about the path of a directory. */
export interface KnownDirectory {
  /** Its canonical path, or that of its first component that is missing. */
  readonly canonical: string;
  readonly exists: boolean;
  /** There is something else instead. */
  readonly isFile: boolean;
}

const NONE: readonly GraphNode[] = [];

export class PathProbe {
  /** By number. */
  readonly nodes: GraphNode[] = [];
  readonly #view: SourceView;
  readonly #byPath = new Map<string, GraphNode>();
  readonly #byTarget = new Map<string, GraphNode[]>();
  readonly #probes = new Map<string, Probe>();
  readonly #directories = new Map<string, KnownDirectory>();
  #version = -1;

  constructor(view: SourceView) {
    this.#view = view;
  }

  /** How much is remembered: files and look-ups that found none. */
  get size(): number {
    return this.nodes.length + this.#probes.size / 4;
  }

  /** Forgets what may have changed. To be called before a series of look-ups. */
  sync(): void {
    if (this.#version === this.#view.structureVersion) return;
    this.#version = this.#view.structureVersion;
    this.#probes.clear();
    this.#directories.clear();
  }

  /**
   * Looks for a file.
   * @param directory absolute; ignored if the name is absolute
   * @param name as in the directive
   */
  find(directory: string, name: string): Probe {
    const spelled = spelledIn(directory, name);
    let probe = this.#probes.get(spelled);
    if (probe === undefined) {
      probe = this.#look(spelled);
      this.#probes.set(spelled, probe);
    }
    return probe;
  }

  /** Like {@link find}, for names that hardly ever exist and are not asked for again. */
  findOnce(directory: string, name: string): Probe {
    return this.#look(spelledIn(directory, name));
  }

  /** Nodes whose content is in the file at a canonical path. */
  nodesAt(path: string): readonly GraphNode[] {
    return this.#byTarget.get(path) ?? NONE;
  }

  /** True if there is a file or a directory by that name. */
  exists(directory: string, name: string): boolean {
    return (
      this.findOnce(directory, name).node !== undefined || this.directory(spelledIn(directory, name)).exists
    );
  }

  /** Where a directory really is. */
  directory(spelled: string): KnownDirectory {
    let known = this.#directories.get(spelled);
    if (known === undefined) {
      const walk = walkPath(spelled, this.#lookup);
      const exists = walk.node?.kind === 'directory';
      known = { canonical: walk.canonicalPath, exists, isFile: walk.node !== undefined && !exists };
      this.#directories.set(spelled, known);
    }
    return known;
  }

  readonly #lookup = (path: string): ReturnType<SourceView['node']> => this.#view.node(path);

  #look(spelled: string): Probe {
    if (/\/\.{0,2}$/.test(spelled)) return { node: undefined, missing: undefined };
    const parent = dirname(spelled);
    const directory = this.directory(parent);
    const base = spelled.slice(spelled.lastIndexOf('/') + 1);
    const path = spelledIn(directory.canonical, base);
    if (!directory.exists) return { node: undefined, missing: directory.isFile ? path : directory.canonical };
    const found = this.#view.node(path);
    if (found === undefined) return { node: undefined, missing: path };
    if (found.kind === 'directory') return { node: undefined, missing: undefined };
    let target: string | undefined = found.kind === 'file' ? path : undefined;
    if (found.kind === 'symlink') {
      const walk = walkPath(path, this.#lookup);
      if (walk.node === undefined) return { node: undefined, missing: walk.canonicalPath };
      if (walk.node.kind === 'directory') return { node: undefined, missing: undefined };
      if (walk.node.kind === 'file') target = walk.canonicalPath;
    }
    const node = this.#nodeAt(path, directory.canonical);
    this.#aim(node, target);
    return { node, via: parent === directory.canonical ? undefined : parent };
  }

  #aim(node: GraphNode, target: string | undefined): void {
    if (node.target === target) return;
    if (node.target !== undefined) {
      const left = this.nodesAt(node.target).filter((each) => each !== node);
      if (left.length === 0) this.#byTarget.delete(node.target);
      else this.#byTarget.set(node.target, left);
    }
    node.target = target;
    if (target !== undefined) this.#byTarget.set(target, [...this.nodesAt(target), node]);
  }

  #nodeAt(path: string, directory: string): GraphNode {
    let node = this.#byPath.get(path);
    if (node === undefined) {
      node = { id: this.nodes.length, path, directory, target: undefined, file: undefined, fileVersion: -1 };
      this.nodes.push(node);
      this.#byPath.set(path, node);
    }
    return node;
  }
}

function spelledIn(directory: string, name: string): string {
  if (name.startsWith('/')) return name;
  return directory === '/' ? `/${name}` : `${directory}/${name}`;
}
