/** Brings Debian packages, without letting a daemon among them start, now or when the machine starts. */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onProcessEnd } from '../../test/support/process-end.ts';
import { BenchError } from '../bench-error.ts';
import { type Log, runCommand } from '../workloads/index.ts';
import { packageVersion } from './machine.ts';

/** invoke-rc.d asks this program before it starts a service; 101 is its no. See invoke-rc.d(8). */
const POLICY = '/usr/sbin/policy-rc.d';
/** Services that the packages of contestants would start with the machine. */
const SERVICES: Readonly<Record<string, readonly string[]>> = {
  distcc: ['distcc'],
  icecc: ['iceccd', 'icecc-scheduler'],
};

/** Runs an action while no service can start. A policy that is there already stays; it is the owner's. */
async function withoutServices(action: () => Promise<void>): Promise<void> {
  if (existsSync(POLICY)) return await action();
  writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  const remove = onProcessEnd(() => rmSync(POLICY, { force: true }));
  try {
    await action();
  } finally {
    remove();
  }
}

/**
 * Installs what is missing.
 * @throws BenchError naming the packages that are missing, if they cannot be had
 */
export async function installPackages(
  wanted: readonly string[],
  cacheDirectory: string,
  log: Log,
): Promise<void> {
  const missing = wanted.filter((name) => packageVersion(name) === undefined);
  if (missing.length === 0) return;
  const names = missing.join(' ');
  if (!existsSync('/usr/bin/apt-get')) {
    throw new BenchError(`these packages are missing, and there is no apt-get to bring them: ${names}`);
  }
  log(`installing ${names}`);
  const logFile = join(cacheDirectory, 'logs', 'apt.log');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args: string[]): Promise<number> =>
    runCommand(['apt-get', ...args], { cwd: '/', logFile, env });
  try {
    await withoutServices(async () => {
      await apt('update');
      await apt('install', '-y', '--no-install-recommends', ...missing);
    });
  } catch (error) {
    throw new BenchError(`apt-get could not install ${names}: see ${logFile}`, { cause: error });
  }
  for (const service of missing.flatMap((name) => SERVICES[name] ?? [])) {
    await runCommand(['update-rc.d', service, 'disable'], { cwd: '/', logFile }).catch(() =>
      log(`could not keep ${service} from starting with the machine: update-rc.d ${service} disable`),
    );
  }
}
