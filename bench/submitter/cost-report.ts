/** The submitter's cost as tables for people. */
import type { MachineFacts } from '../contest/machine.ts';
import { figureOf } from '../contest/statistics.ts';
import { shown, table } from '../markdown-table.ts';
import type { PassCost } from './cost-mesh.ts';
import type { ProfileBreakdown, ProfileRow } from './cpu-profile.ts';

/** Everything that was measured of one variant (plain, or with debug information). */
export interface VariantResult {
  readonly variant: string;
  readonly meanObjectBytes: number;
  readonly idleMsPerSecond: number;
  readonly memory: { readonly residentBytes: number; readonly peakBytes: number };
  readonly passes: readonly PassCost[];
  readonly profiled?: { readonly cost: PassCost; readonly breakdown: ProfileBreakdown };
}

/** The file that a run leaves. */
export interface SubmitterResult {
  readonly bench: 'submitter';
  /** The command line that leads to such a result. */
  readonly command: string;
  readonly workload: string;
  readonly machine: MachineFacts;
  readonly results: readonly VariantResult[];
}

/** CPU of shim and agent beside that of `gcc -E`, both per unit. */
export function ratioToPreprocessor({ shimMs, agentMs, preprocessMs }: PassCost): number {
  return (shimMs + agentMs) / preprocessMs;
}

function passRow(pass: PassCost): string[] {
  const perUnit = (ms: number): string => (ms / pass.units).toFixed(2);
  const faults = [
    ...(pass.localUnits > 0 ? [`${pass.localUnits} LOCAL`] : []),
    ...(pass.missedJobs > 0 ? [`${pass.missedJobs} COMPILED`] : []),
    ...(pass.differentObjects > 0 ? [`${pass.differentObjects} DIFFERENT`] : []),
  ];
  return [
    pass.name,
    String(pass.units),
    perUnit(pass.shimMs),
    perUnit(pass.agentMs),
    perUnit(pass.agentMs - pass.idleMs),
    perUnit(pass.shimMs + pass.agentMs),
    perUnit(pass.preprocessMs),
    `1 / ${(1 / ratioToPreprocessor(pass)).toFixed(1)}`,
    ((1000 * pass.units) / pass.wallMs).toFixed(0),
    (pass.wallMs / 1000).toFixed(1),
    String(pass.comparedUnits),
    faults.length === 0 ? 'all' : faults.join(', '),
  ];
}

const PASS_HEAD = [
  'pass',
  'units',
  'shim ms',
  'agent ms',
  'agent less idle ms',
  'shim + agent ms',
  'gcc -E ms',
  'ratio',
  'units a second',
  'wall s',
  'compared',
  'remote, identical',
];

function shareTable(title: string, rows: readonly ProfileRow[], perUnitMs: number, least: number): string {
  const shown = rows.filter(({ share }) => share >= least);
  return table(
    [title, 'share', 'ms per unit'],
    shown.map(({ name, share }) => [name, `${(100 * share).toFixed(1)} %`, (share * perUnitMs).toFixed(3)]),
  );
}

/** Markdown for one variant. */
export function formatVariant(result: VariantResult): string {
  const mib = (bytes: number): string => `${(bytes / 1048576).toFixed(0)} MiB`;
  const parts = [
    `### ${result.variant}: objects of ${(result.meanObjectBytes / 1000).toFixed(0)} kB on average`,
    table(PASS_HEAD, result.passes.map(passRow)),
    `CPU per unit. Agent when idle: ${result.idleMsPerSecond.toFixed(1)} ms of CPU a second; resident memory ${mib(result.memory.residentBytes)}, at most ${mib(result.memory.peakBytes)}.`,
  ];
  if (result.profiled) {
    const { cost, breakdown } = result.profiled;
    const perUnitMs = breakdown.busyMs / cost.units;
    parts.push(
      `In a further pass, under the profiler, which makes everything slower, the agent's main thread was busy for ${perUnitMs.toFixed(2)} ms per unit:`,
      shareTable('activity', breakdown.activities, perUnitMs, 0),
      shareTable('file', breakdown.files, perUnitMs, 0.01),
    );
  }
  return parts.join('\n\n');
}

const SUMMARY_HEAD = [
  'pass',
  'runs',
  'units',
  'units a second',
  'shim ms',
  'agent ms',
  'shim + agent ms',
  'gcc -E ms',
  'gcc -E costs times as much',
  'compared',
];

/** Passes of one name as one row: medians, with the least and the most. */
function summaryRow(name: string, passes: readonly PassCost[]): string[] {
  const figure = (digits: number, of: (pass: PassCost) => number): string =>
    shown(figureOf(passes.map(of)), digits);
  return [
    name,
    String(passes.length),
    String(passes[0]?.units ?? 0),
    figure(0, ({ units, wallMs }) => (1000 * units) / wallMs),
    figure(2, ({ units, shimMs }) => shimMs / units),
    figure(2, ({ units, agentMs }) => agentMs / units),
    figure(2, ({ units, shimMs, agentMs }) => (shimMs + agentMs) / units),
    figure(0, ({ units, preprocessMs }) => preprocessMs / units),
    figure(1, (pass) => 1 / ratioToPreprocessor(pass)),
    figure(0, ({ comparedUnits }) => comparedUnits),
  ];
}

function summaryOf({
  variant,
  meanObjectBytes,
  idleMsPerSecond,
  memory,
  passes,
  profiled,
}: VariantResult): string {
  const mib = (bytes: number): string => `${(bytes / 1048576).toFixed(0)} MiB`;
  const names = [...new Set(passes.map(({ name }) => name))];
  const rows = names.map((name) =>
    summaryRow(
      name,
      passes.filter((pass) => pass.name === name),
    ),
  );
  const sum = (of: (pass: PassCost) => number): number => passes.reduce((total, pass) => total + of(pass), 0);
  const parts = [
    `### ${variant}: objects of ${(meanObjectBytes / 1000).toFixed(0)} kB on average`,
    table(SUMMARY_HEAD, rows),
    `CPU per unit. Of ${sum(({ units }) => units)} units ${sum(({ localUnits }) => localUnits)} were compiled on the submitter, and ${sum(({ differentObjects }) => differentObjects)} objects differ from those of a local compile. The agent takes ${idleMsPerSecond.toFixed(1)} ms of CPU a second when idle, and ${mib(memory.residentBytes)} of memory, at most ${mib(memory.peakBytes)}.`,
  ];
  if (profiled) {
    const { cost, breakdown } = profiled;
    const perUnitMs = breakdown.busyMs / cost.units;
    parts.push(
      `Under the profiler, which makes everything slower, the agent's main thread was busy for ${perUnitMs.toFixed(2)} ms per unit (${cost.name}):`,
      shareTable('activity', breakdown.activities, perUnitMs, 0.005),
    );
  }
  return parts.join('\n\n');
}

/** A whole result as Markdown, passes of one kind together. */
export function formatSubmitter({ workload, machine, results }: SubmitterResult): string {
  const { cpu, cores, kernel, distribution, node, meshcc } = machine;
  return [
    `Workload ${workload} on ${cpu}, ${cores} cores, Linux ${kernel}, ${distribution}, Node ${node}, ${machine.programs.gcc}; meshcc ${meshcc}. Medians, with the least and the most of several runs.`,
    ...results.map(summaryOf),
  ].join('\n\n');
}
