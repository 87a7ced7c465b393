/**
 * `npm run bench:sandbox`: what the sandbox and the warm mirror cost a worker per job, as CPU time of the agent, the
 * job runner and the job together. Three ways to run the same command take turns in one run: by a plain runner,
 * confined, and served (inputs claimed, request checked, command line built anew, confined, dependencies compared,
 * outputs read and hashed). A compiler that does nothing shows the cost itself, GCC what it is a part of.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Cell, openPlainRunner } from '../src/sandbox/index.ts';
import type { RunnerVariant } from '../src/sandbox/rungs.ts';
import { BenchError } from './bench-error.ts';
import { median } from './contest/statistics.ts';
import { checkWritable } from './result-file.ts';
import { type Cost, measure, runOnce } from './sandbox/measure.ts';
import { type CommandUnderTest, openWorkerBench, type WorkerBench } from './sandbox/worker-bench.ts';

const RUNGS = ['namespaces-user', 'namespaces-host', 'chroot', 'uid'] as const satisfies RunnerVariant[];

const USAGE = `usage: npm run bench:sandbox -- [options]
  --rung NAME    namespaces-user, namespaces-host, chroot or uid; the strongest that works by default
  --jobs N       jobs in one measurement (300; a tenth of that for GCC)
  --rounds N     measurements of each way, of which the median counts (9)
  --inputs N     files that each job lists (600)
  --json FILE    write everything that was measured`;

const OPTIONS = {
  rung: { type: 'string' },
  jobs: { type: 'string', default: '300' },
  rounds: { type: 'string', default: '9' },
  inputs: { type: 'string', default: '600' },
  json: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

interface Row extends Cost {
  readonly command: string;
  readonly way: string;
  readonly cpuMs: number;
  /** CPU time beyond that of the plain way. */
  readonly overheadMs: number;
  readonly ratio: number;
}

function medianOf(costs: readonly Cost[]): Cost & { cpuMs: number } {
  return {
    agentMs: median(costs.map(({ agentMs }) => agentMs)),
    runnerMs: median(costs.map(({ runnerMs }) => runnerMs)),
    wallMs: median(costs.map(({ wallMs }) => wallMs)),
    cpuMs: median(costs.map(({ agentMs, runnerMs }) => agentMs + runnerMs)),
  };
}

/** All ways, round by round, so that a busy machine is busy for all of them. */
async function compareWays(
  bench: WorkerBench,
  plain: Cell,
  command: CommandUnderTest,
  jobs: number,
  rounds: number,
): Promise<Row[]> {
  const ways: [string, Cell, () => Promise<void>][] = [
    ['plain', plain, () => runOnce(plain, bench.plainJob(command))],
    ['confined', bench.cell, () => runOnce(bench.cell, bench.confinedJob(command))],
    ['served', bench.cell, () => bench.serve(command)],
  ];
  const costs = ways.map((): Cost[] => []);
  for (const [, cell, run] of ways) await measure(cell, Math.ceil(jobs / 10), run);
  for (let round = 0; round < rounds; round++) {
    for (const [index, [, cell, run]] of ways.entries()) costs[index]?.push(await measure(cell, jobs, run));
  }
  const rows = ways.map(([way], index) => ({ command: command.name, way, ...medianOf(costs[index] ?? []) }));
  const base = rows[0]?.cpuMs ?? Number.NaN;
  return rows.map((row) => ({ ...row, overheadMs: row.cpuMs - base, ratio: row.cpuMs / base }));
}

function print(rows: readonly Row[]): void {
  console.log(
    `${'command'.padEnd(14)} ${'way'.padEnd(9)}    agent   runner      CPU     wall  +CPU  ratio   (ms per job, median)`,
  );
  for (const { command, way, agentMs, runnerMs, cpuMs, wallMs, overheadMs, ratio } of rows) {
    const columns = [agentMs, runnerMs, cpuMs, wallMs].map((ms) => ms.toFixed(3).padStart(8)).join(' ');
    console.log(
      `${command.padEnd(14)} ${way.padEnd(9)} ${columns} ${overheadMs.toFixed(2).padStart(5)} ${ratio.toFixed(2).padStart(6)}`,
    );
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: OPTIONS });
  if (values.help) return console.log(USAGE);
  const count = (name: 'jobs' | 'rounds' | 'inputs'): number => {
    const value = Number(values[name]);
    if (Number.isInteger(value) && value >= 1) return value;
    throw new BenchError(`--${name} must be a whole number from 1, not ${values[name]}`);
  };
  const [jobs, rounds] = [count('jobs'), count('rounds')];
  const inputs = count('inputs');
  const rung = RUNGS.find((name) => name === values.rung);
  if (rung !== values.rung) throw new BenchError(`--rung is one of ${RUNGS.join(', ')}, not ${values.rung}`);
  checkWritable(values.json);
  const directory = mkdtempSync(join(tmpdir(), 'meshcc-bench-'));
  mkdirSync(join(directory, 'work'));
  const bench = await openWorkerBench(directory, rung, inputs);
  const plain = await openPlainRunner(bench.runnerPath);
  try {
    console.log(
      `${cpus()[0]?.model ?? 'processor'}, Linux ${release()}, Node ${process.version}; rung ${bench.cell.rung}, ${values.inputs} inputs per job`,
    );
    const rows = [
      ...(await compareWays(bench, plain, bench.emptyCompiler, jobs, rounds)),
      ...(await compareWays(bench, plain, bench.gcc, Math.ceil(jobs / 10), rounds)),
    ];
    print(rows);
    if (values.json) writeFileSync(values.json, `${JSON.stringify({ bench: 'sandbox', rows }, null, 2)}\n`);
  } finally {
    await plain.close();
    await bench.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

try {
  await main();
} catch (error) {
  console.error(`FAILED: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
