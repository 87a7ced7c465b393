/** What each leg of the contest comes to. */
import { totalCpuSeconds } from './measure.ts';
import type { RunRecord } from './result.ts';
import { type Figure, figureOf, median } from './statistics.ts';
import { calibrationMs } from './yardstick.ts';

/** What the runs of one leg come to. Times are as measured, or corrected by the yardstick. */
export interface LegFigures {
  readonly wallSeconds: Figure;
  /** CPU of the laptop per unit. */
  readonly submitterMsPerUnit: Figure;
  /** The same less that of the floor: of the medians, and at least and at most; undefined if there is no floor. */
  readonly aboveFloorMsPerUnit: Figure | undefined;
  /** CPU of all hosts beside that of the median local build; undefined if there is none. */
  readonly totalToLocal: Figure | undefined;
}

/** All that is known about one leg. */
export interface LegSummary {
  readonly leg: string;
  readonly title: string;
  readonly runs: number;
  /** Runs that failed, or left an object out. They are in no figure. */
  readonly badRuns: number;
  readonly raw: LegFigures | undefined;
  readonly corrected: LegFigures | undefined;
  readonly sentBytes: Figure | undefined;
  readonly receivedBytes: Figure | undefined;
  /** Largest of the boards' links, both directions. */
  readonly busiestBoardBytes: Figure | undefined;
  readonly localUnits: Figure | undefined;
}

/** True if the build succeeded and made every object, whether they are equal to those of a local build or not. */
export function isGood({ exitStatus, objects }: RunRecord): boolean {
  return exitStatus === 0 && objects.missing === 0;
}

/** True if every object is that of a local build, byte for byte. */
export function isIdentical({ objects }: RunRecord): boolean {
  return objects.identical === objects.total;
}

/** Factor that turns a run's seconds into those of a machine on which the yardstick takes `standardMs`. */
function correction(run: RunRecord, standardMs: number): number {
  return standardMs / calibrationMs(run.calibration);
}

/** What the yardstick takes on this machine when little disturbs it: the median of the samples before runs. */
export function standardMs(runs: readonly RunRecord[]): number {
  return median(runs.map(({ calibration }) => calibration.beforeMs));
}

const submitterMs = (run: RunRecord): number => ((run.hosts.laptop?.cpuSeconds ?? 0) * 1000) / run.units;

/** Figures of all legs that have runs, in the order of `legs`. */
export function summarize(
  runs: readonly RunRecord[],
  legs: readonly { name: string; title: string }[],
): LegSummary[] {
  const standard = standardMs(runs);
  const factors = { raw: () => 1, corrected: (run: RunRecord) => correction(run, standard) };
  const goodRuns = (leg: string): RunRecord[] => runs.filter((run) => run.leg === leg && isGood(run));
  const figures = (leg: string, factor: (run: RunRecord) => number): LegFigures | undefined => {
    const good = goodRuns(leg);
    const wallSeconds = figureOf(good.map((run) => run.wallSeconds * factor(run)));
    const submitter = figureOf(good.map((run) => submitterMs(run) * factor(run)));
    if (!wallSeconds || !submitter) return undefined;
    const floor = figureOf(goodRuns('floor').map((run) => submitterMs(run) * factor(run)));
    const local = figureOf(goodRuns('local').map((run) => totalCpuSeconds(run.hosts) * factor(run)));
    return {
      wallSeconds,
      submitterMsPerUnit: submitter,
      aboveFloorMsPerUnit: floor && {
        median: submitter.median - floor.median,
        min: submitter.min - floor.max,
        max: submitter.max - floor.min,
      },
      totalToLocal:
        local && figureOf(good.map((run) => (totalCpuSeconds(run.hosts) * factor(run)) / local.median)),
    };
  };
  return legs
    .filter(({ name }) => runs.some((run) => run.leg === name))
    .map(({ name, title }) => {
      const all = runs.filter((run) => run.leg === name);
      const good = goodRuns(name);
      return {
        leg: name,
        title,
        runs: all.length,
        badRuns: all.length - good.length,
        raw: figures(name, factors.raw),
        corrected: figures(name, factors.corrected),
        sentBytes: figureOf(good.map((run) => run.hosts.laptop?.sentBytes ?? 0)),
        receivedBytes: figureOf(good.map((run) => run.hosts.laptop?.receivedBytes ?? 0)),
        busiestBoardBytes: figureOf(good.map(busiestBoard)),
        localUnits: figureOf(good.flatMap(({ localUnits }) => localUnits ?? [])),
      };
    });
}

function busiestBoard({ hosts }: RunRecord): number {
  const boards = Object.entries(hosts).filter(([name]) => name !== 'laptop');
  return Math.max(0, ...boards.map(([, { sentBytes, receivedBytes }]) => sentBytes + receivedBytes));
}
