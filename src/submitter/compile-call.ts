/**
 * One compiler call from shim to object. Every way out is either a committed result or a named reason to
 * compile here: nothing that goes wrong in the mesh can fail a build.
 */
import { readFileSync, statSync } from 'node:fs';
import type { Logger } from 'pino';
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
import type { Ledger } from '../observe/index.ts';
import type { Slots } from '../scheduler/index.ts';
import type { ShimRequest } from '../shim/index.ts';
import type { Toolchain } from '../toolchain/index.ts';
import type { Dispatcher, NoPlacement } from './dispatcher.ts';
import type { InputCollector } from './input-set.ts';
import type { LocalToolchains } from './local-toolchains.ts';
import type { MessageLocale, MessageLocales } from './message-locale.ts';
import type { NativeProcessors } from './native-processors.ts';
import { mismatchesInWords } from './no-match.ts';
import type { RemoteOutcome } from './outcome.ts';
import { outputObstacle } from './output-obstacle.ts';
import type { PreparedJob } from './remote-worker.ts';
import type { ShimSession } from './shim-session.ts';
import { absolute, ShimSink } from './shim-sink.ts';

/** What the pipeline works with; shared by all calls. */
export interface CallParts {
  readonly dispatcher: Dispatcher;
  readonly inputs: InputCollector;
  readonly closures: ClosureFinder;
  readonly view: SourceView;
  readonly toolchains: LocalToolchains;
  readonly locales: MessageLocales;
  readonly natives: NativeProcessors;
  readonly localSlots: Slots;
  readonly ledger: Ledger;
  readonly log: Logger;
  readonly limits: CallLimits;
  /** A reason to do everything locally at the moment, if there is one. */
  readonly remoteObstacle: () => LocalReasonId | undefined;
  /** Called when a call comes. */
  readonly onWork: () => void;
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
interface Local {
  readonly kind: 'local';
  readonly reason: LocalReasonId;
  readonly detail: string;
  /** Real work that waits for a local slot. */
  readonly slot: boolean;
}

interface Prepared {
  readonly kind: 'prepared';
  readonly invocation: Invocation;
  readonly job: PreparedJob;
  readonly locale: MessageLocale;
}

export class CompileCall {
  readonly #request: ShimRequest;
  readonly #session: ShimSession;
  readonly #parts: CallParts;
  readonly #startedMs = performance.now();
  readonly #failedAttempts: string[] = [];
  #subject: string;

  constructor(request: ShimRequest, session: ShimSession, parts: CallParts) {
    this.#request = request;
    this.#session = session;
    this.#parts = parts;
    this.#subject = [request.name, ...request.args].join(' ').slice(0, 160);
  }

  /** Serves the call to its end. Never rejects. */
  async serve(): Promise<void> {
    let local: Local;
    try {
      const done = await this.#tryRemote();
      if (done === 'committed') return;
      local = done;
    } catch (error) {
      this.#parts.log.error(
        { subject: this.#subject },
        `a compiler call failed inside the agent: ${messageOf(error)}`,
      );
      local = here('internal-error', messageOf(error));
    }
    await this.#compileHere(local);
  }

  async #compileHere({ reason, detail, slot }: Local): Promise<void> {
    const { localSlots } = this.#parts;
    const session = this.#session;
    const release = slot ? await localSlots.acquire(session.gone) : undefined;
    if (session.gone.aborted) {
      this.#record({ kind: 'local', reason: goneBecause(session), detail });
    } else {
      session.runLocal(reason, detail);
      this.#record({ kind: 'local', reason, detail });
    }
    if (release === undefined) return;
    if (session.gone.aborted) return release();
    session.gone.addEventListener('abort', release, { once: true });
  }

  async #tryRemote(): Promise<'committed' | Local> {
    const prepared = await this.#prepare();
    if (prepared.kind === 'local') return prepared;
    const { locale } = prepared;
    let { job } = prepared;
    const { dispatcher, limits } = this.#parts;
    const tried = new Set<string>();
    let isExact = false;
    for (let busy = 0; tried.size < limits.maxAttempts && busy < 10; ) {
      const sink = new ShimSink(this.#session, job);
      const attempt = await dispatcher.place(
        job.toolchain.id,
        tried,
        limits.creditWaitMs,
        this.#session.gone,
        (worker) =>
          this.#parts.inputs.isCurrent(job.inputs)
            ? { kind: 'attempt' as const, worker, outcome: worker.run(job, sink, this.#session.gone) }
            : { kind: 'outdated' as const },
      );
      if (attempt.kind === 'none') return this.#refused(attempt, job.toolchain);
      if (attempt.kind === 'outdated') {
        const again = await this.#findInputs(prepared.invocation, job.toolchain, isExact);
        if (again.kind === 'local') return again;
        job = again.job;
        continue;
      }
      const outcome = await attempt.outcome;
      if (outcome.kind === 'compiled' && outcome.exitStatus === 0 && outcome.signal === 0) {
        return this.#commit(outcome, attempt.worker.nodeName, locale);
      }
      if (sink.began) this.#session.discard();
      if (outcome.kind === 'input-incomplete' && !isExact) {
        isExact = true;
        const exact = await this.#findExactInputs(prepared, outcome.paths);
        if (exact.kind === 'local') return exact;
        job = exact.job;
        continue;
      }
      const local = this.#afterFailure(outcome, attempt.worker.nodeName);
      if (local !== undefined) return local;
      if (outcome.kind === 'busy') busy++;
      else tried.add(attempt.worker.nodeId);
    }
    return here('attempts-exhausted', this.#failedAttempts.at(-1) ?? '');
  }

  /** A worker missed something: asks the compiler itself what it reads, for one more attempt. */
  async #findExactInputs(prepared: Prepared, missed: readonly string[]): Promise<Prepared | Local> {
    const what = missed.slice(0, 3).join(' ');
    this.#failedAttempts.push(`inputs were incomplete: ${what}`);
    this.#parts.log.warn(
      { subject: this.#subject, missed: what },
      'the include scan may have missed an input',
    );
    await this.#parts.view.refresh();
    return this.#findInputs(prepared.invocation, prepared.job.toolchain, true);
  }

  /** What a failed attempt means: a reason to go local now, or (undefined) another node. */
  #afterFailure(outcome: RemoteOutcome, nodeName: string): Local | undefined {
    switch (outcome.kind) {
      case 'compiled': {
        const status = outcome.signal === 0 ? `status ${outcome.exitStatus}` : `signal ${outcome.signal}`;
        return here('remote-nonzero-exit', `${nodeName}: ${status}`);
      }
      case 'cancelled':
        return here('interrupted', '');
      case 'refused':
        return here('remote-refused', `${nodeName}: ${outcome.reason}`);
      case 'unexpected-output':
        return here('unexpected-output', outcome.detail);
      case 'timeout':
        return here('job-timeout', outcome.detail);
      case 'input-incomplete':
        return here('include-outside-closure', `${nodeName}: ${outcome.paths.slice(0, 3).join(' ')}`);
      case 'busy':
        return undefined;
      default: {
        const why = outcome.kind === 'node-fault' ? `${outcome.cause}: ${outcome.detail}` : outcome.detail;
        this.#failedAttempts.push(`${nodeName}: ${why}`);
        this.#parts.log.warn(
          { subject: this.#subject, node: nodeName },
          `attempt failed (${outcome.kind}): ${why}`,
        );
        return undefined;
      }
    }
  }

  async #commit(
    outcome: RemoteOutcome & { kind: 'compiled' },
    nodeName: string,
    locale: MessageLocale,
  ): Promise<'committed' | Local> {
    const printed = outcome.stderr.length > 0 || outcome.stdout.length > 0;
    if (printed && !locale.isReproducible) {
      this.#session.discard();
      return here('diagnostics-in-other-locale', locale.description);
    }
    const commit = await this.#session.commit(outcome.exitStatus, outcome.stdout, outcome.stderr);
    if (commit.kind === 'committed') {
      this.#record({ kind: 'remote', nodeName, cpuUs: outcome.cpuUs });
      return 'committed';
    }
    // The shim runs the compiler by itself already, and that prints its error; or it is gone.
    const reason = commit.cause === 'OUTPUT' ? 'output-write-failed' : goneBecause(this.#session);
    this.#record({ kind: 'local', reason, detail: '' });
    return 'committed';
  }

  async #prepare(): Promise<Prepared | Local> {
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
    await this.#parts.view.refresh();
    const toolchain = await this.#identify(invocation);
    if ('reason' in toolchain) return toolchain;
    // What a compiler called cc is, is known only now.
    if (toolchain.dialect !== name.dialect) {
      classification = this.#classify(toolchain.dialect);
      if (classification.kind === 'local') return classification;
      ({ invocation } = classification);
    }
    const refusal = this.#parts.dispatcher.refusal(toolchain.id, new Set());
    if (refusal !== undefined) return this.#refused(refusal, toolchain);
    for (const { path, kind } of invocation.outputs) {
      // Of a dump only the beginning of its name is known: until it comes, its directory is what can be looked at.
      const place = kind === 'dump' ? `${path}.` : path;
      const trouble = outputObstacle(absolute(request.cwd, place), kind, request.umask);
      if (trouble !== undefined) return here(trouble, path);
    }
    return this.#findInputs(invocation, toolchain, false);
  }

  /** No node may take the job. */
  #refused({ reason, detail }: NoPlacement, toolchain: Toolchain): Local {
    if (reason !== 'no-matching-toolchain') return here(reason, detail);
    return here(reason, `${detail}: ${mismatchesInWords(toolchain, this.#parts.dispatcher.workers)}`);
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

  async #findInputs(
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
      ? await closures.findExactly(question, this.#session.gone)
      : await closures.find(question, this.#session.gone);
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
      return this.#findInputs(invocation, toolchain, isExact);
    }
    return {
      kind: 'prepared',
      invocation,
      locale,
      job: {
        toolchain,
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

  #terminal(): PreparedJob['terminal'] {
    const { stderrIsTerminal, stdinIsTerminal, columns, rows } = this.#request;
    return stderrIsTerminal ? { columns, rows, stdinToo: stdinIsTerminal } : undefined;
  }

  #record(place: Parameters<Ledger['record']>[0]['place']): void {
    this.#parts.ledger.record({
      buildId: this.#request.env.MESHCC_BUILD ?? '',
      subject: this.#subject,
      place,
      failedAttempts: this.#failedAttempts,
      wallMs: performance.now() - this.#startedMs,
    });
  }
}

/** Why a shim left while its call was being served. */
function goneBecause(session: ShimSession): LocalReasonId {
  if (session.localCause === 'STALLED') return 'agent-stalled';
  return session.localCause === 'PROTOCOL' ? 'agent-lost' : 'interrupted';
}

function here(reason: LocalReasonId, detail: string): Local {
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
