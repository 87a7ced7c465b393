/** Everything that scans remember, bounded: the include graph and one memory per search chain. */
import { LRUCache } from 'lru-cache';
import type { BuiltInDirectories } from './compiler-questions.ts';
import { ComputedIncludeFinder } from './computed-include.ts';
import { type ChainMemory, IncludeGraph, newChainMemory } from './include-graph.ts';
import { macroDefinitionsIn } from './macro-definitions.ts';
import type { NumberedDefinition } from './macro-index.ts';
import { type SearchChain, searchChainOf } from './search-chain.ts';
import type { SearchPlan } from './search-plan.ts';
import type { SourceView } from './source-view-port.ts';

/** Beyond this many files or look-ups everything is forgotten and learnt again: about 200 MB. */
const MAX_NODES = 150_000;

/** Search chains with a memory of their own; a kernel build has a few tens. */
const MAX_CHAINS = 256;

/** Command lines whose chain is remembered: several spell the same chain. */
const MAX_PLANS = 2_048;

/** Sets of predefined macros, one per set of flags. */
const MAX_MACRO_SETS = 64;

/** A call's search chain as it spells it, and the memory that it shares with others. */
interface KnownPlan {
  readonly chain: SearchChain;
  readonly memory: ChainMemory;
  readonly version: number;
}

export class ScanMemory {
  readonly view: SourceView;
  #graph: IncludeGraph;
  #computed: ComputedIncludeFinder;
  readonly #plans = new LRUCache<string, KnownPlan>({ max: MAX_PLANS });
  readonly #chains = new LRUCache<string, ChainMemory>({ max: MAX_CHAINS });
  readonly #predefined = new LRUCache<string, Map<string, NumberedDefinition[]>>({ max: MAX_MACRO_SETS });
  /** What the directories that a compiler mentioned were when it was asked. */
  #answers = new WeakMap<BuiltInDirectories, { readonly state: string; version: number }>();

  constructor(view: SourceView) {
    this.view = view;
    this.#graph = new IncludeGraph(view);
    this.#computed = new ComputedIncludeFinder(this.#graph);
  }

  get graph(): IncludeGraph {
    return this.#graph;
  }

  get computed(): ComputedIncludeFinder {
    return this.#computed;
  }

  /** Makes the memory fit the disk as of the last refresh. To be called at the start of every pass. */
  sync(): void {
    if (this.#graph.probe.size > MAX_NODES) {
      this.#graph = new IncludeGraph(this.view);
      this.#computed = new ComputedIncludeFinder(this.#graph);
      this.#plans.clear();
      this.#chains.clear();
      this.#predefined.clear();
    }
    this.#graph.probe.sync();
  }

  /** False if a directory that a compiler mentioned appeared, vanished or became another one since. */
  isCurrent(directories: BuiltInDirectories): boolean {
    const version = this.view.structureVersion;
    const answer = this.#answers.get(directories);
    if (answer?.version === version) return true;
    const state = directories.mentioned
      .map((path) => this.#graph.probe.directory(path))
      .map(({ canonical, exists }) => `${exists}${canonical}`)
      .join('\0');
    if (answer === undefined) this.#answers.set(directories, { state, version });
    else if (answer.state === state) answer.version = version;
    else return false;
    return true;
  }

  /** Predefined macros by name. @param text as the compiler lists them */
  predefined(text: string): ReadonlyMap<string, readonly NumberedDefinition[]> {
    let macros = this.#predefined.get(text);
    if (macros === undefined) {
      macros = new Map();
      for (const definition of macroDefinitionsIn(text, () => true))
        macros.set(definition.name, [this.#graph.macros.numbered(definition)]);
      this.#predefined.set(text, macros);
    }
    return macros;
  }

  /** The chain of a call, and what is known about it. */
  chainOf(plan: SearchPlan, builtIn: BuiltInDirectories): KnownPlan {
    const { quote, include, system, after } = plan;
    const key = [quote, include, system, after, builtIn.angle]
      .map((list) => list.join('\0'))
      .concat(String(builtIn.isClang))
      .join('\0\0');
    const version = this.view.structureVersion;
    const known = this.#plans.get(key);
    if (known?.version === version) return known;
    const chain = searchChainOf(plan, builtIn, this.#graph.probe);
    const made = { chain, memory: this.#memoryOf(chain), version };
    this.#plans.set(key, made);
    return made;
  }

  #memoryOf(chain: SearchChain): ChainMemory {
    const { quote, angle } = chain;
    const key = [quote, angle].map((list) => list.map((each) => each.canonical).join('\0')).join('\0\0');
    let memory = this.#chains.get(key);
    if (memory === undefined) {
      memory = newChainMemory(chain);
      this.#chains.set(key, memory);
    }
    return memory;
  }
}
