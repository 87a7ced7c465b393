/** One connected worker as the submitter sees it: its credits, what it has been told, the jobs in its hands. */
import { digestToBytes, startDigest } from '../base/digest.ts';
import { messageOf } from '../base/errors.ts';
import { printable } from '../base/printable.ts';
import { encodeAscending } from '../base/varint.ts';
import {
  ArgumentEncoder,
  type FromWorker,
  OUTPUT_WINDOW_BYTES,
  type WireArgument,
  type WireJob,
  type WireOutputChunk,
  type WireResult,
  type WorkerLink,
} from '../mesh/index.ts';
import type { OfferedToolchain, Toolchain } from '../toolchain/index.ts';
import { BlobUploader } from './blob-uploader.ts';
import {
  type CompilerDemand,
  type OtherHostDemand,
  type ServingCompiler,
  servingCompiler,
} from './compiler-demand.ts';
import type { EntryTable } from './entry-table.ts';
import { FingerprintQuestions, type FingerprintReply } from './fingerprint-questions.ts';
import { excessOf, type IncomingOutput, type IncomingOutputs, outputProblem } from './incoming-outputs.ts';
import type { JobInputs } from './input-set.ts';
import { MachineAsker } from './machine-asker.ts';
import { offeredToolchains } from './offered-toolchains.ts';
import { failureOf, MAX_PATH_CHARACTERS, type OutputSink, type RemoteOutcome } from './outcome.ts';
import { SilenceWatch } from './silence-watch.ts';
import { ToldEntries } from './told-entries.ts';
import { ToolchainUses } from './toolchain-uses.ts';

/** A job whose inputs are known; the same for every worker. */
export interface PreparedJob {
  readonly toolchain: Toolchain;
  /** Whether a compiler of another host architecture may do it; undefined: the owner has not allowed that. */
  readonly otherHost?: OtherHostDemand | undefined;
  readonly arguments: readonly WireArgument[];
  readonly workingDirectory: string;
  readonly environment: string[];
  readonly umask: number;
  readonly terminal: NonNullable<WireJob['terminal']> | undefined;
  readonly outputs: WireJob['outputs'];
  readonly inputs: JobInputs;
  /** What the user's processor is, if options of the call mean it; else empty. */
  readonly processor: string[];
  /** After this the job is taken back and done locally. */
  readonly timeoutMs: number;
}

/** Characters of a node's name (RFC 1035 allows a label no more). */
const MAX_NAME = 63;

const NOTHING = Buffer.alloc(0);

interface RunningJob extends IncomingOutputs {
  readonly sink: OutputSink;
  readonly hashes: Map<number, IncomingOutput>;
  /** Arrived, and not yet credited to the worker: never above the window. */
  pendingBytes: number;
  /** Passed on, and not yet credited to the worker. */
  uncreditedBytes: number;
  /** Its result has come: the worker has nothing more to say about it. */
  hasResult: boolean;
  over: boolean;
  /** Outputs are passed on one after the other. */
  delivery: Promise<void>;
  readonly finish: (outcome: RemoteOutcome) => void;
}

export class RemoteWorker {
  readonly nodeId: string;
  readonly nodeName: string;
  /** Version of meshcc there. */
  readonly agentVersion: string;
  readonly address: string;
  readonly slots: number;
  /** How it says that it confines what it compiles for others; empty if it does not say. */
  readonly sandbox: string;
  readonly toolchainIds: ReadonlySet<string>;
  /** The same compilers as the node describes them. */
  readonly toolchains: readonly OfferedToolchain[];
  /** Where it was told to put its compilers. */
  readonly uses: ToolchainUses;
  /** It can use a compiler in the place of one of another host architecture. */
  readonly servesOtherHosts: boolean;
  /** Questions about its machine. */
  readonly machine: MachineAsker;
  /** Measured speed of one of its slots (preprocessed lines per second); undefined: never measured. */
  speed: number | undefined;
  /** Called when a credit came or went, or the worker drains. */
  onChange: () => void = () => {};
  readonly #link: WorkerLink;
  readonly #uploader: BlobUploader;
  readonly #told: ToldEntries;
  readonly #arguments = new ArgumentEncoder();
  readonly #fingerprints: FingerprintQuestions;
  readonly #jobs = new Map<number, RunningJob>();
  #nextJobId = 1;
  #grantedTotal = 0;
  #usedTotal = 0;
  #draining = false;
  #lostBecause: string | undefined;
  readonly #watch = new SilenceWatch(
    () => this.#jobs.size > 0,
    (silentMs) => {
      const seconds = Math.round(silentMs / 1000);
      this.#lose(`${this.nodeName} has been silent for ${seconds} s with jobs in its hands`);
      this.#link.close();
    },
  );

  constructor(link: WorkerLink, entries: EntryTable) {
    this.#link = link;
    this.#told = new ToldEntries(entries);
    this.nodeId = link.welcome.nodeId;
    this.nodeName = printable(link.welcome.nodeName, MAX_NAME);
    this.agentVersion = printable(link.welcome.agentVersion, MAX_NAME);
    this.address = link.address;
    this.slots = link.welcome.slots;
    this.sandbox = link.welcome.sandbox ?? '';
    this.toolchainIds = new Set(link.welcome.toolchains.map((toolchain) => toolchain.id));
    this.toolchains = offeredToolchains(link.welcome.toolchains);
    const { answersMachineQuestions = false, servesOtherHosts = false, agentVersion } = link.welcome;
    this.servesOtherHosts = servesOtherHosts;
    this.uses = new ToolchainUses((message) => link.work.send(message));
    this.machine = new MachineAsker(answersMachineQuestions, agentVersion, (machineQuestion) =>
      link.work.send({ machineQuestion }),
    );
    this.#uploader = new BlobUploader(
      link.blobs,
      (digest) => entries.sourcesOf(digest),
      (digests) => link.work.send({ blobUnavailable: { sha256: digests.map(digestToBytes) } }),
    );
    this.#fingerprints = new FingerprintQuestions((message) => link.work.send(message));
    void link.closed.then((why) => this.#lose(why));
    link.receive((message) => this.#receive(message));
  }

  /** Credits not yet used. */
  get credits(): number {
    return this.#draining || this.#lostBecause !== undefined ? 0 : this.#grantedTotal - this.#usedTotal;
  }

  get inFlight(): number {
    return this.#jobs.size;
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** Bytes of file content sent to this worker. */
  get sentBytes(): number {
    return this.#uploader.sentBytes;
  }

  /** True if it may be sent jobs that ask for this. */
  offers({ toolchainId, otherHost }: CompilerDemand): boolean {
    if (this.toolchainIds.has(toolchainId)) return true;
    if (otherHost === undefined || this.uses.obstacleTo(otherHost) !== undefined) return false;
    return this.uses.otherHostRef(otherHost.key) !== undefined;
  }

  /** Which of its compilers would serve a demand. */
  subjectOf({ toolchainId, otherHost }: CompilerDemand): ServingCompiler {
    if (otherHost === undefined || this.toolchainIds.has(toolchainId)) return servingCompiler(toolchainId);
    const use = this.uses.otherHost(otherHost.key);
    return servingCompiler(toolchainId, use?.state === 'ready' ? use.theirId : undefined);
  }

  /** What the worker says that one of its compilers does. Never rejects. */
  async askFingerprint(toolchainId: string): Promise<FingerprintReply> {
    if (this.#lostBecause !== undefined) return { refusal: this.#lostBecause };
    return this.#fingerprints.ask(toolchainId);
  }

  /** Ends the connection; running jobs end as `lost`. */
  close(): void {
    this.#link.close();
    this.#lose('closed by this agent');
  }

  /** Resolves when the connection is gone, with the reason. */
  get closed(): Promise<string> {
    return this.#link.closed;
  }

  /**
   * Runs a job; uses one credit, which the caller has seen to be there. Never rejects.
   * @param signal fires when the user interrupted the compile
   */
  run(job: PreparedJob, sink: OutputSink, signal: AbortSignal): Promise<RemoteOutcome> {
    return new Promise((resolve) => {
      if (this.#lostBecause !== undefined) return resolve({ kind: 'lost', detail: this.#lostBecause });
      if (signal.aborted) return resolve({ kind: 'cancelled' });
      const jobId = this.#nextJobId++;
      const giveUp = (outcome: RemoteOutcome): void => {
        if (!this.#jobs.has(jobId)) return;
        this.#link.work.send({ cancel: { jobId } });
        this.#jobs.get(jobId)?.finish(outcome);
      };
      const onAbort = (): void => giveUp({ kind: 'cancelled' });
      const timer = setTimeout(
        () =>
          giveUp({ kind: 'timeout', detail: `no result from ${this.nodeName} after ${job.timeoutMs} ms` }),
        job.timeoutMs,
      );
      const finish = (outcome: RemoteOutcome): void => {
        if (running.over) return;
        running.over = true;
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        this.#jobs.delete(jobId);
        resolve(outcome);
        this.onChange();
      };
      const running: RunningJob = {
        sink,
        expected: job.outputs,
        hashes: new Map(),
        pendingBytes: 0,
        uncreditedBytes: 0,
        hasResult: false,
        over: false,
        delivery: Promise.resolve(),
        finish,
      };
      signal.addEventListener('abort', onAbort, { once: true });
      if (this.#jobs.size === 0) this.#watch.begin();
      this.#jobs.set(jobId, running);
      this.#usedTotal++;
      this.#send(jobId, job);
      this.onChange();
    });
  }

  #send(jobId: number, job: PreparedJob): void {
    const news = this.#told.newsFor(job.inputs);
    const work = this.#link.work;
    const toolchainRef = this.#toolchainRef(job);
    // First what is gone: the job's own entries may lie below it anew, or at the same path as something else.
    for (const paths of inPieces(news.removed)) work.send({ removed: { paths } });
    for (const entries of inPieces(news.entries)) work.send({ entries: { entries } });
    const { news: newArguments, numbers, own } = this.#arguments.encode(job.arguments);
    if (newArguments.length > 0) work.send({ knownArguments: { arguments: newArguments } });
    const message: WireJob = {
      jobId,
      toolchainRef,
      workingDirectory: job.workingDirectory,
      arguments: own,
      argumentNumbers: numbers,
      inputs: encodeAscending(job.inputs.entryIds),
      environment: job.environment,
      umask: job.umask,
      outputs: job.outputs,
      processor: job.processor,
    };
    if (job.terminal !== undefined) message.terminal = job.terminal;
    work.send({ job: message });
  }

  /** The number under which the worker knows what compiles the job. */
  #toolchainRef({ toolchain, otherHost }: PreparedJob): number {
    const other = this.toolchainIds.has(toolchain.id) ? undefined : otherHost?.key;
    return (other === undefined ? undefined : this.uses.otherHostRef(other)) ?? this.uses.refOf(toolchain);
  }

  #receive(message: FromWorker): void {
    this.#watch.heard();
    if (message.outputChunk) this.#receiveOutput(message.outputChunk);
    else if (message.result) this.#receiveResult(message.result);
    else if (message.credits) {
      this.#grantedTotal = message.credits.grantedTotal;
      this.onChange();
    } else if (message.fingerprint) this.#fingerprints.receive(message.fingerprint);
    else if (message.toolchainTrial) this.uses.receive(message.toolchainTrial);
    else if (message.needBlobs) this.#uploader.request(message.needBlobs.sha256);
    else if (message.machineAnswer) this.machine.receive(message.machineAnswer);
    else if (message.renewDictionary) this.#link.work.send({ removed: { paths: this.#told.renew() } });
    else if (message.drain) {
      this.#draining = true;
      this.onChange();
    }
  }

  #receiveOutput(chunk: WireOutputChunk): void {
    const job = this.#jobs.get(chunk.jobId);
    if (job === undefined || job.hasResult) return;
    let output = job.hashes.get(chunk.index);
    if (output === undefined) {
      output = { hash: startDigest(), path: chunk.path, sizeBytes: chunk.sizeBytes, receivedBytes: 0 };
      job.hashes.set(chunk.index, output);
      if (!job.sink.begin(chunk.index, chunk.path, chunk.sizeBytes)) {
        this.#link.work.send({ cancel: { jobId: chunk.jobId } });
        job.finish({
          kind: 'unexpected-output',
          detail: `${this.nodeName} returned ${printable(chunk.path, MAX_PATH_CHARACTERS)}`,
        });
        return;
      }
    }
    output.hash.update(chunk.data);
    output.receivedBytes += chunk.data.length;
    job.pendingBytes += chunk.data.length;
    const excess = excessOf(output, job);
    if (excess !== undefined) {
      this.#link.work.send({ cancel: { jobId: chunk.jobId } });
      job.finish({ kind: 'bad-result', detail: `${this.nodeName}: ${excess}` });
      return;
    }
    if (chunk.data.length === 0) return;
    job.delivery = job.delivery.then(() => this.#deliver(job, chunk));
  }

  async #deliver(job: RunningJob, chunk: WireOutputChunk): Promise<void> {
    // What is left of an attempt that was given up must not get into the next one's files.
    if (job.over) return;
    try {
      await job.sink.data(chunk.index, chunk.data);
    } catch (error) {
      this.#link.work.send({ cancel: { jobId: chunk.jobId } });
      job.finish({ kind: 'lost', detail: `passing on an output of ${this.nodeName}: ${messageOf(error)}` });
      return;
    }
    job.uncreditedBytes += chunk.data.length;
    // In large portions: the outputs of nearly every job fit the window whole, without a word.
    if (job.over || job.uncreditedBytes < OUTPUT_WINDOW_BYTES / 4) return;
    this.#link.work.send({ outputCredit: { jobId: chunk.jobId, sizeBytes: job.uncreditedBytes } });
    job.pendingBytes -= job.uncreditedBytes;
    job.uncreditedBytes = 0;
  }

  #receiveResult(result: WireResult): void {
    const job = this.#jobs.get(result.jobId);
    if (job === undefined || job.hasResult) return;
    if (result.compiled) {
      const { compiled } = result;
      for (const { index, path, sizeBytes, data } of compiled.outputs) {
        if (path) this.#receiveOutput({ jobId: result.jobId, index, path, sizeBytes, data: data ?? NOTHING });
        if (job.over) return;
      }
      job.hasResult = true;
      const problem = outputProblem(job, compiled);
      if (problem !== undefined) {
        job.finish({ kind: 'bad-result', detail: `${this.nodeName}: ${problem}` });
        return;
      }
      const outcome: RemoteOutcome = {
        kind: 'compiled',
        exitStatus: compiled.exitStatus,
        signal: compiled.signal,
        stdout: Buffer.from(compiled.stdout),
        stderr: Buffer.from(compiled.stderr),
        cpuUs: compiled.cpuUs,
        wallUs: compiled.wallUs,
        outputs: [...job.hashes.values()].flatMap(({ path, digest }) => (digest ? [{ path, digest }] : [])),
      };
      void job.delivery.then(() => job.finish(outcome));
    } else job.finish(failureOf(result, this.nodeName));
  }

  #lose(why: string): void {
    if (this.#lostBecause !== undefined) return;
    this.#lostBecause = why;
    this.#watch.end();
    this.#uploader.stop();
    this.#fingerprints.lose(why);
    this.uses.lose(why);
    this.machine.lose(why);
    for (const job of [...this.#jobs.values()]) job.finish({ kind: 'lost', detail: why });
    this.onChange();
  }
}

/** 256 entries are about 25 KB: small messages, no large one in front of other jobs' news. */
function* inPieces<Item>(items: readonly Item[]): Generator<Item[]> {
  for (let start = 0; start < items.length; start += 256) yield items.slice(start, start + 256);
}
