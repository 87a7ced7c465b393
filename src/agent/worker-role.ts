/** Whether this agent compiles for others: finds the sandbox that this machine can give, and says what it lacks. */
import { join } from 'node:path';
import type { Logger } from 'pino';
import { MeshError } from '../base/errors.ts';
import type { AgentPaths } from '../base/paths.ts';
import { isNodeId } from '../mesh/index.ts';
import {
  type Confinement,
  type ControlGroups,
  findControlGroups,
  type MissedRung,
  probeConfinement,
  RUNGS,
  type Rung,
} from '../sandbox/index.ts';
import type { DiscoveryResult, Fingerprints } from '../toolchain/index.ts';
import { startWorker, type Worker } from '../worker/index.ts';
import type { AgentConfig } from './config.ts';

/** The sandbox of a worker, for people and for `--json`. */
export interface SandboxView {
  readonly rung: Rung;
  readonly serves: (typeof RUNGS)[Rung]['serves'];
  readonly detail: string;
  /** Version of Landlock, 0 for none. */
  readonly landlock: number;
  /** What bounds all jobs of a submitter together. */
  readonly controlGroups: string;
  /** The stronger rungs that this machine cannot have, with what would help. */
  readonly missed: readonly MissedRung[];
}

/** What the worker role is, or why there is none. */
export interface WorkerState {
  readonly on: boolean;
  readonly detail: string;
  readonly sandbox?: SandboxView;
}

interface RoleParts {
  readonly config: AgentConfig;
  readonly paths: AgentPaths;
  readonly runnerPath: string;
  readonly compilers: DiscoveryResult;
  /** Undefined: the owner has not allowed comparisons. */
  readonly fingerprints: Fingerprints | undefined;
  readonly log: Logger;
  /** Called when a job comes. */
  readonly onWork: () => void;
}

/** Bounds of one compile for another node. Far above what compilers need; they end what has gone wrong. */
const COMPILE_LIMITS = {
  maxFileBytes: 1024 ** 3,
  maxDiagnosticBytes: 4 * 1024 ** 2,
  maxOutputBytes: 1024 ** 3,
};

/** A driver, a compiler and an assembler are three processes; the rest is reserve. */
const PROCESSES_PER_SLOT = 32;

/**
 * Starts the worker role if this machine can have it. Never throws for want of a sandbox.
 * @throws MeshError MESHCC_BAD_CONFIG for a trusted node whose id is none: a part of one could be another node's too
 */
export async function startWorkerRole(
  parts: RoleParts,
): Promise<{ worker: Worker | undefined; state: WorkerState }> {
  const { config, paths, runnerPath, compilers, log } = parts;
  const off = (detail: string): { worker: undefined; state: WorkerState } => ({
    worker: undefined,
    state: { on: false, detail },
  });
  if (!config.worker) return off('switched off');
  for (const id of config.trustedNodes) {
    if (!isNodeId(id))
      throw new MeshError(
        'MESHCC_BAD_CONFIG',
        `--trust is "${id}"; expected the full id of a node, 32 letters and digits, as nodeId in \`meshcc status --json\` there`,
      );
  }
  if (compilers.toolchains.length === 0) return off('no compiler was found in PATH');
  const probeDirectory = join(paths.cacheDirectory, 'confinement-probe');
  const confinement = await probeConfinement(runnerPath, probeDirectory, config.sandbox as Rung);
  warnOf(confinement, log);
  const { sandbox } = confinement;
  if (sandbox === undefined) return off(`no sandbox: ${confinement.detail}`);
  const processes = PROCESSES_PER_SLOT * (config.slots + 1);
  const groups = findControlGroups({
    memoryBytes: config.memoryBytes,
    processes,
    processors: config.slots + 1,
  });
  const worker = await startWorker({
    cacheDirectory: paths.cacheDirectory,
    runnerPath,
    sandbox,
    trustedNodes: config.trustedNodes,
    ...('none' in groups ? {} : { controlGroups: groups }),
    toolchains: compilers.toolchains.map(({ toolchain }) => toolchain),
    ...(parts.fingerprints === undefined ? {} : { fingerprints: parts.fingerprints }),
    slots: config.slots,
    storeMaxBytes: config.storeMaxBytes,
    scratchBytes: config.scratchBytes,
    limits: {
      ...COMPILE_LIMITS,
      wallLimitMs: config.compileLimitMs,
      cpuLimitSeconds: Math.ceil(config.compileLimitMs / 1000),
      maxMemoryBytes: config.memoryBytes,
      maxProcesses: sandbox.rung === 'namespaces' ? processes : PROCESSES_PER_SLOT,
    },
    log: log.child({ role: 'worker' }),
    onWork: parts.onWork,
  });
  const view = viewOf(confinement, sandbox, groups);
  log.info(
    `sandbox: ${view.rung}, for ${view.serves === 'members' ? 'every member of the mesh' : 'nodes named with --trust only'}: ${view.detail}; ${view.controlGroups}`,
  );
  return { worker, state: { on: true, detail: confinement.detail, sandbox: view } };
}

function viewOf(
  { detail, missed }: Confinement,
  sandbox: NonNullable<Confinement['sandbox']>,
  groups: ControlGroups | { none: string },
): SandboxView {
  const { rung, landlock } = sandbox;
  const controlGroups =
    'none' in groups
      ? `no bound on the memory of all jobs of a submitter together: ${groups.none}`
      : groups.detail;
  return { rung, serves: RUNGS[rung].serves, detail, landlock, controlGroups, missed };
}

/** A weaker sandbox than there could be is never taken in silence. */
function warnOf({ sandbox, detail, missed }: Confinement, log: Logger): void {
  const outcome =
    sandbox === undefined
      ? 'this node will not compile for others'
      : `this node compiles for others in the weaker sandbox \`${sandbox.rung}\``;
  if (sandbox === undefined && missed.length === 0) log.warn(`${outcome}: ${detail}`);
  for (const { rung, detail: why, advice } of missed)
    log.warn(
      `${outcome}, because \`${rung}\` cannot be had: ${why}.${advice === undefined ? '' : ` ${advice}`}`,
    );
}
