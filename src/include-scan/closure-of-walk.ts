/** The result of a walk, in the form that the rest of the agent knows. */
import type { InputClosure } from './closure.ts';
import type { ChainMemory, IncludeGraph } from './include-graph.ts';
import type { GraphNode } from './path-probe.ts';
import type { SearchChain } from './search-chain.ts';
import type { SourceFile } from './source-view-port.ts';

export class ClosureOfWalk implements InputClosure {
  readonly files: readonly string[];
  readonly sourceFiles: readonly SourceFile[];
  readonly directories: readonly string[];
  readonly searchPath: InputClosure['searchPath'];
  readonly #graph: IncludeGraph;
  readonly #memory: ChainMemory;
  readonly #nodes: readonly GraphNode[];
  #absent: readonly string[] | undefined;

  constructor(
    graph: IncludeGraph,
    memory: ChainMemory,
    chain: SearchChain,
    nodes: readonly GraphNode[],
    files: readonly SourceFile[],
    directories: readonly string[],
  ) {
    this.files = nodes.map((node) => node.path);
    this.sourceFiles = files;
    this.directories = directories;
    this.searchPath = {
      quote: chain.quote.map((each) => each.spelled),
      angle: chain.angle.map((each) => each.spelled),
    };
    this.#graph = graph;
    this.#memory = memory;
    this.#nodes = nodes;
  }

  get probedAbsent(): readonly string[] {
    this.#absent ??= this.#graph.missingPaths(this.#nodes, this.sourceFiles, this.#memory);
    return this.#absent;
  }
}
