/** A job in the sandbox, beside the same program started plainly, and beside a bubblewrap for each job. */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Cell, openPlainRunner } from '../../src/sandbox/index.ts';
import { measure, runOnce } from '../sandbox/measure.ts';
import { openWorkerBench } from '../sandbox/worker-bench.ts';
import { type Part, type Series, scaled } from './part.ts';

const JOBS = 150;
const INPUTS = 600;
const PLAIN = 'fork and exec out of the runner';
const BWRAP_PROGRAM = '/usr/bin/bwrap';
const BWRAP = 'a bubblewrap for each job';
const CONFINED = 'confined job';
const SERVED = 'job as a worker serves it';

export const sandboxPart: Part = {
  name: 'sandbox',
  what: 'a job of a compiler that does nothing, with 600 inputs',
  async open(context) {
    mkdirSync(join(context.directory, 'work'));
    const bench = await openWorkerBench(context.directory, undefined, INPUTS);
    const plain = await openPlainRunner(bench.runnerPath);
    const command = bench.emptyCompiler;
    const jobs = scaled(context, JOBS);
    const series = (name: string, cell: Cell, run: () => Promise<void>): Series => ({
      name,
      unit: 'ms of CPU per job, agent and runner',
      measure: async () => {
        const { agentMs, runnerMs } = await measure(cell, jobs, run);
        return agentMs + runnerMs;
      },
    });
    const hasBwrap = existsSync(BWRAP_PROGRAM);
    return {
      series: [
        series(PLAIN, plain, () => runOnce(plain, bench.plainJob(command))),
        ...(hasBwrap
          ? [series(BWRAP, plain, () => runOnce(plain, bench.wrappedJob(BWRAP_PROGRAM, command)))]
          : []),
        series(CONFINED, bench.cell, () => runOnce(bench.cell, bench.confinedJob(command))),
        series(SERVED, bench.cell, () => bench.serve(command)),
      ],
      lines: [
        { series: CONFINED, reference: PLAIN },
        ...(hasBwrap ? [{ series: CONFINED, reference: BWRAP }] : []),
        { series: SERVED, reference: PLAIN },
      ],
      notes: [
        `The sandbox is \`${bench.cell.rung}\`.`,
        ...(hasBwrap ? [] : ['bubblewrap is not installed here (package bubblewrap): no line beside it.']),
      ],
      close: async () => {
        await plain.close();
        await bench.close();
      },
    };
  },
};
