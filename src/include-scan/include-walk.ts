/**
 * A walk over the include graph lists all that a unit may read. Walks are not interrupted, so that each sees one
 * state of the disk: one that takes too long is given up and started again after others had a turn, when what it
 * learnt makes it faster.
 */
import type { ChainMemory, Expansion, IncludeGraph } from './include-graph.ts';
import type { FoundProbe, GraphNode } from './path-probe.ts';
import type { SourceFile, SourceView } from './source-view-port.ts';

/** How a walk ended. `late`: out of time. `unreadable`: a file that the unit may read cannot be read. */
export type WalkEnd =
  | { readonly kind: 'done' }
  | { readonly kind: 'late' }
  | { readonly kind: 'unreadable'; readonly path: string };

const DONE: WalkEnd = { kind: 'done' };
const LATE: WalkEnd = { kind: 'late' };

/** One walk from the roots of a unit over everything that it may read. */
export class IncludeWalk {
  /** Files that may be read, roots first. */
  readonly nodes: GraphNode[] = [];
  /** Their contents, in the same order. */
  readonly files: SourceFile[] = [];
  /** Those with operands that only macro expansion turns into names. */
  readonly computing: GraphNode[] = [];
  /** Directories, as spelled, that the compiler passes through. */
  readonly directories = new Set<string>();
  /** All bits that occur in the traits of the files. */
  traits = 0;
  readonly #graph: IncludeGraph;
  readonly #view: SourceView;
  readonly #memory: ChainMemory;
  readonly #number: number;
  readonly #deadlineMs: number;
  readonly #pending: GraphNode[] = [];
  readonly #asked = new Set<number>();

  /** @param deadlineMs when to give up, as of performance.now() */
  constructor(graph: IncludeGraph, view: SourceView, memory: ChainMemory, deadlineMs: number) {
    this.#graph = graph;
    this.#view = view;
    this.#memory = memory;
    this.#deadlineMs = deadlineMs;
    this.#number = graph.beginWalk(memory);
  }

  /** Adds a file that is read; what it includes follows with {@link run}. */
  add({ node, via }: FoundProbe): void {
    if (via !== undefined) this.directories.add(via);
    this.#push(node);
  }

  /** Adds a file whose existence is asked for. */
  addAsked({ node, via }: FoundProbe): void {
    if (via !== undefined) this.directories.add(via);
    this.#asked.add(node.id);
  }

  /** True if the file of a node belongs to the unit. */
  readonly includes = (node: number): boolean => this.#graph.probe.nodes[node]?.visited === this.#number;

  /** Files whose existence is asked for, and that are not read as well. */
  askedOnly(): GraphNode[] {
    const asked: GraphNode[] = [];
    for (const id of this.#asked) {
      const node = this.#graph.probe.nodes[id];
      if (node !== undefined && node.visited !== this.#number) asked.push(node);
    }
    return asked;
  }

  /** Visits everything that was added and what that includes. */
  run(): WalkEnd {
    const { nodes } = this.#graph.probe;
    const { expansions } = this.#memory;
    for (let node = this.#pending.pop(); node !== undefined; node = this.#pending.pop()) {
      const file = node.target === undefined ? undefined : this.#view.file(node.target);
      if (file === undefined) return { kind: 'unreadable', path: node.path };
      if (node.file !== file) {
        node.file = file;
        this.#graph.macros.note(node.id, file);
      }
      let expansion = expansions.get(node.id);
      if (expansion?.file !== file) {
        expansion = this.#expand(node, file);
        if (performance.now() > this.#deadlineMs) return LATE;
      }
      this.#take(node, file, expansion);
      for (const id of expansion.includes) {
        const included = nodes[id];
        if (included !== undefined) this.#push(included);
      }
    }
    return DONE;
  }

  #take(node: GraphNode, file: SourceFile, expansion: Expansion): void {
    this.nodes.push(node);
    this.files.push(file);
    const { scan } = file;
    this.traits |= scan.traits;
    if (scan.computed.length > 0 || scan.computedQuestions.length > 0) this.computing.push(node);
    for (const id of expansion.asked) this.#asked.add(id);
    for (const directory of expansion.directories) this.directories.add(directory);
  }

  #expand(node: GraphNode, file: SourceFile): Expansion {
    const expansion = this.#graph.expansion(node, file, this.#memory);
    this.#memory.expansions.set(node.id, expansion);
    return expansion;
  }

  #push(node: GraphNode): void {
    if (node.visited === this.#number) return;
    node.visited = this.#number;
    this.#pending.push(node);
  }
}
