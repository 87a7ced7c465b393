/**
 * The suite of `npm test`: formatting and lint, then every test file, those that make clusters or whole meshes
 * last and one at a time, and one summary for all of it. `--help` shows the rest.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';

const USAGE = `usage: npm test [-- [--fast] [FOLDER or part of a file's name ...]]
  --fast   leave out the checks and the files that run alone (whole meshes, network namespaces)
environment:
  MESHCC_TEST_NODE=/path/to/node   run the tests with this Node instead`;

/** This file is dist/test/run.js when it runs. */
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A file that hangs is ended after this, and counts as failed. */
const FILE_TIMEOUT_MS = 240_000;
const ALONE_TIMEOUT_MS = 900_000;

/** The lines at the end of node:test, in its order. */
const SUMMARY = ['tests', 'suites', 'pass', 'fail', 'cancelled', 'skipped', 'todo', 'duration_ms'] as const;
type Counts = Record<(typeof SUMMARY)[number], number>;

/** An event of node:test, as far as it matters here. */
interface TestEvent {
  readonly type: string;
  readonly data?: { readonly nesting?: number; readonly message?: string };
}

/** TypeScript files below a folder of the package, relative to it. */
function sourcesIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(folder, file))
    .sort();
}

function compiled(source: string): string {
  return join(ROOT, 'dist', source.replace(/\.ts$/, '.js'));
}

/** A source that is newer than what tsc made of it, or that tsc has not seen at all. */
function staleSource(): string | undefined {
  const changedMs = (path: string): number => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return ['src', 'test', 'bench']
    .flatMap(sourcesIn)
    .find((source) => changedMs(compiled(source)) < changedMs(join(ROOT, source)));
}

/** Whole meshes and bombs load every core, and namespaces are a matter of the whole machine: such files run alone. */
function runsAlone(source: string): boolean {
  if (source.startsWith(join('test', 'e2e')) || source.startsWith(join('test', 'hostile'))) return true;
  return /from '[./]+(?:support\/)?netns\.ts'/.test(readFileSync(join(ROOT, source), 'utf8'));
}

/** True if the checks passed; tsc is not among them because the build that comes before is one. */
function check(): boolean {
  const biome = spawnSync(join(ROOT, 'node_modules', '.bin', 'biome'), ['ci', '.'], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  if (biome.error) console.error(`biome cannot be started: ${biome.error.message}`);
  return biome.status === 0;
}

/** The events of some files; the lines of their summary are added to `counts` instead of passed on. */
async function* eventsOf(
  files: readonly string[],
  concurrency: number,
  timeoutMs: number,
  counts: Counts,
): AsyncGenerator<TestEvent> {
  if (files.length === 0) return;
  for await (const event of run({ files: [...files], concurrency, timeout: timeoutMs })) {
    const { type, data } = event as TestEvent;
    const [, name, value] = /^(\w+) (\d+(?:\.\d+)?)$/.exec(data?.message ?? '') ?? [];
    const line = SUMMARY.find((one) => one === name);
    if (type === 'test:diagnostic' && data?.nesting === 0 && line !== undefined)
      counts[line] += Number(value);
    else yield event as TestEvent;
  }
}

async function runAll(sources: readonly string[], counts: Counts): Promise<void> {
  const alone = sources.filter(runsAlone);
  const together = sources.filter((source) => !alone.includes(source));
  async function* events(): AsyncGenerator<TestEvent> {
    yield* eventsOf(together.map(compiled), availableParallelism(), FILE_TIMEOUT_MS, counts);
    yield* eventsOf(alone.map(compiled), 1, ALONE_TIMEOUT_MS, counts);
  }
  await pipeline(Readable.from(events()), new spec(), process.stdout, { end: false });
}

/** The lines as node:test itself prints them: last, so that whoever reads a log finds them. */
function printSummary(counts: Counts): void {
  const mark = process.stdout.isTTY ? 'ℹ' : '#';
  process.stdout.write(`\n${SUMMARY.map((line) => `${mark} ${line} ${counts[line]}`).join('\n')}\n`);
}

/** Runs this program again with another Node, which is also the `node` of everything that the tests start. */
function runWith(node: string, args: readonly string[]): number {
  const { MESHCC_TEST_NODE: _, ...env } = process.env;
  const self = fileURLToPath(import.meta.url);
  const child = spawnSync(node, [self, ...args], {
    stdio: 'inherit',
    env: { ...env, PATH: `${dirname(node)}:${env.PATH ?? ''}` },
  });
  if (child.error) console.error(`${node} cannot be started: ${child.error.message}`);
  return child.status ?? 1;
}

async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help')) {
    console.log(USAGE);
    return 0;
  }
  const otherNode = process.env.MESHCC_TEST_NODE;
  if (otherNode) return runWith(otherNode, args);
  // What the user has set for their own mesh must not reach the tests.
  for (const name of Object.keys(process.env)) if (name.startsWith('MESHCC_')) delete process.env[name];

  const stale = staleSource();
  if (stale !== undefined) {
    console.error(`${stale} is newer than dist/: npm run build`);
    return 1;
  }
  const unknown = args.find((arg) => arg.startsWith('--') && arg !== '--fast');
  if (unknown !== undefined) {
    console.error(`no such option: ${unknown}\n${USAGE}`);
    return 64;
  }
  const fast = args.includes('--fast');
  const wanted = args.filter((arg) => !arg.startsWith('--'));
  const sources = sourcesIn('test')
    .filter((source) => source.endsWith('.test.ts'))
    .filter((source) => wanted.length === 0 || wanted.some((part) => relative('test', source).includes(part)))
    .filter((source) => !fast || !runsAlone(source));
  if (sources.length === 0) {
    console.error(`no test file is named so: ${wanted.join(' ')}`);
    return 1;
  }
  const isChecked = fast || wanted.length > 0 || check();
  console.log(`Node ${process.version}, ${sources.length} files`);
  const counts = Object.fromEntries(SUMMARY.map((line) => [line, 0])) as Counts;
  await runAll(sources, counts);
  if (!isChecked) console.log('\nthe checks at the beginning failed (biome)');
  printSummary(counts);
  return isChecked && counts.tests > 0 && counts.fail === 0 && counts.cancelled === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
