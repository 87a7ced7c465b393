/** Every setting of an agent: one table that makes the command-line options, the environment variables and the docs. */
import { availableParallelism, hostname, totalmem } from 'node:os';
import { MeshError } from '../base/errors.ts';
import { parseHostPort } from '../base/host-port.ts';

/** How a setting is written. */
export type SettingType =
  | 'text'
  | 'list'
  | 'addresses'
  | 'flag'
  | 'count'
  | 'milliseconds'
  | 'seconds'
  | 'bytes'
  | 'whole'
  | 'share'
  | 'port';

interface Setting {
  /** Option of `meshcc agent`. */
  readonly option: string;
  readonly env: string;
  readonly type: SettingType;
  readonly text: string;
  /** What an option that begins with --no- does; `text` is of the setting itself. */
  readonly negatedText?: string;
  /** The only values that there are, if they can be counted. */
  readonly choices?: readonly string[];
  /** What the docs say of the default where it depends on the machine. */
  readonly defaultText?: string;
}

/** The settings, by the name under which the code knows them. */
export const SETTINGS = {
  name: {
    option: '--name <name>',
    env: 'MESHCC_NAME',
    type: 'text',
    text: 'name of this node for people',
    defaultText: 'the host name',
  },
  port: {
    option: '--port <port>',
    env: 'MESHCC_PORT',
    type: 'port',
    text: 'TCP port for other nodes; the default gives way to any free port if it is taken',
  },
  interfaces: {
    option: '--interface <names...>',
    env: 'MESHCC_INTERFACES',
    type: 'list',
    text: 'network interfaces to announce and look for nodes on',
    defaultText: 'all but virtual ones',
  },
  peers: {
    option: '--peer <host:port...>',
    env: 'MESHCC_PEERS',
    type: 'addresses',
    text: 'nodes to connect to where multicast does not reach',
    defaultText: 'none',
  },
  worker: {
    option: '--no-worker',
    env: 'MESHCC_WORKER',
    type: 'flag',
    text: 'compile for other nodes',
    negatedText: 'do not compile for other nodes',
  },
  submitter: {
    option: '--no-submitter',
    env: 'MESHCC_SUBMITTER',
    type: 'flag',
    text: 'take compiler calls on this machine',
    negatedText: 'take no compiler calls on this machine',
  },
  insecure: {
    option: '--insecure',
    env: 'MESHCC_INSECURE',
    type: 'flag',
    text: 'DANGEROUS: no encryption and no identities; anyone on the network can use this node and forge objects',
  },
  slots: {
    option: '--slots <count>',
    env: 'MESHCC_SLOTS',
    type: 'count',
    text: 'compiles that run here at once for other nodes',
    defaultText: 'the number of processors',
  },
  localSlots: {
    option: '--local-slots <count>',
    env: 'MESHCC_LOCAL_SLOTS',
    type: 'count',
    text: 'compiles that run here at once for this machine itself when the mesh cannot take them',
    defaultText: 'the number of processors + 1',
  },
  storeMaxBytes: {
    option: '--store-size <bytes>',
    env: 'MESHCC_STORE_SIZE',
    type: 'bytes',
    text: 'bound of the content store on disk (K, M, G are powers of 1024)',
  },
  scratchBytes: {
    option: '--scratch-size <bytes>',
    env: 'MESHCC_SCRATCH_SIZE',
    type: 'bytes',
    text: "memory that one submitter's running jobs may fill with outputs and temporary files",
    defaultText: 'a quarter of the memory',
  },
  memoryBytes: {
    option: '--memory-size <bytes>',
    env: 'MESHCC_MEMORY_SIZE',
    type: 'bytes',
    text: 'memory that one process of a job for another node may use, and all jobs of one submitter together where control groups can be made',
    defaultText: 'half of the memory',
  },
  compileLimitMs: {
    option: '--compile-limit <seconds>',
    env: 'MESHCC_COMPILE_LIMIT',
    type: 'seconds',
    text: 'time by the clock, and processor time of one process, that a job for another node may take here',
  },
  sandbox: {
    option: '--sandbox <rung>',
    env: 'MESHCC_SANDBOX',
    type: 'text',
    text: 'the weakest sandbox in which this node compiles for others: namespaces, chroot, or uid (no system-call filter: only for nodes named with --trust)',
    choices: ['namespaces', 'chroot', 'uid'],
  },
  trustedNodes: {
    option: '--trust <ids...>',
    env: 'MESHCC_TRUST',
    type: 'list',
    text: 'full ids of nodes (`meshcc status --json` shows them there) that are served in the sandbox uid too',
    defaultText: 'none',
  },
  compareHosts: {
    option: '--compare-hosts',
    env: 'MESHCC_COMPARE_HOSTS',
    type: 'flag',
    text: 'let compilers of one version that run on different processor architectures be compared by what they do: some seconds of processor time per compiler, at the lowest priority and while nothing else is compiled, when a member asks',
  },
  foreignHosts: {
    option: '--foreign-hosts',
    env: 'MESHCC_FOREIGN_HOSTS',
    type: 'flag',
    text: 'use compilers that other nodes run on another processor architecture, if they were found to make the same code: their results are compared more often (docs/toolchains.md); implies --compare-hosts here, and wants it there',
  },
  creditWaitMs: {
    option: '--credit-wait <seconds>',
    env: 'MESHCC_CREDIT_WAIT',
    type: 'seconds',
    text: 'how long a job waits for a free node before it is compiled locally',
  },
  jobTimeoutMs: {
    option: '--job-timeout <seconds>',
    env: 'MESHCC_JOB_TIMEOUT',
    type: 'seconds',
    text: 'how long a node may take for one job before it is compiled locally',
  },
  verifyProbation: {
    option: '--verify-probation <count>',
    env: 'MESHCC_VERIFY_PROBATION',
    type: 'whole',
    text: 'first results of each compiler on each node that are compared with a second compile before any of it is used; 0: none',
  },
  verifyRate: {
    option: '--verify-rate <share>',
    env: 'MESHCC_VERIFY_RATE',
    type: 'share',
    text: 'share of the later results that is compared, before they are used; by this machine’s own compiler only a tenth of it',
  },
  verifyForeignProbation: {
    option: '--verify-foreign-probation <count>',
    env: 'MESHCC_VERIFY_FOREIGN_PROBATION',
    type: 'whole',
    text: 'as --verify-probation, for compilers of other processor architectures (--foreign-hosts); never less than that',
  },
  verifyForeignRate: {
    option: '--verify-foreign-rate <share>',
    env: 'MESHCC_VERIFY_FOREIGN_RATE',
    type: 'share',
    text: 'as --verify-rate, for compilers of other processor architectures (--foreign-hosts), and all of it with this machine’s own compiler if no other node has it; never less than that',
  },
  idleExitMs: {
    option: '--idle-exit <seconds>',
    env: 'MESHCC_IDLE_EXIT',
    type: 'seconds',
    text: 'stop after this long without a call or a job; 0: never',
  },
  logLevel: {
    option: '--log-level <level>',
    env: 'MESHCC_LOG_LEVEL',
    type: 'text',
    text: 'debug, info, warn, error or silent',
    choices: ['debug', 'info', 'warn', 'error', 'silent'],
  },
  logFormat: {
    option: '--log-format <format>',
    env: 'MESHCC_LOG_FORMAT',
    type: 'text',
    text: 'text or json',
    choices: ['text', 'json'],
  },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;

/** The settings with their values. */
export interface AgentConfig {
  name: string;
  port: number;
  interfaces: string[];
  peers: string[];
  worker: boolean;
  submitter: boolean;
  insecure: boolean;
  slots: number;
  localSlots: number;
  storeMaxBytes: number;
  scratchBytes: number;
  memoryBytes: number;
  compileLimitMs: number;
  sandbox: string;
  trustedNodes: string[];
  compareHosts: boolean;
  foreignHosts: boolean;
  creditWaitMs: number;
  jobTimeoutMs: number;
  verifyProbation: number;
  verifyRate: number;
  verifyForeignProbation: number;
  verifyForeignRate: number;
  idleExitMs: number;
  logLevel: string;
  logFormat: string;
}

const GIB = 1024 ** 3;

/** The defaults on this machine. */
export function defaultConfig(): AgentConfig {
  return {
    name: hostname(),
    port: DEFAULT_PORT,
    interfaces: [],
    peers: [],
    worker: true,
    submitter: true,
    insecure: false,
    slots: availableParallelism(),
    localSlots: availableParallelism() + 1,
    storeMaxBytes: 5 * GIB,
    scratchBytes: Math.max(256 * 1024 ** 2, Math.floor(totalmem() / 4)),
    memoryBytes: Math.max(GIB, Math.floor(totalmem() / 2)),
    compileLimitMs: 900_000,
    sandbox: 'chroot',
    trustedNodes: [],
    compareHosts: false,
    foreignHosts: false,
    creditWaitMs: 60_000,
    jobTimeoutMs: 600_000,
    verifyProbation: 3,
    verifyRate: 0.01,
    verifyForeignProbation: 10,
    verifyForeignRate: 0.1,
    idleExitMs: 0,
    logLevel: 'info',
    logFormat: 'text',
  };
}

/** Port of the peer streams unless it is taken. */
export const DEFAULT_PORT = 9310;

/** Settings as they were written: in options (already split into lists and flags) or in the environment. */
export type WrittenSettings = Partial<Record<SettingName, string | readonly string[] | boolean>>;

/**
 * Defaults, then the environment, then the options.
 * @throws MeshError MESHCC_BAD_CONFIG naming the setting, what was given and what is expected
 */
export function loadConfig(env: NodeJS.ProcessEnv, options: WrittenSettings): AgentConfig {
  const config = defaultConfig();
  for (const name of Object.keys(SETTINGS) as SettingName[]) {
    const setting: Setting = SETTINGS[name];
    const fromEnv = env[setting.env];
    if (fromEnv !== undefined && fromEnv !== '') assign(config, name, parse(setting, fromEnv, setting.env));
    const fromOption = options[name];
    if (fromOption !== undefined) {
      assign(config, name, parse(setting, fromOption, setting.option.split(' ')[0] ?? name));
    }
  }
  return config;
}

function assign(config: AgentConfig, name: SettingName, value: unknown): void {
  Object.assign(config, { [name]: value });
}

const SIZE_UNITS: Record<string, number> = { '': 1, K: 1024, M: 1024 ** 2, G: GIB, T: 1024 * GIB };
const TRUE_WORDS = new Set(['1', 'true', 'yes', 'on']);
const FALSE_WORDS = new Set(['0', 'false', 'no', 'off']);
/** A timer that is set for longer fires at once. */
const LONGEST_SECONDS = 2_147_483;

type Written = string | readonly string[] | boolean;

function wordsOf(written: Written): string[] {
  return [written].flat().flatMap((item) =>
    String(item)
      .split(/[\s,]+/)
      .filter(Boolean),
  );
}

function parse({ type, choices }: Setting, written: Written, where: string): unknown {
  const bad = (expected: string): MeshError =>
    new MeshError('MESHCC_BAD_CONFIG', `${where} is "${String(written)}"; expected ${expected}`);
  if (type === 'list') return wordsOf(written);
  if (type === 'addresses') {
    const addresses = wordsOf(written);
    const wrong = addresses.find((address) => parseHostPort(address) === undefined);
    if (wrong === undefined) return addresses;
    const what = addresses.length > 1 ? ` (of which "${wrong}" is none)` : '';
    throw bad(`HOST:PORT, such as 10.55.0.2:${DEFAULT_PORT}${what}`);
  }
  if (type === 'flag') {
    if (typeof written === 'boolean') return written;
    const word = String(written).toLowerCase();
    if (!TRUE_WORDS.has(word) && !FALSE_WORDS.has(word)) throw bad('yes or no');
    return TRUE_WORDS.has(word);
  }
  const text = String(written);
  if (type === 'text') {
    if (choices !== undefined && !choices.includes(text)) throw bad(`one of ${choices.join(', ')}`);
    return text;
  }
  if (type === 'bytes') {
    const match = /^(\d+(?:\.\d+)?)([KMGT]?)(?:i?B)?$/i.exec(text);
    const unit = SIZE_UNITS[(match?.[2] ?? '').toUpperCase()];
    if (match === null || unit === undefined) throw bad('a size such as 500M or 5G');
    return Math.floor(Number(match[1]) * unit);
  }
  const number = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || !Number.isFinite(number)) throw bad('a number');
  if (type === 'seconds') {
    if (number > LONGEST_SECONDS) throw bad(`at most ${LONGEST_SECONDS} seconds`);
    return number * 1000;
  }
  if (type === 'share') {
    if (number > 1) throw bad('a number from 0 to 1');
    return number;
  }
  if (!Number.isInteger(number)) throw bad('a whole number');
  if (type === 'port' && number > 65_535) throw bad('a port from 0 to 65535');
  if (type === 'count' && number < 1) throw bad('a number of at least 1');
  return number;
}
