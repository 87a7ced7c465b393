/**
 * What is read when a header is read: itself and everything below it, joined once and remembered. So a unit costs
 * as much as its own few includes, and not as much as the hundreds of headers behind them.
 */
import { IdSet } from '../base/id-set.ts';
import type { ChainMemory, Expansion, IncludeGraph } from './include-graph.ts';
import type { GraphNode } from './path-probe.ts';

/** A file, or several that include each other, with all that is below them. */
export interface Reach {
  /** Numbers of the nodes that may be read. */
  readonly nodes: IdSet;
  /** Numbers of nodes whose existence is asked for. */
  readonly asked: IdSet;
  /** Numbers of directories, as spelled, that the compiler passes through. */
  readonly directories: IdSet;
  /** Numbers of the nodes with operands that only macro expansion turns into names. */
  readonly computing: IdSet;
  /** Numbers of the nodes with assembler text that names files. */
  readonly embedding: IdSet;
  /** All bits that occur in the traits of the files. */
  readonly traits: number;
}

/** A reach and what it was joined from: the same parts give the same reach again. */
export interface JoinedGroup {
  readonly members: readonly Expansion[];
  readonly below: readonly Reach[];
  readonly reach: Reach;
}

/** Why a search stopped early. `late`: out of time. `unreadable`: a file that may be read cannot be read. */
export type ReachTrouble = { readonly kind: 'late' } | { readonly kind: 'unreadable'; readonly path: string };

const EMPTY = new IdSet();
const LATE: ReachTrouble = { kind: 'late' };

/** A reach under construction. */
export class ReachBuilder {
  readonly nodes = new IdSet();
  readonly asked = new IdSet();
  readonly directories = new IdSet();
  readonly computing = new IdSet();
  readonly embedding = new IdSet();
  traits = 0;

  /** Adds one file without what is below it. */
  addFile(node: GraphNode, { file, asked, directories }: Expansion): void {
    this.nodes.add(node.id);
    for (const id of asked) this.asked.add(id);
    for (const id of directories) this.directories.add(id);
    const { scan } = file;
    this.traits |= scan.traits;
    if (scan.computed.length > 0 || scan.computedQuestions.length > 0) this.computing.add(node.id);
    if (scan.embedded.length > 0) this.embedding.add(node.id);
  }

  addReach(reach: Reach): void {
    this.nodes.addAll(reach.nodes);
    this.asked.addAll(reach.asked);
    this.directories.addAll(reach.directories);
    this.computing.addAll(reach.computing);
    this.embedding.addAll(reach.embedding);
    this.traits |= reach.traits;
  }

  build(): Reach {
    const { nodes, asked, directories, computing, embedding, traits } = this;
    const kept = (set: IdSet): IdSet => (set.isEmpty ? EMPTY : set.compact());
    return {
      nodes: kept(nodes),
      asked: kept(asked),
      directories: kept(directories),
      computing: kept(computing),
      embedding: kept(embedding),
      traits,
    };
  }
}

/** A node on the way down, as in Tarjan's search for strongly connected components. */
interface Visit {
  readonly node: GraphNode;
  readonly expansion: Expansion;
  readonly order: number;
  /** The first node in order that can be reached from here and belongs to no finished group. */
  lowest: number;
  /** Position in the includes. */
  next: number;
}

/** One search downwards along one chain. What it learns stays in the memory, also if it is given up. */
export class ReachSearch {
  readonly #graph: IncludeGraph;
  readonly #memory: ChainMemory;
  readonly #deadlineMs: number;
  readonly #visits = new Map<number, Visit>();
  /** Visited, in order, and in no finished group. */
  readonly #open: Visit[] = [];
  /** What stopped the search. */
  trouble: ReachTrouble | undefined;

  /** @param deadlineMs when to give up, as of performance.now() */
  constructor(graph: IncludeGraph, memory: ChainMemory, deadlineMs: number) {
    this.#graph = graph;
    this.#memory = memory;
    this.#deadlineMs = deadlineMs;
  }

  /** What one file asks for; undefined if the search has to stop, see {@link trouble}. */
  expand(node: GraphNode): Expansion | undefined {
    const file = this.#graph.fileOf(node);
    if (file === undefined) {
      this.trouble = { kind: 'unreadable', path: node.path };
      return undefined;
    }
    const { expansions } = this.#memory;
    const known = expansions.get(node.id);
    if (known?.file === file) return known;
    const made = this.#graph.expansion(node, file, this.#memory);
    expansions.set(node.id, made);
    if (performance.now() <= this.#deadlineMs) return made;
    this.trouble = LATE;
    return undefined;
  }

  /** All that is read when a file is; undefined if the search has to stop, see {@link trouble}. */
  of(node: GraphNode): Reach | undefined {
    const { reaches } = this.#memory;
    const known = reaches.get(node.id);
    if (known !== undefined) return known;
    const way: Visit[] = [];
    if (!this.#enter(node, way)) return undefined;
    for (let visit = way.at(-1); visit !== undefined; visit = way.at(-1)) {
      const id = visit.expansion.includes[visit.next++];
      if (id === undefined) {
        way.pop();
        this.#leave(visit);
        const above = way.at(-1);
        if (above !== undefined) above.lowest = Math.min(above.lowest, visit.lowest);
      } else if (!reaches.has(id)) {
        const open = this.#visits.get(id);
        if (open !== undefined) visit.lowest = Math.min(visit.lowest, open.order);
        else if (!this.#enter(this.#graph.nodeOf(id), way)) return undefined;
      }
    }
    return reaches.get(node.id);
  }

  #enter(node: GraphNode, way: Visit[]): boolean {
    const expansion = this.expand(node);
    if (expansion === undefined) return false;
    const order = this.#open.length;
    const visit = { node, expansion, order, lowest: order, next: 0 };
    this.#visits.set(node.id, visit);
    this.#open.push(visit);
    way.push(visit);
    return true;
  }

  /** All below a node was visited: if nothing there leads back above it, its group is complete. */
  #leave(visit: Visit): void {
    if (visit.lowest !== visit.order) return;
    const group = this.#open.splice(visit.order);
    const reach = this.#join(group);
    for (const { node } of group) {
      this.#memory.reaches.set(node.id, reach);
      this.#visits.delete(node.id);
    }
  }

  #join(group: readonly Visit[]): Reach {
    // In the order of the numbers: where the search came in is different from unit to unit.
    const visits = [...group].sort((one, other) => one.node.id - other.node.id);
    const members = visits.map(({ expansion }) => expansion);
    const below = new Set<Reach>();
    for (const { includes } of members) {
      for (const id of includes) {
        const reach = this.#memory.reaches.get(id);
        if (reach !== undefined) below.add(reach);
      }
    }
    const [first] = members;
    const last = first?.joined;
    if (last !== undefined && sameItems(last.members, members) && sameItems(last.below, [...below]))
      return last.reach;
    const builder = new ReachBuilder();
    for (const { node, expansion } of visits) builder.addFile(node, expansion);
    for (const reach of below) builder.addReach(reach);
    const reach = builder.build();
    this.#graph.keepReach(reach);
    if (first !== undefined) first.joined = { members, below: [...below], reach };
    return reach;
  }
}

/** True if two lists hold the same objects in the same order. */
export function sameItems<Item>(a: readonly Item[], b: readonly Item[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}
