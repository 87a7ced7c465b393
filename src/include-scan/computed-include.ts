/**
 * Includes whose operand is a macro (`#include CONFIG_H`, the kernel's TRACE_INCLUDE). Every definition that a
 * file of the unit, the command line or the compiler itself has for a macro counts; what the operand can expand
 * to is then looked up like any header. Never a guess: if not all values can be told, that is the answer.
 */
import { LRUCache } from 'lru-cache';
import type { ChainMemory, IncludeGraph } from './include-graph.ts';
import type { IncludeWalk } from './include-walk.ts';
import { expandMacros, type HeaderName, headerNamesOf } from './macro-expansion.ts';
import type { NumberedDefinition } from './macro-index.ts';
import type { GraphNode } from './path-probe.ts';

/** Definitions that stand in no file: of the command line and of the compiler. */
export interface OuterDefinitions {
  get(name: string): readonly NumberedDefinition[] | undefined;
}

/** What the computed operands of a walk may mean. */
export interface ComputedIncludes {
  readonly found: readonly FoundHeader[];
  /** A file with an include whose values cannot all be told. */
  readonly unclearInclude: GraphNode | undefined;
  /** A file with an existence test whose values cannot all be told. */
  readonly unclearQuestion: GraphNode | undefined;
}

/** Thrown inside an expansion that takes too long; what it learnt stays. */
class OutOfTime extends Error {}

/** A file that a computed operand may name. */
export interface FoundHeader {
  readonly node: GraphNode;
  readonly via: string | undefined;
  /** The operand is that of an existence test: the file is asked for, not read. */
  readonly isAsked: boolean;
}

/** The header names that an operand can expand to, by the definitions that were there. */
interface KnownOperand {
  /** Every macro that an expansion of the operand looked up so far. */
  readonly consulted: Set<string>;
  /** By {@link definitionsKey}; 'unclear' if not all values can be told. */
  readonly results: LRUCache<string, readonly HeaderName[] | 'unclear'>;
}

const MAX_OPERANDS = 1_000;
const MAX_RESULTS = 64;
/** Look-ups remembered; each is one operand in one directory with one set of names. */
const MAX_LOOKUPS = 2_000;

export class ComputedIncludeFinder {
  readonly #graph: IncludeGraph;
  readonly #operands = new LRUCache<string, KnownOperand>({ max: MAX_OPERANDS });
  /** Files by names; the names' array is the identity of a result. */
  #lookups = new WeakMap<ChainMemory, LRUCache<string, FoundHeader[]>>();
  #version = -1;
  #deadlineMs = 0;

  constructor(graph: IncludeGraph) {
    this.#graph = graph;
  }

  /**
   * Expands and looks up all computed operands of a walk.
   * @param deadlineMs when to stop, as of performance.now()
   * @returns undefined if it had to stop; the next attempt gets further
   */
  find(
    walk: IncludeWalk,
    memory: ChainMemory,
    outer: OuterDefinitions,
    deadlineMs: number,
  ): ComputedIncludes | undefined {
    this.#deadlineMs = deadlineMs;
    try {
      return this.#findAll(walk, memory, outer);
    } catch (error) {
      if (error instanceof OutOfTime) return undefined;
      throw error;
    }
  }

  #findAll(walk: IncludeWalk, memory: ChainMemory, outer: OuterDefinitions): ComputedIncludes {
    if (this.#version !== memory.version) {
      this.#version = memory.version;
      this.#lookups = new WeakMap();
    }
    const found = new Set<FoundHeader>();
    const done = new Set<string>();
    let unclearInclude: GraphNode | undefined;
    let unclearQuestion: GraphNode | undefined;
    const resolve = (operand: string, node: GraphNode, isAsked: boolean): boolean => {
      const task = `${isAsked ? '?' : ''}${operand}\0${node.directory}`;
      if (done.has(task)) return true;
      const { key, names } = this.#names(operand, walk, outer);
      if (names === 'unclear') return false;
      done.add(task);
      for (const each of this.#look(`${task}\0${key}`, names, node, isAsked, memory)) found.add(each);
      return true;
    };
    for (const node of walk.computing) {
      const scan = node.file?.scan;
      for (const operand of scan?.computed ?? []) if (!resolve(operand, node, false)) unclearInclude ??= node;
      for (const operand of scan?.computedQuestions ?? [])
        if (operand === '' || !resolve(operand, node, true)) unclearQuestion ??= node;
    }
    return { found: [...found], unclearInclude, unclearQuestion };
  }

  #names(
    operand: string,
    walk: IncludeWalk,
    outer: OuterDefinitions,
  ): { key: string; names: readonly HeaderName[] | 'unclear' } {
    let known = this.#operands.get(operand);
    if (known === undefined) {
      known = { consulted: new Set(), results: new LRUCache({ max: MAX_RESULTS }) };
      this.#operands.set(operand, known);
    }
    const { consulted, results } = known;
    const define = (name: string): readonly NumberedDefinition[] | undefined => {
      consulted.add(name);
      return this.#definitions(name, walk, outer);
    };
    const key = definitionsKey(consulted, define);
    const remembered = consulted.size === 0 ? undefined : results.get(key);
    if (remembered !== undefined) return { key, names: remembered };
    const names = namesIn(expandMacros(operand, define));
    // The expansion may have looked up macros that none did before: the key holds those, too.
    const fullKey = definitionsKey(consulted, define);
    results.set(fullKey, names);
    return { key: fullKey, names };
  }

  #definitions(
    name: string,
    walk: IncludeWalk,
    outer: OuterDefinitions,
  ): readonly NumberedDefinition[] | undefined {
    const { macros } = this.#graph;
    const { searches } = macros;
    const inFiles = macros.definitions(name, walk.includes);
    if (macros.searches > searches && performance.now() > this.#deadlineMs) throw new OutOfTime();
    const others = outer.get(name);
    if (inFiles === undefined || others === undefined) return inFiles;
    return [...new Set([...inFiles, ...others])];
  }

  #look(
    key: string,
    names: readonly HeaderName[],
    { directory }: GraphNode,
    isAsked: boolean,
    memory: ChainMemory,
  ): FoundHeader[] {
    let lookups = this.#lookups.get(memory);
    if (lookups === undefined) {
      lookups = new LRUCache({ max: MAX_LOOKUPS });
      this.#lookups.set(memory, lookups);
    }
    const known = lookups.get(key);
    if (known !== undefined) return known;
    const found: FoundHeader[] = [];
    for (const { name, isQuoted } of names) {
      for (const probe of this.#graph.findRare(memory, isQuoted ? directory : undefined, name))
        found.push({ ...probe, isAsked });
    }
    lookups.set(key, found);
    return found;
  }
}

function namesIn(expansions: ReadonlySet<string> | undefined): readonly HeaderName[] | 'unclear' {
  if (expansions === undefined) return 'unclear';
  const names = new Map<string, HeaderName>();
  for (const text of expansions) {
    const headers = headerNamesOf(text);
    if (headers === undefined) return 'unclear';
    for (const header of headers) names.set(`${header.isQuoted}${header.name}`, header);
  }
  return [...names.values()];
}

/** Which definitions the macros have. Numbers of definitions tell the macro as well. */
function definitionsKey(
  names: ReadonlySet<string>,
  define: (name: string) => readonly NumberedDefinition[] | undefined,
): string {
  const ids: (number | string)[] = [];
  for (const name of names) {
    const definitions = define(name);
    if (definitions === undefined) ids.push(`?${name}`);
    else for (const definition of definitions) ids.push(definition.id);
  }
  return ids.join();
}
