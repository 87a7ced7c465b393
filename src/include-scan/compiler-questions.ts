/**
 * What only the compiler itself can tell about the search for headers, asked once per compiler and flags:
 * its own directories, and the macros that it defines before it reads anything.
 */
import { LRUCache } from 'lru-cache';
import { MeshError } from '../base/errors.ts';
import { parseSearchPath, renderArguments, searchPathArguments, withoutUnit } from '../compiler/index.ts';
import type { ClosureRequest } from './closure.ts';
import type { RunCommand } from './compiler-closure-finder.ts';
import { isSearchDirectory } from './search-plan.ts';

/** The compiler's own directories. */
export interface BuiltInDirectories {
  /** Absolute, in search order. */
  readonly angle: readonly string[];
  /** Also those that it left out, because they did not exist or were named twice. */
  readonly mentioned: readonly string[];
  /** The compiler is Clang, whatever it is called. */
  readonly isClang: boolean;
}

/** Distinct sets of flags remembered. */
const MAX_ANSWERS = 512;

/** The answers are shared, so no single job's end may cancel a question. */
const NEVER = new AbortController().signal;

const LEFT_OUT = /^ignoring (?:nonexistent|duplicate) directory "(.*)"$/gm;

export class CompilerQuestions {
  readonly #run: RunCommand;
  readonly #directories = new LRUCache<string, Promise<BuiltInDirectories>>({ max: MAX_ANSWERS });
  readonly #macros = new LRUCache<string, Promise<string>>({ max: MAX_ANSWERS });

  constructor(run: RunCommand) {
    this.#run = run;
  }

  /**
   * The compiler's own directories for the language and flags of a call.
   * @param again ask anew: a directory that was mentioned appeared, vanished or became another one
   * @throws MeshError MESHCC_COMPILER if it does not tell
   */
  directories(request: ClosureRequest, again: BuiltInDirectories | undefined): Promise<BuiltInDirectories> {
    const { invocation } = request;
    const args = invocation.args.filter((arg) => !isSearchDirectory(arg));
    // Clang's; not among the options that searchPathArguments hands on.
    const withoutBuiltIn = args.some((arg) => arg.name === '-nobuiltininc') ? ['-nobuiltininc'] : [];
    const argv = [...withoutBuiltIn, ...searchPathArguments({ ...invocation, args })];
    return remembered(this.#directories, keyOf(request, argv), again, async () => {
      const { stderr } = await this.#ask(request, argv);
      const text = stderr.toString('utf8');
      const { angle } = parseSearchPath(text);
      const leftOut = [...text.matchAll(LEFT_OUT)].map((match) => match[1] ?? '');
      return { angle, mentioned: [...angle, ...leftOut], isClang: /\bclang version /.test(text) };
    });
  }

  /**
   * The macros that the compiler defines by itself for the flags of a call, as a source text.
   * @throws MeshError MESHCC_COMPILER if it does not tell
   */
  predefinedMacros(request: ClosureRequest): Promise<string> {
    const { invocation } = request;
    const kept = withoutUnit(invocation, 'gcc').args.filter((arg) => !isSearchDirectory(arg));
    const argv = [...renderArguments(kept), '-dM', '-E', '-x', invocation.language, '/dev/null'];
    return remembered(this.#macros, keyOf(request, argv), undefined, async () => {
      const { exitStatus, stdout, stderr } = await this.#ask(request, argv);
      if (exitStatus === 0) return stdout.toString('utf8');
      throw new MeshError(
        'MESHCC_COMPILER',
        `asked ${request.compilerPath} for its predefined macros (-dM -E), and it failed: ${JSON.stringify(stderr.toString('utf8').slice(0, 500))}. Run the same by hand to see why.`,
      );
    });
  }

  #ask(request: ClosureRequest, args: readonly string[]): ReturnType<RunCommand> {
    const environment = request.environment.filter((entry) => !/^(?:LC_[A-Z]+|LANG|LANGUAGE)=/.test(entry));
    return this.#run(
      {
        executable: request.compilerPath,
        argv: [request.compilerPath, ...args],
        environment: [...environment, 'LC_ALL=C'],
        workingDirectory: '/',
      },
      NEVER,
    );
  }
}

function keyOf({ compilerPath, compilerId, invocation }: ClosureRequest, argv: readonly string[]): string {
  return [compilerPath, compilerId, invocation.language, ...argv].join('\0');
}

async function remembered<Answer extends {}>(
  answers: LRUCache<string, Promise<Answer>>,
  key: string,
  again: Answer | undefined,
  ask: () => Promise<Answer>,
): Promise<Answer> {
  const known = answers.get(key);
  if (known !== undefined) {
    const answer = await known;
    if (answer !== again) return answer;
  }
  const asked = ask();
  answers.set(key, asked);
  asked.catch(() => {
    if (answers.get(key) === asked) answers.delete(key);
  });
  return asked;
}
