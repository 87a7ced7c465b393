/**
 * Which file includes which, remembered per content and per search chain. A walk over it lists all that a unit
 * may read. Walks are not interrupted, so that each sees one state of the disk: one that takes too long is given
 * up and started again after others had a turn, when what it learnt makes it faster.
 */
import type { ExistenceQuestion } from './has-include.ts';
import { MacroIndex } from './macro-index.ts';
import { type FoundProbe, type GraphNode, PathProbe, type Probe } from './path-probe.ts';
import type { SearchChain } from './search-chain.ts';
import type { SourceFile, SourceView } from './source-view-port.ts';

/** What one content asks for, found on the disk by one search chain. Shared by chains that find the same. */
interface Expansion {
  readonly file: SourceFile;
  /** Numbers of the nodes that it may include. */
  readonly includes: readonly number[];
  /** Numbers of nodes whose existence it asks for. */
  readonly asked: readonly number[];
  /** Directories, as spelled, that the compiler passes through on the way to them. */
  readonly directories: readonly string[];
}

/** A search chain with what was found by it so far. */
export interface ChainMemory {
  readonly chain: SearchChain;
  /** `#include <…>` by name. */
  readonly angled: Map<string, Probe | undefined>;
  /** By number of the node. */
  readonly expansions: Map<number, Expansion>;
  /** By number of a source's node: its content, and the precompiled header that the compiler might take. */
  readonly compiledHeaders: Map<number, { readonly file: SourceFile; readonly path: string | undefined }>;
  /** Structure of the disk that all this belongs to. */
  version: number;
}

/** How a walk ended. `late`: out of time. `unreadable`: a file that the unit may read cannot be read. */
export type WalkEnd =
  | { readonly kind: 'done' }
  | { readonly kind: 'late' }
  | { readonly kind: 'unreadable'; readonly path: string };

const DONE: WalkEnd = { kind: 'done' };
const LATE: WalkEnd = { kind: 'late' };

export class IncludeGraph {
  readonly probe: PathProbe;
  readonly macros = new MacroIndex();
  readonly #view: SourceView;
  /** The expansion of each node that was made last, for whatever chain. */
  readonly #latest: (Expansion | undefined)[] = [];
  #walks = 0;

  constructor(view: SourceView) {
    this.#view = view;
    this.probe = new PathProbe(view);
  }

  /** Starts a walk. Only the walk that was started last may be used. */
  startWalk(memory: ChainMemory, deadlineMs: number): IncludeWalk {
    if (memory.version !== this.#view.structureVersion) {
      memory.version = this.#view.structureVersion;
      memory.angled.clear();
      memory.expansions.clear();
      memory.compiledHeaders.clear();
    }
    return new IncludeWalk(this, this.#view, memory, ++this.#walks, deadlineMs);
  }

  /** Everything that one file asks for. */
  expansion(node: GraphNode, file: SourceFile, memory: ChainMemory): Expansion {
    const includes = new Set<number>();
    const asked = new Set<number>();
    const directories = new Set<string>();
    const take = (probe: Probe | undefined, into: Set<number>): void => {
      if (probe?.node === undefined) return;
      into.add(probe.node.id);
      if (probe.via !== undefined) directories.add(probe.via);
    };
    const { scan } = file;
    for (const name of scan.quoted) take(this.findQuoted(memory, node.directory, name), includes);
    for (const name of scan.angled) take(this.findAngled(memory, name), includes);
    for (const name of scan.next)
      for (const probe of this.findAll(memory, node.directory, name)) take(probe, includes);
    for (const question of scan.questions)
      for (const probe of this.#answers(memory, node.directory, question)) take(probe, asked);
    return this.#shared(node.id, {
      file,
      includes: [...includes],
      asked: [...asked],
      directories: [...directories],
    });
  }

  /** The file that `#include "name"` in a file of `directory` means. */
  findQuoted(memory: ChainMemory, directory: string, name: string): Probe | undefined {
    const beside = this.probe.find(directory, name);
    if (beside.node !== undefined || name.startsWith('/')) return beside;
    for (const { canonical } of memory.chain.quote) {
      const probe = this.probe.find(canonical, name);
      if (probe.node !== undefined) return probe;
    }
    return this.findAngled(memory, name);
  }

  /** The file that `#include <name>` means. */
  findAngled(memory: ChainMemory, name: string): Probe | undefined {
    const known = memory.angled.get(name);
    if (known !== undefined || memory.angled.has(name)) return known;
    let found: Probe | undefined;
    if (name.startsWith('/')) found = this.probe.find('/', name);
    else {
      for (const { canonical } of memory.chain.angle) {
        found = this.probe.find(canonical, name);
        if (found.node !== undefined) break;
      }
    }
    memory.angled.set(name, found);
    return found;
  }

  /** Every file that some form of include in a file of `directory` can mean by a name. */
  findAll(memory: ChainMemory, directory: string, name: string): Probe[] {
    if (name.startsWith('/')) return [this.probe.find('/', name)];
    const { quote, angle } = memory.chain;
    return [directory, ...quote.map(({ canonical }) => canonical), ...angle.map(({ canonical }) => canonical)]
      .map((each) => this.probe.find(each, name))
      .filter((probe) => probe.node !== undefined);
  }

  /**
   * Like {@link findAll}, for names that hardly ever exist: nothing is remembered.
   * @param directory undefined for `<name>`
   */
  findRare(memory: ChainMemory, directory: string | undefined, name: string): FoundProbe[] {
    const { quote, angle } = memory.chain;
    const directories = directory === undefined ? [] : [directory, ...quote.map((each) => each.canonical)];
    directories.push(...angle.map((each) => each.canonical));
    const found: FoundProbe[] = [];
    for (const each of name.startsWith('/') ? ['/'] : directories) {
      const probe = this.probe.findOnce(each, name);
      if (probe.node !== undefined) found.push(probe);
    }
    return found;
  }

  #answers(
    memory: ChainMemory,
    directory: string,
    { name, lookup }: ExistenceQuestion,
  ): (Probe | undefined)[] {
    if (lookup === 'next') return this.findAll(memory, directory, name);
    return [lookup === 'quoted' ? this.findQuoted(memory, directory, name) : this.findAngled(memory, name)];
  }

  /** Every canonical path where a header of some files was looked for in vain. */
  missingPaths(nodes: readonly GraphNode[], files: readonly SourceFile[], memory: ChainMemory): string[] {
    const missing = new Set(memory.chain.missing);
    const done = new Set<string>();
    const search = (directories: readonly string[], name: string): boolean => {
      for (const directory of name.startsWith('/') ? ['/'] : directories) {
        const probe = this.probe.find(directory, name);
        if (probe.node !== undefined) return true;
        if (probe.missing !== undefined) missing.add(probe.missing);
      }
      return false;
    };
    const quote = memory.chain.quote.map((each) => each.canonical);
    const angle = memory.chain.angle.map((each) => each.canonical);
    const searchAngled = (name: string): void => {
      if (done.has(name)) return;
      done.add(name);
      search(angle, name);
    };
    for (const [index, { directory }] of nodes.entries()) {
      const scan = files[index]?.scan;
      if (scan === undefined) continue;
      const asked = scan.questions;
      for (const name of scan.angled) searchAngled(name);
      for (const name of scan.quoted) if (!search([directory, ...quote], name)) searchAngled(name);
      for (const name of scan.next) for (const each of [directory, ...quote, ...angle]) search([each], name);
      for (const { name, lookup } of asked) {
        if (lookup === 'angled') searchAngled(name);
        else if (!search([directory, ...quote], name) || lookup === 'next') searchAngled(name);
      }
    }
    return [...missing];
  }

  /** Most expansions are the same for all chains: then there is one object. */
  #shared(node: number, made: Expansion): Expansion {
    const last = this.#latest[node];
    if (
      last !== undefined &&
      last.file === made.file &&
      sameItems(last.includes, made.includes) &&
      sameItems(last.asked, made.asked) &&
      sameItems(last.directories, made.directories)
    )
      return last;
    while (this.#latest.length <= node) this.#latest.push(undefined);
    this.#latest[node] = made;
    return made;
  }
}

function sameItems<Item>(a: readonly Item[], b: readonly Item[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}

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

  constructor(
    graph: IncludeGraph,
    view: SourceView,
    memory: ChainMemory,
    number: number,
    deadlineMs: number,
  ) {
    this.#graph = graph;
    this.#view = view;
    this.#memory = memory;
    this.#number = number;
    this.#deadlineMs = deadlineMs;
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
