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
import { holdCache } from './cache-lock.ts';
import { type Contest, orderOfRound, runContestant } from './contest/contest.ts';
import type { Contestant } from './contest/contestant.ts';
import { CONTESTANTS } from './contest/contestants.ts';
import { installPackages } from './contest/debian-packages.ts';
import { machineFacts, ownVersion } from './contest/machine.ts';
import { formatResult } from './contest/markdown.ts';
import type { ContestResult } from './contest/result.ts';
import { ResultsDirectory } from './contest/results-directory.ts';
import { USAGE, type Wanted, wantedContest } from './contest/settings.ts';
import { shortcomings } from './contest/shortcomings.ts';
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
  const runs = contest.results.runs();
  // A contest that was resumed with others has runs of those that are not wanted this time.
  const shown = [...CONTESTANTS.values()].filter(
    (contestant) =>
      wanted.contestants.includes(contestant) || runs.some((run) => run.contestant === contestant.name),
  );
  const packages = new Set(shown.flatMap(({ packages: [first] }) => first ?? []));
  return {
    bench: 'mesh',
    command: wanted.commandWith(shown),
    settings: contest.settings,
    workload: {
      description: workload.description,
      units: contest.recording.units.length,
      objects: [...contest.recording.reference.digests.keys()].filter((path) => path.endsWith('.o')).length,
    },
    machine: machineFacts([...packages]),
    legs: shown.flatMap(({ legs }) => legs),
    unavailable,
    runs,
  };
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
  await holdCache(wanted.cacheDirectory);
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
