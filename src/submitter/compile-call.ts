/**
 * One compiler call from shim to object. Every way out is either a committed result or a named reason to
 * compile here: nothing that goes wrong in the mesh can fail a build.
 */
import type { Logger } from 'pino';
import { messageOf } from '../base/errors.ts';
import type { LocalReasonId } from '../compiler/index.ts';
import type { Ledger } from '../observe/index.ts';
import type { Slots } from '../scheduler/index.ts';
import type { ShimRequest } from '../shim/index.ts';
import { demandOf } from './compiler-demand.ts';
import { here, JobPreparation, type Local, type PreparationParts, type Prepared } from './job-preparation.ts';
import type { MessageLocale } from './message-locale.ts';
import type { RemoteOutcome } from './outcome.ts';
import type { ShimSession } from './shim-session.ts';
import { ShimSink } from './shim-sink.ts';
import type { VerifiedCall, Verifier } from './verifier.ts';

/** What the pipeline works with; shared by all calls. */
export interface CallParts extends PreparationParts {
  readonly localSlots: Slots;
  readonly verifier: Verifier;
  readonly ledger: Ledger;
  readonly log: Logger;
  /** Called when a call comes. */
  readonly onWork: () => void;
}

export class CompileCall {
  readonly #request: ShimRequest;
  readonly #session: ShimSession;
  readonly #parts: CallParts;
  readonly #startedMs = performance.now();
  readonly #failedAttempts: string[] = [];
  readonly #preparation: JobPreparation;

  /** @param caughtUp resolves when the view of the disk is no older than the call */
  constructor(request: ShimRequest, caughtUp: Promise<void>, session: ShimSession, parts: CallParts) {
    this.#request = request;
    this.#session = session;
    this.#parts = parts;
    this.#preparation = new JobPreparation(request, caughtUp, parts, session.gone);
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
        { subject: this.#preparation.subject },
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
    const prepared = await this.#preparation.prepare();
    if (prepared.kind === 'local') return prepared;
    const { locale } = prepared;
    let { job } = prepared;
    const { dispatcher, limits, verifier } = this.#parts;
    const tried = new Set<string>();
    let isExact = false;
    for (let busy = 0; tried.size < limits.maxAttempts && busy < 10; ) {
      const sink = new ShimSink(this.#session, job);
      const attempt = await dispatcher.place(
        demandOf(job),
        tried,
        limits.creditWaitMs,
        this.#session.gone,
        (worker) => {
          if (!this.#parts.inputs.isCurrent(job.inputs)) return { kind: 'outdated' as const };
          const trial = verifier.begin(worker, job, sink);
          const outcome = worker.run(job, trial.sink, this.#session.gone);
          return { kind: 'attempt' as const, worker, trial, outcome };
        },
      );
      if (attempt.kind === 'none') return this.#preparation.refused(attempt, job.toolchain);
      if (attempt.kind === 'outdated') {
        const again = await this.#preparation.findInputs(prepared.invocation, job.toolchain, isExact);
        if (again.kind === 'local') return again;
        job = again.job;
        continue;
      }
      const outcome = await attempt.outcome;
      if (outcome.kind === 'compiled' && outcome.exitStatus === 0 && outcome.signal === 0) {
        const ruling = await verifier.rule(
          attempt.trial,
          outcome,
          this.#verified({ ...prepared, job }, isExact),
        );
        verifier.end(attempt.trial);
        if (ruling.kind === 'deliver') return this.#commit(outcome, attempt.worker.nodeName, locale);
        this.#session.discard();
        if (ruling.kind === 'here') return here(ruling.reason, ruling.detail);
        this.#failedAttempts.push(ruling.detail);
        tried.add(attempt.worker.nodeId);
        continue;
      }
      verifier.end(attempt.trial);
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

  /** What a result is judged by. */
  #verified(prepared: Prepared, isExact: boolean): VerifiedCall {
    const { invocation, job } = prepared;
    const { compiler, env } = this.#request;
    return {
      invocation,
      job,
      compilerPath: compiler,
      buildId: env.MESHCC_BUILD ?? '',
      signal: this.#session.gone,
      canBeSent: () => this.#parts.inputs.isCurrent(job.inputs),
      isUnchanged: () => this.#preparation.isUnchanged(prepared, isExact),
    };
  }

  /** A worker missed something: asks the compiler itself what it reads, for one more attempt. */
  async #findExactInputs(prepared: Prepared, missed: readonly string[]): Promise<Prepared | Local> {
    const what = missed.slice(0, 3).join(' ');
    this.#failedAttempts.push(`inputs were incomplete: ${what}`);
    this.#parts.log.warn(
      { subject: this.#preparation.subject, missed: what },
      'the include scan may have missed an input',
    );
    await this.#parts.view.refresh();
    return this.#preparation.findInputs(prepared.invocation, prepared.job.toolchain, true);
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
          { subject: this.#preparation.subject, node: nodeName },
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

  #record(place: Parameters<Ledger['record']>[0]['place']): void {
    this.#parts.ledger.record({
      buildId: this.#request.env.MESHCC_BUILD ?? '',
      subject: this.#preparation.subject,
      place,
      failedAttempts: this.#failedAttempts,
      wallMs: performance.now() - this.#startedMs,
    });
  }
}

/** Why a shim left while its call was being served. */
function goneBecause(session: ShimSession): LocalReasonId {
  if (session.localCause === 'PROTOCOL') return 'agent-lost';
  const isStalled =
    session.localCause === 'STALLED' || (session.localCause === undefined && session.wasHeldUp);
  return isStalled ? 'agent-stalled' : 'interrupted';
}
