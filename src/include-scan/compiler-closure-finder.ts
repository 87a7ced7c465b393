/** Asks the user's own compiler (`-M`) what a unit reads: always right about includes, at the price of a preprocessor run. */
import { LRUCache } from 'lru-cache';
import {
  dependencyArguments,
  parseDepfile,
  parseSearchPath,
  searchPathArguments,
} from '../compiler/index.ts';
import type { ClosureFinder, ClosureOutcome, ClosureRequest, InputClosure } from './closure.ts';

/** Runs a short command outside the agent's own process. Rejects only if it could not be started at all. */
export type RunCommand = (
  command: {
    readonly executable: string;
    readonly argv: readonly string[];
    readonly environment: readonly string[];
    readonly workingDirectory: string;
  },
  signal: AbortSignal,
) => Promise<{ readonly exitStatus: number; readonly stdout: Buffer; readonly stderr: Buffer }>;

type SearchPath = InputClosure['searchPath'];

/** The answer is shared, so no single job's end may cancel the question. */
const NEVER = new AbortController().signal;

/** Distinct search paths remembered: a build has a few per directory. */
const MAX_SEARCH_PATHS = 4_096;

export class CompilerClosureFinder implements ClosureFinder {
  readonly #run: RunCommand;
  readonly #searchPaths = new LRUCache<string, Promise<SearchPath>>({ max: MAX_SEARCH_PATHS });

  constructor(run: RunCommand) {
    this.#run = run;
  }

  async find(request: ClosureRequest, signal: AbortSignal): Promise<ClosureOutcome> {
    const [dependencies, searchPath] = await Promise.all([
      this.#ask(request, dependencyArguments(request.invocation), signal),
      this.#searchPath(request),
    ]);
    if (dependencies.exitStatus !== 0) {
      const firstLine = dependencies.stderr.toString('utf8').split('\n', 1)[0] ?? '';
      return { kind: 'local', reason: 'closure-failed', detail: firstLine };
    }
    const absolute = (path: string): string => absolutePath(request.workingDirectory, path);
    const files = parseDepfile(dependencies.stdout.toString('utf8')).map(absolute);
    const compiled = files.find((file) => file.endsWith('.gch') || file.endsWith('.pch'));
    if (compiled !== undefined) return { kind: 'local', reason: 'precompiled-header', detail: compiled };
    return {
      kind: 'closure',
      closure: {
        files,
        directories: [
          ...request.invocation.includeDirectories.map(absolute),
          ...searchPath.quote.map(absolute),
          ...searchPath.angle.map(absolute),
        ],
        searchPath: { quote: searchPath.quote.map(absolute), angle: searchPath.angle.map(absolute) },
      },
    };
  }

  /** The compiler's list is exact at any time. */
  findExactly(request: ClosureRequest, signal: AbortSignal): Promise<ClosureOutcome> {
    return this.find(request, signal);
  }

  /** The search list, asked once per compiler, working directory and flags. */
  #searchPath(request: ClosureRequest): Promise<SearchPath> {
    const argv = searchPathArguments(request.invocation);
    const key = [
      request.compilerPath,
      request.compilerId,
      request.workingDirectory,
      request.invocation.language,
      ...argv,
    ].join('\0');
    let asked = this.#searchPaths.get(key);
    if (asked === undefined) {
      asked = this.#ask(request, argv, NEVER).then((answer) =>
        parseSearchPath(answer.stderr.toString('utf8')),
      );
      this.#searchPaths.set(key, asked);
      asked.catch(() => this.#searchPaths.delete(key));
    }
    return asked;
  }

  #ask(request: ClosureRequest, args: readonly string[], signal: AbortSignal): ReturnType<RunCommand> {
    return this.#run(
      {
        executable: request.compilerPath,
        argv: [request.compilerPath, ...args],
        environment: request.environment,
        workingDirectory: request.workingDirectory,
      },
      signal,
    );
  }
}

function absolutePath(workingDirectory: string, path: string): string {
  return path.startsWith('/') ? path : `${workingDirectory}/${path}`;
}
