/** The contest itself: every contestant once a round, from the same state, in an order that changes. */

import type { SpawnOptions } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BenchError } from '../bench-error.ts';
import {
  type Comparison,
  compareWithReference,
  type Log,
  type PreparedTree,
  type Recording,
  runCommand,
} from '../workloads/index.ts';
import type { BuildRecipe, Contestant, Leg, Session, SetupCost } from './contestant.ts';
import { BenchHosts } from './hosts.ts';
import { type Measurement, measure, totalCpuSeconds } from './measure.ts';
import type { ContestSettings, Equality, RunRecord } from './result.ts';
import type { ResultsDirectory } from './results-directory.ts';
import type { RepeatableTree } from './tree-state.ts';
import type { Yardstick } from './yardstick.ts';

/** Everything that all runs share. */
export interface Contest {
  readonly settings: ContestSettings;
  readonly contestants: readonly Contestant[];
  readonly tree: PreparedTree;
  readonly repeatableTree: RepeatableTree;
  readonly recording: Recording;
  readonly yardstick: Yardstick;
  readonly results: ResultsDirectory;
  readonly cacheDirectory: string;
  /** This project, as it is now. */
  readonly meshcc: string;
  /** A build that takes longer hangs. */
  readonly buildTimeoutMs: number;
  readonly log: Log;
}

const FAULTS_KEPT = 10;

/** Drawn by lot, so that no contestant always follows the same one; the same for everybody who repeats the contest. */
export function orderOfRound(contestants: readonly Contestant[], round: number): Contestant[] {
  const lot = ({ name }: Contestant): string => createHash('sha256').update(`${round} ${name}`).digest('hex');
  return [...contestants].sort((a, b) => (lot(a) < lot(b) ? -1 : 1));
}

/** Runs of one contestant in one round; those that are there already are not repeated. */
export async function runContestant(contest: Contest, contestant: Contestant, round: number): Promise<void> {
  const { results, log, settings } = contest;
  // A second leg stands on the first, so that both are missing or none.
  if (contestant.legs.every(({ name }) => results.hasRun(name, round))) return;
  // Daemons leave root, so that others must be able to enter.
  const directory = mkdtempSync(join(tmpdir(), 'meshcc-mesh-'));
  chmodSync(directory, 0o755);
  const hosts = new BenchHosts(settings.shape, directory, [contest.cacheDirectory]);
  let session: Session | undefined;
  try {
    session = await openSession(contest, contestant, hosts);
    for (const leg of contestant.legs) await runLeg(contest, contestant, leg, round, session, hosts);
  } catch (error) {
    log(`${contestant.name}: files of the failed run are in ${directory}`);
    throw error;
  } finally {
    await session?.close().catch((error: unknown) => log(`${contestant.name}: ${String(error)}`));
    hosts.destroy();
  }
  rmSync(directory, { recursive: true, force: true });
}

async function openSession(contest: Contest, contestant: Contestant, hosts: BenchHosts): Promise<Session> {
  await contest.repeatableTree.restore();
  return contestant.open({
    hosts,
    recording: contest.recording,
    slotsPerBoard: contest.settings.slotsPerBoard,
    cacheDirectory: contest.cacheDirectory,
    log: contest.log,
    measureSetup: async (what, action): Promise<SetupCost> => {
      const { measurement } = await measure(hosts, contest.yardstick, action);
      return setupCost(what, measurement);
    },
  });
}

function setupCost(what: string, { wallSeconds, hosts }: Measurement): SetupCost {
  return {
    what,
    wallSeconds,
    laptopCpuSeconds: hosts.laptop?.cpuSeconds ?? 0,
    totalCpuSeconds: totalCpuSeconds(hosts),
    laptopSentBytes: hosts.laptop?.sentBytes ?? 0,
  };
}

async function runLeg(
  contest: Contest,
  contestant: Contestant,
  leg: Leg,
  round: number,
  session: Session,
  hosts: BenchHosts,
): Promise<void> {
  const { settings, tree, results, log, recording } = contest;
  await contest.repeatableTree.restore();
  const recipe = await session.ready(leg);
  // What earlier builds wrote must not reach the disk in the middle of this one.
  await runCommand(['sync'], { cwd: '/', logFile: results.logFile('sync') });
  const jobs = contestant.compilesOn === 'boards' ? settings.boardJobs : settings.laptopJobs;
  const command = recipe.wrap(tree.build(jobs));
  const startedAt = new Date().toISOString();
  log(`round ${round}, ${leg.title}: make -j${jobs}`);
  const buildLog = results.logFile(`${leg.name}-${round}`);
  const { result: exitStatus, measurement } = await measure(hosts, contest.yardstick, () =>
    build(contest, hosts, command, recipe, buildLog),
  );
  const facts = await session.facts(leg);
  const comparison = await compareWithReference(tree, recording.reference);
  const reference = [...recording.reference.digests.keys()];
  const record: RunRecord = {
    contestant: contestant.name,
    leg: leg.name,
    round,
    startedAt,
    meshcc: contest.meshcc,
    exitStatus,
    units: recording.units.length,
    objects: equality(reference, comparison, true),
    depfiles: equality(reference, comparison, false),
    localUnits: facts.localUnits ?? null,
    setup: facts.setup ?? null,
    notes: facts.notes ?? {},
    ...measurement,
  };
  results.writeRun(record, facts.logs ?? []);
  log(`  ${oneLine(record)}`);
}

/**
 * Runs the build to its end.
 * @returns exit status, or the name of the signal that ended it
 * @throws BenchError if it cannot be started or hangs
 */
async function build(
  { tree, buildTimeoutMs }: Contest,
  hosts: BenchHosts,
  command: readonly string[],
  recipe: BuildRecipe,
  logFile: string,
): Promise<number | string> {
  const output = openSync(logFile, 'w');
  const options: SpawnOptions = { cwd: tree.directory, env: recipe.env, stdio: ['ignore', output, output] };
  const child = hosts.run('laptop', command, options);
  closeSync(output);
  try {
    const [code, signal] = await once(child, 'exit', { signal: AbortSignal.timeout(buildTimeoutMs) });
    return signal ?? code;
  } catch (error) {
    // What hangs is killed with the hosts.
    const what =
      child.pid === undefined ? 'cannot be started' : `did not end in ${buildTimeoutMs / 60_000} minutes`;
    throw new BenchError(`${command.join(' ')} ${what}; log: ${logFile}`, { cause: error });
  }
}

const isObject = (path: string): boolean => path.endsWith('.o');

function equality(reference: readonly string[], comparison: Comparison, ofObjects: boolean): Equality {
  const wanted = (paths: readonly string[]): string[] => paths.filter((path) => isObject(path) === ofObjects);
  const different = wanted(comparison.different);
  const missing = wanted(comparison.missing);
  const total = wanted(reference).length;
  return {
    total,
    identical: total - different.length - missing.length,
    missing: missing.length,
    faults: [...different, ...missing, ...wanted(comparison.unexpected)].slice(0, FAULTS_KEPT),
  };
}

function oneLine(run: RunRecord): string {
  const laptop = run.hosts.laptop?.cpuSeconds ?? 0;
  const parts = [
    `exit ${run.exitStatus}`,
    `${run.wallSeconds.toFixed(1)} s`,
    `laptop ${((1000 * laptop) / run.units).toFixed(1)} ms/unit`,
    `all hosts ${totalCpuSeconds(run.hosts).toFixed(1)} CPU s`,
    `sent ${((run.hosts.laptop?.sentBytes ?? 0) / 1e6).toFixed(1)} MB`,
    `objects ${run.objects.identical}/${run.objects.total}`,
    ...(run.localUnits === null ? [] : [`${run.localUnits} units local`]),
    `outside ${run.outsideCores.toFixed(2)} core`,
  ];
  return parts.join(', ');
}
