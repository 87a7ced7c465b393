/**
 * A small cluster on one machine, for tests and benchmarks that are run by root: every host is a network
 * namespace on one bridge, with a rate limit and a share of the CPU if asked. Traffic stays inside.
 */
import { type ChildProcess, execFileSync, type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { type CpuGroup, type CpuUsage, createCpuGroup, removeStaleGroups } from './cpu-group.ts';
import { killQuietly, onProcessEnd, pauseSync } from './process-end.ts';

/** What a cluster looks like. */
export interface ClusterOptions {
  /** Number of hosts besides `laptop`; they are called `board1`, `board2`, … */
  readonly boards: number;
  /** First three octets, e.g. `10.88.7`; random if left out. laptop is .1, board N is .(10+N). */
  readonly subnet?: string;
  /** Rate of every link in each direction, as tc writes it (`100mbit`); unlimited if left out. */
  readonly rate?: string;
  /** Added to every packet that a host sends and receives, so that a round trip takes four times as long. Needs sch_netem. */
  readonly delayMs?: number;
  /** CPU quota in cores; a host without one has no limit. Quietly without effect where cgroups cannot be written. */
  readonly cpuCores?: { readonly laptop?: number; readonly board?: number };
}

/** One host of a cluster. */
export interface ClusterHost {
  readonly name: string;
  /** Name for `ip netns`. */
  readonly namespace: string;
  readonly address: string;
  /** The switch's side of its cable. */
  readonly port: string;
}

/** Bytes that went over a host's cable since it was made, counted at the switch. */
export interface HostTraffic {
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly droppedPackets: number;
}

/** How a program is run in a host. */
export interface RunOptions extends SpawnOptions {
  /** Directories that the program shall see as empty (private tmpfs). */
  readonly hide?: readonly string[];
}

/** A running cluster. */
export interface Cluster {
  readonly hosts: readonly ClusterHost[];
  /** @throws Error if there is no such host */
  host(name: string): ClusterHost;
  /** True if the CPU quotas that were asked for are in force. */
  readonly hasQuotas: boolean;
  /** Starts a program in a host; the pid is the program's own. `/sys` shows the host's network. */
  run(host: string, argv: readonly string[], options?: RunOptions): ChildProcess;
  /** What the processes of a host, past ones included, used of the CPU. @throws Error where that is not counted */
  cpuUsage(host: string): CpuUsage;
  /**
   * What went over a host's cable. The kernel hands TCP over virtual cables in packets of up to 64 KiB, so that
   * headers are counted once for many; payload is exact.
   */
  traffic(host: string): HostTraffic;
  /** A black hole: nothing gets through, and nobody is told (the carrier stays). */
  cut(host: string): void;
  /** The cable is pulled: both ends see the carrier go. */
  unplug(host: string): void;
  /** Undoes {@link cut} and {@link unplug}. */
  heal(host: string): void;
  /** Kills what runs in the hosts and removes everything. Also done when this process ends. */
  destroy(): void;
}

const NAMESPACE = /^meshcc(\d+)n(\d+)-/;
const NETNS_DIRECTORY = '/run/netns';
let clusters = 0;

/** True if this process may make network namespaces. */
export function canMakeClusters(): boolean {
  return process.getuid?.() === 0 && spawnSync('ip', ['netns', 'list']).status === 0;
}

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

function namespaces(): string[] {
  return existsSync(NETNS_DIRECTORY) ? readdirSync(NETNS_DIRECTORY) : [];
}

function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}`);
}

/** Kills whoever is inside a namespace that we made (again, for those that were just being born), then removes it. */
function removeNamespace(namespace: string): void {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const { stdout } = spawnSync('ip', ['netns', 'pids', namespace], { encoding: 'utf8' });
    const pids = stdout.split(/\s+/).filter(Boolean).map(Number);
    if (pids.length === 0) break;
    for (const pid of pids) killQuietly(pid);
    pauseSync(20);
  }
  spawnSync('ip', ['netns', 'del', namespace]);
}

/** Removes what runs that were killed (SIGKILL) left behind: their pid is in the names. */
function removeStale(): void {
  for (const namespace of namespaces()) {
    const pid = NAMESPACE.exec(namespace)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) removeNamespace(namespace);
  }
  removeStaleGroups(isAlive);
}

/** Rate and delay of one end of a cable. Both at once are a chain: netem outside, the rate limit inside. */
function shape(namespace: string, device: string, { rate, delayMs }: ClusterOptions): void {
  const tc = (...args: string[]): void => {
    const add = ['-n', namespace, 'qdisc', 'add', 'dev', device];
    execFileSync('tc', [...add, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  };
  if (delayMs !== undefined) tc('root', 'handle', '1:', 'netem', 'delay', `${delayMs}ms`);
  if (rate === undefined) return;
  const place = delayMs === undefined ? ['root'] : ['parent', '1:1'];
  tc(...place, 'tbf', 'rate', rate, 'burst', '256kb', 'latency', '50ms');
}

function addHost(bridge: string, host: ClusterHost, options: ClusterOptions): void {
  const { port } = host;
  ip('netns', 'add', host.namespace);
  ip('-n', bridge, 'link', 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', host.namespace);
  ip('-n', bridge, 'link', 'set', port, 'master', 'br0', 'up');
  ip('-n', host.namespace, 'link', 'set', 'lo', 'up');
  ip('-n', host.namespace, 'addr', 'add', `${host.address}/24`, 'broadcast', '+', 'dev', 'eth0');
  ip('-n', host.namespace, 'link', 'set', 'eth0', 'up');
  shape(bridge, port, options);
  shape(host.namespace, 'eth0', options);
}

function nameHosts(prefix: string, options: ClusterOptions): ClusterHost[] {
  const random = (): number => Math.floor(Math.random() * 254) + 1;
  const subnet = options.subnet ?? `10.88.${random()}`;
  const names = ['laptop', ...Array.from({ length: options.boards }, (_, index) => `board${index + 1}`)];
  return names.map((name, index) => ({
    name,
    namespace: `${prefix}-${name}`,
    address: `${subnet}.${index === 0 ? 1 : 10 + index}`,
    port: `port${index}`,
  }));
}

/** The command that joins the group, enters the host, hides directories, and becomes `argv`. */
function wrapCommand(
  host: ClusterHost,
  memberFiles: readonly string[],
  hide: readonly string[],
  argv: readonly string[],
): string[] {
  // Every step replaces the one before by exec, so that the pid that the caller kills is the program's.
  const join = ['sh', '-c', 'for file in $0; do echo $$ > "$file"; done; exec "$@"', memberFiles.join(' ')];
  const enter = ['ip', 'netns', 'exec', host.namespace];
  const veil =
    'while [ "$1" != -- ]; do mount -t tmpfs tmpfs "$1" || exit 125; shift; done; shift; exec "$@"';
  const hiding = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', veil, 'sh', ...hide, '--'];
  return [...join, ...enter, ...(hide.length > 0 ? hiding : []), ...argv];
}

/** What is used of the answer of `ip -s -j link show`. */
interface LinkStatistics {
  readonly stats64: Readonly<Record<'rx' | 'tx', { readonly bytes: number; readonly dropped: number }>>;
}

class NetnsCluster implements Cluster {
  readonly hosts: readonly ClusterHost[];
  readonly #bridge: string;
  readonly #groups = new Map<string, CpuGroup>();
  readonly #removeOnce: () => void;

  constructor(prefix: string, options: ClusterOptions) {
    this.#bridge = `${prefix}-switch`;
    this.hosts = nameHosts(prefix, options);
    this.#removeOnce = onProcessEnd(() => this.#remove());
  }

  build(options: ClusterOptions): void {
    ip('netns', 'add', this.#bridge);
    // Without snooping every multicast frame reaches every port, as on a plain switch.
    const plain = ['forward_delay', '0', 'mcast_snooping', '0'];
    ip('-n', this.#bridge, 'link', 'add', 'br0', 'type', 'bridge', ...plain);
    ip('-n', this.#bridge, 'link', 'set', 'br0', 'up');
    for (const host of this.hosts) {
      addHost(this.#bridge, host, options);
      const cores = host.name === 'laptop' ? options.cpuCores?.laptop : options.cpuCores?.board;
      this.#groups.set(host.name, createCpuGroup(host.namespace, cores));
    }
  }

  get hasQuotas(): boolean {
    return [...this.#groups.values()].every((group) => group.memberFiles.length > 0);
  }

  host(name: string): ClusterHost {
    const host = this.hosts.find((one) => one.name === name);
    if (!host) throw new Error(`no host ${name}; there are ${this.hosts.map((one) => one.name).join(' ')}`);
    return host;
  }

  run(name: string, argv: readonly string[], options: RunOptions = {}): ChildProcess {
    const { hide = [], ...spawnOptions } = options;
    const memberFiles = this.#groups.get(name)?.memberFiles ?? [];
    const [program = '', ...rest] = wrapCommand(this.host(name), memberFiles, hide, argv);
    return spawn(program, rest, spawnOptions);
  }

  cpuUsage(name: string): CpuUsage {
    const group = this.#groups.get(this.host(name).name);
    if (!group) throw new Error(`${name} has no control group`);
    return group.usage();
  }

  traffic(name: string): HostTraffic {
    const args = ['-n', this.#bridge, '-s', '-j', 'link', 'show', 'dev', this.host(name).port];
    const [link]: readonly LinkStatistics[] = JSON.parse(execFileSync('ip', args, { encoding: 'utf8' }));
    if (!link) throw new Error(`ip tells nothing about the link of ${name}`);
    const { rx, tx } = link.stats64;
    // The switch receives what the host sends.
    return { sentBytes: rx.bytes, receivedBytes: tx.bytes, droppedPackets: rx.dropped + tx.dropped };
  }

  cut(name: string): void {
    this.#setPort(name, 'nomaster');
  }

  unplug(name: string): void {
    this.#setPort(name, 'down');
  }

  heal(name: string): void {
    this.#setPort(name, 'master', 'br0', 'up');
  }

  destroy(): void {
    this.#removeOnce();
  }

  #setPort(name: string, ...change: string[]): void {
    ip('-n', this.#bridge, 'link', 'set', this.host(name).port, ...change);
  }

  #remove(): void {
    const present = namespaces();
    for (const host of this.hosts) {
      if (present.includes(host.namespace)) removeNamespace(host.namespace);
      this.#groups.get(host.name)?.remove();
    }
    if (present.includes(this.#bridge)) removeNamespace(this.#bridge);
  }
}

/**
 * Makes a cluster: `laptop` and the boards, each with eth0 on one bridge. There is no default route.
 * @throws Error if the machine refuses (not root, no namespaces, unknown rate); nothing is left then
 */
export function createCluster(options: ClusterOptions): Cluster {
  removeStale();
  clusters += 1;
  const cluster = new NetnsCluster(`meshcc${process.pid}n${clusters}`, options);
  try {
    cluster.build(options);
    return cluster;
  } catch (error) {
    cluster.destroy();
    throw error;
  }
}
