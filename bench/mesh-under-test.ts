/**
 * The few calls of the `meshcc` command line that benchmarks use, and nothing else of the product: what is
 * measured is what a user would type. If the command line changes, this file changes.
 */
import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PACKAGE_ROOT } from '../src/base/package-root.ts';
import { agentPaths } from '../src/base/paths.ts';
import { BenchError } from './bench-error.ts';
import { endProcess, hasEnded } from './end-process.ts';
import { logTail, plainEnvironment } from './workloads/index.ts';

/** Starts a program on the machine (or in the network namespace) of one node. */
export type Launch = (argv: readonly string[], options: SpawnOptions) => ChildProcess;

/** One node of the mesh that is tested. */
export interface NodeSpec {
  readonly name: string;
  /** MESHCC_HOME; logs go there too. */
  readonly home: string;
  /** The only network interface to be used; all if left out. */
  readonly interface?: string;
  readonly launch: Launch;
}

/** The part of what `meshcc run --json-summary` writes that is reported. */
export interface RunSummary {
  readonly nodes: readonly { readonly name: string; readonly jobs: number }[];
  readonly local: readonly { readonly reason: string; readonly jobs: number }[];
  readonly remoteJobs: number;
  readonly localJobs: number;
  /** Units that were compiled a second time for comparison, by what that showed; these compiles are no jobs. */
  readonly verification: Readonly<Record<'agreed' | 'wrong' | 'unrepeatable' | 'undecided', number>>;
}

/** Units that were compiled a second time for comparison. */
export function comparedUnits({ verification }: RunSummary): number {
  const { agreed, wrong, unrepeatable, undecided } = verification;
  return agreed + wrong + unrepeatable + undecided;
}

/** The part of what `meshcc status --json` prints that is used. */
export interface AgentStatus {
  readonly pid: number;
  readonly shimSocket: string;
  /** Since the agent started. */
  readonly jobs: RunSummary;
}

/** How a build under the mesh ended. */
export interface BuildOutcome {
  /** Exit code, or the name of the signal that ended it. */
  readonly exitStatus: number | string;
  readonly wallSeconds: number;
  /** Absent if the agent was killed under the build. */
  readonly summary: RunSummary | undefined;
}

const CLI = join(PACKAGE_ROOT, 'dist', 'src', 'cli', 'main.js');
const START_TIMEOUT_MS = 60_000;
/** An agent answers when it knows its compilers, which takes a slow machine its time. */
const COMMAND_TIMEOUT_MS = 180_000;
const JOIN_TIMEOUT_MS = 180_000;

/** One node: its agent and the commands that a user would type there. */
export class MeshNode {
  readonly name: string;
  readonly agentLog: string;
  readonly #spec: NodeSpec;
  readonly #summaryFile: string;
  #agent: ChildProcess | undefined;
  #build: ChildProcess | undefined;

  constructor(spec: NodeSpec) {
    this.name = spec.name;
    this.#spec = spec;
    this.agentLog = join(spec.home, 'agent.log');
    this.#summaryFile = join(spec.home, 'summary.json');
    mkdirSync(spec.home, { recursive: true, mode: 0o700 });
  }

  /**
   * `meshcc agent`, until its control socket answers.
   * @param variables added to its environment
   */
  async startAgent(variables: NodeJS.ProcessEnv = {}): Promise<void> {
    const log = openSync(this.agentLog, 'a');
    const only = this.#spec.interface === undefined ? [] : ['--interface', this.#spec.interface];
    const agent = this.#launch(['agent', '--name', this.name, ...only], {
      stdio: ['ignore', log, log],
      env: { ...this.environment(), ...variables },
    });
    closeSync(log);
    this.#agent = agent;
    const socket = agentPaths({ MESHCC_HOME: this.#spec.home }).controlSocket;
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (!(await answers(socket))) {
      if (hasEnded(agent) || Date.now() > deadline) {
        const what = hasEnded(agent)
          ? 'ended at once'
          : `did not open ${socket} in ${START_TIMEOUT_MS / 1000} s`;
        throw new BenchError(
          `the agent of ${this.name} ${what}. Log: ${this.agentLog}, its end:\n${logTail(this.agentLog)}`,
        );
      }
      await sleep(100);
    }
  }

  /** `meshcc invite` here and `meshcc join CODE` there. A code admits one node. */
  async admit(joiner: MeshNode): Promise<void> {
    const code = (await this.#command(['invite'], COMMAND_TIMEOUT_MS)).trim();
    await joiner.#command(['join', code], JOIN_TIMEOUT_MS);
  }

  /** Names of the nodes that this one is connected to, from `meshcc nodes --json`. */
  async connectedNodes(): Promise<string[]> {
    const answer: { nodes: { name: string; state: string }[] } = JSON.parse(
      await this.#command(['nodes', '--json'], COMMAND_TIMEOUT_MS),
    );
    return answer.nodes.filter((node) => node.state === 'connected').map((node) => node.name);
  }

  /** `meshcc status --json` */
  async status(): Promise<AgentStatus> {
    return JSON.parse(await this.#command(['status', '--json'], COMMAND_TIMEOUT_MS));
  }

  /** The environment of a build that calls the shims without `meshcc run`: PATH begins with `meshcc shims`. */
  async shimEnvironment(): Promise<NodeJS.ProcessEnv> {
    const directory = (await this.#command(['shims'], COMMAND_TIMEOUT_MS)).trim();
    const environment = this.environment();
    return { ...environment, PATH: `${directory}:${environment.PATH ?? ''}` };
  }

  /** `meshcc run --json-summary FILE -- COMMAND`, its output in `logFile`. */
  async build(argv: readonly string[], cwd: string, logFile: string): Promise<BuildOutcome> {
    rmSync(this.#summaryFile, { force: true });
    const log = openSync(logFile, 'a');
    const started = performance.now();
    const args = ['run', '--json-summary', this.#summaryFile, '--', ...argv];
    // A process group of its own, so that a stopped benchmark takes make and all compilers with it.
    const build = this.#launch(args, { stdio: ['ignore', log, log], cwd, detached: true });
    closeSync(log);
    this.#build = build;
    const [code, signal] = await once(build, 'exit');
    const wallSeconds = (performance.now() - started) / 1000;
    return { exitStatus: signal ?? code, wallSeconds, summary: this.summary() };
  }

  /** The same for a caller that starts the command itself, in {@link environment}. */
  buildCommand(argv: readonly string[]): string[] {
    return [process.execPath, CLI, 'run', '--json-summary', this.#summaryFile, '--', ...argv];
  }

  /** What the last build wrote. Without an agent at its end, there is only the exit status. */
  summary(): RunSummary | undefined {
    return readSummary(this.#summaryFile);
  }

  /** How often a compile turned out to need a file that was not sent with it, by the agent's log. */
  get missedInputs(): number {
    return readFileSync(this.agentLog, 'utf8').split('may have missed an input').length - 1;
  }

  /** SIGKILL, as the OOM killer or a pulled plug would. */
  killAgent(): void {
    this.#agent?.kill('SIGKILL');
  }

  /** Ends a build that still runs, then the agent: SIGTERM, and SIGKILL if that takes too long. */
  async stop(): Promise<void> {
    if (this.#build) await endProcess(this.#build, true);
    if (this.#agent) await endProcess(this.#agent);
  }

  #launch(args: readonly string[], options: SpawnOptions): ChildProcess {
    const env = this.environment();
    return this.#spec.launch([process.execPath, CLI, ...args], { cwd: this.#spec.home, env, ...options });
  }

  /** The environment that every `meshcc` of this node has. */
  environment(): NodeJS.ProcessEnv {
    return { ...plainEnvironment(), MESHCC_HOME: this.#spec.home };
  }

  async #command(args: readonly string[], timeoutMs: number): Promise<string> {
    const child = this.#launch(args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const text = { out: '', err: '' };
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (text.out += chunk));
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (text.err += chunk));
    const what = `meshcc ${args.join(' ')} on ${this.name}`;
    try {
      const [code] = await withTimeout(once(child, 'close'), timeoutMs, what);
      if (code === 0) return text.out;
      throw new BenchError(
        `${what} ended with ${code}. Log of the agent: ${this.agentLog}. It said:\n${text.err}${text.out}`,
      );
    } finally {
      await endProcess(child);
    }
  }
}

/**
 * Makes one mesh: starts all agents, lets the first one admit the others, and waits until it is connected to them.
 * @param variablesOf added to the environment of an agent
 * @throws BenchError naming the step and the logs
 */
export async function formMesh(
  nodes: readonly MeshNode[],
  log: (line: string) => void,
  variablesOf: (node: MeshNode) => NodeJS.ProcessEnv = () => ({}),
): Promise<void> {
  const [founder, ...joiners] = nodes;
  if (!founder) throw new BenchError('a mesh needs a node');
  log(`starting ${nodes.length} agents: ${nodes.map((node) => node.name).join(', ')}`);
  await Promise.all(nodes.map((node) => node.startAgent(variablesOf(node))));
  for (const joiner of joiners) {
    log(`${founder.name} invites, ${joiner.name} joins`);
    await founder.admit(joiner);
  }
  const deadline = Date.now() + JOIN_TIMEOUT_MS;
  for (;;) {
    const connected = await founder.connectedNodes();
    const missing = joiners.filter((node) => !connected.includes(node.name));
    if (missing.length === 0) break;
    if (Date.now() > deadline) {
      throw new BenchError(
        `${founder.name} is not connected to ${missing.map((node) => node.name).join(', ')} after ${JOIN_TIMEOUT_MS / 1000} s. Logs: ${nodes.map((node) => node.agentLog).join(' ')}`,
      );
    }
    await sleep(500);
  }
  log(`${founder.name} is connected to ${joiners.map((node) => node.name).join(', ')}`);
}

function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    const finish = (yes: boolean): void => {
      socket.destroy();
      resolve(yes);
    };
    socket.once('connect', () => finish(true));
    socket.once('error', () => finish(false));
  });
}

function readSummary(file: string): RunSummary | undefined {
  if (!existsSync(file)) return undefined;
  const value: Partial<RunSummary> = JSON.parse(readFileSync(file, 'utf8'));
  const { nodes, local, remoteJobs, localJobs, verification } = value;
  if (!nodes || !local || !verification || remoteJobs === undefined || localJobs === undefined)
    return undefined;
  return { nodes, local, remoteJobs, localJobs, verification };
}

async function withTimeout<T>(promise: Promise<T>, timeoutMs: number, what: string): Promise<T> {
  const abort = new AbortController();
  const late = sleep(timeoutMs, undefined, { signal: abort.signal }).then(() => {
    throw new BenchError(`${what} did not finish in ${timeoutMs / 1000} s`);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    abort.abort();
    late.catch(() => undefined);
  }
}
