/** Plain columns for people. */

/**
 * Lays rows out in columns, two spaces apart; columns of numbers are right-aligned.
 * @param header column titles; a title that ends in `#` (not printed) marks a column of numbers
 */
export function table(header: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const numeric = header.map((title) => title.endsWith('#'));
  const titles = header.map((title) => title.replace(/#$/, ''));
  const cells = [titles, ...rows.map((row) => row.map(String))];
  const widths = titles.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)));
  const lines = cells.map((row) =>
    row
      .map((cell, column) =>
        numeric[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}
