/**
 * `npm run demo`: three agents on this machine's loopback, a real C project built on them, and every object
 * compared with a local build. Needs no root, no second machine, and leaves nothing but .demo/.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../src/base/package-root.ts';
import { BenchError } from './bench-error.ts';
import { formatReport, hasRemoteJobs, isEqualBuild } from './build-report.ts';
import { formMesh, MeshNode } from './mesh-under-test.ts';
import { buildReference, compareWithReference, librdkafka } from './workloads/index.ts';

const DEMO = join(PACKAGE_ROOT, '.demo');
const CACHE = join(DEMO, 'cache');
/** Short, because the path of a socket has at most 107 bytes. */
const NAMES = ['a', 'b', 'c'];
const JOBS = 8;

const started = performance.now();
const log = (line: string): void =>
  console.log(`[${((performance.now() - started) / 1000).toFixed(1).padStart(5)} s] ${line}`);

function makeNodes(): MeshNode[] {
  return NAMES.map((name) => {
    const home = join(DEMO, name);
    rmSync(home, { recursive: true, force: true });
    return new MeshNode({
      name,
      home,
      interface: 'lo',
      launch: ([program = '', ...args], options) => spawn(program, args, options),
    });
  });
}

/** Ctrl-C must not leave agents behind: they are ended in any case before this process is. */
function endOnSignal(nodes: readonly MeshNode[]): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      log(`${signal}: stopping the agents`);
      void Promise.all(nodes.map((node) => node.stop())).then(() => process.exit(1));
    });
  }
}

async function main(): Promise<boolean> {
  mkdirSync(DEMO, { recursive: true, mode: 0o700 });
  log(`the project: ${librdkafka.description}`);
  const tree = await librdkafka.prepare(CACHE, log);
  const reference = await buildReference(tree, { cacheDirectory: CACHE, jobs: JOBS, log });
  log(`that took ${reference.wallSeconds.toFixed(1)} s; now the same on a mesh`);
  const nodes = makeNodes();
  endOnSignal(nodes);
  try {
    await formMesh(nodes, log);
    const [laptop] = nodes;
    if (!laptop) throw new BenchError('the demo has no node');
    const command = tree.build(JOBS);
    const buildLog = join(DEMO, 'build.log');
    rmSync(buildLog, { force: true });
    log(`on ${laptop.name}: meshcc run -- ${command.join(' ')}`);
    const outcome = await laptop.build(command, tree.directory, buildLog);
    log('comparing every object and depfile with the local build');
    const comparison = await compareWithReference(tree, reference);
    const result = { workload: tree.name, outcome, reference, comparison, missedInputs: laptop.missedInputs };
    console.log(`\n${formatReport(result)}\n`);
    const isDistributed = hasRemoteJobs(result);
    if (!isDistributed) log('FAILED: no job ran on another node');
    if (!isEqualBuild(result)) log(`FAILED: the build is not equal to the local one; its log: ${buildLog}`);
    return isDistributed && isEqualBuild(result);
  } finally {
    log('stopping the agents');
    await Promise.all(nodes.map((node) => node.stop()));
  }
}

try {
  const passed = await main();
  if (passed)
    log('done: all three agents share the CPU of this machine, so it is equality that this shows, not speed');
  else log(`logs: ${NAMES.map((name) => join(DEMO, name, 'agent.log')).join(' ')}`);
  process.exitCode = passed ? 0 : 1;
} catch (error) {
  log(`FAILED: ${error instanceof Error ? error.message : error}`);
  log(`everything that was written lies below ${DEMO}`);
  process.exitCode = 1;
}
