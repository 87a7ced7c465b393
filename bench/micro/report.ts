/** What the micro-benchmark found, as a file and as a table. */

import type { MachineFacts } from '../contest/machine.ts';
import { type Figure, figureOf, median } from '../contest/statistics.ts';
import { shown, table } from '../markdown-table.ts';
import type { Line } from './part.ts';

/** Values of a series, one for each round. */
export interface MeasuredSeries {
  readonly name: string;
  readonly unit: string;
  readonly values: readonly number[];
}

export interface MeasuredPart {
  readonly name: string;
  readonly what: string;
  readonly series: readonly MeasuredSeries[];
  readonly lines: readonly Line[];
  readonly notes: readonly string[];
}

/** The file that a run leaves. */
export interface MicroResult {
  readonly bench: 'micro';
  /** The command line that leads to such a result. */
  readonly command: string;
  readonly rounds: number;
  readonly machine: MachineFacts;
  readonly parts: readonly MeasuredPart[];
}

/** A series beside its reference, round by round: what slows a round down slows both. */
export function ratioOf({ series }: Pick<MeasuredPart, 'series'>, line: Line): Figure | undefined {
  const values = (name: string): readonly number[] => series.find((each) => each.name === name)?.values ?? [];
  const references = values(line.reference);
  return figureOf(values(line.series).map((value, round) => value / (references[round] ?? Number.NaN)));
}

/** Three significant digits at least, without a power of ten. */
function plain(value: number): string {
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value >= 1 ? value.toFixed(2) : value.toFixed(3);
}

function rowsOf(part: MeasuredPart): string[][] {
  return part.lines.map((line) => {
    const figure = (name: string): string => {
      const found = part.series.find((each) => each.name === name);
      return found === undefined ? '–' : plain(median(found.values));
    };
    const unit = part.series.find(({ name }) => name === line.series)?.unit ?? '';
    const ratio = ratioOf(part, line);
    const digits = ratio !== undefined && ratio.median < 0.1 ? 4 : 2;
    return [
      `${part.name}: ${line.series}`,
      line.reference,
      unit,
      figure(line.series),
      figure(line.reference),
      shown(ratio, digits),
    ];
  });
}

/** Everything as Markdown. */
export function formatMicro({ command, rounds, machine, parts }: MicroResult): string {
  const head = ['what', 'beside', 'unit', 'what costs', 'beside costs', 'ratio (least–most)'];
  const notes = parts.flatMap(({ name, notes: own }) => own.map((note) => `- ${name}: ${note}`));
  return [
    `\`${command}\`, medians of ${rounds} rounds on ${machine.cpu}, ${machine.cores} cores, Linux ${machine.kernel}, ${machine.distribution}, Node ${machine.node}, ${machine.programs.gcc}; meshcc ${machine.meshcc}`,
    table(head, parts.flatMap(rowsOf)),
    notes.join('\n'),
  ].join('\n\n');
}
