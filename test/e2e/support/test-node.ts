/** One real agent as a child process, with a home directory of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { JobView, NodeView, StatusView } from '../../../src/agent/index.ts';
import { agentPaths } from '../../../src/base/paths.ts';
import { askAgent } from '../../../src/cli/control-client.ts';
import { killQuietly, onProcessEnd } from '../../support/process-end.ts';
import { type CommandOptions, type Ended, runCommand } from './run-command.ts';
import { settlesWithin, until } from './until.ts';

/** The compiled command line tool. */
export const CLI_MAIN = fileURLToPath(new URL('../../../src/cli/main.js', import.meta.url));

const START_LIMIT_MS = 120_000;
const STOP_LIMIT_MS = 60_000;

/** How an agent's process ended. */
export interface NodeExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface TestNodeOptions {
  /** Further options of `meshcc agent`. */
  readonly args?: readonly string[];
  /** Further environment of the agent. */
  readonly env?: NodeJS.ProcessEnv;
  /** A command, and its first arguments, that runs the agent. */
  readonly launcher?: readonly [string, ...string[]];
}

export class TestNode {
  readonly name: string;
  readonly home: string;
  /** Environment of commands for this node: nothing of the machine's own settings. */
  readonly env: NodeJS.ProcessEnv;
  readonly #options: TestNodeOptions;
  readonly #logPath: string;
  #child: ChildProcess | undefined;
  #exited: Promise<NodeExit> = Promise.resolve({ code: 0, signal: null });

  /** @param root directory of the mesh; the node's home becomes `root/name` */
  constructor(root: string, name: string, options: TestNodeOptions = {}) {
    this.name = name;
    this.home = join(root, name);
    this.#options = options;
    this.#logPath = join(root, `${name}.log`);
    mkdirSync(this.home, { mode: 0o700 });
    this.env = {
      PATH: `/usr/bin:/bin:${join(process.execPath, '..')}`,
      HOME: this.home,
      MESHCC_HOME: this.home,
      MESHCC_NAME: name,
      MESHCC_INTERFACES: 'lo',
      MESHCC_PORT: '0',
      ...options.env,
    };
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** True while the process has not ended. */
  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The end of the process that was started last. */
  get exited(): Promise<NodeExit> {
    return this.#exited;
  }

  /** Everything that the agent has printed, over all its starts. */
  get log(): string {
    return readFileSync(this.#logPath, 'utf8');
  }

  /** Starts the agent and waits until it answers. @throws Error with its log if it does not */
  async start(): Promise<void> {
    this.launch();
    await until(`agent ${this.name} answers`, START_LIMIT_MS, async () => {
      if (!this.isRunning) {
        const { code, signal } = await this.#exited;
        throw new Error(`agent ${this.name} has ended with ${code ?? signal}:\n${this.log.slice(-4000)}`);
      }
      return this.status().catch(() => undefined);
    });
  }

  /** Starts the process without waiting for it. */
  launch(): void {
    const log = openSync(this.#logPath, 'a');
    const command = [process.execPath, CLI_MAIN, 'agent', ...(this.#options.args ?? [])];
    const [program = '', ...args] = [...(this.#options.launcher ?? []), ...command];
    const child = spawn(program, args, { env: this.env, stdio: ['ignore', log, log] });
    closeSync(log);
    const forget = onProcessEnd(() => {
      if (child.exitCode === null && child.signalCode === null) killQuietly(child.pid ?? 0);
    });
    this.#child = child;
    this.#exited = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        forget();
        resolve({ code, signal });
      });
    });
    this.#exited.catch(() => {});
  }

  /** Asks the agent over its control socket. @throws MeshError as the commands do */
  ask<Answer>(method: 'GET' | 'POST', path: string, body?: object): Promise<Answer> {
    return askAgent<Answer>(agentPaths(this.env).controlSocket, method, path, body);
  }

  status(): Promise<StatusView> {
    return this.ask('GET', '/v1/status');
  }

  async nodes(): Promise<NodeView[]> {
    return (await this.ask<{ nodes: NodeView[] }>('GET', '/v1/nodes')).nodes;
  }

  /** The finished calls of one build, oldest first. */
  async jobs(buildId: string): Promise<JobView[]> {
    const query = new URLSearchParams({ build: buildId, limit: '5000' });
    return (await this.ask<{ jobs: JobView[] }>('GET', `/v1/jobs?${query}`)).jobs;
  }

  /** Runs `meshcc` with these arguments for this node. */
  cli(args: readonly string[], options: Partial<CommandOptions> = {}): Promise<Ended> {
    return runCommand([process.execPath, CLI_MAIN, ...args], { cwd: this.home, env: this.env, ...options });
  }

  /** Signals the agent's process alone. */
  signal(signal: NodeJS.Signals): void {
    if (this.isRunning) process.kill(this.pid, signal);
  }

  /** SIGKILL, and wait for the end. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.#exited;
  }

  /** Ends the agent without finishing what is under way; kills it if that takes too long. */
  async stop(): Promise<void> {
    if (!this.isRunning) return;
    this.signal('SIGCONT');
    await this.ask('POST', '/v1/stop', { now: true }).catch(() => this.signal('SIGTERM'));
    if (!(await settlesWithin(this.#exited, STOP_LIMIT_MS))) await this.kill();
  }
}
