/**
 * `node dist/bench/determinism.js WORKLOAD [CACHE] [JOBS]`: builds a workload locally twice and compares.
 * Only a workload whose two local builds are equal can tell something about a mesh build.
 */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { buildReference, compareWithReference, runCommand, WORKLOADS } from './workloads/index.ts';

const [name = '', cache, jobs = '2'] = process.argv.slice(2);
const log = (line: string): void => console.log(`${new Date().toISOString().slice(11, 19)} ${line}`);

async function main(): Promise<number> {
  const workload = WORKLOADS.get(name);
  if (!workload) {
    for (const one of WORKLOADS.values()) console.error(`${one.name.padEnd(14)} ${one.description}`);
    return 2;
  }
  const cacheDirectory = cache ?? join(homedir(), '.cache', 'meshcc-bench');
  const tree = await workload.prepare(cacheDirectory, log);
  const reference = await buildReference(tree, { cacheDirectory, jobs: Number(jobs), log });
  log(`reference: ${reference.digests.size} files in ${reference.wallSeconds.toFixed(1)} s`);
  const logFile = join(cacheDirectory, 'logs', `${name}.log`);
  const wallSeconds = await runCommand(tree.build(Number(jobs)), { cwd: tree.directory, logFile });
  const result = await compareWithReference(tree, reference);
  log(`second build: ${wallSeconds.toFixed(1)} s, ${result.identical} identical`);
  const faults = [...result.different, ...result.missing, ...result.unexpected];
  for (const path of faults) log(`  not equal: ${path}`);
  await tree.clean();
  return faults.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
