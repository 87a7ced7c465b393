/** One submitter's stream on this worker: its tree, its sandbox, its credits and its jobs. */
import { join } from 'node:path';
import type { Logger } from 'pino';
import { digestToBytes, finishDigest, startDigest } from '../base/digest.ts';
import { MeshError, messageOf } from '../base/errors.ts';
import { decodeAscending } from '../base/varint.ts';
import {
  ArgumentDecoder,
  type BlobChunk,
  CHUNK_BYTES,
  type FromSubmitter,
  type FromWorker,
  type Outbound,
  type SessionHandler,
  type SubmitterPeer,
  type WireArgument,
  type WireEntry,
  type WireJob,
  type WireOutputDigest,
  type WireResult,
} from '../mesh/index.ts';
import type { Cell } from '../sandbox/index.ts';
import type { Toolchain } from '../toolchain/index.ts';
import { type ActiveJob, inputTrouble, readOutput, startJob } from './active-job.ts';
import { BlobInbox, contentFrom } from './blob-inbox.ts';
import { type CompileOutcome, type CompileOutput, compile } from './compile.ts';
import { fingerprintAnswer } from './fingerprint-answers.ts';
import type { OtherHostUse } from './installed-toolchain.ts';
import { makeTree } from './make-once.ts';
import { Mirror } from './mirror.ts';
import { checkRequest } from './request-check.ts';
import { MAX_TOOLCHAINS, SessionToolchains } from './session-toolchains.ts';
import { type TrialOutcome, tryToolchain } from './toolchain-trial.ts';
import { UTF8_LOCALE_VARIABLE } from './utf8-locale.ts';
import type { WorkerParts } from './worker.ts';

const PROGRESS_INTERVAL_MS = 2_000;

export class WorkerSession implements SessionHandler {
  readonly peer: SubmitterPeer;
  readonly #parts: WorkerParts;
  readonly #out: Outbound<FromWorker>;
  readonly #hangUp: (why: string) => void;
  readonly #log: Logger;
  readonly #directory: string;
  readonly #inbox: BlobInbox;
  readonly #mirror: Mirror;
  readonly #arguments = new ArgumentDecoder();
  readonly #toolchains: SessionToolchains;
  readonly #jobs = new Map<number, ActiveJob>();
  readonly #treeMade: Promise<void>;
  /** Questions that are not answered yet. */
  readonly #fingerprintsAsked = new Set<string>();
  #cell: Promise<Cell> | undefined;
  #cells = 0;
  #trials: Promise<unknown> = Promise.resolve();
  #grantedTotal: number;
  #usedTotal = 0;
  #closed = false;
  readonly #ended = new AbortController();
  #cleaned: Promise<void> = Promise.resolve();
  /** The submitter was asked to begin its dictionary anew, and the old one is not gone yet. */
  #renewing = false;
  /** An answer about the machine is on its way. */
  #telling = false;
  readonly #progress: NodeJS.Timeout;

  constructor(
    peer: SubmitterPeer,
    out: Outbound<FromWorker>,
    hangUp: (why: string) => void,
    parts: WorkerParts,
    sequence: number,
  ) {
    this.peer = peer;
    this.#parts = parts;
    this.#out = out;
    this.#hangUp = hangUp;
    this.#log = parts.log.child({ submitter: peer.nodeName });
    this.#directory = join(parts.sessionsDirectory, `${process.pid}-${sequence}`);
    this.#inbox = new BlobInbox(parts.store, out);
    const tree = join(this.#directory, 'tree');
    this.#treeMade = makeTree(tree);
    this.#mirror = new Mirror(tree, contentFrom(this.#inbox, parts.store), this.#treeMade, parts.treeOwner);
    this.#treeMade.catch(() => {});
    this.#toolchains = this.#openToolchains();
    this.#progress = setInterval(() => {
      if (this.#jobs.size > 0) out.send({ progress: { running: [...this.#jobs.keys()] } });
    }, PROGRESS_INTERVAL_MS);
    // One job beyond the slots is on its way while the last one compiles.
    this.#grantedTotal = parts.queue.slots + 1 + Math.floor(parts.queue.slots / 4);
    out.send({ credits: { grantedTotal: this.#grantedTotal } });
  }

  get jobs(): number {
    return this.#jobs.size;
  }

  /** Resolves when what a closed session left on this machine is gone. Never rejects. */
  get cleaned(): Promise<void> {
    return this.#cleaned;
  }

  onMessage(message: FromSubmitter): void {
    if (this.#closed) return;
    try {
      if (message.job) this.#accept(message.job);
      else if (message.entries) this.#announce(message.entries.entries);
      else if (message.removed) this.#remove(message.removed.paths);
      else if (message.knownArguments) this.#learnArguments(message.knownArguments.arguments);
      else if (message.toolchainUse) this.#toolchains.use(message.toolchainUse);
      else if (message.fingerprintQuestion) this.#tellFingerprint(message.fingerprintQuestion.toolchainId);
      else if (message.cancel) this.#jobs.get(message.cancel.jobId)?.abort.abort();
      else if (message.outputCredit) this.#extendWindow(message.outputCredit);
      else if (message.blobUnavailable) this.#inbox.unavailable(message.blobUnavailable.sha256);
      else if (message.machineQuestion) void this.#tellOfMachine(message.machineQuestion);
    } catch (error) {
      this.#log.warn(`protocol error: ${messageOf(error)}`);
      this.#hangUp(messageOf(error));
    }
  }

  onBlobChunk(chunk: BlobChunk): Promise<void> {
    return this.#inbox.accept(chunk);
  }

  onClosed(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#log.info(`session ended: ${reason}`);
    clearInterval(this.#progress);
    for (const job of this.#jobs.values()) job.abort.abort();
    this.#ended.abort();
    this.#cleaned = this.#cleanUp();
    this.#parts.sessionEnded(this);
  }

  /** Tells the submitter to send nothing more; running jobs go on. */
  drain(): void {
    this.#out.send({ drain: {} });
  }

  async #cleanUp(): Promise<void> {
    try {
      await this.#inbox.close();
      await this.#trials;
      const cell = await this.#cell?.catch(() => undefined);
      await cell?.close();
      await this.#treeMade.catch(() => {});
      // Files that were on their way into the tree may still come while it is being removed.
      await this.#parts.removeDirectory(this.#directory);
    } catch (error) {
      this.#log.warn(`cleaning up after the session: ${messageOf(error)}`);
    }
  }

  /** @throws MeshError MESHCC_PROTOCOL for an impossible entry, or when too much is told in spite of being asked */
  #announce(entries: readonly WireEntry[]): void {
    for (const entry of entries) this.#mirror.announce(entry);
    const { heldBytes } = this.#mirror;
    const maxBytes = this.#parts.dictionaryMaxBytes;
    if (heldBytes <= maxBytes) return;
    if (heldBytes > 2 * maxBytes)
      throw new MeshError(
        'MESHCC_PROTOCOL',
        `the dictionary takes ${heldBytes} bytes of memory, and ${maxBytes} are allowed`,
      );
    if (this.#renewing) return;
    this.#renewing = true;
    this.#log.debug(`the dictionary takes ${heldBytes} bytes: asked to begin it anew`);
    this.#out.send({ renewDictionary: {} });
  }

  #remove(paths: readonly string[]): void {
    this.#mirror.remove(paths);
    if (!paths.includes('/')) return;
    void this.#mirror.removed().then(() => {
      this.#renewing = false;
    });
  }

  #openToolchains(): SessionToolchains {
    const { toolchains, toolchainFilesDirectory, fingerprints } = this.#parts;
    return new SessionToolchains({
      toolchains,
      toolchainFilesDirectory,
      mirror: this.#mirror,
      treeMade: this.#treeMade,
      tryOut: fingerprints && ((toolchain, use) => this.#tryOut(toolchain, use)),
      tell: (toolchainTrial) => {
        if (!this.#closed) this.#out.send({ toolchainTrial });
      },
      log: this.#log,
    });
  }

  /** One after the other, in a slot, as a job would be. */
  #tryOut(toolchain: Toolchain, use: OtherHostUse): Promise<TrialOutcome> {
    const { queue } = this.#parts;
    const { signal } = this.#ended;
    const tried = this.#trials.then(async () => {
      const directory = join(this.#directory, `trial-${++this.#cells}`);
      const outcome = await queue.run(this.peer.nodeId, signal, () =>
        tryToolchain(toolchain, use, { ...this.#parts, directory, signal }),
      );
      return outcome ?? { refusal: 'the connection has ended' };
    });
    this.#trials = tried.catch(() => {});
    return tried;
  }

  #tellFingerprint(toolchainId: string): void {
    // Asked for again while the answer is not there, or beyond what anybody has: no second answer.
    if (this.#fingerprintsAsked.size >= MAX_TOOLCHAINS || this.#fingerprintsAsked.has(toolchainId)) return;
    this.#fingerprintsAsked.add(toolchainId);
    const { toolchains, fingerprints } = this.#parts;
    void fingerprintAnswer(toolchainId, toolchains.get(toolchainId), fingerprints).then((fingerprint) => {
      this.#fingerprintsAsked.delete(toolchainId);
      if (!this.#closed) this.#out.send({ fingerprint });
    });
  }

  /** One question at a time: who asks without waiting for answers hears only of some. */
  async #tellOfMachine(question: NonNullable<FromSubmitter['machineQuestion']>): Promise<void> {
    if (this.#telling) return;
    this.#telling = true;
    const machineAnswer = await this.#parts.machine.answer(question);
    if (!this.#closed) await this.#out.sendWhenReady({ machineAnswer });
    this.#telling = false;
  }

  /** @throws MeshError MESHCC_PROTOCOL if they are too many to be kept */
  #learnArguments(news: readonly WireArgument[]): void {
    if (!this.#arguments.learn(news))
      throw new MeshError('MESHCC_PROTOCOL', 'more known arguments than a stream keeps');
  }

  #extendWindow(credit: { jobId: number; sizeBytes: number }): void {
    const job = this.#jobs.get(credit.jobId);
    if (job === undefined) return;
    job.windowBytes += credit.sizeBytes;
    job.wakeSender?.();
  }

  /** @throws MeshError MESHCC_PROTOCOL for a job too many (what waits here must stay bounded), or one told twice */
  #accept(job: WireJob): void {
    if (this.#jobs.has(job.jobId))
      throw new MeshError('MESHCC_PROTOCOL', `job ${job.jobId} is under way already`);
    if (++this.#usedTotal > this.#grantedTotal)
      throw new MeshError('MESHCC_PROTOCOL', `a job without a credit: ${this.#grantedTotal} were granted`);
    this.#parts.onWork();
    void this.#serve(job);
  }

  async #serve(job: WireJob): Promise<void> {
    const active = startJob();
    this.#jobs.set(job.jobId, active);
    let outcome: Omit<WireResult, 'jobId'>;
    try {
      outcome = await this.#runJob(job, active);
    } catch (error) {
      outcome = { nodeFault: { cause: 'internal-error', detail: messageOf(error) } };
    }
    this.#jobs.delete(job.jobId);
    if (this.#closed) return;
    await this.#out.sendWhenReady({ result: { jobId: job.jobId, ...outcome } });
    if (this.#parts.draining()) return;
    this.#out.send({ credits: { grantedTotal: ++this.#grantedTotal } });
  }

  async #runJob(job: WireJob, active: ActiveJob): Promise<Omit<WireResult, 'jobId'>> {
    if (this.#parts.draining()) return { busy: { reason: 'this worker drains' } };
    const toolchainPromise = this.#toolchains.get(job.toolchainRef);
    if (toolchainPromise === undefined)
      return { refused: { reason: `toolchain ${job.toolchainRef} was never announced` } };
    const ids = decodeAscending(job.inputs);
    if (ids === undefined) return { refused: { reason: 'the list of inputs is damaged' } };
    const { argumentNumbers } = job;
    if (argumentNumbers !== undefined && argumentNumbers.length > 0) {
      const args = this.#arguments.decode(argumentNumbers, job.arguments);
      if (args === undefined) return { refused: { reason: 'the list of arguments is damaged' } };
      job.arguments = args;
    }
    const hold = this.#mirror.hold(ids);
    try {
      const toolchain = await toolchainPromise;
      const checked = checkRequest(job, toolchain.toolchain, toolchain.compilerName);
      if (checked.kind === 'refused') return { refused: { reason: checked.reason } };
      if (!this.#parts.locale.isAvailable && job.environment.includes(UTF8_LOCALE_VARIABLE)) {
        return { refused: { reason: 'this worker has no locale C.UTF-8 for its diagnostics' } };
      }
      const missing = hold.ready.then(
        () => undefined,
        (error) => inputTrouble(error),
      );
      const obstacle = await Promise.race([missing, active.aborted]);
      if (obstacle === 'aborted') return { busy: { reason: 'cancelled' } };
      if (obstacle !== undefined) return obstacle;
      const { queue, limits } = this.#parts;
      const startedMs = performance.now();
      const done = await queue.run(this.peer.nodeId, active.abort.signal, async () => {
        const cell = await this.#openCell();
        const request = { job, invocation: checked.invocation, toolchain, hold };
        return compile(request, cell, this.#mirror, limits, active.abort.signal);
      });
      if (done === undefined || active.abort.signal.aborted) {
        if (done?.kind === 'compiled') done.result.release();
        return { busy: { reason: 'cancelled' } };
      }
      return await this.#report(job, active, done, startedMs);
    } finally {
      hold.release();
    }
  }

  /** The sandbox of this submitter; a new one if the last has died. */
  #openCell(): Promise<Cell> {
    if (this.#cell === undefined) {
      const opened = this.#treeMade.then(() =>
        this.#parts.openCell(this.#mirror.directory, join(this.#directory, `jobs-${++this.#cells}`)),
      );
      this.#cell = opened;
      const forget = (): void => {
        if (this.#cell === opened) this.#cell = undefined;
      };
      opened.then((cell) => cell.closed.then(forget), forget);
    }
    return this.#cell;
  }

  async #report(
    job: WireJob,
    active: ActiveJob,
    outcome: CompileOutcome,
    startedMs: number,
  ): Promise<Omit<WireResult, 'jobId'>> {
    if (outcome.kind === 'node-fault') return { nodeFault: { cause: outcome.cause, detail: outcome.detail } };
    if (outcome.kind === 'input-incomplete') return { inputIncomplete: { paths: [...outcome.paths] } };
    const { result } = outcome;
    try {
      const outputs: WireOutputDigest[] = [];
      const totalBytes = outcome.outputs.reduce((sum, { file }) => sum + file.sizeBytes, 0);
      for (const [index, output] of outcome.outputs.entries()) {
        const digest =
          totalBytes <= CHUNK_BYTES
            ? await readOutput(index, output)
            : await this.#sendOutput(job.jobId, index, output, active);
        if (digest === undefined) return { busy: { reason: 'cancelled' } };
        outputs.push(digest);
      }
      return {
        compiled: {
          exitStatus: result.exitStatus,
          signal: result.signal,
          outputs,
          stdout: result.stdout,
          stderr: result.stderr,
          cpuUs: result.cpuUs,
          wallUs: Math.round((performance.now() - startedMs) * 1000),
        },
      };
    } finally {
      result.release();
    }
  }

  /** Sends one file piece by piece, never more than the submitter has room for. */
  async #sendOutput(
    jobId: number,
    index: number,
    { path, file }: CompileOutput,
    active: ActiveJob,
  ): Promise<WireOutputDigest | undefined> {
    const hash = startDigest();
    let offset = 0;
    do {
      const length = Math.min(CHUNK_BYTES, file.sizeBytes - offset);
      if (!(await this.#awaitWindow(active, length))) return undefined;
      const data = await file.read(offset, length);
      hash.update(data);
      active.windowBytes -= data.length;
      const name = offset === 0 ? path : '';
      await this.#out.sendWhenReady({
        outputChunk: { jobId, index, path: name, sizeBytes: file.sizeBytes, data },
      });
      offset += length;
    } while (offset < file.sizeBytes);
    return { index, sha256: digestToBytes(finishDigest(hash)), sizeBytes: file.sizeBytes };
  }

  async #awaitWindow(active: ActiveJob, length: number): Promise<boolean> {
    const { signal } = active.abort;
    while (active.windowBytes < length && !signal.aborted) {
      await new Promise<void>((resolve) => {
        active.wakeSender = resolve;
      });
    }
    return !signal.aborted;
  }
}
