/**
 * `npm run bench:submitter`: what one translation unit costs the machine that submits it. The recorded compile
 * commands of a kernel build go through the shim, without make, to real agents in network namespaces, and `gcc -E`
 * of the same units is run in the same passes: the least that a compile mesh pays that preprocesses on the submitter.
 *
 * What a unit costs depends on how fast units follow each other, because caches grow cold between them. Two boards on
 * the cores of this machine compile a few units a second; a mesh is for more. So after the passes in which boards
 * compile there are some in which they answer from memory (bench/submitter/remembering-board.ts). Root only.
 */
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism, homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { canMakeClusters } from '../test/support/netns.ts';
import { BenchError } from './bench-error.ts';
import { holdCache } from './cache-lock.ts';
import { machineFacts } from './contest/machine.ts';
import { checkWritable } from './result-file.ts';
import { buildListRunner } from './run-list.ts';
import { CostMesh, type Pace, type PassCost } from './submitter/cost-mesh.ts';
import { formatVariant, type SubmitterResult, type VariantResult } from './submitter/cost-report.ts';
import { breakDown } from './submitter/cpu-profile.ts';
import { type BenchUnit, debugUnits, plainUnits } from './submitter/unit-commands.ts';
import { buildRecordedReference, type RecordedUnit, WORKLOADS } from './workloads/index.ts';

const OPTIONS = {
  workload: { type: 'string', default: 'small' },
  units: { type: 'string', default: '0' },
  passes: { type: 'string', default: '3' },
  rates: { type: 'string', default: '3,25,100,0' },
  boards: { type: 'string', default: '2' },
  jobs: { type: 'string', default: '8' },
  variants: { type: 'string', default: 'plain,debug' },
  cache: { type: 'string', default: join(homedir(), '.cache', 'meshcc-bench') },
  json: { type: 'string' },
  verification: { type: 'string', default: 'default' },
  'no-profile': { type: 'boolean', default: false },
  keep: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

const USAGE = `usage: npm run bench:submitter -- [options]
  --workload NAME   small (100 units) or k348 (348), parts of the Linux kernel (small)
  --units N         only the first N units
  --passes N        passes at each rate (3)
  --rates LIST      units a second when boards answer from memory, 0: as fast as it goes (3,25,100,0)
  --variants LIST   plain, debug (-g added); default both
  --boards N        hosts besides the submitter (2)
  --jobs N          commands at once, half of them preprocessors (8)
  --verification W  default: as users have it; off: no result is compared with a second compile
  --no-profile      leave out the pass under the CPU profiler
  --json FILE       write everything that was measured
  --cache DIR       sources, trees and references (~/.cache/meshcc-bench)
  --keep            leave logs, homes of the agents and CPU profiles`;

const VERIFICATION_OFF = { MESHCC_VERIFY_PROBATION: '0', MESHCC_VERIFY_RATE: '0' };

const log = (line: string): void => console.error(`${new Date().toISOString().slice(11, 19)} ${line}`);

type Settings = ReturnType<typeof settings>;

function settings() {
  const { values } = parseArgs({ options: OPTIONS });
  const count = (name: 'units' | 'passes' | 'boards' | 'jobs', least: number): number => {
    const value = Number(values[name]);
    if (Number.isInteger(value) && value >= least) return value;
    throw new BenchError(`--${name} must be a whole number from ${least}, not ${values[name]}`);
  };
  const variants = values.variants.split(',');
  const unknown = variants.find((name) => name !== 'plain' && name !== 'debug');
  if (unknown !== undefined) throw new BenchError(`--variants knows plain and debug, not ${unknown}`);
  if (values.verification !== 'default' && values.verification !== 'off')
    throw new BenchError(`--verification is default or off, not ${values.verification}`);
  const rates = values.rates.split(',').map((rate) => (rate.trim() === '' ? Number.NaN : Number(rate)));
  if (rates.some((rate) => !(rate >= 0)))
    throw new BenchError(`--rates is a list of numbers, not ${values.rates}`);
  return {
    ...values,
    variants,
    rates,
    cache: resolve(values.cache),
    units: count('units', 0),
    passes: count('passes', 1),
    boards: count('boards', 1),
    jobs: count('jobs', 2),
  };
}

/** The command line that leads to such a result: options that say where things are do not. */
function commandOf(wanted: Settings): string {
  const words: string[] = [];
  for (const name of [
    'workload',
    'units',
    'passes',
    'rates',
    'boards',
    'jobs',
    'variants',
    'verification',
  ] as const) {
    const value = String(wanted[name]);
    if (value !== OPTIONS[name].default) words.push(`--${name}`, value);
  }
  return ['npm run bench:submitter', ...(words.length > 0 ? ['--', ...words] : [])].join(' ');
}

function nameOf(rate: number): string {
  return `from memory, ${rate === 0 ? 'as fast as it goes' : `${rate} a second`}`;
}

function paceOf(rate: number): Pace {
  return { kind: 'remembering', perSecond: rate === 0 ? undefined : rate };
}

async function measure(variant: string, units: readonly BenchUnit[], mesh: CostMesh, wanted: Settings) {
  const passes: PassCost[] = [];
  const pass = async (name: string, some: readonly BenchUnit[], pace?: Pace): Promise<void> => {
    if (some.length === 0) return;
    log(`${variant}: ${name} (${some.length} units)`);
    passes.push(await mesh.pass(name, some, pace));
  };
  await mesh.start();
  await pass('first unit', units.slice(0, 1));
  await pass('second unit', units.slice(1, 2));
  await pass('other units, first time', units.slice(2));
  await pass('all units again', units);
  await mesh.rememberFromNow();
  // In turns, so that what changes while all this runs changes it for every rate.
  for (let round = 1; round <= wanted.passes; round += 1) {
    for (const rate of wanted.rates) await pass(nameOf(rate), units, paceOf(rate));
  }
  const memory = mesh.memory();
  const sizes = units.map(({ expectedObject }) => statSync(expectedObject).size);
  const result: VariantResult = {
    variant,
    meanObjectBytes: sizes.reduce((sum, size) => sum + size, 0) / sizes.length,
    idleMsPerSecond: mesh.idleMsPerSecond,
    memory,
    passes,
  };
  if (wanted['no-profile']) return result;
  log(`${variant}: all units again, under the CPU profiler`);
  const rate = wanted.rates.at(-1) ?? 0;
  const { cost, profileFile } = await mesh.profiledPass(nameOf(rate), units, paceOf(rate));
  return { ...result, profiled: { cost, breakdown: breakDown(profileFile) } };
}

async function measureVariant(
  variant: string,
  recorded: readonly RecordedUnit[],
  runDirectory: string,
  listRunner: string,
  wanted: Settings,
): Promise<VariantResult> {
  const scratch = join(runDirectory, 'preprocessed');
  const units =
    variant === 'debug'
      ? await debugUnits(recorded, scratch, listRunner, log)
      : plainUnits(recorded, scratch);
  const home = join(runDirectory, variant);
  mkdirSync(home);
  const { boards, jobs } = wanted;
  const mesh = new CostMesh({
    boards,
    jobs,
    runDirectory: home,
    cacheDirectory: wanted.cache,
    listRunner,
    settings: wanted.verification === 'off' ? VERIFICATION_OFF : {},
    log,
  });
  try {
    return await measure(variant, units, mesh, wanted);
  } finally {
    await mesh.stop();
  }
}

function isSound({ passes, profiled }: VariantResult): boolean {
  const all = [...passes, ...(profiled ? [profiled.cost] : [])];
  return all.every(
    ({ localUnits, differentObjects, missedJobs }) => localUnits + differentObjects + missedJobs === 0,
  );
}

async function main(): Promise<number> {
  const wanted = settings();
  const workload = WORKLOADS.get(wanted.workload);
  if (wanted.help) {
    console.log(USAGE);
    return 0;
  }
  if (!workload)
    throw new BenchError(`no workload ${wanted.workload}; there are ${[...WORKLOADS.keys()].join(', ')}`);
  if (!canMakeClusters()) throw new BenchError('this needs root and network namespaces (package iproute2)');
  checkWritable(wanted.json);
  mkdirSync(wanted.cache, { recursive: true });
  await holdCache(wanted.cache);
  const tree = await workload.prepare(wanted.cache, log);
  const options = { cacheDirectory: wanted.cache, jobs: availableParallelism(), log, reuse: true };
  const { units } = await buildRecordedReference(tree, options);
  const listRunner = await buildListRunner(wanted.cache);
  const chosen = wanted.units > 0 ? units.slice(0, wanted.units) : units;
  const runDirectory = mkdtempSync(join(tmpdir(), 'meshcc-submitter-'));
  const machine = machineFacts([]);
  console.log(
    `## Cost of a unit on the submitter: ${tree.name}, ${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, verification ${wanted.verification}\n`,
  );
  const results: VariantResult[] = [];
  for (const variant of wanted.variants) {
    const result = await measureVariant(variant, chosen, runDirectory, listRunner, wanted);
    console.log(`${formatVariant(result)}\n`);
    results.push(result);
  }
  if (wanted.json !== undefined) {
    const command = commandOf(wanted);
    const result: SubmitterResult = { bench: 'submitter', command, workload: tree.name, machine, results };
    writeFileSync(wanted.json, `${JSON.stringify(result, null, 1)}\n`);
  }
  await tree.clean();
  if (wanted.keep) log(`logs and profiles: ${runDirectory}`);
  else rmSync(runDirectory, { recursive: true, force: true });
  if (results.every(isSound)) return 0;
  log(
    'FAILED: units were compiled on the submitter, or where all came from memory, or objects differ; the figures mean nothing',
  );
  return 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  log(`FAILED: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
