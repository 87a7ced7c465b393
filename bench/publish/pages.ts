/** What is published of a contest: its result file, charts made of it, and the parts of two pages. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../../src/base/package-root.ts';
import { BenchError } from '../bench-error.ts';
import { formatCaveats, formatDistortions, formatMachine, formatTables } from '../contest/markdown.ts';
import type { ContestResult } from '../contest/result.ts';
import { formatMicro, type MicroResult } from '../micro/report.ts';
import { formatSubmitter, type SubmitterResult } from '../submitter/cost-report.ts';
import { renderCharts } from './charts.ts';
import { publicationObstacle } from './obstacle.ts';

/** Relative to the package. */
export const PUBLISHED = join('docs', 'benchmarks');
const RESULT = join(PUBLISHED, 'result.json');
/** All contestants on a smaller tree: tables without charts, in a part of their own. */
const SMALL_WORKLOAD = 'small';
const SMALL_RESULT = join(PUBLISHED, 'small.json');
const PAGE = join('docs', 'benchmarks.md');
const SUBMITTER_RESULT = join(PUBLISHED, 'submitter.json');
const MICRO_RESULT = join(PUBLISHED, 'micro.json');
const MICRO_PAGE = join('docs', 'micro-benchmarks.md');

/** A result of any of the benchmarks that are published. */
export type PublishableResult = ContestResult | MicroResult | SubmitterResult;

function parsed(file: string): Partial<ContestResult> | Partial<MicroResult> | Partial<SubmitterResult> {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new BenchError(`${file} cannot be read: ${error instanceof Error ? error.message : error}`);
  }
}

/** Reads a result file. @throws BenchError if it is none */
export function readResult(file: string): PublishableResult {
  if (!existsSync(file)) throw new BenchError(`${file} does not exist`);
  const value = parsed(file);
  if (value.bench === 'mesh' && value.runs !== undefined && value.settings !== undefined)
    return value as ContestResult;
  if (value.bench === 'micro' && value.parts !== undefined) return value as MicroResult;
  if (value.bench === 'submitter' && value.results !== undefined) return value as SubmitterResult;
  throw new BenchError(`${file} is no result of bench:mesh, bench:submitter or bench:micro`);
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

/** The committed result of the contest on the smaller tree. */
export function publishedSmall(): ContestResult {
  return readResult(join(PACKAGE_ROOT, SMALL_RESULT)) as ContestResult;
}

/** The committed result of the micro-benchmark. */
export function publishedMicro(): MicroResult {
  return readResult(join(PACKAGE_ROOT, MICRO_RESULT)) as MicroResult;
}

/** The committed result of the submitter's cost. */
export function publishedSubmitter(): SubmitterResult {
  return readResult(join(PACKAGE_ROOT, SUBMITTER_RESULT)) as SubmitterResult;
}

/** docs/benchmarks.md with the figures of the submitter's cost. @param page its present text */
export function renderSubmitterPart(result: SubmitterResult, page: string): string {
  const withCommand = withPart(page, 'submitter-command', `\`\`\`sh\n${result.command}\n\`\`\``);
  return withPart(withCommand, 'submitter', formatSubmitter(result));
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
  if (result.settings.workload === SMALL_WORKLOAD) {
    const command = `\`\`\`sh\n${result.command}\n\`\`\``;
    const text = [command, formatTables(result, 4), formatMachine(result), formatDistortions(result)];
    return { [PAGE]: withPart(page, SMALL_WORKLOAD, text.join('\n\n')) };
  }
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
function filesOf(result: PublishableResult): Record<string, string> {
  const text = `${JSON.stringify(result, null, 1)}\n`;
  const page = (path: string): string => readFileSync(join(PACKAGE_ROOT, path), 'utf8');
  switch (result.bench) {
    case 'mesh':
      return {
        [result.settings.workload === SMALL_WORKLOAD ? SMALL_RESULT : RESULT]: text,
        ...renderPublished(result, page(PAGE)),
      };
    case 'submitter':
      return { [SUBMITTER_RESULT]: text, [PAGE]: renderSubmitterPart(result, page(PAGE)) };
    case 'micro':
      return { [MICRO_RESULT]: text, [MICRO_PAGE]: renderMicroPage(result, page(MICRO_PAGE)) };
  }
}

/** Writes them. @throws BenchError if the pages cannot show this result */
export function publish(result: PublishableResult): string[] {
  const obstacle = publicationObstacle(result);
  if (obstacle !== undefined) throw new BenchError(`this result is not published: ${obstacle}`);
  mkdirSync(join(PACKAGE_ROOT, PUBLISHED), { recursive: true });
  const files = filesOf(result);
  for (const [path, text] of Object.entries(files)) writeFileSync(join(PACKAGE_ROOT, path), text);
  return Object.keys(files);
}
