/** Which file includes which, remembered per content and per search chain. */
import type { ExistenceQuestion } from './has-include.ts';
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

  /**
   * Makes a chain's memory fit the disk, for a walk. Only the walk that began last may be used.
   * @returns the number of the walk
   */
  beginWalk(memory: ChainMemory): number {
    if (memory.version !== this.#view.structureVersion) {
      memory.version = this.#view.structureVersion;
      memory.angled.clear();
      memory.expansions.clear();
      memory.compiledHeaders.clear();
    }
    return ++this.#walks;
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
