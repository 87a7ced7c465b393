/**
 * `npm run bench:mesh`: meshcc beside its peers on the same work. One machine is made to look like a slow laptop and
 * some boards (network namespaces, CPU quotas, a link rate), and each contestant builds the same tree there, several
 * times, in turns. Root only, Debian for the peers.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { canMakeClusters } from '../test/support/netns.ts';
import { BenchError } from './bench-error.ts';
import { type Contest, orderOfRound, runContestant } from './contest/contest.ts';
import type { Contestant } from './contest/contestant.ts';
import { installPackages } from './contest/debian-packages.ts';
import { machineFacts, ownVersion } from './contest/machine.ts';
import { formatResult } from './contest/markdown.ts';
import type { ContestResult } from './contest/result.ts';
import { ResultsDirectory } from './contest/results-directory.ts';
import { USAGE, type Wanted, wantedContest } from './contest/settings.ts';
import { isGood, isIdentical } from './contest/summary.ts';
import { RepeatableTree } from './contest/tree-state.ts';
import { Yardstick } from './contest/yardstick.ts';
import { buildListRunner } from './run-list.ts';
import { buildRecordedReference, WORKLOADS, type Workload } from './workloads/index.ts';

const log = (line: string): void => console.error(`${new Date().toISOString().slice(11, 19)} ${line}`);

type Unavailable = ContestResult['unavailable'][number];

/** Installs and prepares what the contestants need; who cannot take part is told apart, with the reason. */
async function gather(wanted: Wanted): Promise<{ present: Contestant[]; unavailable: Unavailable[] }> {
  const present: Contestant[] = [];
  const unavailable: Unavailable[] = [];
  for (const contestant of wanted.contestants) {
    try {
      await installPackages(contestant.packages, wanted.cacheDirectory, log);
      await contestant.prepare?.(wanted.cacheDirectory, log);
      present.push(contestant);
    } catch (error) {
      if (!(error instanceof BenchError)) throw error;
      log(`${contestant.name} cannot take part: ${error.message}`);
      unavailable.push({ contestant: contestant.name, reason: error.message });
    }
  }
  return { present, unavailable };
}

async function prepareContest(
  wanted: Wanted,
  workload: Workload,
  contestants: readonly Contestant[],
): Promise<Contest> {
  const { settings, cacheDirectory, resultsDirectory } = wanted;
  const results = new ResultsDirectory(resultsDirectory, settings, wanted.isResumed);
  const tree = await workload.prepare(cacheDirectory, log);
  const jobs = availableParallelism();
  const recording = await buildRecordedReference(tree, { cacheDirectory, jobs, log, reuse: true });
  log('reading the tree into the page cache');
  return {
    settings,
    contestants,
    tree,
    repeatableTree: await RepeatableTree.of(tree),
    recording,
    yardstick: new Yardstick(await buildListRunner(cacheDirectory), resultsDirectory),
    results,
    cacheDirectory,
    meshcc: ownVersion(),
    buildTimeoutMs: (wanted.isShort ? 5 : 180) * 60_000,
    log,
  };
}

async function runRounds(contest: Contest, wanted: Wanted): Promise<Unavailable[]> {
  const failed: Unavailable[] = [];
  const isOut = ({ name }: Contestant): boolean => failed.some(({ contestant }) => contestant === name);
  for (let round = 1; round <= Math.max(wanted.rounds, wanted.laptopRounds); round += 1) {
    for (const contestant of orderOfRound(contest.contestants, round)) {
      const rounds = contestant.compilesOn === 'laptop' ? wanted.laptopRounds : wanted.rounds;
      if (round > rounds || isOut(contestant)) continue;
      try {
        await runContestant(contest, contestant, round);
      } catch (error) {
        if (!(error instanceof BenchError)) throw error;
        log(`${contestant.name} is out: ${error.message}`);
        failed.push({ contestant: contestant.name, reason: `round ${round}: ${error.message}` });
      }
    }
  }
  return failed;
}

function resultOf(
  contest: Contest,
  wanted: Wanted,
  workload: Workload,
  unavailable: readonly Unavailable[],
): ContestResult {
  const packages = new Set(wanted.contestants.flatMap(({ packages: [first] }) => first ?? []));
  return {
    bench: 'mesh',
    command: wanted.command,
    settings: contest.settings,
    workload: {
      description: workload.description,
      units: contest.recording.units.length,
      objects: [...contest.recording.reference.digests.keys()].filter((path) => path.endsWith('.o')).length,
    },
    machine: machineFacts([...packages]),
    legs: wanted.contestants.flatMap(({ legs }) => legs),
    unavailable,
    runs: contest.results.runs(),
  };
}

/**
 * What makes a contest a failure: somebody is missing, compiled nothing on the boards, or did not build the tree. That
 * a peer's objects differ from local ones is a result; ours must not.
 */
function shortcomings({ runs, unavailable, legs }: ContestResult): string[] {
  const missing = legs.filter(({ name }) => !runs.some(({ leg }) => leg === name));
  const idle = runs.filter(({ localUnits, units }) => localUnits === units);
  // An agent that dies leaves a build that is right, and done by the laptop.
  const untold = runs.filter(({ contestant, localUnits }) => contestant === 'meshcc' && localUnits === null);
  return [
    ...unavailable.map(({ contestant, reason }) => `${contestant}: ${reason}`),
    ...missing.map(({ name }) => `${name} was not run`),
    ...idle.map(({ leg }) => `${leg} compiled nothing on the boards`),
    ...untold.map(({ leg, round }) => `${leg} ${round} does not tell where its units were compiled`),
    ...runs.filter((run) => !isGood(run)).map(({ leg, exitStatus }) => `${leg}: exit ${exitStatus}`),
    ...runs
      .filter((run) => run.contestant === 'meshcc' && !isIdentical(run))
      .map(({ leg, objects }) => `${leg}: objects not as built locally: ${objects.faults.join(' ')}`),
  ];
}

/** True if there is nothing that could be run here, and nobody insists. */
function cannotRun(wanted: Wanted): boolean {
  if (canMakeClusters()) return false;
  const what = 'the hosts of this benchmark need root, and network namespaces (package iproute2)';
  if (!wanted.isShort) throw new BenchError(what);
  console.log(`SKIPPED: ${what}`);
  return true;
}

async function main(): Promise<number> {
  const wanted = wantedContest(process.argv.slice(2));
  if (!wanted) {
    console.log(USAGE);
    return 0;
  }
  if (cannotRun(wanted)) return 0;
  const workload = WORKLOADS.get(wanted.settings.workload)!;
  mkdirSync(wanted.cacheDirectory, { recursive: true });
  await installPackages(workload.packages ?? [], wanted.cacheDirectory, log);
  const { present, unavailable } = await gather(wanted);
  const contest = await prepareContest(wanted, workload, present);
  log(`results: ${contest.results.directory}`);
  const failed = await runRounds(contest, wanted);
  await contest.tree.clean();
  const result = resultOf(contest, wanted, workload, [...unavailable, ...failed]);
  if (result.runs.length === 0) throw new BenchError('no contestant could be run');
  const file = contest.results.writeResult(result);
  const text = formatResult(result);
  writeFileSync(join(contest.results.directory, 'result.md'), `${text}\n`);
  console.log(text);
  log(`written: ${file} and result.md beside it`);
  const faults = shortcomings(result);
  for (const fault of faults) log(`FAILED: ${fault}`);
  return faults.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  log(`FAILED: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
