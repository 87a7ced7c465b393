/** The first half of a compiler call: what it means, and everything that a worker needs for it. */
import { readFileSync, statSync } from 'node:fs';
import { messageOf } from '../base/errors.ts';
import {
  type Classification,
  classify,
  forwardedEnvironment,
  type Invocation,
  isCompilerName,
  type LocalReasonId,
} from '../compiler/index.ts';
import type { ClosureFinder, SourceView } from '../include-scan/index.ts';
import type { ShimRequest } from '../shim/index.ts';
import type { Toolchain } from '../toolchain/index.ts';
import { otherHostDemand } from './compiler-demand.ts';
import type { Dispatcher, NoPlacement } from './dispatcher.ts';
import type { InputCollector } from './input-set.ts';
import type { LocalToolchains } from './local-toolchains.ts';
import type { MessageLocale, MessageLocales } from './message-locale.ts';
import type { NativeProcessors } from './native-processors.ts';
import { mismatchesInWords, type OtherHosts } from './other-hosts.ts';
import { outputObstacle } from './output-obstacle.ts';
import type { PreparedJob } from './remote-worker.ts';
import { absolute } from './shim-sink.ts';

/** What preparing works with; shared by all calls. */
export interface PreparationParts {
  readonly dispatcher: Dispatcher;
  readonly inputs: InputCollector;
  readonly closures: ClosureFinder;
  readonly view: SourceView;
  readonly toolchains: LocalToolchains;
  readonly locales: MessageLocales;
  readonly natives: NativeProcessors;
  readonly otherHosts: OtherHosts;
  readonly limits: CallLimits;
  /** A reason to do everything locally at the moment, if there is one. */
  readonly remoteObstacle: () => LocalReasonId | undefined;
}

export interface CallLimits {
  /** How long a prepared job waits for a free worker before it is done locally. */
  readonly creditWaitMs: number;
  /** How long a worker may take for one job. */
  readonly jobTimeoutMs: number;
  /** Nodes that a job is tried on before it is done locally. */
  readonly maxAttempts: number;
}

/** A call that stays here. */
export interface Local {
  readonly kind: 'local';
  readonly reason: LocalReasonId;
  readonly detail: string;
  /** Real work that waits for a local slot. */
  readonly slot: boolean;
}

export interface Prepared {
  readonly kind: 'prepared';
  readonly invocation: Invocation;
  readonly job: PreparedJob;
  readonly locale: MessageLocale;
}

/** Characters of a call that people are shown. */
const MAX_SUBJECT = 160;

function shortened(text: string): string {
  return text.length <= MAX_SUBJECT ? text : `${text.slice(0, MAX_SUBJECT - 1)}…`;
}

export class JobPreparation {
  readonly #request: ShimRequest;
  readonly #parts: PreparationParts;
  readonly #caughtUp: Promise<void>;
  readonly #gone: AbortSignal;
  #subject: string;

  /**
   * @param caughtUp resolves when the view of the disk is no older than the call
   * @param gone fires when nobody waits for the job any more
   */
  constructor(request: ShimRequest, caughtUp: Promise<void>, parts: PreparationParts, gone: AbortSignal) {
    this.#request = request;
    this.#caughtUp = caughtUp;
    // A call that stays here for what its arguments say does not wait for it.
    caughtUp.catch(() => {});
    this.#parts = parts;
    this.#gone = gone;
    this.#subject = shortened([request.name, ...request.args].join(' '));
  }

  /** What is compiled, as far as that is known; for people. */
  get subject(): string {
    return this.#subject;
  }

  /** Its inputs as they are on the disk now, or why it stays here. */
  async prepare(): Promise<Prepared | Local> {
    const request = this.#request;
    const name = isCompilerName(request.name);
    if (name === undefined) return here('toolchain-unknown', request.name);
    let classification = this.#classify(name.dialect);
    // An option that GCC does not have may be one of Clang's.
    if (classification.kind === 'local' && classification.slot && name.isGuess)
      classification = this.#classify(await this.#dialectOf(name.dialect));
    if (classification.kind === 'local') return classification;
    let { invocation } = classification;
    this.#subject = invocation.sourcePath;
    if (!request.isFaithful) return here('unsupported-encoding', invocation.sourcePath);
    const obstacle = this.#parts.remoteObstacle();
    if (obstacle !== undefined) return here(obstacle, '');
    // From here on nothing that was true before the shim called is missed: neither of the compiler nor of sources.
    await this.#caughtUp;
    const toolchain = await this.#identify(invocation);
    if ('reason' in toolchain) return toolchain;
    // What a compiler called cc is, is known only now.
    if (toolchain.dialect !== name.dialect) {
      classification = this.#classify(toolchain.dialect);
      if (classification.kind === 'local') return classification;
      ({ invocation } = classification);
    }
    const otherHost = this.#otherHost(invocation, toolchain);
    const refusal = this.#parts.dispatcher.refusal({ toolchainId: toolchain.id, otherHost }, new Set());
    if (refusal !== undefined) return this.refused(refusal, toolchain);
    for (const { path, kind } of invocation.outputs) {
      // Of a dump only the beginning of its name is known: until it comes, its directory is what can be looked at.
      const place = kind === 'dump' ? `${path}.` : path;
      const trouble = outputObstacle(absolute(request.cwd, place), kind, request.umask);
      if (trouble !== undefined) return here(trouble, path);
    }
    return this.findInputs(invocation, toolchain, false);
  }

  /** No node may take the job. */
  refused({ reason, detail }: NoPlacement, toolchain: Toolchain): Local {
    const { dispatcher, otherHosts } = this.#parts;
    if (reason !== 'no-matching-toolchain') return here(reason, detail);
    return here(reason, `${detail}: ${mismatchesInWords(toolchain, dispatcher.workers, otherHosts)}`);
  }

  /**
   * True if a compile now would be one with the same compiler, of the same files with the contents that they were told
   * to have: reads all of them.
   * @param isExact the compiler itself has listed its inputs
   */
  async isUnchanged({ invocation, job }: Prepared, isExact: boolean): Promise<boolean> {
    await this.#parts.view.refresh();
    const toolchain = await this.#identify(invocation);
    if (!('id' in toolchain) || toolchain.id !== job.toolchain.id) return false;
    const again = await this.findInputs(invocation, toolchain, isExact);
    if (again.kind === 'local' || !again.job.inputs.entryIds.equals(job.inputs.entryIds)) return false;
    return this.#parts.inputs.areOnDisk(job.inputs);
  }

  #classify(dialect: Toolchain['dialect']): Classification {
    const { name, args, env, cwd } = this.#request;
    const readResponseFile = (path: string): string | undefined => readText(absolute(cwd, path));
    return classify({ compilerName: name, dialect, args, environment: env, readResponseFile });
  }

  async #dialectOf(guess: Toolchain['dialect']): Promise<Toolchain['dialect']> {
    const needs = { language: 'c', usesOwnAssembler: true } as const;
    const toolchain = await this.#parts.toolchains
      .identify(this.#request.compiler, needs)
      .catch(() => undefined);
    return toolchain?.dialect ?? guess;
  }

  async #identify(invocation: Invocation): Promise<Toolchain | Local> {
    try {
      const toolchain = await this.#parts.toolchains.identify(this.#request.compiler, invocation);
      return toolchain ?? here('unsupported-language', invocation.language);
    } catch (error) {
      return here('toolchain-unknown', messageOf(error));
    }
  }

  /** The same for a call that was prepared before. @param isExact asks the compiler itself what it reads */
  async findInputs(
    invocation: Invocation,
    toolchain: Toolchain,
    isExact: boolean,
  ): Promise<Prepared | Local> {
    const { cwd, compiler, env, umask } = this.#request;
    const { closures, inputs, limits, locales, natives } = this.#parts;
    const isNative = invocation.nativeOptions.length > 0;
    const processor = isNative ? await natives.wordsOf(invocation, toolchain) : [];
    if (processor === undefined) return here('march-native', invocation.nativeOptions.join(' '));
    const locale = await locales.of(env);
    const environment = [
      ...forwardedEnvironment(env).filter((entry) => !locales.decides(entry)),
      ...locale.environment,
    ];
    const question = {
      invocation,
      compilerPath: compiler,
      compilerId: toolchain.id,
      workingDirectory: cwd,
      environment,
    };
    const found = isExact
      ? await closures.findExactly(question, this.#gone)
      : await closures.find(question, this.#gone);
    if (found.kind === 'local') return here(found.reason, found.detail);
    const logicalDirectory = env.PWD !== cwd && env.PWD?.startsWith('/') ? env.PWD : undefined;
    const collected = inputs.collect({
      invocation,
      workingDirectory: cwd,
      logicalDirectory,
      closure: found.closure,
      compiler: toolchain.components,
    });
    if (collected.kind === 'local') return here(collected.reason, collected.detail);
    if (collected.kind === 'reading') {
      await collected.arrived;
      return this.findInputs(invocation, toolchain, isExact);
    }
    return {
      kind: 'prepared',
      invocation,
      locale,
      job: {
        toolchain,
        otherHost: this.#otherHost(invocation, toolchain),
        arguments: invocation.args,
        workingDirectory: cwd,
        environment,
        umask,
        terminal: this.#terminal(),
        outputs: invocation.outputs.map(({ kind, path, required }) => ({ kind, path, required })),
        inputs: collected.inputs,
        processor: [...processor],
        timeoutMs: limits.jobTimeoutMs,
      },
    };
  }

  #otherHost(invocation: Invocation, toolchain: Toolchain): PreparedJob['otherHost'] {
    return this.#parts.otherHosts.isAllowed ? otherHostDemand(invocation, toolchain) : undefined;
  }

  #terminal(): PreparedJob['terminal'] {
    const { stderrIsTerminal, stdinIsTerminal, columns, rows } = this.#request;
    return stderrIsTerminal ? { columns, rows, stdinToo: stdinIsTerminal } : undefined;
  }
}

/** A call that stays here, and is real work. */
export function here(reason: LocalReasonId, detail: string): Local {
  return { kind: 'local', reason, detail, slot: true };
}

/** Only ordinary files of a sane size: reading a pipe would hold the agent up. */
function readText(path: string): string | undefined {
  try {
    const stat = statSync(path);
    return stat.isFile() && stat.size <= 1024 * 1024 ? readFileSync(path, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}
