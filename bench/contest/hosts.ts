/** The laptop and the boards of one run: programs in them, and what they used. */
import type { ChildProcess } from 'node:child_process';
import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { type Cluster, type ClusterHost, createCluster, type RunOptions } from '../../test/support/netns.ts';
import { BenchError } from '../bench-error.ts';
import { endProcess, hasEnded } from '../end-process.ts';
import { logTail, plainEnvironment } from '../workloads/index.ts';

/** What the machine is made to look like. */
export interface ClusterShape {
  readonly boards: number;
  /** CPU quotas, in cores. */
  readonly laptopCores: number;
  readonly boardCores: number;
  /** Of every link in each direction, as tc writes it; undefined for no limit. */
  readonly rate: string | undefined;
  /** Of every packet on each link and in each direction; undefined for none. */
  readonly delayMs: number | undefined;
}

/** What one host used since the cluster was made, or in an interval. */
export interface HostCounters {
  readonly cpuSeconds: number;
  readonly throttledSeconds: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly droppedPackets: number;
}

/** A program in the background of a host. */
export interface Daemon {
  readonly logFile: string;
  stop(): Promise<void>;
}

/** How a program of a contestant is run. */
export interface ProgramOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Directories that shall be empty and the program's own, beside the sources on boards. */
  readonly hide?: readonly string[];
}

/** A cluster with a directory for each host. */
export class BenchHosts {
  readonly boards: readonly ClusterHost[];
  readonly laptop: ClusterHost;
  readonly #cluster: Cluster;
  readonly #directory: string;
  readonly #hiddenFromBoards: readonly string[];

  /**
   * @param directory becomes the parent of the hosts' own directories
   * @param hiddenFromBoards where the sources are: whatever a board compiles, it got over the network
   * @throws BenchError if the machine refuses
   */
  constructor(shape: ClusterShape, directory: string, hiddenFromBoards: readonly string[]) {
    this.#cluster = makeCluster(shape);
    this.#directory = directory;
    this.#hiddenFromBoards = hiddenFromBoards;
    const [laptop, ...boards] = this.#cluster.hosts;
    if (!laptop) throw new BenchError('the cluster has no laptop');
    this.laptop = laptop;
    this.boards = boards;
    for (const { name } of this.#cluster.hosts) mkdirSync(this.directoryOf(name), { recursive: true });
    // Daemons change to users of their own.
    for (const { name } of this.#cluster.hosts) chmodSync(this.directoryOf(name), 0o1777);
  }

  /** The host's own directory, TMPDIR of its daemons. Anybody may write there. */
  directoryOf(host: string): string {
    return join(this.#directory, host);
  }

  /** Starts a program in a host. */
  run(host: string, argv: readonly string[], options: RunOptions): ChildProcess {
    const hidden = host === this.laptop.name ? [] : this.#hiddenFromBoards;
    return this.#cluster.run(host, argv, { ...options, hide: [...hidden, ...(options.hide ?? [])] });
  }

  /** Starts a program in the background, with its output in a log file of that name. */
  startDaemon(host: string, name: string, argv: readonly string[], options: ProgramOptions = {}): Daemon {
    const logFile = join(this.directoryOf(host), `${name}.log`);
    const log = openSync(logFile, 'a', 0o666);
    const env = { ...(options.env ?? plainEnvironment()), TMPDIR: this.directoryOf(host) };
    const cwd = options.cwd ?? this.directoryOf(host);
    const child = this.run(host, argv, { ...options, env, cwd, stdio: ['ignore', log, log] });
    closeSync(log);
    return { logFile, stop: () => endProcess(child) };
  }

  /**
   * Runs a program of a contestant to its end, with its output in a log file.
   * @throws BenchError if it does not exit with 0
   */
  async runToEnd(
    host: string,
    name: string,
    argv: readonly string[],
    options: ProgramOptions = {},
  ): Promise<string> {
    const logFile = join(this.directoryOf(host), `${name}.log`);
    const log = openSync(logFile, 'w', 0o666);
    const env = options.env ?? plainEnvironment();
    const cwd = options.cwd ?? this.directoryOf(host);
    const child = this.run(host, argv, { ...options, env, cwd, stdio: ['ignore', log, log] });
    closeSync(log);
    const [code] = hasEnded(child) ? [child.exitCode] : await onceExit(child);
    if (code === 0) return logFile;
    throw new BenchError(
      `${argv.join(' ')}\n  on ${host} ended with ${code}. Its output:\n${logTail(logFile)}`,
    );
  }

  /** Counters of every host since the cluster was made. */
  counters(): Map<string, HostCounters> {
    return new Map(
      this.#cluster.hosts.map(({ name }) => [
        name,
        { ...this.#cluster.cpuUsage(name), ...this.#cluster.traffic(name) },
      ]),
    );
  }

  /** Kills whatever still runs in the hosts and removes them. */
  destroy(): void {
    this.#cluster.destroy();
  }
}

function onceExit(child: ChildProcess): Promise<[number | null]> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve([code]));
  });
}

function makeCluster({ boards, laptopCores, boardCores, rate, delayMs }: ClusterShape): Cluster {
  let cluster: Cluster;
  try {
    cluster = createCluster({
      boards,
      cpuCores: { laptop: laptopCores, board: boardCores },
      ...(rate === undefined ? {} : { rate }),
      ...(delayMs === undefined ? {} : { delayMs }),
    });
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    const advice =
      delayMs !== undefined && /unknown|netem/i.test(said)
        ? ' This kernel cannot delay packets (it has no sch_netem): leave --delay out.'
        : '';
    throw new BenchError(`cannot make the hosts: ${said.trim()}.${advice}`, { cause: error });
  }
  if (cluster.hasQuotas) return cluster;
  cluster.destroy();
  throw new BenchError(
    'this machine does not let us make control groups with CPU quotas (cgroup v1 cpu and cpuacct, or v2 with the cpu controller, writable): without them the hosts are not slow, and their CPU time cannot be told apart',
  );
}
