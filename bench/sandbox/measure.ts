/** What jobs of a cell cost, as CPU time of the agent and of the processes that start them. */
import { readFileSync } from 'node:fs';
import type { Cell, CellJob } from '../../src/sandbox/index.ts';
import { BenchError } from '../bench-error.ts';

/** Of the kernel's clock in /proc/PID/stat (USER_HZ, fixed for user space). */
const TICK_MS = 10;

/** Milliseconds per job. */
export interface Cost {
  readonly agentMs: number;
  readonly runnerMs: number;
  readonly wallMs: number;
}

/** CPU time of a process and of its children that have been waited for. */
function cpuMsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) * TICK_MS;
}

/** The process that starts the jobs: with namespaces, PID 1 of the cell, which the agent's child waits for. */
function startingProcess(cell: Cell): number {
  if (cell.rung !== 'namespaces') return cell.processId;
  return Number(readFileSync(`/proc/${cell.processId}/task/${cell.processId}/children`, 'utf8').trim());
}

/** Runs jobs one after the other. @param cell the one that starts them */
export async function measure(cell: Cell, jobs: number, runJob: () => Promise<void>): Promise<Cost> {
  const runner = startingProcess(cell);
  const [agentBefore, runnerBefore, start] = [process.cpuUsage(), cpuMsOf(runner), performance.now()];
  for (let count = 0; count < jobs; count++) await runJob();
  const wallMs = performance.now() - start;
  const { user, system } = process.cpuUsage(agentBefore);
  return {
    agentMs: (user + system) / 1000 / jobs,
    runnerMs: (cpuMsOf(runner) - runnerBefore) / jobs,
    wallMs: wallMs / jobs,
  };
}

/** Runs one job to its end, outputs read. @throws BenchError if it fails */
export async function runOnce(cell: Cell, job: CellJob): Promise<void> {
  const result = await cell.run(job);
  if (result.kind !== 'exited' || result.exitStatus !== 0)
    throw new BenchError(`${job.argv.join(' ')} failed: ${JSON.stringify(result)}`);
  for (const output of result.outputs) await output.read(0, output.sizeBytes);
  result.release();
}
