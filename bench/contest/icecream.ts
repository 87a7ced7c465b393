/** icecream two ways: preprocessing on the laptop, and on the boards. */
import { chownSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BenchError } from '../bench-error.ts';
import { plainEnvironment } from '../workloads/index.ts';
import {
  type Contestant,
  type ContestContext,
  type Session,
  type SetupCost,
  unwrapped,
} from './contestant.ts';
import type { Daemon } from './hosts.ts';

const MASQUERADE = '/usr/lib/icecc/bin';
/** Where daemon and compiler wrapper of one machine meet. The wrapper knows no other place. */
const SOCKETS = '/run/icecc';
const NETWORK = 'meshcc-bench';
const SCHEDULER_PORT = 8765;
/** Its daemons take no jobs while the machine has other work. */
const START_TIMEOUT_MS = 300_000;
/** A call that icecream repeats here after a board compiled it takes at least this long if it is a whole unit. */
const WHOLE_UNIT_MS = 1_000;

function isSocketInUse(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** The daemons leave root for the user of this name. */
function userId(name: string): number {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${name}:`));
  if (line === undefined) throw new BenchError(`there is no user ${name}, which the package icecc makes`);
  return Number(line.split(':')[2]);
}

async function waitFor(what: string, logFile: string, isThere: (log: string) => boolean): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (!isThere(existsSync(logFile) ? readFileSync(logFile, 'utf8') : '')) {
    if (performance.now() > deadline) {
      throw new BenchError(`icecream: no ${what} after ${START_TIMEOUT_MS / 1000} s; log: ${logFile}`);
    }
    await sleep(100);
  }
}

/** Scheduler and daemons, until all boards have logged in. The laptop takes no jobs: a slow submitter fares better so. */
async function startDaemons({ hosts, slotsPerBoard }: ContestContext): Promise<Daemon[]> {
  const user = userId('icecc');
  const scheduler = hosts.startDaemon('laptop', 'icecc-scheduler', [
    'icecc-scheduler',
    ...['-n', NETWORK, '-p', String(SCHEDULER_PORT), '-vv'],
  ]);
  await waitFor('scheduler', scheduler.logFile, (log) => /scheduler ready/.test(log));
  const start = (name: string, jobs: readonly string[], hide: readonly string[]): Daemon => {
    const environments = join(hosts.directoryOf(name), 'icecc-envs');
    mkdirSync(environments);
    chownSync(environments, user, user);
    const place = ['-s', hosts.laptop.address, '-n', NETWORK, '-N', name, '-b', environments, '-i', 'eth0'];
    return hosts.startDaemon(name, 'iceccd', ['iceccd', ...place, ...jobs, '-vv'], { hide });
  };
  const daemons = [
    scheduler,
    start('laptop', ['--no-remote', '-m', '0'], []),
    ...hosts.boards.map(({ name }) => start(name, ['-m', String(slotsPerBoard)], [SOCKETS])),
  ];
  for (const { logFile } of daemons.slice(1)) {
    await waitFor('login of a daemon', logFile, (log) => /Connected to scheduler/.test(log));
  }
  return daemons;
}

function environment({ hosts }: ContestContext, hasRemotePreprocessor: boolean): NodeJS.ProcessEnv {
  const plain = plainEnvironment();
  return {
    ...plain,
    PATH: `${MASQUERADE}:${plain.PATH ?? ''}`,
    ICECC_REMOTE_CPP: hasRemotePreprocessor ? '1' : '0',
    ICECC_DEBUG: 'info',
    ICECC_LOGFILE: join(hosts.directoryOf('laptop'), 'icecc.log'),
  };
}

/** The laptop packs its compiler and sends it to each board, once for all builds. */
function shipToolchain(
  context: ContestContext,
  env: NodeJS.ProcessEnv,
  boards: readonly Daemon[],
): Promise<SetupCost> {
  const { hosts } = context;
  writeFileSync(join(hosts.directoryOf('laptop'), 'first.c'), 'int first;\n');
  return context.measureSetup('the compiler is packed and sent to each board', async () => {
    for (const [index, { name }] of hosts.boards.entries()) {
      const variables = { ...env, ICECC_PREFERRED_HOST: name };
      await hosts.runToEnd('laptop', 'icecc-toolchain', ['gcc', '-c', 'first.c'], { env: variables });
      const logFile = boards[index]?.logFile ?? '';
      await waitFor(`compiler on ${name}`, logFile, (log) => / installed \S+ size:/.test(log));
    }
  });
}

/**
 * Units given to boards, less those that were done again here because a board's compiler printed something. The
 * scheduler's log names a source by the last parts of its path.
 */
function remoteUnits({ recording }: ContestContext, schedulerLog: string, clientLog: string): number {
  const given = [...schedulerLog.matchAll(/ NEW \d+ client=\S+ versions=\S+ (\S+) /g)].map(
    ([, name]) => `/${name}`,
  );
  const ours = recording.units.filter(({ sourceFile }) => given.some((name) => sourceFile.endsWith(name)));
  const repeated = [...clientLog.matchAll(/<\/building_local: (\d+)ms>/g)];
  return ours.length - repeated.filter(([, ms]) => Number(ms) >= WHOLE_UNIT_MS).length;
}

async function openIcecream(context: ContestContext, hasRemotePreprocessor: boolean): Promise<Session> {
  if (await isSocketInUse(join(SOCKETS, 'iceccd.socket'))) {
    throw new BenchError(
      `an iceccd of this machine uses ${SOCKETS}: stop it (systemctl stop iceccd), and try again`,
    );
  }
  const isOurs = !existsSync(SOCKETS);
  mkdirSync(SOCKETS, { recursive: true });
  const before = statSync(SOCKETS);
  const user = userId('icecc');
  chownSync(SOCKETS, user, user);
  const env = environment(context, hasRemotePreprocessor);
  const daemons = await startDaemons(context);
  const clientLog = join(context.hosts.directoryOf('laptop'), 'icecc.log');
  const [scheduler] = daemons;
  let setup: SetupCost | undefined;
  return {
    ready: async () => {
      setup = await shipToolchain(context, env, daemons.slice(2));
      rmSync(clientLog, { force: true });
      return { env, wrap: unwrapped };
    },
    facts: async () => {
      const read = (file: string): string => (existsSync(file) ? readFileSync(file, 'utf8') : '');
      const remote = remoteUnits(context, read(scheduler?.logFile ?? ''), read(clientLog));
      return {
        localUnits: context.recording.units.length - remote,
        ...(setup ? { setup } : {}),
        logs: [clientLog, ...daemons.map(({ logFile }) => logFile)],
      };
    },
    close: async () => {
      for (const daemon of daemons.reverse()) await daemon.stop();
      if (isOurs) rmSync(SOCKETS, { recursive: true, force: true });
      else chownSync(SOCKETS, before.uid, before.gid);
    },
  };
}

/** icecream as it is set up by default, but for the laptop's jobs. */
export const icecream: Contestant = {
  name: 'icecream',
  legs: [{ name: 'icecream', title: 'icecream' }],
  compilesOn: 'boards',
  packages: ['icecc'],
  open: (context) => openIcecream(context, false),
};

/** icecream whose boards preprocess (ICECC_REMOTE_CPP). */
export const icecreamRemoteCpp: Contestant = {
  name: 'icecream-rcpp',
  legs: [{ name: 'icecream-rcpp', title: 'icecream, remote cpp' }],
  compilesOn: 'boards',
  packages: ['icecc'],
  open: (context) => openIcecream(context, true),
};
