/** Opens cells: the only thing outside of this room that starts commands with them. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { MeshError } from '../base/errors.ts';
import { type Cell, RunnerCell } from './cell.ts';
import { adviceFor, readKernelSetting } from './confinement-obstacles.ts';
import { jobOwner } from './job-owners.ts';
import type { Rung, RunnerVariant, Sandbox } from './rungs.ts';
import { type RunnerArguments, type RunnerRefusal, startRunner } from './runner-process.ts';

export interface CellOptions {
  readonly runnerPath: string;
  /** How to confine, as the probe found it. */
  readonly sandbox: Sandbox;
  /**
   * Absolute path of the tree that becomes `/` of every job. Only files may be added while a job runs. Its files
   * must be readable for those whom the jobs run as, and on the rung `namespaces` its directories belong to them.
   */
  readonly treeDirectory: string;
  /** On the filesystem of the tree, for the roots of jobs on the rungs that link; made if missing. */
  readonly jobsDirectory: string;
  /**
   * Bound of temporary files and unreleased outputs: of all jobs together where they lie in memory, of each job
   * where they lie on disk.
   */
  readonly scratchBytes: number;
  /** `cgroup.procs` files of the control group that bounds the cell; none by default. */
  readonly groupMembers?: readonly string[];
  /** Gets what the runner has to say for itself, line by line. */
  readonly log?: (line: string) => void;
}

async function start(
  runnerPath: string,
  runnerArguments: RunnerArguments,
  rung: Cell['rung'],
  log: (line: string) => void = () => {},
): Promise<{ cell: RunnerCell; landlock: number } | RunnerRefusal> {
  const cell = new RunnerCell(rung);
  const process = await startRunner(runnerPath, runnerArguments, cell, log);
  if (process.kind === 'refused') return process;
  cell.attach(process);
  return { cell, landlock: process.landlock };
}

function confined(options: CellOptions, variant: RunnerVariant, owner: number): RunnerArguments {
  const { treeDirectory, jobsDirectory, scratchBytes, groupMembers = [] } = options;
  return [
    'confined',
    variant,
    treeDirectory,
    jobsDirectory,
    String(scratchBytes),
    String(owner),
    ...groupMembers,
  ];
}

/** The ways to set a rung up, best first. Root does not need a user namespace. */
function variantsOf(rung: Rung, isRoot: boolean): readonly RunnerVariant[] {
  if (rung !== 'namespaces') return [rung];
  return isRoot ? ['namespaces-user', 'namespaces-host'] : ['namespaces-user'];
}

/**
 * Tries a rung on this machine.
 * @returns an open cell and how to open further ones, or what kept the first way from working
 */
export async function tryRung(
  options: Omit<CellOptions, 'sandbox'>,
  rung: Rung,
): Promise<{ cell: Cell; sandbox: Sandbox } | RunnerRefusal> {
  const isRoot = process.getuid?.() === 0;
  // Root of a small user namespace (a rootless container) is nobody outside: its cells can be its own.
  const owner = jobOwner(rung) ?? (rung === 'namespaces' ? 0 : undefined);
  if (owner === undefined)
    return { kind: 'refused', reply: undefined, detail: 'this container has no user ids to spare for jobs' };
  let first: RunnerRefusal | undefined;
  for (const variant of variantsOf(rung, isRoot)) {
    const sandbox = { rung, variant, owner };
    const opened = await start(
      options.runnerPath,
      confined({ ...options, sandbox: { ...sandbox, landlock: 0 } }, variant, owner),
      rung,
      options.log,
    );
    if ('cell' in opened) return { cell: opened.cell, sandbox: { ...sandbox, landlock: opened.landlock } };
    first ??= opened;
    if (opened.reply?.step === 'tree') break;
  }
  return first ?? { kind: 'refused', reply: undefined, detail: 'there is no such rung' };
}

/**
 * Starts a cell whose jobs see nothing but a tree, and no network.
 * @throws MeshError MESHCC_SANDBOX if this machine cannot confine; the message says what to do about it
 */
export async function openCell(options: CellOptions): Promise<Cell> {
  const { rung, variant, owner } = options.sandbox;
  const opened = await start(options.runnerPath, confined(options, variant, owner), rung, options.log);
  if ('cell' in opened) return opened.cell;
  const advice = adviceFor(opened.reply, readKernelSetting, process.getuid?.() === 0);
  throw new MeshError(
    'MESHCC_SANDBOX',
    `cannot confine compilers on this machine: ${opened.detail}. ${advice ?? 'Check the paths in the message, and that the runner can be executed.'}`,
  );
}

/**
 * Starts a runner whose jobs see the host as it is; nothing is collected. For commands that the agent trusts and
 * does not want to fork for itself. When it is killed by force, grandchildren of its jobs may outlive it.
 * @throws MeshError MESHCC_SANDBOX if it cannot be started
 */
export async function openPlainRunner(runnerPath: string, log?: (line: string) => void): Promise<Cell> {
  const opened = await start(runnerPath, ['plain'], 'plain', log);
  if ('cell' in opened) return opened.cell;
  throw new MeshError(
    'MESHCC_SANDBOX',
    `cannot start the job runner ${runnerPath}: ${opened.detail}. Check that its filesystem is not mounted noexec.`,
  );
}

/**
 * Removes a directory in which a job may have nested others deeper than a path can be long.
 * @throws Error if something stays
 */
export async function removeTree(runnerPath: string, directory: string): Promise<void> {
  await promisify(execFile)(runnerPath, ['remove', directory]);
}
