/** What a build on the mesh did, as the table that people read, and whether it passed. */
import type { LocalReasonId } from '../src/compiler/index.ts';
import { type BuildOutcome, comparedUnits, type RunSummary } from './mesh-under-test.ts';
import type { Comparison, Reference } from './workloads/index.ts';

/** Everything that is known after a build. */
export interface BuildResult {
  readonly workload: string;
  readonly outcome: BuildOutcome;
  readonly reference: Reference;
  readonly comparison: Comparison;
  /** How often a worker wanted a file that the scan of includes had not listed. */
  readonly missedInputs: number;
}

/** What share of the units other nodes must compile, in percent, where nothing is broken on purpose. */
const WANTED_SHARE = 95;

/** True if nearly every unit was compiled elsewhere, from inputs that were all known beforehand. */
export function isWellDistributed({ outcome, missedInputs }: BuildResult): boolean {
  const share = outcome.summary && remoteShare(outcome.summary);
  return share !== undefined && share >= WANTED_SHARE && missedInputs === 0;
}

/** Reasons of calls that compile no translation unit: they do not count when the remote share is worked out. */
const NOT_A_UNIT: ReadonlySet<string> = new Set<LocalReasonId>([
  'link',
  'preprocess-only',
  'dependencies-only',
  'syntax-only',
  'stdin-source',
  'configure-probe',
  'compiler-query',
  'no-source',
  'assembler-source',
]);

/** Number of C and C++ units that were compiled on the submitter. */
export function unitsHere(summary: RunSummary): number {
  const units = summary.local.filter(({ reason }) => !NOT_A_UNIT.has(reason));
  return units.reduce((sum, { jobs }) => sum + jobs, 0);
}

/** Share of the C and C++ units that other nodes compiled, in percent; undefined if there were none. */
export function remoteShare(summary: RunSummary): number | undefined {
  const units = summary.remoteJobs + unitsHere(summary);
  return units === 0 ? undefined : (100 * summary.remoteJobs) / units;
}

/** True if the build succeeded and every output is there and equal to that of a local build. */
export function isEqualBuild({ outcome, comparison }: BuildResult): boolean {
  const faults = comparison.different.length + comparison.missing.length + comparison.unexpected.length;
  return outcome.exitStatus === 0 && faults === 0 && comparison.identical > 0;
}

/** True if anything was compiled elsewhere. */
export function hasRemoteJobs({ outcome }: BuildResult): boolean {
  return (outcome.summary?.remoteJobs ?? 0) > 0;
}

function summaryRows(summary: RunSummary): [string, string][] {
  const share = remoteShare(summary);
  return [
    ...summary.nodes.map(({ name, jobs }): [string, string] => [`  on ${name}`, `${jobs} jobs`]),
    ...summary.local.map(({ reason, jobs }): [string, string] => [`  local, ${reason}`, `${jobs} jobs`]),
    [
      'compiled twice and compared',
      `${comparedUnits(summary)}, of which ${summary.verification.agreed} agreed`,
    ],
    ['units remote', share === undefined ? 'none' : `${share.toFixed(1)} %`],
  ];
}

function pathRows(what: string, paths: readonly string[]): [string, string][] {
  const shown = paths.slice(0, 10).map((path): [string, string] => ['', path]);
  return paths.length === 0 ? [] : [[what, String(paths.length)], ...shown];
}

/** The table, one row a line. */
export function formatReport(result: BuildResult): string {
  const { outcome, comparison, reference } = result;
  const origin = reference.isFresh ? '' : ', earlier run';
  const rows: [string, string][] = [
    ['workload', result.workload],
    ['exit status', String(outcome.exitStatus)],
    [
      'wall time',
      `${outcome.wallSeconds.toFixed(1)} s (plain local build: ${reference.wallSeconds.toFixed(1)} s${origin})`,
    ],
    ...(outcome.summary
      ? summaryRows(outcome.summary)
      : [['jobs', 'no summary was written'] as [string, string]]),
    ['inputs missed by the scan', String(result.missedInputs)],
    ['objects and depfiles identical', `${comparison.identical} of ${reference.digests.size}`],
    ...pathRows('  different', comparison.different),
    ...pathRows('  missing', comparison.missing),
    ...pathRows('  unexpected', comparison.unexpected),
  ];
  const width = Math.max(...rows.map(([label]) => label.length));
  return rows.map(([label, value]) => `${label.padEnd(width)}  ${value}`).join('\n');
}
