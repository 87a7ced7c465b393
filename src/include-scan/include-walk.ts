/**
 * A walk lists all that a unit may read, from the files that its command line names. Walks are not interrupted, so
 * that each sees one state of the disk: one that takes too long is given up and started again after others had a
 * turn, when what it learnt makes it faster.
 */
import type { IdSet } from '../base/id-set.ts';
import type { ChainMemory, IncludeGraph } from './include-graph.ts';
import { ReachBuilder, ReachSearch, type ReachTrouble } from './include-reach.ts';
import type { FoundProbe, GraphNode } from './path-probe.ts';
import type { SourceFile } from './source-view-port.ts';

/** How a walk ended. */
export type WalkEnd = { readonly kind: 'done' } | ReachTrouble;

const DONE: WalkEnd = { kind: 'done' };

/** Something that a walk starts from. */
interface Root {
  readonly found: FoundProbe;
  readonly role: 'source' | 'included' | 'asked';
}

export class IncludeWalk {
  readonly #graph: IncludeGraph;
  readonly #memory: ChainMemory;
  readonly #deadlineMs: number;
  readonly #roots: Root[] = [];
  #builder = new ReachBuilder();
  /** How many of the roots the builder holds. */
  #joined = 0;

  /** @param deadlineMs when to give up, as of performance.now() */
  constructor(graph: IncludeGraph, memory: ChainMemory, deadlineMs: number) {
    this.#graph = graph;
    this.#memory = memory;
    this.#deadlineMs = deadlineMs;
    graph.beginWalk(memory);
  }

  /** Numbers of the nodes that may be read. */
  get nodes(): IdSet {
    return this.#builder.nodes;
  }

  /** All bits that occur in the traits of the files. */
  get traits(): number {
    return this.#builder.traits;
  }

  /** Directories, as spelled, that the compiler passes through. */
  get directories(): string[] {
    return [...this.#builder.directories].map((number) => this.#graph.directoryName(number));
  }

  /** Nodes with operands that only macro expansion turns into names. */
  get computing(): GraphNode[] {
    return this.#nodesOf(this.#builder.computing);
  }

  /** Files with assembler text that names other files. */
  get embedding(): SourceFile[] {
    return this.#filesOf(this.#builder.embedding);
  }

  /** Contents of the files that may be read. */
  get files(): SourceFile[] {
    return this.#filesOf(this.#builder.nodes);
  }

  /** Files whose existence is asked for, and that are not read as well. */
  get askedOnly(): GraphNode[] {
    return this.#nodesOf(this.#builder.asked).filter(({ id }) => !this.#builder.nodes.has(id));
  }

  /** True if the file of a node belongs to the unit. */
  readonly includes = (node: number): boolean => this.#builder.nodes.has(node);

  /** Adds the file that is compiled; it is hardly ever part of another unit. */
  addSource(found: FoundProbe): void {
    this.#roots.push({ found, role: 'source' });
  }

  /** Adds a file that is read. */
  add(found: FoundProbe): void {
    this.#roots.push({ found, role: 'included' });
  }

  /** Adds a file whose existence is asked for. */
  addAsked(found: FoundProbe): void {
    this.#roots.push({ found, role: 'asked' });
  }

  /** Lists everything that was added and what that includes, as of the view's last refresh. */
  run(): WalkEnd {
    for (;;) {
      const search = new ReachSearch(this.#graph, this.#memory, this.#deadlineMs);
      while (this.#joined < this.#roots.length) {
        const root = this.#roots[this.#joined] as Root;
        if (!this.#join(root, search)) return search.trouble ?? DONE;
        this.#joined++;
      }
      if (!this.#graph.revise(this.#builder.nodes)) return DONE;
      // A file is another one than when it was listed: everything is joined anew.
      this.#graph.beginWalk(this.#memory);
      this.#builder = new ReachBuilder();
      this.#joined = 0;
    }
  }

  #join({ found: { node, via }, role }: Root, search: ReachSearch): boolean {
    const builder = this.#builder;
    if (via !== undefined) builder.directories.add(this.#graph.directoryNumber(via));
    if (role === 'asked') {
      builder.asked.add(node.id);
      return true;
    }
    if (role === 'included') {
      const reach = search.of(node);
      if (reach !== undefined) builder.addReach(reach);
      return reach !== undefined;
    }
    const expansion = search.expand(node);
    if (expansion === undefined) return false;
    builder.addFile(node, expansion);
    for (const id of expansion.includes) {
      const reach = search.of(this.#graph.nodeOf(id));
      if (reach === undefined) return false;
      builder.addReach(reach);
    }
    return true;
  }

  #filesOf(numbers: IdSet): SourceFile[] {
    return this.#nodesOf(numbers).flatMap(({ file }) => file ?? []);
  }

  #nodesOf(numbers: IdSet): GraphNode[] {
    return [...numbers].map((number) => this.#graph.nodeOf(number));
  }
}
