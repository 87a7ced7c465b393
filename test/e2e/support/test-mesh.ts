/**
 * A real mesh on the loopback device: agents as child processes, paired with each other, and a masquerade
 * directory in front of the compilers. Each mesh has an id of its own, so that test files can run side by side.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { JobView } from '../../../src/agent/index.ts';
import type { BuildSummary } from '../../../src/observe/index.ts';
import { killQuietly, onProcessEnd } from '../../support/process-end.ts';
import { processesMentioning } from './process-table.ts';
import {
  type CommandOptions,
  type Ended,
  type RunningCommand,
  runCommand,
  startCommand,
} from './run-command.ts';
import { TestNode, type TestNodeOptions } from './test-node.ts';
import { until, untilTrue } from './until.ts';

export interface TestMeshOptions {
  /** Names of the nodes that compile for `laptop`; default: one, `board1`. */
  readonly boards?: readonly string[];
  readonly laptop?: TestNodeOptions;
  readonly board?: TestNodeOptions;
}

/** A compile or build through the shims, with where its calls went. */
export interface MeshRun extends Ended {
  readonly buildId: string;
  /** One record per compiler call, oldest first. */
  readonly jobs: readonly JobView[];
}

export interface MeshCommandOptions extends Omit<CommandOptions, 'cwd' | 'env'> {
  readonly cwd?: string;
  /** Over the plain environment of the laptop. */
  readonly env?: NodeJS.ProcessEnv;
}

/** For a laptop that believes new nodes at once, so that the first unit of a test travels whatever its outputs are. */
export const BELIEVING: readonly string[] = ['--verify-probation', '0'];

const CONNECT_LIMIT_MS = 60_000;
const RECORD_LIMIT_MS = 60_000;

export class TestMesh {
  /** Holds everything; short, because socket paths must fit 107 bytes. */
  readonly root = mkdtempSync('/tmp/mc-e2e-');
  /** For the test's sources. */
  readonly work = join(this.root, 'work');
  readonly laptop: TestNode;
  readonly boards: readonly TestNode[];
  readonly #removeRoot: () => void;
  readonly #others: TestNode[] = [];
  #shims = '';
  #builds = 0;

  private constructor(options: TestMeshOptions) {
    this.#removeRoot = onProcessEnd(() => rmSync(this.root, { recursive: true, force: true }));
    mkdirSync(this.work);
    this.laptop = new TestNode(this.root, 'laptop', options.laptop);
    this.boards = (options.boards ?? ['board1']).map((name) => new TestNode(this.root, name, options.board));
  }

  /** Starts and pairs all nodes, and waits until the laptop is connected to every board. */
  static async start(options: TestMeshOptions = {}): Promise<TestMesh> {
    const mesh = new TestMesh(options);
    try {
      await Promise.all([mesh.laptop, ...mesh.boards].map((node) => node.start()));
      for (const board of mesh.boards) await mesh.pair(board);
      mesh.#shims = (await mesh.laptop.cli(['shims'])).stdout.toString('utf8').trim();
      await mesh.connected();
      return mesh;
    } catch (error) {
      const logs = mesh.logs();
      await mesh.close();
      throw new Error(`the mesh did not start: ${String(error)}\n${logs}`, { cause: error });
    }
  }

  /** Starts a further node, which belongs to no mesh yet. */
  async addNode(name: string, options: TestNodeOptions = {}): Promise<TestNode> {
    const node = new TestNode(this.root, name, options);
    this.#others.push(node);
    await node.start();
    return node;
  }

  /** The masquerade directory. */
  get shims(): string {
    return this.#shims;
  }

  /** Admits a node to the laptop's mesh. */
  async pair(node: TestNode): Promise<void> {
    const { code, port } = await this.laptop.ask<{ code: string; port: number }>('POST', '/v1/invite', {});
    await node.ask('POST', '/v1/join', { code, address: `127.0.0.1:${port}` });
  }

  /** Waits until the laptop is connected to that many nodes; default: all boards that run. */
  async connected(count = this.boards.filter((board) => board.isRunning).length): Promise<void> {
    await untilTrue(
      `${count} nodes connected`,
      CONNECT_LIMIT_MS,
      async () => (await this.laptop.status()).connectedNodes === count,
    );
  }

  /** The environment of a build: shims first in PATH, and nothing of the machine's own settings. */
  buildEnv(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
    const { PATH, HOME, MESHCC_HOME } = this.laptop.env;
    return { PATH: `${this.#shims}:${PATH}`, HOME, MESHCC_HOME, ...extra };
  }

  /** The same without the mesh. */
  plainEnv(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
    const { PATH, HOME } = this.laptop.env;
    return { PATH, HOME, ...extra };
  }

  /** Starts a command with the mesh behind its compilers. */
  begin(argv: readonly string[], options: MeshCommandOptions = {}): RunningCommand & { buildId: string } {
    const buildId = `build-${++this.#builds}`;
    const env = this.buildEnv({ MESHCC_BUILD: buildId, ...options.env });
    return { buildId, ...startCommand(argv, { ...options, cwd: options.cwd ?? this.work, env }) };
  }

  /** Runs a command with the mesh behind its compilers, to its end. */
  async run(argv: readonly string[], options: MeshCommandOptions = {}): Promise<MeshRun> {
    const command = this.begin(argv, options);
    const ended = await command.ended;
    const jobs = this.laptop.isRunning ? await this.laptop.jobs(command.buildId) : [];
    return { ...ended, buildId: command.buildId, jobs };
  }

  /** One compiler call through the shim; waits for its record. */
  async compile(
    args: readonly string[],
    options: MeshCommandOptions & { compiler?: string } = {},
  ): Promise<MeshRun & { readonly job: JobView }> {
    const { compiler = 'gcc', ...rest } = options;
    const run = await this.run([compiler, ...args], rest);
    // The shim may end a moment before the agent has read that everything is in place.
    const jobs = await until(`a record of ${compiler} ${args.join(' ')}`, RECORD_LIMIT_MS, async () => {
      const found = await this.laptop.jobs(run.buildId);
      return found.length > 0 ? found : undefined;
    });
    return { ...run, jobs, job: jobs[0] as JobView };
  }

  /** The same call without the mesh. */
  plain(argv: readonly string[], options: MeshCommandOptions = {}): Promise<Ended> {
    const env = this.plainEnv(options.env);
    return runCommand(argv, { ...options, cwd: options.cwd ?? this.work, env });
  }

  /** What a build's calls came to. */
  summary(buildId: string): Promise<BuildSummary> {
    return this.laptop.ask('GET', `/v1/builds?id=${buildId}`);
  }

  /** The end of every node's log, for a failing test. */
  logs(): string {
    return this.#allNodes
      .map((node) => {
        try {
          return `--- ${node.name}\n${node.log.slice(-4000)}`;
        } catch {
          return `--- ${node.name}: no log`;
        }
      })
      .join('\n');
  }

  /** Runs the body; if it fails, the agents' logs become part of the error. */
  async explaining<T>(body: () => Promise<T>): Promise<T> {
    try {
      return await body();
    } catch (error) {
      if (error instanceof Error) error.message += `\n${this.logs()}`;
      throw error;
    }
  }

  /** Ends all nodes and removes everything. Never throws: it runs after failures too. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#allNodes.map((node) => node.stop()));
    for (const { pid } of processesMentioning(this.root)) killQuietly(pid);
    this.#removeRoot();
  }

  get #allNodes(): TestNode[] {
    return [this.laptop, ...this.boards, ...this.#others];
  }
}
