/** What is published of a contest: its result file, charts made of it, and the parts of two pages. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../../src/base/package-root.ts';
import { BenchError } from '../bench-error.ts';
import { formatCaveats, formatMachine, formatTables } from '../contest/markdown.ts';
import type { ContestResult } from '../contest/result.ts';
import { formatMicro, type MicroResult } from '../micro/report.ts';
import { renderCharts } from './charts.ts';

/** Relative to the package. */
export const PUBLISHED = join('docs', 'benchmarks');
const RESULT = join(PUBLISHED, 'result.json');
const PAGE = join('docs', 'benchmarks.md');
const MICRO_RESULT = join(PUBLISHED, 'micro.json');
const MICRO_PAGE = join('docs', 'micro-benchmarks.md');

/** Reads a result file. @throws BenchError if it is none */
export function readResult(file: string): ContestResult | MicroResult {
  if (!existsSync(file)) throw new BenchError(`${file} does not exist`);
  const value: Partial<ContestResult> | Partial<MicroResult> = JSON.parse(readFileSync(file, 'utf8'));
  if (value.bench === 'mesh' && value.runs !== undefined) return value as ContestResult;
  if (value.bench === 'micro' && value.parts !== undefined) return value as MicroResult;
  throw new BenchError(`${file} is a result neither of bench:mesh nor of bench:micro`);
}

/** The page with the parts that two comments enclose made anew. */
function withPart(page: string, name: string, text: string): string {
  const [begin, end] = [`<!-- ${name}: npm run bench:publish -->`, `<!-- /${name} -->`];
  const [before, rest] = page.split(begin);
  const [, after] = rest?.split(end) ?? [];
  if (before === undefined || after === undefined) throw new BenchError(`the page has no part ${name}`);
  return `${before}${begin}\n\n${text}\n\n${end}${after}`;
}

/** The committed result. */
export function publishedResult(): ContestResult {
  return readResult(join(PACKAGE_ROOT, RESULT)) as ContestResult;
}

/** The committed result of the micro-benchmark. */
export function publishedMicro(): MicroResult {
  return readResult(join(PACKAGE_ROOT, MICRO_RESULT)) as MicroResult;
}

/** docs/micro-benchmarks.md with the figures of a result. @param page its present text */
export function renderMicroPage(result: MicroResult, page: string): string {
  const withCommand = withPart(page, 'command', `\`\`\`sh\n${result.command}\n\`\`\``);
  return withPart(withCommand, 'figures', formatMicro(result));
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

/** Every file of a result, its own included. */
function filesOf(result: ContestResult | MicroResult): Record<string, string> {
  const text = `${JSON.stringify(result, null, 1)}\n`;
  const page = (path: string): string => readFileSync(join(PACKAGE_ROOT, path), 'utf8');
  return result.bench === 'mesh'
    ? { [RESULT]: text, ...renderPublished(result, page(PAGE)) }
    : { [MICRO_RESULT]: text, [MICRO_PAGE]: renderMicroPage(result, page(MICRO_PAGE)) };
}

/** Writes them. */
export function publish(result: ContestResult | MicroResult): string[] {
  mkdirSync(join(PACKAGE_ROOT, PUBLISHED), { recursive: true });
  const files = filesOf(result);
  for (const [path, text] of Object.entries(files)) writeFileSync(join(PACKAGE_ROOT, path), text);
  return Object.keys(files);
}
