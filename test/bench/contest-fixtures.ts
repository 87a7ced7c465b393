/** Made-up runs with figures that are easy to follow. */
import type { ContestResult, RunRecord } from '../../bench/contest/result.ts';

const host = (cpuSeconds: number, sentBytes = 0, receivedBytes = 0) => ({
  cpuSeconds,
  throttledSeconds: 0,
  sentBytes,
  receivedBytes,
  droppedPackets: 0,
});

/** What a test wants to be special about a run. */
export interface RunWish extends Partial<RunRecord> {
  readonly leg: string;
  readonly laptopSeconds: number;
  readonly boardSeconds?: number;
  /** What the yardstick took, in milliseconds. */
  readonly yardstickMs?: number;
}

let made = 0;

/** A good run of ten units, a minute after the one that was made before. */
export function madeUpRun({
  laptopSeconds,
  boardSeconds = 0,
  yardstickMs = 100,
  ...wish
}: RunWish): RunRecord {
  const all = { total: 10, identical: 10, missing: 0, faults: [] };
  made += 1;
  return {
    contestant: wish.leg,
    round: 1,
    startedAt: new Date(Date.UTC(2020, 0, 1) + made * 60_000).toISOString(),
    meshcc: '0.1.0',
    exitStatus: 0,
    units: 10,
    objects: all,
    depfiles: all,
    localUnits: null,
    setup: null,
    notes: {},
    wallSeconds: 10,
    hosts: {
      laptop: host(laptopSeconds, 3_000_000),
      board1: host(boardSeconds, 5, 2_000_000),
      board2: host(0, 1, 1),
    },
    calibration: { beforeMs: yardstickMs, duringMs: [yardstickMs, yardstickMs], afterMs: yardstickMs },
    outsideCores: 0.1,
    stealCores: 0,
    ...wish,
  };
}

/** A contest of these runs. */
export function madeUpResult(runs: readonly RunRecord[], change: Partial<ContestResult> = {}): ContestResult {
  const names = [...new Set(runs.map(({ leg }) => leg))];
  return {
    bench: 'mesh',
    command: 'npm run bench:mesh -- --workload small',
    settings: {
      workload: 'small',
      shape: { boards: 2, laptopCores: 0.3, boardCores: 0.35, rate: '1gbit', delayMs: undefined },
      slotsPerBoard: 2,
      boardJobs: 8,
      laptopJobs: 2,
    },
    workload: { description: 'made up', units: 10, objects: 10 },
    machine: {
      cpu: 'Processor',
      cores: 2,
      memoryBytes: 2 ** 31,
      kernel: '6.1',
      distribution: 'Debian',
      node: 'v20',
      programs: { gcc: 'gcc 12' },
      packages: {},
      meshcc: '0.1.0',
    },
    legs: names.map((name) => ({ name, title: `the ${name}` })),
    unavailable: [],
    runs,
    ...change,
  };
}
