/** distcc three ways: text of the preprocessor as it is, compressed, and pump mode. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BenchError } from '../bench-error.ts';
import { plainEnvironment } from '../workloads/index.ts';
import {
  type BuildRecipe,
  type Contestant,
  type ContestContext,
  type Session,
  unwrapped,
} from './contestant.ts';
import type { Daemon } from './hosts.ts';
import { preparePump, pumpProgram } from './pump.ts';

const MASQUERADE = '/usr/lib/distcc';
const START_TIMEOUT_MS = 20_000;

/** One of the ways. */
interface Mode {
  /** After each host of DISTCC_HOSTS. */
  readonly suffix: string;
  readonly isPump: boolean;
}

async function startServers({ hosts, slotsPerBoard }: ContestContext): Promise<Daemon[]> {
  const [network] = hosts.laptop.address.split(/\.\d+$/);
  const daemons = hosts.boards.map(({ name, address }) => {
    const listen = ['--listen', address, '--allow', `${network}.0/24`, '-j', String(slotsPerBoard + 2)];
    const argv = ['distccd', '--daemon', '--no-detach', '--user', 'nobody', ...listen];
    return hosts.startDaemon(name, 'distccd', [...argv, '--log-stderr', '--log-level=info']);
  });
  const deadline = performance.now() + START_TIMEOUT_MS;
  for (const { logFile } of daemons) {
    while (!/listening on/.test(readFileSync(logFile, 'utf8'))) {
      if (performance.now() > deadline) {
        throw new BenchError(
          `distccd does not listen after ${START_TIMEOUT_MS / 1000} s; its log: ${logFile}`,
        );
      }
      await sleep(50);
    }
  }
  return daemons;
}

/**
 * Without NO_REWRITE_CROSS distcc calls x86_64-linux-gnu-gcc, whose `--version` says another name: the kernel takes
 * that for another compiler and builds everything again.
 */
function buildRecipe(
  { hosts, slotsPerBoard }: ContestContext,
  { suffix, isPump }: Mode,
  cacheDirectory: string,
): BuildRecipe {
  const home = hosts.directoryOf('laptop');
  const plain = plainEnvironment();
  const remote = hosts.boards.map(({ address }) => `${address}/${slotsPerBoard}${suffix}`);
  const path = `${MASQUERADE}:${plain.PATH ?? ''}`;
  const env = {
    ...plain,
    TMPDIR: home,
    PATH: path,
    DISTCC_HOSTS: ['--localslots=2', '--localslots_cpp=6', ...remote].join(' '),
    DISTCC_DIR: join(home, 'distcc'),
    DISTCC_LOG: join(home, 'distcc.log'),
    DISTCC_NO_REWRITE_CROSS: '1',
    DISTCC_LOCATION: '/usr/bin',
  };
  mkdirSync(env.DISTCC_DIR, { recursive: true });
  // distcc-pump puts /usr/bin before everything, so that the masquerade has to be set again inside it.
  const pump = [pumpProgram(cacheDirectory), 'env', `PATH=${path}`];
  return { env, wrap: isPump ? (command) => [...pump, ...command] : unwrapped };
}

/** Units that boards compiled with success, by the servers' logs. */
function remoteUnits({ recording }: ContestContext, daemons: readonly Daemon[]): number {
  const compiled = new Set<string>();
  for (const { logFile } of daemons) {
    const text = readFileSync(logFile, 'utf8');
    for (const [, source = ''] of text.matchAll(/COMPILE_OK.* (\S+)$/gm)) compiled.add(source);
  }
  return recording.units.filter(({ argv }) => argv.some((word) => compiled.has(word))).length;
}

async function openDistcc(context: ContestContext, mode: Mode): Promise<Session> {
  const daemons = await startServers(context);
  return {
    ready: async () => buildRecipe(context, mode, context.cacheDirectory),
    facts: async () => ({
      localUnits: context.recording.units.length - remoteUnits(context, daemons),
      logs: [
        join(context.hosts.directoryOf('laptop'), 'distcc.log'),
        ...daemons.map(({ logFile }) => logFile),
      ],
    }),
    close: async () => {
      await Promise.all(daemons.map((daemon) => daemon.stop()));
    },
  };
}

/** distcc as it is set up by default. */
export const distcc: Contestant = {
  name: 'distcc',
  legs: [{ name: 'distcc', title: 'distcc' }],
  compilesOn: 'boards',
  packages: ['distcc'],
  open: (context) => openDistcc(context, { suffix: '', isPump: false }),
};

/** distcc with compression, for slow links. */
export const distccLzo: Contestant = {
  name: 'distcc-lzo',
  legs: [{ name: 'distcc-lzo', title: 'distcc, lzo' }],
  compilesOn: 'boards',
  packages: ['distcc'],
  open: (context) => openDistcc(context, { suffix: ',lzo', isPump: false }),
};

/** distcc's pump mode: headers travel, boards preprocess. */
export const pump: Contestant = {
  name: 'pump',
  legs: [{ name: 'pump', title: 'distcc pump (repaired)' }],
  compilesOn: 'boards',
  packages: [
    'distcc',
    'distcc-pump',
    'gcc',
    'make',
    'autoconf',
    'automake',
    'libiberty-dev',
    'libpopt-dev',
    'python3-dev',
  ],
  prepare: preparePump,
  open: (context) => openDistcc(context, { suffix: ',cpp,lzo', isPump: true }),
};
