/** Composition root: puts the rooms together into one symmetric agent, starts them in order and stops them in reverse. */
import { rmSync } from 'node:fs';
import type { Logger } from 'pino';
import { MeshError, messageOf } from '../base/errors.ts';
import { PACKAGE_VERSION } from '../base/package-root.ts';
import { type AgentPaths, makePrivateDirectory } from '../base/paths.ts';
import { CORPUS_VERSION, knownSpeeds } from '../benchmark/index.ts';
import { isCompilerName } from '../compiler/index.ts';
import { type NodeIdentity, openIdentity } from '../mesh/index.ts';
import { createLogger, Ledger, type LogFormat, LoopDelay } from '../observe/index.ts';
import { buildRunner } from '../sandbox/index.ts';
import { Submitter } from '../submitter/index.ts';
import {
  type DiscoveryResult,
  discoverToolchains,
  Fingerprints,
  openToolchainCache,
  type ToolchainCache,
} from '../toolchain/index.ts';
import type { Worker } from '../worker/index.ts';
import type { AgentConfig } from './config.ts';
import { letHeapGrow } from './heap-growth.ts';
import { MeshLife } from './mesh-life.ts';
import { startWorkerRole, type WorkerState } from './worker-role.ts';

/** Nodes that a job is tried on before it is compiled locally. */
const MAX_ATTEMPTS = 2;
const WORKER_DRAIN_MS = 30_000;
const SUBMITTER_DRAIN_MS = 30_000;

export class Agent {
  readonly config: AgentConfig;
  readonly paths: AgentPaths;
  readonly ledger = new Ledger();
  readonly loopDelay: LoopDelay;
  readonly log: Logger;
  readonly startedAtMs = Date.now();
  identity: NodeIdentity;
  readonly submitter: Submitter | undefined;
  readonly worker: Worker | undefined;
  readonly workerState: WorkerState;
  readonly compilers: DiscoveryResult;
  readonly mesh: MeshLife;
  readonly #fingerprints: Fingerprints | undefined;
  lastUsedAtMs = Date.now();
  /** `meshcc bench` is under way. */
  isMeasuring = false;

  constructor(parts: {
    config: AgentConfig;
    paths: AgentPaths;
    log: Logger;
    identity: NodeIdentity;
    compilers: DiscoveryResult;
    fingerprints: Fingerprints | undefined;
    worker: Worker | undefined;
    workerState: WorkerState;
    loopDelay: LoopDelay;
    toolchainCache: ToolchainCache;
    runnerPath: string;
    env: NodeJS.ProcessEnv;
  }) {
    const { config, paths, log, identity } = parts;
    this.config = config;
    this.paths = paths;
    this.log = log;
    this.identity = identity;
    this.compilers = parts.compilers;
    this.worker = parts.worker;
    this.#fingerprints = parts.fingerprints;
    this.loopDelay = parts.loopDelay;
    this.workerState = parts.workerState;
    const hello = { nodeId: identity.nodeId, nodeName: identity.name, agentVersion: PACKAGE_VERSION };
    if (config.submitter) {
      this.submitter = new Submitter({
        shimSocket: paths.shimSocket,
        runnerPath: parts.runnerPath,
        scratchDirectory: paths.scratchDirectory,
        toolchainCache: parts.toolchainCache,
        hello,
        localSlots: config.localSlots,
        limits: {
          creditWaitMs: config.creditWaitMs,
          jobTimeoutMs: config.jobTimeoutMs,
          maxAttempts: MAX_ATTEMPTS,
        },
        speeds: knownSpeeds(paths.stateDirectory, CORPUS_VERSION),
        verification: {
          directory: paths.verificationDirectory,
          probationJobs: config.verifyProbation,
          rate: config.verifyRate,
          otherHostProbationJobs: config.verifyForeignProbation,
          otherHostRate: config.verifyForeignRate,
        },
        otherHosts: {
          isAllowed: config.foreignHosts,
          fingerprints: parts.fingerprints,
          toolchains: parts.compilers.toolchains.map(({ toolchain }) => toolchain),
        },
        ledger: this.ledger,
        log: log.child({ role: 'submitter' }),
        env: parts.env,
        onWork: () => parts.loopDelay.begin(),
      });
    }
    this.mesh = new MeshLife({
      config,
      log,
      identity,
      hello,
      submitter: this.submitter,
      worker: this.worker,
    });
  }

  /** True if neither a call nor a job nor a measurement is under way. */
  get idle(): boolean {
    if (this.isMeasuring) return false;
    const calls = this.submitter?.load.openCalls ?? 0;
    const load = this.worker?.load;
    return calls === 0 && (load === undefined || load.running + load.waiting === 0);
  }

  /** Stops. @param drain finish what is under way first */
  async stop(drain: boolean): Promise<void> {
    this.mesh.withdraw();
    this.#fingerprints?.stop();
    await Promise.all([
      this.submitter?.drain(drain ? SUBMITTER_DRAIN_MS : 0),
      this.worker?.drain(drain ? WORKER_DRAIN_MS : 0),
    ]);
    await this.submitter?.stop();
    await this.mesh.stop();
    await this.worker?.stop();
  }
}

/**
 * Starts an agent: its roles, and its part in the mesh if it belongs to one.
 * @throws MeshError with what to do about it
 */
export async function startAgent(
  config: AgentConfig,
  paths: AgentPaths,
  env: NodeJS.ProcessEnv,
): Promise<Agent> {
  letHeapGrow();
  const log = createLogger(config.logLevel, config.logFormat as LogFormat);
  makePrivateDirectory(paths.stateDirectory);
  makePrivateDirectory(paths.cacheDirectory);
  makePrivateDirectory(paths.runtimeDirectory);
  // An agent that was killed has left it full.
  rmSync(paths.scratchDirectory, { recursive: true, force: true });
  makePrivateDirectory(paths.scratchDirectory);
  makePrivateDirectory(paths.verificationDirectory);
  const identity = await openIdentity(paths.stateDirectory, { hostname: config.name });
  const runnerPath = await buildRunner(paths.cacheDirectory);
  const toolchainCache = await openToolchainCache({ cacheDirectory: paths.cacheDirectory });
  const compilers = await discoverToolchains({ env, isCompilerName, probe: toolchainCache.probe });
  await toolchainCache.save().catch((error) => log.warn(messageOf(error)));
  for (const { compilerPath, reason } of compilers.unusable) log.info(`not used: ${compilerPath}: ${reason}`);
  let started: Agent | undefined;
  const loopDelay = new LoopDelay(() => started?.idle ?? true);
  const onWork = (): void => loopDelay.begin();
  const mayCompare = config.compareHosts || config.foreignHosts;
  const isBusy = (): boolean => started !== undefined && !started.idle;
  const fingerprints = mayCompare ? new Fingerprints(paths.cacheDirectory, env, isBusy) : undefined;
  const { worker, state } = await startWorkerRole({
    config,
    paths,
    runnerPath,
    compilers,
    fingerprints,
    log,
    onWork,
  });
  const agent = new Agent({
    config,
    paths,
    log,
    identity,
    compilers,
    fingerprints,
    worker,
    workerState: state,
    loopDelay,
    toolchainCache,
    runnerPath,
    env,
  });
  started = agent;
  await agent.submitter?.listen(paths.shimSocket);
  await agent.mesh.start();
  log.info(
    `agent ${identity.name} (${identity.nodeId.slice(0, 8)}): worker ${state.on ? `with ${config.slots} slots` : `off (${state.detail})`}, ${new Set(compilers.toolchains.map(({ names }) => names[0])).size} compilers`,
  );
  return agent;
}

/** The error that a command gives when its mesh is missing. */
export function notInMesh(): MeshError {
  return new MeshError(
    'MESHCC_PAIRING',
    'this node belongs to no mesh yet. Run `meshcc invite` on one node and `meshcc join CODE` on the others.',
  );
}
