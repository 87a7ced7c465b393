/** Tables and figures in Markdown. */
import type { Figure } from './contest/statistics.ts';

/** The cells of a row. */
export type Row = readonly string[];

/** A table whose first column is text, and whose others are figures. */
export function table(head: Row, rows: readonly Row[]): string {
  const lines = [head, head.map((_, column) => (column === 0 ? '---' : '---:')), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** `12.3 (11.9–14.0)`, or `12.3` of one run. */
export function shown(figure: Figure | undefined, digits: number, factor = 1): string {
  if (!figure) return '–';
  const write = (value: number): string => (value * factor).toFixed(digits);
  const { min, max } = figure;
  return min === max ? write(figure.median) : `${write(figure.median)} (${write(min)}–${write(max)})`;
}
