/** The worker role of an agent: compiles for other members of the mesh, in a sandbox, with its own compilers. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { buildMachineProgram, measureMachine } from '../benchmark/index.ts';
import type { FromWorker, Outbound, SessionHandler, SubmitterPeer, WireToolchain } from '../mesh/index.ts';
import {
  type Cell,
  type ControlGroups,
  openCell,
  RUNGS,
  removeTree,
  type Sandbox,
} from '../sandbox/index.ts';
import { type BlobStore, openBlobStore } from '../store/index.ts';
import type { Fingerprints, Toolchain } from '../toolchain/index.ts';
import { announcementOf } from './announcement.ts';
import type { CompileLimits } from './compile.ts';
import { MachineAnswers } from './machine-answers.ts';
import { foreignProgram } from './native-toolchains.ts';
import { RunQueue } from './run-queue.ts';
import { WorkerSession } from './session.ts';
import { findUtf8Locale, type Utf8Locale, withLocale } from './utf8-locale.ts';

export interface WorkerOptions {
  readonly cacheDirectory: string;
  /** The built job runner. */
  readonly runnerPath: string;
  /** How jobs are confined. */
  readonly sandbox: Sandbox;
  /** Ids of nodes that are served on a rung that is not for every member. */
  readonly trustedNodes: readonly string[];
  /** Bounds on all jobs of a submitter together, where this machine lets them be made. */
  readonly controlGroups?: ControlGroups;
  readonly toolchains: readonly Toolchain[];
  /** Takes fingerprints of these toolchains for submitters that ask; undefined: the owner has not allowed it. */
  readonly fingerprints?: Fingerprints;
  /** Compiles that run at once. */
  readonly slots: number;
  readonly storeMaxBytes: number;
  /** What one submitter's running jobs may fill with outputs and temporary files. */
  readonly scratchBytes: number;
  /** Memory that one submitter's dictionary may take. Default: {@link DICTIONARY_MAX_BYTES}. */
  readonly dictionaryMaxBytes?: number;
  readonly limits: CompileLimits;
  readonly log: Logger;
  /** Called when a job comes. */
  readonly onWork?: () => void;
}

/** About 130,000 entries: ten times what a kernel build tells. */
const DICTIONARY_MAX_BYTES = 128 * 1024 * 1024;

/** What a session needs of its worker. */
export interface WorkerParts {
  readonly store: BlobStore;
  readonly toolchains: ReadonlyMap<string, Toolchain>;
  readonly fingerprints: Fingerprints | undefined;
  readonly locale: Utf8Locale;
  /** The slots, in turns by node: several connections of one node do not get it more of them. */
  readonly queue: RunQueue<string>;
  readonly machine: MachineAnswers;
  readonly dictionaryMaxBytes: number;
  readonly limits: CompileLimits;
  readonly log: Logger;
  readonly sessionsDirectory: string;
  readonly toolchainFilesDirectory: string;
  /** Whom the directories of a tree belong to; 0: this agent's own user. */
  readonly treeOwner: number;
  openCell(treeDirectory: string, jobsDirectory: string): Promise<Cell>;
  removeDirectory(path: string): Promise<void>;
  draining(): boolean;
  onWork(): void;
  sessionEnded(session: WorkerSession): void;
}

/** A node has one connection; a second one is there while the loss of the first is not noticed yet. */
const MAX_SESSIONS_PER_NODE = 4;

/** The handler of a stream that is about to be ended. */
const TURNED_AWAY: SessionHandler = {
  onMessage: () => {},
  onBlobChunk: () => Promise.resolve(),
  onClosed: () => {},
};

export class Worker {
  readonly slots: number;
  readonly sandbox: Sandbox;
  readonly #parts: WorkerParts;
  readonly #trustedNodes: ReadonlySet<string>;
  readonly #sessions = new Set<WorkerSession>();
  readonly #cleaning = new Set<Promise<void>>();
  #draining = false;
  #sequence = 0;

  /** @param toolchains those of the options that the sandbox can run */
  constructor(
    options: WorkerOptions,
    toolchains: readonly Toolchain[],
    store: BlobStore,
    locale: Utf8Locale,
  ) {
    this.slots = options.slots;
    this.sandbox = options.sandbox;
    this.#trustedNodes = new Set(options.trustedNodes);
    const { log, sandbox } = options;
    const queue = new RunQueue<string>(options.slots);
    this.#parts = {
      store,
      fingerprints: options.fingerprints,
      toolchains: new Map(toolchains.map((toolchain) => [toolchain.id, withLocale(toolchain, locale)])),
      locale,
      queue,
      machine: new MachineAnswers({
        measure: async (signal) => measureMachine(await buildMachineProgram(options.cacheDirectory), signal),
        jobs: () => queue.running + queue.waiting,
        log: (line) => log.warn(line),
      }),
      dictionaryMaxBytes: options.dictionaryMaxBytes ?? DICTIONARY_MAX_BYTES,
      limits: options.limits,
      log,
      sessionsDirectory: sessionsDirectoryOf(options),
      toolchainFilesDirectory: join(options.cacheDirectory, 'toolchain-files'),
      treeOwner: sandbox.rung === 'namespaces' ? sandbox.owner : 0,
      openCell: (treeDirectory, jobsDirectory) => openBoundedCell(options, treeDirectory, jobsDirectory),
      removeDirectory: (path) => removeDirectory(options.runnerPath, path),
      draining: () => this.#draining,
      onWork: options.onWork ?? (() => {}),
      sessionEnded: (session) => this.#sessionEnded(session),
    };
  }

  /** The compilers that this worker offers, as they are told to submitters. */
  get toolchains(): WireToolchain[] {
    return [...this.#parts.toolchains.values()].map(announcementOf);
  }

  /** Load of the moment, for `meshcc status`. */
  get load(): { running: number; waiting: number; submitters: { name: string; jobs: number }[] } {
    const { queue } = this.#parts;
    const submitters = [...this.#sessions].map((session) => ({
      name: session.peer.nodeName,
      jobs: session.jobs,
    }));
    return { running: queue.running, waiting: queue.waiting, submitters };
  }

  /** A submitter has connected. */
  accept(peer: SubmitterPeer, out: Outbound<FromWorker>, hangUp: (why: string) => void): SessionHandler {
    const objection = this.#objectionTo(peer);
    if (objection !== undefined) {
      this.#parts.log.warn(`${peer.nodeName} (${peer.address}) is not served: ${objection}`);
      setImmediate(() => hangUp(objection));
      return TURNED_AWAY;
    }
    this.#parts.log.info(`session of ${peer.nodeName} (${peer.address})`);
    const session = new WorkerSession(peer, out, hangUp, this.#parts, ++this.#sequence);
    this.#sessions.add(session);
    if (this.#draining) session.drain();
    return session;
  }

  /**
   * Takes no new jobs and waits for the running ones.
   * @param timeoutMs after this they are given up; their submitters do them elsewhere
   */
  async drain(timeoutMs: number): Promise<void> {
    this.#draining = true;
    for (const session of this.#sessions) session.drain();
    const deadlineMs = performance.now() + timeoutMs;
    while (this.#busy() && performance.now() < deadlineMs)
      await new Promise((resolve) => setTimeout(resolve, 50));
  }

  /** Ends all sessions at once, removes what they left, and closes the store. */
  async stop(): Promise<void> {
    this.#draining = true;
    this.#parts.machine.stop();
    for (const session of [...this.#sessions]) session.onClosed('this agent stops');
    await Promise.all(this.#cleaning);
    await this.#parts.store.close();
  }

  /** Why a node that belongs to the mesh gets nothing here, or undefined if it is served. */
  #objectionTo({ nodeId }: SubmitterPeer): string | undefined {
    const { rung } = this.sandbox;
    if (RUNGS[rung].serves === 'named nodes' && !this.#trustedNodes.has(nodeId)) {
      return `the sandbox of this worker is \`${rung}\`, in which it serves only nodes that its owner has named (--trust)`;
    }
    const sessions = [...this.#sessions].filter((session) => session.peer.nodeId === nodeId).length;
    return sessions >= MAX_SESSIONS_PER_NODE
      ? `this node has ${sessions} connections here already`
      : undefined;
  }

  #sessionEnded(session: WorkerSession): void {
    this.#sessions.delete(session);
    const { cleaned } = session;
    this.#cleaning.add(cleaned);
    void cleaned.then(() => this.#cleaning.delete(cleaned));
  }

  #busy(): boolean {
    for (const session of this.#sessions) if (session.jobs > 0) return true;
    return false;
  }
}

/** Starts the worker role: opens the store, removes what an earlier run left. */
export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const { log } = options;
  await removeDirectory(options.runnerPath, sessionsDirectoryOf(options));
  await mkdir(sessionsDirectoryOf(options), { recursive: true, mode: 0o700 });
  const store = await openBlobStore({
    directory: join(options.cacheDirectory, 'store'),
    maxBytes: options.storeMaxBytes,
    log,
  });
  const toolchains: Toolchain[] = [];
  for (const toolchain of options.toolchains) {
    // Only the filter tells one architecture from another.
    const foreign =
      options.sandbox.rung === 'uid' ? undefined : await foreignProgram(toolchain, options.runnerPath);
    if (foreign === undefined) toolchains.push(toolchain);
    else log.warn(`${toolchain.compilerPath} is not offered to other nodes: ${foreign}`);
  }
  return new Worker(options, toolchains, store, await findUtf8Locale());
}

function sessionsDirectoryOf(options: WorkerOptions): string {
  return join(options.cacheDirectory, 'sessions');
}

/** A cell of one submitter, in a control group of its own if there can be one. */
async function openBoundedCell(
  options: WorkerOptions,
  treeDirectory: string,
  jobsDirectory: string,
): Promise<Cell> {
  const { runnerPath, sandbox, scratchBytes, log } = options;
  const group = options.controlGroups?.open();
  try {
    const cell = await openCell({
      runnerPath,
      sandbox,
      treeDirectory,
      jobsDirectory,
      scratchBytes,
      groupMembers: group?.members ?? [],
      log: (line) => log.warn(line),
    });
    void cell.closed.then(() => group?.remove());
    return cell;
  } catch (error) {
    await group?.remove();
    throw error;
  }
}

/** Removes a directory, however deep a job has nested others in it. */
async function removeDirectory(runnerPath: string, path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true, maxRetries: 5 });
  } catch {
    await removeTree(runnerPath, path);
  }
}
