/** The mesh that the submitter's cost is measured on, and one measured pass over the units of a workload. */
import { existsSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { PACKAGE_ROOT } from '../../src/base/package-root.ts';
import { type Cluster, createCluster } from '../../test/support/netns.ts';
import { BenchError } from '../bench-error.ts';
import { comparedUnits, formMesh, MeshNode, type RunSummary } from '../mesh-under-test.ts';
import { type CommandCost, type ListedCommand, runList } from '../run-list.ts';
import type { Log } from '../workloads/index.ts';
import { MISSES_FILE } from './remembering-board.ts';
import { type BenchUnit, depfileOf, outputFileOf } from './unit-commands.ts';

/** What a pass cost the submitter. CPU times are sums over the units. */
export interface PassCost {
  /** The same for passes that differ in nothing but their time. */
  readonly name: string;
  readonly units: number;
  /** Of the shims, from exec to exit. */
  readonly shimMs: number;
  /** Of the agent, its threads and its children. */
  readonly agentMs: number;
  /** The part of `agentMs` that it would have used without a call in the same time. */
  readonly idleMs: number;
  /** Of `gcc -E` of the same units: run at the same time, or, if the boards answer from memory, right before. */
  readonly preprocessMs: number;
  /** Of the compiles, from the first to the end of the last. */
  readonly wallMs: number;
  /** Units that were compiled here after all; their compiles count under `shimMs`, so the pass says nothing then. */
  readonly localUnits: number;
  /** Jobs that a board compiled although all were to be answered from memory; the pass is none then. */
  readonly missedJobs: number;
  /** Units that were compiled a second time, for comparison. */
  readonly comparedUnits: number;
  /** Outputs that are not those of a local compile. */
  readonly differentObjects: number;
}

/** Where and how a mesh is made. */
export interface CostMeshOptions {
  readonly boards: number;
  readonly jobs: number;
  /** Homes and logs of the agents. */
  readonly runDirectory: string;
  /** Hidden from the boards. */
  readonly cacheDirectory: string;
  readonly listRunner: string;
  /** Further settings of the submitter's agent. */
  readonly settings: NodeJS.ProcessEnv;
  readonly log: Log;
}

/** How the boards of a pass come to their answers. */
export type Pace =
  /** By compiling. */
  | { readonly kind: 'compiling' }
  /** From memory; not more units are begun in a second than that. */
  | { readonly kind: 'remembering'; readonly perSecond: number | undefined };

const preload = (name: string): string =>
  `--import=${pathToFileURL(join(PACKAGE_ROOT, 'dist', 'bench', 'submitter', `${name}.js`)).href}`;
/** Compiles that are under way at once when boards answer from memory: as in a build on many boards. */
const JOBS_OF_MANY_BOARDS = 40;
const IDLE_SAMPLE_MS = 3_000;
/** Until then agents look for others often, and more and more rarely. */
const SETTLED_AFTER_MS = 10_000;
/** What the agent still does when the last shim has gone (acknowledgements, counts) belongs to the pass. */
const SETTLE_MS = 200;
const PROFILE_TIMEOUT_MS = 20_000;

/** Agents in network namespaces, one of them the submitter's, in a control group of its own. */
export class CostMesh {
  readonly #options: CostMeshOptions;
  readonly #cluster: Cluster;
  readonly #nodes: readonly MeshNode[];
  readonly #profileFile: string;
  readonly #stderr: number;
  /** On the file system of the trees. */
  readonly #formerOutputs: string;
  #putAwayCount = 0;
  #agentPid = 0;
  #environment: NodeJS.ProcessEnv = {};
  #idleMsPerSecond = 0;

  constructor(options: CostMeshOptions) {
    this.#options = options;
    this.#profileFile = join(options.runDirectory, 'agent.cpuprofile');
    this.#stderr = openSync(join(options.runDirectory, 'compilers.log'), 'a');
    this.#formerOutputs = mkdtempSync(join(options.cacheDirectory, 'former-outputs-'));
    this.#cluster = createCluster({ boards: options.boards });
    this.#nodes = this.#cluster.hosts.map(({ name }) => {
      const hide = name === 'laptop' ? [] : [options.cacheDirectory];
      return new MeshNode({
        name,
        home: join(options.runDirectory, name),
        launch: (argv, launchOptions) => this.#cluster.run(name, argv, { ...launchOptions, hide }),
      });
    });
  }

  /** CPU that the agent uses while nothing is asked of it, in milliseconds a second. */
  get idleMsPerSecond(): number {
    return this.#idleMsPerSecond;
  }

  /** Starts the agents, lets them find each other, and waits until they are quiet. */
  async start(): Promise<void> {
    const profiling = {
      NODE_OPTIONS: preload('profile-on-signal'),
      BENCH_PROFILE_FILE: this.#profileFile,
    };
    const remembering = {
      NODE_OPTIONS: preload('remembering-board'),
      BENCH_MEMORY: this.#memoryDirectory,
    };
    await formMesh(this.#nodes, this.#options.log, (node) =>
      node === this.#laptop ? { ...profiling, ...this.#options.settings } : remembering,
    );
    this.#environment = await this.#laptop.shimEnvironment();
    this.#agentPid = (await this.#laptop.status()).pid;
    await sleep(SETTLED_AFTER_MS);
    const before = this.#agentMs();
    await sleep(IDLE_SAMPLE_MS);
    this.#idleMsPerSecond = ((this.#agentMs() - before) * 1000) / IDLE_SAMPLE_MS;
  }

  /** From now on the boards compile only what none of them has compiled before. */
  async rememberFromNow(): Promise<void> {
    for (const node of this.#nodes) {
      if (node !== this.#laptop) process.kill((await node.status()).pid, 'SIGUSR2');
    }
  }

  /** Compiles the units through the shim and runs `gcc -E` of each, and checks every object. */
  async pass(
    name: string,
    units: readonly BenchUnit[],
    pace: Pace = { kind: 'compiling' },
  ): Promise<PassCost> {
    const { jobs } = this.#options;
    for (const unit of units) this.#putAway(unit);
    const compiles = units.map(({ compile }) => compile);
    const preprocesses = units.map(({ preprocess }) => preprocess);
    const sum = (costs: readonly CommandCost[]): number =>
      costs.reduce((total, { cpuMs }) => total + cpuMs, 0);
    const isRemembering = pace.kind === 'remembering';
    const apart = isRemembering ? sum(await this.#run(preprocesses, availableParallelism())) : 0;
    const missesBefore = this.#misses();
    const jobsBefore = await this.#jobs();
    const cpuBefore = this.#agentMs();
    const started = performance.now();
    const costs = isRemembering
      ? await this.#run(compiles, JOBS_OF_MANY_BOARDS, pace.perSecond)
      : await this.#run([...alternate(compiles, preprocesses)], jobs);
    const wallMs = performance.now() - started;
    await sleep(SETTLE_MS);
    const agentMs = this.#agentMs() - cpuBefore;
    const jobsAfter = await this.#jobs();
    return {
      name,
      units: units.length,
      shimMs: sum(isRemembering ? costs : costs.filter((_, index) => index % 2 === 0)),
      agentMs,
      idleMs: (this.#idleMsPerSecond * (wallMs + SETTLE_MS)) / 1000,
      preprocessMs: isRemembering ? apart : sum(costs.filter((_, index) => index % 2 === 1)),
      wallMs,
      missedJobs: isRemembering ? this.#misses() - missesBefore : 0,
      comparedUnits: comparedUnits(jobsAfter) - comparedUnits(jobsBefore),
      localUnits: units.length - (jobsAfter.remoteJobs - jobsBefore.remoteJobs),
      differentObjects: units.filter((unit) => !isAsExpected(unit)).length,
    };
  }

  /** A pass under the CPU profiler; returns the file with the profile. */
  async profiledPass(
    name: string,
    units: readonly BenchUnit[],
    pace: Pace,
  ): Promise<{ cost: PassCost; profileFile: string }> {
    rmSync(this.#profileFile, { force: true });
    process.kill(this.#agentPid, 'SIGUSR2');
    await sleep(500);
    const cost = await this.pass(name, units, pace);
    process.kill(this.#agentPid, 'SIGUSR2');
    const deadline = performance.now() + PROFILE_TIMEOUT_MS;
    while (!existsSync(this.#profileFile)) {
      if (performance.now() > deadline) {
        throw new BenchError(
          `the agent wrote no CPU profile in ${PROFILE_TIMEOUT_MS / 1000} s; its log is ${this.#laptop.agentLog}`,
        );
      }
      await sleep(100);
    }
    return { cost, profileFile: this.#profileFile };
  }

  /** Resident memory of the agent now and at most, in bytes. */
  memory(): { residentBytes: number; peakBytes: number } {
    const text = readFileSync(`/proc/${this.#agentPid}/status`, 'utf8');
    const bytes = (name: string): number =>
      Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1024;
    return { residentBytes: bytes('VmRSS'), peakBytes: bytes('VmHWM') };
  }

  async stop(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.stop()));
    this.#cluster.destroy();
    rmSync(this.#formerOutputs, { recursive: true, force: true });
  }

  get #laptop(): MeshNode {
    const [laptop] = this.#nodes;
    if (!laptop) throw new BenchError('the cluster has no laptop');
    return laptop;
  }

  /**
   * What an earlier pass has made is moved away and not removed: ext4 looks for the inode of a new file past all that
   * were freed within the last minutes, one by one, which made up to half of what the shim costs.
   */
  #putAway({ compile }: BenchUnit): void {
    for (const path of [outputFileOf(compile), depfileOf(compile)]) {
      if (path === undefined || !existsSync(path)) continue;
      renameSync(path, join(this.#formerOutputs, String(++this.#putAwayCount)));
    }
  }

  #agentMs(): number {
    return this.#cluster.cpuUsage('laptop').cpuSeconds * 1000;
  }

  get #memoryDirectory(): string {
    return join(this.#options.runDirectory, 'memory');
  }

  #misses(): number {
    const file = join(this.#memoryDirectory, MISSES_FILE);
    return existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0;
  }

  async #jobs(): Promise<RunSummary> {
    return (await this.#laptop.status()).jobs;
  }

  async #run(commands: readonly ListedCommand[], jobs: number, perSecond?: number): Promise<CommandCost[]> {
    const options = { env: this.#environment, stderr: this.#stderr };
    const pace = perSecond === undefined ? {} : { perSecond };
    const costs = await runList(this.#options.listRunner, commands, jobs, { ...options, ...pace });
    const failed = costs.findIndex(({ status }) => status !== 0);
    if (failed < 0) return costs;
    const { cwd, argv } = commands[failed]!;
    throw new BenchError(
      `a compile ended with ${costs[failed]?.status}: ${argv.join(' ')}\n  in ${cwd}; log: ${join(this.#options.runDirectory, 'compilers.log')}`,
    );
  }
}

function* alternate<Item>(some: readonly Item[], others: readonly Item[]): Generator<Item> {
  for (const [index, item] of some.entries()) {
    yield item;
    const other = others[index];
    if (other !== undefined) yield other;
  }
}

function isAsExpected(unit: BenchUnit): boolean {
  return readFileSync(outputFileOf(unit.compile)).equals(readFileSync(unit.expectedObject));
}
