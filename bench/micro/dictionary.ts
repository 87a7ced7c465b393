/** How a job says which files and arguments it has: numbers of things told before, beside naming each of them. */
import { join } from 'node:path';
import { encodeAscending } from '../../src/base/varint.ts';
import { ArgumentEncoder, type FromSubmitter, type WireEntry, type WireJob } from '../../src/mesh/index.ts';
import { MeshService } from '../../src/mesh/transport/service.ts';
import type { JobInputs } from '../../src/submitter/input-set.ts';
import { ToldEntries } from '../../src/submitter/told-entries.ts';
import { BenchError } from '../bench-error.ts';
import { type HeaderTree, writeHeaderTree } from './header-tree.ts';
import { cpuMsOf, type Part, scaled } from './part.ts';
import { freshFinders } from './unit-finder.ts';

const PASSES = 20;
const NUMBERS = 'numbers of the dictionary';
const PAIRS = 'path and digest of each input';

/** What of a job does not depend on how inputs are named. */
function jobOf(tree: HeaderTree, unit: string, jobId: number): WireJob {
  const { invocation } = tree.requestOf(unit);
  return {
    jobId,
    toolchainRef: 1,
    workingDirectory: tree.directory,
    arguments: invocation.args,
    inputs: Buffer.alloc(0),
    environment: [`PWD=${tree.directory}`, 'LC_ALL=C.UTF-8'],
    umask: 0o022,
    outputs: invocation.outputs.map(({ kind, path, required }) => ({ kind, path, required })),
    processor: [],
  };
}

const encodeMessage = (message: FromSubmitter): number => {
  const method = MeshService.service.Work;
  if (method === undefined) throw new BenchError('the service has no Work');
  return method.requestSerialize(message).length;
};

export const dictionaryPart: Part = {
  name: 'dictionary',
  what: 'the message for a unit seen before: how inputs and arguments are named in it',
  async open(context) {
    const tree = writeHeaderTree(join(context.directory, 'tree'));
    const finder = (await freshFinders(tree, join(context.directory, 'scratch')))();
    await finder.refresh();
    const jobs: { job: WireJob; inputs: JobInputs }[] = [];
    for (const [index, unit] of tree.units.entries())
      jobs.push({ job: jobOf(tree, unit, index), inputs: await finder.job(unit) });
    const told = new ToldEntries(finder.entries);
    const args = new ArgumentEncoder();
    const withNumbers = (): number => {
      let bytes = 0;
      for (const { job, inputs } of jobs) {
        const { removed, entries } = told.newsFor(inputs);
        if (removed.length > 0) bytes += encodeMessage({ removed: { paths: removed } });
        if (entries.length > 0) bytes += encodeMessage({ entries: { entries: [...entries] } });
        const { news, numbers, own } = args.encode(job.arguments);
        if (news.length > 0) bytes += encodeMessage({ knownArguments: { arguments: news } });
        const body = {
          ...job,
          arguments: own,
          argumentNumbers: numbers,
          inputs: encodeAscending(inputs.entryIds),
        };
        bytes += encodeMessage({ job: body });
      }
      return bytes / jobs.length;
    };
    const withPairs = (): number => {
      let bytes = 0;
      for (const { job, inputs } of jobs) {
        const entries: WireEntry[] = [];
        for (const id of inputs.entryIds) entries.push(finder.entries.entry(id));
        bytes += encodeMessage({ entries: { entries } }) + encodeMessage({ job });
      }
      return bytes / jobs.length;
    };
    // What is told once, for many builds.
    withNumbers();
    withNumbers();
    const cpuPerUnit = async (encode: () => number): Promise<number> => {
      const passes = scaled(context, PASSES);
      const ms = await cpuMsOf(() => {
        for (let pass = 0; pass < passes; pass++) encode();
      });
      return (1000 * ms) / passes / jobs.length;
    };
    const cpu = 'µs of CPU per unit';
    return {
      series: [
        { name: PAIRS, unit: cpu, measure: () => cpuPerUnit(withPairs) },
        { name: NUMBERS, unit: cpu, measure: () => cpuPerUnit(withNumbers) },
        { name: `${PAIRS}, size`, unit: 'bytes per unit', measure: async () => withPairs() },
        { name: `${NUMBERS}, size`, unit: 'bytes per unit', measure: async () => withNumbers() },
      ],
      lines: [
        { series: NUMBERS, reference: PAIRS },
        { series: `${NUMBERS}, size`, reference: `${PAIRS}, size` },
      ],
      notes: ['Both sides are encoded by the same protobuf schema and encoder.'],
      close: async () => finder.close(),
    };
  },
};
