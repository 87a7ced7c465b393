/** The submitter's cost as tables for people. */
import { table } from '../markdown-table.ts';
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

/** CPU of shim and agent beside that of `gcc -E`, both per unit. */
export function ratioToPreprocessor({ shimMs, agentMs, preprocessMs }: PassCost): number {
  return (shimMs + agentMs) / preprocessMs;
}

function passRow(pass: PassCost): string[] {
  const perUnit = (ms: number): string => (ms / pass.units).toFixed(2);
  const faults = [
    ...(pass.localUnits > 0 ? [`${pass.localUnits} LOCAL`] : []),
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
