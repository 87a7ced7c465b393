/** What is published of a contest: its result file, charts made of it, and the parts of two pages. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../../src/base/package-root.ts';
import { BenchError } from '../bench-error.ts';
import { formatCaveats, formatMachine, formatTables } from '../contest/markdown.ts';
import type { ContestResult } from '../contest/result.ts';
import { renderCharts } from './charts.ts';

/** Relative to the package. */
export const PUBLISHED = join('docs', 'benchmarks');
const RESULT = join(PUBLISHED, 'result.json');
const PAGE = join('docs', 'benchmarks.md');

/** Reads a result file. @throws BenchError if it is none */
export function readResult(file: string): ContestResult {
  if (!existsSync(file)) throw new BenchError(`${file} does not exist`);
  const value: Partial<ContestResult> = JSON.parse(readFileSync(file, 'utf8'));
  if (value.bench === 'mesh' && value.runs !== undefined) return value as ContestResult;
  throw new BenchError(`${file} is not a result of bench:mesh`);
}

/** The page with the parts that two comments enclose made anew. */
function withPart(page: string, name: string, text: string): string {
  const [begin, end] = [`<!-- ${name}: npm run bench:publish -->`, `<!-- /${name} -->`];
  const [before, rest] = page.split(begin);
  const [, after] = rest?.split(end) ?? [];
  if (before === undefined || after === undefined) throw new BenchError(`${PAGE} has no part ${name}`);
  return `${before}${begin}\n\n${text}\n\n${end}${after}`;
}

/** The committed result. */
export function publishedResult(): ContestResult {
  return readResult(join(PACKAGE_ROOT, RESULT));
}

/**
 * Every file that is made from a result, by path relative to the package.
 * @param page the present text of docs/benchmarks.md
 */
export function renderPublished(result: ContestResult, page: string): Record<string, string> {
  const charts = Object.entries(renderCharts(result)).map(([name, svg]) => [join(PUBLISHED, name), svg]);
  const withCommand = withPart(page, 'command', `\`\`\`sh\n${result.command}\n\`\`\``);
  const withTables = withPart(withCommand, 'tables', formatTables(result));
  const withMachine = withPart(withTables, 'machine', formatMachine(result));
  return {
    ...Object.fromEntries(charts),
    [PAGE]: withPart(withMachine, 'caveats', formatCaveats(result)),
  };
}

/** Writes them, and the result itself. */
export function publish(result: ContestResult): string[] {
  mkdirSync(join(PACKAGE_ROOT, PUBLISHED), { recursive: true });
  const page = readFileSync(join(PACKAGE_ROOT, PAGE), 'utf8');
  const files = { [RESULT]: `${JSON.stringify(result, null, 1)}\n`, ...renderPublished(result, page) };
  for (const [path, text] of Object.entries(files)) writeFileSync(join(PACKAGE_ROOT, path), text);
  return Object.keys(files);
}
