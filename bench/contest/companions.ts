/** Runs that were made at the same time, each on hosts of its own: what they mean for the load of the machine. */
import { totalCpuSeconds } from './measure.ts';
import type { ContestSettings, RunRecord } from './result.ts';

/** Below this part of a core a host waited: daemons of boards that are asked nothing. */
const IDLE_CORES = 0.01;

/** Seconds in which both ran. */
function sharedSeconds(a: RunRecord, b: RunRecord): number {
  const [aMs, bMs] = [Date.parse(a.startedAt), Date.parse(b.startedAt)];
  const endMs = Math.min(aMs + a.wallSeconds * 1000, bMs + b.wallSeconds * 1000);
  return Math.max(0, endMs - Math.max(aMs, bMs)) / 1000;
}

/** The runs that shared some of a run's time. */
export function companionsOf(run: RunRecord, runs: readonly RunRecord[]): RunRecord[] {
  return runs.filter((other) => other !== run && sharedSeconds(run, other) > 0);
}

/**
 * CPU in cores that neither the hosts of a run nor those of its companions used: a companion's share of the time that
 * both ran is taken for its average.
 */
export function foreignCores(run: RunRecord, runs: readonly RunRecord[]): number {
  const ofCompanions = companionsOf(run, runs).map(
    (other) =>
      (totalCpuSeconds(other.hosts) / other.wallSeconds) * (sharedSeconds(run, other) / run.wallSeconds),
  );
  return Math.max(0, run.outsideCores - ofCompanions.reduce((sum, cores) => sum + cores, 0));
}

/** The quotas of the hosts that did something in a run, in cores. */
export function workingQuotaCores({ hosts, wallSeconds }: RunRecord, { shape }: ContestSettings): number {
  const working = Object.entries(hosts).filter(([, { cpuSeconds }]) => cpuSeconds / wallSeconds > IDLE_CORES);
  return working.reduce((sum, [name]) => sum + (name === 'laptop' ? shape.laptopCores : shape.boardCores), 0);
}
