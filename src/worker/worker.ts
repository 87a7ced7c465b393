/** The worker role of an agent: compiles for other members of the mesh, in a sandbox, with its own compilers. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { FromWorker, Outbound, SessionHandler, SubmitterPeer, WireToolchain } from '../mesh/index.ts';
import { type Cell, openCell } from '../sandbox/index.ts';
import { type BlobStore, openBlobStore } from '../store/index.ts';
import type { Toolchain } from '../toolchain/index.ts';
import type { CompileLimits } from './compile.ts';
import { RunQueue } from './run-queue.ts';
import { WorkerSession } from './session.ts';
import { findUtf8Locale, type Utf8Locale, withLocale } from './utf8-locale.ts';

export interface WorkerOptions {
  readonly cacheDirectory: string;
  /** The built job runner. */
  readonly runnerPath: string;
  readonly toolchains: readonly Toolchain[];
  /** Compiles that run at once. */
  readonly slots: number;
  readonly storeMaxBytes: number;
  /** Memory that one submitter's running jobs may fill with outputs and temporary files. */
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
  readonly locale: Utf8Locale;
  readonly queue: RunQueue<WorkerSession>;
  readonly dictionaryMaxBytes: number;
  readonly limits: CompileLimits;
  readonly log: Logger;
  readonly sessionsDirectory: string;
  readonly toolchainFilesDirectory: string;
  openCell(treeDirectory: string): Promise<Cell>;
  draining(): boolean;
  onWork(): void;
  sessionEnded(session: WorkerSession): void;
}

export class Worker {
  readonly slots: number;
  readonly #parts: WorkerParts;
  readonly #sessions = new Set<WorkerSession>();
  readonly #cleaning = new Set<Promise<void>>();
  #draining = false;
  #sequence = 0;

  constructor(options: WorkerOptions, store: BlobStore, locale: Utf8Locale) {
    this.slots = options.slots;
    this.#parts = {
      store,
      toolchains: new Map(
        options.toolchains.map((toolchain) => [toolchain.id, withLocale(toolchain, locale)]),
      ),
      locale,
      queue: new RunQueue(options.slots),
      dictionaryMaxBytes: options.dictionaryMaxBytes ?? DICTIONARY_MAX_BYTES,
      limits: options.limits,
      log: options.log,
      sessionsDirectory: sessionsDirectoryOf(options),
      toolchainFilesDirectory: join(options.cacheDirectory, 'toolchain-files'),
      openCell: (treeDirectory) =>
        openCell({
          runnerPath: options.runnerPath,
          mode: 'confined',
          treeDirectory,
          scratchBytes: options.scratchBytes,
          log: (line) => options.log.warn(line),
        }),
      draining: () => this.#draining,
      onWork: options.onWork ?? (() => {}),
      sessionEnded: (session) => this.#sessionEnded(session),
    };
  }

  /** The compilers that this worker offers, as they are told to submitters. */
  get toolchains(): WireToolchain[] {
    return [...this.#parts.toolchains.values()].map(({ id, dialect, driver, version, targetTriple }) => ({
      id,
      dialect,
      driver,
      version,
      targetTriple,
    }));
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
    for (const session of [...this.#sessions]) session.onClosed('this agent stops');
    await Promise.all(this.#cleaning);
    await this.#parts.store.close();
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
  await rm(sessionsDirectoryOf(options), { recursive: true, force: true });
  await mkdir(sessionsDirectoryOf(options), { recursive: true, mode: 0o700 });
  const store = await openBlobStore({
    directory: join(options.cacheDirectory, 'store'),
    maxBytes: options.storeMaxBytes,
    log,
  });
  return new Worker(options, store, await findUtf8Locale());
}

function sessionsDirectoryOf(options: WorkerOptions): string {
  return join(options.cacheDirectory, 'sessions');
}
