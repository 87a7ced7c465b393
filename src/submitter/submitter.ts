/** The submitter role of an agent: takes compiler calls from shims and has them compiled by the mesh. */
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { LocalReasonId } from '../compiler/index.ts';
import {
  CompilerClosureFinder,
  type RunCommand,
  ScanningClosureFinder,
  WatchedSourceView,
} from '../include-scan/index.ts';
import type { Security } from '../mesh/index.ts';
import type { Ledger } from '../observe/index.ts';
import { type Cell, openPlainRunner } from '../sandbox/index.ts';
import { Slots, type VerificationSettings, verificationPolicy } from '../scheduler/index.ts';
import type { Fingerprints, Toolchain, ToolchainCache } from '../toolchain/index.ts';
import { type BenchCompiler, BenchCompiles } from './bench-compiles.ts';
import type { CallParts } from './compile-call.ts';
import { Dispatcher } from './dispatcher.ts';
import { EntryTable } from './entry-table.ts';
import { HostComparisons } from './host-comparisons.ts';
import { InputCollector } from './input-set.ts';
import type { CallLimits } from './job-preparation.ts';
import { LocalReference } from './local-reference.ts';
import { LocalToolchains } from './local-toolchains.ts';
import { MessageLocales } from './message-locale.ts';
import { MismatchEvidence } from './mismatch-evidence.ts';
import { NativeProcessors } from './native-processors.ts';
import { NodeStandings, type QuarantinedToolchain } from './node-standings.ts';
import { OtherHosts } from './other-hosts.ts';
import { ShimServer } from './shim-server.ts';
import { Verifier } from './verifier.ts';
import { WorkerPool } from './worker-pool.ts';

/** How results of other nodes are compared. */
export interface VerificationOptions extends VerificationSettings {
  /** Of this user, and there already: standings and evidence are kept in it. */
  readonly directory: string;
  /** By lot from 0 to 1, 1 excluded. Default: Math.random */
  readonly random?: () => number;
}

/** Whether, and how, compilers that nodes run on another processor architecture are looked at. */
export interface OtherHostOptions {
  /** Those that make the same code are used. */
  readonly isAllowed: boolean;
  /** Of this machine's compilers; undefined: none are taken. */
  readonly fingerprints: Fingerprints | undefined;
  /** This machine's compilers, beside those that calls name. */
  readonly toolchains: readonly Toolchain[];
}

export interface SubmitterOptions {
  readonly shimSocket: string;
  readonly runnerPath: string;
  /** A private directory on a local file system. */
  readonly scratchDirectory: string;
  readonly toolchainCache: ToolchainCache;
  readonly hello: { nodeId: string; nodeName: string; agentVersion: string };
  /** Compiles that run here at once when the mesh cannot take them. */
  readonly localSlots: number;
  readonly limits: CallLimits;
  readonly verification: VerificationOptions;
  /** Default: they are neither compared nor used. */
  readonly otherHosts?: OtherHostOptions;
  /** Memory that the dictionary may take, about. Default: 256 MiB. */
  readonly dictionaryMaxBytes?: number;
  /** Speed of one slot of nodes that were measured, by node id; all in one unit. */
  readonly speeds?: ReadonlyMap<string, number>;
  readonly ledger: Ledger;
  readonly log: Logger;
  readonly env: NodeJS.ProcessEnv;
  /** Called when a call comes. */
  readonly onWork?: () => void;
}

export class Submitter {
  readonly #options: SubmitterOptions;
  readonly #entries: EntryTable;
  #pool: WorkerPool | undefined;
  readonly #parts: CallParts;
  readonly #server: ShimServer;
  readonly #dispatcher: Dispatcher;
  readonly #localSlots: Slots;
  readonly #asker: CompilerAsker;
  readonly #view: WatchedSourceView;
  readonly #toolchains: LocalToolchains;
  readonly #standings: NodeStandings;
  readonly #verifier: Verifier;
  /** Compilers of other host architectures, and whether they are used. */
  readonly otherHosts: OtherHosts;
  #obstacle: LocalReasonId | undefined;
  /** Measured, by node id. */
  #speeds: ReadonlyMap<string, number>;

  constructor(options: SubmitterOptions) {
    const { log, verification, runnerPath } = options;
    const searchPath = options.env.PATH ?? '/usr/bin:/bin';
    const entries = new EntryTable(options.dictionaryMaxBytes);
    this.#entries = entries;
    this.#options = options;
    this.#speeds = options.speeds ?? new Map();
    this.#asker = new CompilerAsker(runnerPath, searchPath, options.localSlots);
    const { run } = this.#asker;
    this.#view = new WatchedSourceView({ scratchDirectory: options.scratchDirectory });
    const standings = new NodeStandings(join(verification.directory, 'standings.json'), (line) =>
      log.warn(line),
    );
    this.#standings = standings;
    this.#dispatcher = new Dispatcher(undefined, (worker, demand) =>
      standings.isQuarantined(worker, worker.subjectOf(demand).toolchainId),
    );
    this.#verifier = new Verifier({
      policy: verificationPolicy(verification),
      standings,
      dispatcher: this.#dispatcher,
      reference: new LocalReference(runnerPath, searchPath, options.scratchDirectory),
      evidence: new MismatchEvidence(join(verification.directory, 'mismatches')),
      ledger: options.ledger,
      log,
      random: verification.random ?? Math.random,
    });
    this.#localSlots = new Slots(options.localSlots);
    this.#toolchains = new LocalToolchains(options.toolchainCache, options.env, this.#view, (own) => {
      for (const worker of this.#dispatcher.workers) this.otherHosts.consider(own, worker);
    });
    this.otherHosts = this.#openOtherHosts();
    this.#parts = {
      dispatcher: this.#dispatcher,
      inputs: new InputCollector(entries, this.#view, this.#toolchains.owns),
      closures: new ScanningClosureFinder(this.#view, run, new CompilerClosureFinder(run)),
      view: this.#view,
      toolchains: this.#toolchains,
      locales: new MessageLocales(run),
      natives: new NativeProcessors(run),
      otherHosts: this.otherHosts,
      localSlots: this.#localSlots,
      verifier: this.#verifier,
      ledger: options.ledger,
      log,
      limits: options.limits,
      remoteObstacle: () => this.#obstacle,
      onWork: options.onWork ?? (() => {}),
    };
    this.#server = new ShimServer(this.#parts);
  }

  #openOtherHosts(): OtherHosts {
    const { otherHosts, log } = this.#options;
    return new OtherHosts({
      comparisons: new HostComparisons(otherHosts?.fingerprints),
      isAllowed: otherHosts?.isAllowed ?? false,
      toolchains: () => [...(otherHosts?.toolchains ?? []), ...this.#toolchains.identified],
      onReady: (files) => {
        this.#toolchains.claim(files);
        this.#dispatcher.reconsider();
      },
      log: (line) => log.info(line),
    });
  }

  /** Belongs to a mesh from now on (or to another than before): nodes of it may be sighted. */
  enterMesh(security: Security): void {
    this.#pool?.stop();
    const { hello, log } = this.#options;
    this.#pool = new WorkerPool({
      dispatcher: this.#dispatcher,
      entries: this.#entries,
      security,
      hello,
      speedOf: (nodeId) => this.#speeds.get(nodeId),
      onConnected: (worker) => this.otherHosts.meet(worker),
      log: (line) => log.info(line),
    });
  }

  /** Nodes were measured: the next jobs are placed by these speeds of one slot, by node id. */
  learnSpeeds(speeds: ReadonlyMap<string, number>): void {
    this.#speeds = speeds;
    for (const worker of this.#dispatcher.workers) worker.speed = speeds.get(worker.nodeId);
  }

  /** Compiles on chosen nodes, and here, of sources in a directory. */
  benchCompiles(directory: string, compiler: BenchCompiler): BenchCompiles {
    return new BenchCompiles(this.#parts, this.#asker.run, directory, compiler);
  }

  /** Connections to the nodes of the mesh; undefined while this node belongs to none. */
  get pool(): WorkerPool | undefined {
    return this.#pool;
  }

  /** The compilers that calls have named so far. */
  get calledToolchains(): readonly Toolchain[] {
    return this.#toolchains.identified;
  }

  /** Opens the socket for shims. @throws MeshError MESHCC_AGENT_RUNNING */
  listen(path: string): Promise<void> {
    return this.#server.listen(path);
  }

  /** Load of the moment, for `meshcc status`. */
  get load(): { openCalls: number; waitingForNode: number; localRunning: number; localWaiting: number } {
    return {
      openCalls: this.#server.openCalls,
      waitingForNode: this.#dispatcher.waiting,
      localRunning: this.#localSlots.taken,
      localWaiting: this.#localSlots.waiting,
    };
  }

  /** Calls since the start. */
  get takenCalls(): number {
    return this.#server.takenCalls;
  }

  /** Compilers of other nodes that get no jobs, because a result of theirs was wrong. */
  get quarantined(): readonly QuarantinedToolchain[] {
    return this.#standings.quarantined;
  }

  /**
   * Ends the quarantine of a node.
   * @param name its name, or the beginning of its id
   * @returns what was in quarantine
   */
  release(name: string): readonly QuarantinedToolchain[] {
    const released = this.#standings.release(name);
    this.#dispatcher.reconsider();
    return released;
  }

  /** New calls go local; calls that are under way may finish until the time-out. */
  async drain(timeoutMs: number): Promise<void> {
    this.#obstacle = 'draining';
    this.#server.stopListening();
    const deadlineMs = performance.now() + timeoutMs;
    while (this.#server.openCalls > 0 && performance.now() < deadlineMs) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#pool?.stop();
    this.#view.close();
    await this.#asker.close();
    await this.#verifier.close();
  }
}

/** Questions to compilers take seconds at most; one that hangs must not hold a job for ever. */
const QUESTION_LIMITS = {
  umask: 0o077,
  wallLimitMs: 60_000,
  cpuLimitSeconds: 60,
  maxFileBytes: 64 * 1024 * 1024,
  maxDiagnosticBytes: 16 * 1024 * 1024,
  maxOutputBytes: 0,
};

/** Runs the user's compilers outside this process: a fork of a large Node heap costs more than the question. */
class CompilerAsker {
  readonly #runnerPath: string;
  readonly #searchPath: string;
  readonly #slots: Slots;
  #cell: Promise<Cell> | undefined;

  constructor(runnerPath: string, searchPath: string, atOnce: number) {
    this.#runnerPath = runnerPath;
    this.#searchPath = searchPath;
    this.#slots = new Slots(atOnce);
  }

  readonly run: RunCommand = async (command, signal) => {
    const release = await this.#slots.acquire(signal);
    if (release === undefined)
      return { exitStatus: 255, stdout: Buffer.alloc(0), stderr: Buffer.from('interrupted') };
    try {
      return await this.#ask(command, signal);
    } finally {
      release();
    }
  };

  async #ask(...[command, signal]: Parameters<RunCommand>): ReturnType<RunCommand> {
    const cell = await this.#open();
    const result = await cell.run(
      {
        executable: command.executable,
        argv: [...command.argv],
        environment: [...command.environment, `PATH=${this.#searchPath}`, 'MESHCC_RECURSION=1'],
        cwd: command.workingDirectory,
        ...QUESTION_LIMITS,
      },
      signal,
    );
    if (result.kind === 'fault') {
      const stderr = Buffer.from(`${command.executable}: ${result.cause}: ${result.detail}`);
      return { exitStatus: 255, stdout: Buffer.alloc(0), stderr };
    }
    result.release();
    const exitStatus = result.signal === 0 ? result.exitStatus : 128 + result.signal;
    return { exitStatus, stdout: result.stdout, stderr: result.stderr };
  }

  async close(): Promise<void> {
    const cell = await this.#cell?.catch(() => undefined);
    await cell?.close();
  }

  #open(): Promise<Cell> {
    if (this.#cell === undefined) {
      const opened = openPlainRunner(this.#runnerPath);
      this.#cell = opened;
      const forget = (): void => {
        if (this.#cell === opened) this.#cell = undefined;
      };
      opened.then((cell) => cell.closed.then(forget), forget);
    }
    return this.#cell;
  }
}
