/** Which file includes which, remembered per content and per search chain. */
import type { IdSet } from '../base/id-set.ts';
import type { FileNumbers } from './closure.ts';
import type { ExistenceQuestion } from './has-include.ts';
import { type JoinedGroup, type Reach, sameItems } from './include-reach.ts';
import { MacroIndex } from './macro-index.ts';
import { type FoundProbe, type GraphNode, PathProbe, type Probe } from './path-probe.ts';
import type { SearchChain } from './search-chain.ts';
import type { SourceFile, SourceView } from './source-view-port.ts';

/** What one content asks for, found on the disk by one search chain. Shared by chains that find the same. */
export interface Expansion {
  readonly file: SourceFile;
  /** Numbers of the nodes that it may include. */
  readonly includes: readonly number[];
  /** Numbers of nodes whose existence it asks for. */
  readonly asked: readonly number[];
  /** Numbers of directories, as spelled, that the compiler passes through on the way to them. */
  readonly directories: readonly number[];
  /** The reach of this file and those that include each other with it, as joined last. */
  joined: JoinedGroup | undefined;
}

/** A search chain with what was found by it so far. */
export interface ChainMemory {
  readonly chain: SearchChain;
  /** `#include <…>` by name. */
  readonly angled: Map<string, Probe | undefined>;
  /** By number of the node. */
  readonly expansions: Map<number, Expansion>;
  /** By number of the node. */
  readonly reaches: Map<number, Reach>;
  /** By header, as {@link compiledHeaderFor} asks: the precompiled header that the compiler might take for it. */
  readonly compiledHeaders: Map<string, string | undefined>;
  /** Structure of the disk that all this belongs to. */
  version: number;
  /** Changes of contents that the reaches reflect; see {@link IncludeGraph.beginWalk}. */
  changesSeen: number;
}

/** Memory for reaches of all chains, in words of four bytes; beyond it they are joined anew. */
const MAX_REACH_WORDS = 16 * 1024 * 1024;

/** Changed contents after which the reaches of a chain are joined anew instead of being searched for each. */
const MANY_CHANGES = 64;

/** Doubtful files up to which each is looked up among those of a unit, and not the other way round. */
const FEW_DOUBTFUL = 64;

/** A chain without anything found yet. */
export function newChainMemory(chain: SearchChain): ChainMemory {
  return {
    chain,
    angled: new Map(),
    expansions: new Map(),
    reaches: new Map(),
    compiledHeaders: new Map(),
    version: -1,
    changesSeen: 0,
  };
}

export class IncludeGraph implements FileNumbers {
  readonly probe: PathProbe;
  readonly macros = new MacroIndex();
  readonly #view: SourceView;
  /** The expansion of each node that was made last, for whatever chain. */
  readonly #latest: (Expansion | undefined)[] = [];
  /** Numbers of nodes in the order in which their contents changed. */
  #changed: number[] = [];
  /** How many changes came before those. */
  #changesBefore = 0;
  #reachWords = 0;
  readonly #directoryNumbers = new Map<string, number>();
  readonly #directoryNames: string[] = [];

  constructor(view: SourceView) {
    this.#view = view;
    this.probe = new PathProbe(view);
  }

  /** The node of a number that this graph gave out. */
  nodeOf(number: number): GraphNode {
    const node = this.probe.nodes[number];
    if (node === undefined) throw new RangeError(`the include graph has no node ${number}`);
    return node;
  }

  path(number: number): string {
    return this.nodeOf(number).path;
  }

  file(number: number): SourceFile | undefined {
    return this.nodeOf(number).file;
  }

  /** The number of a directory as spelled. */
  directoryNumber(spelled: string): number {
    const known = this.#directoryNumbers.get(spelled);
    if (known !== undefined) return known;
    const number = this.#directoryNames.push(spelled) - 1;
    this.#directoryNumbers.set(spelled, number);
    return number;
  }

  directoryName(number: number): string {
    return this.#directoryNames[number] ?? '';
  }

  /** Makes a chain's memory fit the disk and the contents that are known to have changed. */
  beginWalk(memory: ChainMemory): void {
    if (memory.version !== this.#view.structureVersion) {
      memory.version = this.#view.structureVersion;
      memory.angled.clear();
      memory.expansions.clear();
      memory.compiledHeaders.clear();
      memory.reaches.clear();
    }
    const changes = this.#changesBefore + this.#changed.length;
    if (memory.changesSeen === changes) return;
    const unseen = this.#changed.slice(Math.max(0, memory.changesSeen - this.#changesBefore));
    if (memory.changesSeen < this.#changesBefore || unseen.length > MANY_CHANGES) memory.reaches.clear();
    else {
      for (const [number, { nodes }] of memory.reaches)
        if (unseen.some((changed) => nodes.has(changed))) memory.reaches.delete(number);
    }
    memory.changesSeen = changes;
  }

  /**
   * The content of a node's file, as far as it was asked for; before it is relied on, {@link revise} must have
   * found nothing new. Undefined if it cannot be read.
   */
  fileOf(node: GraphNode): SourceFile | undefined {
    if (node.file === undefined || node.fileVersion !== this.#view.structureVersion) this.#look(node);
    return node.file;
  }

  /**
   * Asks again for those files among some nodes that may have changed since they were asked for.
   * @returns true if one of them did
   */
  revise(nodes: IdSet): boolean {
    const { doubtful } = this.#view;
    if (doubtful.size === 0) return false;
    const suspects: GraphNode[] = [];
    if (doubtful.size <= FEW_DOUBTFUL) {
      for (const path of doubtful)
        for (const node of this.probe.nodesAt(path)) if (nodes.has(node.id)) suspects.push(node);
    } else {
      nodes.forEach((number) => {
        const node = this.nodeOf(number);
        if (node.target !== undefined && doubtful.has(node.target)) suspects.push(node);
      });
    }
    let isChanged = false;
    for (const node of suspects) if (this.#look(node)) isChanged = true;
    return isChanged;
  }

  /** Takes note of a new reach: their memory is bounded. */
  keepReach({ nodes, asked, directories, computing, embedding }: Reach): void {
    for (const { wordCount } of [nodes, asked, directories, computing, embedding])
      this.#reachWords += wordCount;
    if (this.#reachWords <= MAX_REACH_WORDS) return;
    this.#reachWords = 0;
    for (const expansion of this.#latest) if (expansion !== undefined) expansion.joined = undefined;
    // As if everything had changed: each chain joins anew when it is used next.
    this.#changesBefore += this.#changed.length + 1;
    this.#changed = [];
  }

  /** @returns true if the content is another one than before */
  #look(node: GraphNode): boolean {
    const { file: previous } = node;
    const file = node.target === undefined ? undefined : this.#view.file(node.target);
    node.fileVersion = this.#view.structureVersion;
    if (file === previous) return false;
    node.file = file;
    if (file !== undefined) this.macros.note(node.id, file);
    if (previous === undefined) return false;
    this.#changed.push(node.id);
    if (this.#changed.length > 2 * MANY_CHANGES) {
      this.#changesBefore += MANY_CHANGES;
      this.#changed.splice(0, MANY_CHANGES);
    }
    return true;
  }

  /** Everything that one file asks for. */
  expansion(node: GraphNode, file: SourceFile, memory: ChainMemory): Expansion {
    const includes = new Set<number>();
    const asked = new Set<number>();
    const directories = new Set<number>();
    const take = (probe: Probe | undefined, into: Set<number>): void => {
      if (probe?.node === undefined) return;
      into.add(probe.node.id);
      if (probe.via !== undefined) directories.add(this.directoryNumber(probe.via));
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
      joined: undefined,
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
  missingPaths(numbers: IdSet, memory: ChainMemory): string[] {
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
    for (const number of numbers) {
      const { directory, file } = this.nodeOf(number);
      if (file === undefined) continue;
      const { scan } = file;
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
