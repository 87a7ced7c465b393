/** A call of the gcc shim, beside the cheapest program there is. */
import { join } from 'node:path';
import { buildNativeProgram } from '../../src/base/native-program.ts';
import { CACHE, measure, startAgent, subjects } from '../shim/shim-bench.ts';
import { type Part, scaled } from './part.ts';

const CALLS = 400;
const REFERENCE = '/bin/true';

export const shimPart: Part = {
  name: 'shim',
  what: 'one compiler call through the gcc shim, process start included',
  async open(context) {
    const driver = await buildNativeProgram({ name: 'spawn-many', source: 'bench/spawn-many.c' }, CACHE);
    const socket = join(context.directory, 'agent.sock');
    const server = await startAgent(socket, join(context.directory, 'objects'));
    const env = { ...process.env, MESHCC_SOCKET: socket };
    const programs = await subjects(scaled(context, CALLS));
    return {
      series: programs.map((subject) => ({
        name: subject.name,
        unit: 'ms of CPU per call',
        measure: async () => (await measure(driver, subject, env)).cpuMs,
      })),
      lines: programs
        .filter(({ name }) => name !== REFERENCE)
        .map(({ name }) => ({ series: name, reference: REFERENCE })),
      notes: [],
      close: () => new Promise((resolve) => server.close(() => resolve())),
    };
  },
};
