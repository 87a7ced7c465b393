/** The result of a walk, in the form that the rest of the agent knows. Lists are made when they are asked for. */
import type { IdSet } from '../base/id-set.ts';
import type { FileNumbers, InputClosure } from './closure.ts';
import type { ChainMemory, IncludeGraph } from './include-graph.ts';
import type { SourceFile } from './source-view-port.ts';

export class ClosureOfWalk implements InputClosure {
  readonly directories: readonly string[];
  readonly numbered: { readonly numbers: IdSet; readonly meaning: FileNumbers };
  readonly #graph: IncludeGraph;
  readonly #memory: ChainMemory;

  /**
   * @param numbers of all files; each has been read
   * @param directories as spelled
   */
  constructor(graph: IncludeGraph, memory: ChainMemory, numbers: IdSet, directories: readonly string[]) {
    this.numbered = { numbers, meaning: graph };
    this.directories = directories;
    this.#graph = graph;
    this.#memory = memory;
  }

  get files(): readonly string[] {
    return [...this.numbered.numbers].map((number) => this.#graph.path(number));
  }

  get sourceFiles(): readonly SourceFile[] {
    return [...this.numbered.numbers].flatMap((number) => this.#graph.file(number) ?? []);
  }

  get searchPath(): InputClosure['searchPath'] {
    const { quote, angle } = this.#memory.chain;
    return { quote: quote.map((each) => each.spelled), angle: angle.map((each) => each.spelled) };
  }

  get probedAbsent(): readonly string[] {
    return this.#graph.missingPaths(this.numbered.numbers, this.#memory);
  }
}
