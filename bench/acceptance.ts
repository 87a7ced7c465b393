/**
 * `node dist/bench/acceptance.js WORKLOAD`: builds a real project on a mesh of network namespaces and says
 * what ran where and whether every object equals that of a local build. Root only.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Cluster, canMakeClusters, createCluster } from '../test/support/netns.ts';
import { BenchError } from './bench-error.ts';
import { formatReport, hasRemoteJobs, isEqualBuild, isWellDistributed } from './build-report.ts';
import { installPackages } from './contest/debian-packages.ts';
import { formMesh, MeshNode } from './mesh-under-test.ts';
import { buildReference, compareWithReference, type PreparedTree, WORKLOADS } from './workloads/index.ts';

const OPTIONS = {
  boards: { type: 'string', default: '2' },
  jobs: { type: 'string', default: '16' },
  cache: { type: 'string', default: join(homedir(), '.cache', 'meshcc-bench') },
  rate: { type: 'string' },
  'laptop-cpu': { type: 'string' },
  'board-cpu': { type: 'string' },
  'kill-worker': { type: 'boolean', default: false },
  'kill-agent': { type: 'boolean', default: false },
  'fresh-reference': { type: 'boolean', default: false },
  keep: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

const USAGE = `usage: node dist/bench/acceptance.js WORKLOAD [options]
  --boards N           hosts besides the laptop (2)
  --jobs N             make -jN (16)
  --rate RATE          link rate, e.g. 100mbit (no limit)
  --laptop-cpu CORES   CPU quota of the laptop (none)
  --board-cpu CORES    CPU quota of each board (none)
  --kill-worker        SIGKILL the last board's agent when a tenth of the objects exists
  --kill-agent         SIGKILL the laptop's agent when a tenth of the objects exists
  --fresh-reference    build the local reference again
  --cache DIR          sources, trees and references (~/.cache/meshcc-bench)
  --keep               leave the built tree and the agents' directories
workloads:
${[...WORKLOADS.values()].map((one) => `  ${one.name.padEnd(14)} ${one.description}`).join('\n')}`;

const log = (line: string): void => console.log(`${new Date().toISOString().slice(11, 19)} ${line}`);

type Settings = ReturnType<typeof settings>;

function settings() {
  const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true });
  const count = (text: string, name: string): number => {
    const value = Number(text);
    if (!(value > 0)) throw new BenchError(`--${name} must be a number above 0, not ${text}`);
    return value;
  };
  return {
    ...values,
    workload: positionals[0] ?? '',
    boards: count(values.boards, 'boards'),
    jobs: count(values.jobs, 'jobs'),
    laptopCpu: values['laptop-cpu'] && count(values['laptop-cpu'], 'laptop-cpu'),
    boardCpu: values['board-cpu'] && count(values['board-cpu'], 'board-cpu'),
    cache: resolve(values.cache),
  };
}

function makeCluster(wanted: Settings): Cluster {
  const { rate, laptopCpu, boardCpu } = wanted;
  const cpuCores = { ...(laptopCpu ? { laptop: laptopCpu } : {}), ...(boardCpu ? { board: boardCpu } : {}) };
  return createCluster({ boards: wanted.boards, ...(rate ? { rate } : {}), cpuCores });
}

/** Boards see the sources as an empty directory: whatever they compile, they got over the mesh. */
function makeNodes(cluster: Cluster, runDirectory: string, cache: string): MeshNode[] {
  return cluster.hosts.map(({ name }) => {
    const hide = name === 'laptop' ? [] : [cache];
    return new MeshNode({
      name,
      home: join(runDirectory, name),
      launch: (argv, options) => cluster.run(name, argv, { ...options, hide }),
    });
  });
}

/** Runs `action` as soon as the build has made a tenth of its outputs; returns how to stop waiting for that. */
function atOneTenth(tree: PreparedTree, total: number, action: () => void): () => void {
  let isOver = false;
  const watch = async (): Promise<void> => {
    if (isOver) return;
    if ((await tree.objects().catch(() => [])).length >= total / 10) {
      if (!isOver) action();
      return;
    }
    setTimeout(watch, 300);
  };
  void watch();
  return () => {
    isOver = true;
  };
}

async function buildOnMesh(wanted: Settings, tree: PreparedTree, runDirectory: string): Promise<boolean> {
  const referenceOptions = { cacheDirectory: wanted.cache, jobs: 4, log, reuse: !wanted['fresh-reference'] };
  const reference = await buildReference(tree, referenceOptions);
  const cluster = makeCluster(wanted);
  try {
    const nodes = makeNodes(cluster, runDirectory, wanted.cache);
    await formMesh(nodes, log);
    const [laptop] = nodes;
    const victim = wanted['kill-agent'] ? laptop : wanted['kill-worker'] ? nodes.at(-1) : undefined;
    let isKilled = false;
    const stopWatching = victim
      ? atOneTenth(tree, reference.digests.size, () => {
          log(`killing the agent of ${victim.name}`);
          victim.killAgent();
          isKilled = true;
        })
      : () => undefined;
    const buildLog = join(runDirectory, 'build.log');
    const command = tree.build(wanted.jobs);
    log(`building: meshcc run -- ${command.join(' ')}`);
    if (!laptop) throw new BenchError('the cluster has no laptop');
    const outcome = await laptop.build(command, tree.directory, buildLog);
    stopWatching();
    const comparison = await compareWithReference(tree, reference);
    const { missedInputs } = laptop;
    const result = { workload: tree.name, outcome, reference, comparison, missedInputs };
    console.log(formatReport(result));
    const isDistributed = victim ? wanted['kill-agent'] || hasRemoteJobs(result) : isWellDistributed(result);
    if (!isDistributed)
      log('FAILED: too little ran on the boards, or with inputs that were not known before');
    if (!isEqualBuild(result))
      log(`FAILED: compare ${tree.directory} with ${reference.directory}; log ${buildLog}`);
    const isAsWanted = victim === undefined || isKilled;
    if (!isAsWanted) log('FAILED: the build ended before the agent was to be killed');
    await Promise.all(nodes.map((node) => node.stop()));
    return isDistributed && isAsWanted && isEqualBuild(result);
  } finally {
    cluster.destroy();
  }
}

async function main(): Promise<number> {
  const wanted = settings();
  const workload = WORKLOADS.get(wanted.workload);
  if (wanted.help || !workload) {
    console.log(USAGE);
    return wanted.help ? 0 : 2;
  }
  if (!canMakeClusters())
    throw new BenchError('acceptance needs root and network namespaces (package iproute2)');
  mkdirSync(wanted.cache, { recursive: true });
  const runDirectory = mkdtempSync('/tmp/meshcc-acceptance-');
  await installPackages(workload.packages ?? [], wanted.cache, log);
  const tree = await workload.prepare(wanted.cache, log);
  const passed = await buildOnMesh(wanted, tree, runDirectory);
  if (passed && !wanted.keep) {
    await tree.clean();
    rmSync(runDirectory, { recursive: true, force: true });
  } else {
    log(`agents' directories and logs: ${runDirectory}`);
  }
  log(passed ? 'PASSED' : 'FAILED');
  return passed ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  log(`FAILED: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
