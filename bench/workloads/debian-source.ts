/**
 * Sources of a Debian package, fetched with apt-get through lists and caches of our own, so that neither
 * root nor a change of the machine's package sources is needed. apt checks signature and digests.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BenchError } from '../bench-error.ts';
import { runCommand } from './command.ts';
import { logFile } from './source-tree.ts';
import type { Log } from './workload.ts';

/** The release's code name, e.g. `bookworm`; empty if the system does not tell. */
function releaseCodename(): string {
  const text = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  return /^VERSION_CODENAME=(\S+)/m.exec(text)?.[1] ?? '';
}

function aptSourceFiles(): string[] {
  const parts = '/etc/apt/sources.list.d';
  const files = existsSync(parts) ? readdirSync(parts).map((name) => join(parts, name)) : [];
  return ['/etc/apt/sources.list', ...files].filter((file) => existsSync(file));
}

/**
 * The machine's own package sources, turned into `deb-src`. Only suites of the running release: other
 * vendors' repositories often have no sources, and apt fails on them.
 */
function sourceEntries(codename: string): { list: string[]; deb822: string[] } {
  const list: string[] = [];
  const deb822: string[] = [];
  for (const file of aptSourceFiles()) {
    const text = readFileSync(file, 'utf8');
    if (file.endsWith('.list')) {
      const lines = text.split('\n').filter((line) => /^deb\s/.test(line) && line.includes(` ${codename}`));
      list.push(...lines.map((line) => line.replace(/^deb\s/, 'deb-src ')));
    } else if (file.endsWith('.sources')) {
      const stanzas = text
        .split(/\n\s*\n/)
        .filter((stanza) => new RegExp(`^Suites:.*\\b${codename}`, 'm').test(stanza));
      deb822.push(...stanzas.map((stanza) => stanza.replace(/^Types:.*$/m, 'Types: deb-src')));
    }
  }
  return { list, deb822 };
}

function writeAptDirectory(apt: string): string[] {
  const { list, deb822 } = sourceEntries(releaseCodename());
  if (list.length + deb822.length === 0) {
    throw new BenchError(
      'found no package source of this release in /etc/apt: this workload needs a Debian or Ubuntu machine. Take another workload.',
    );
  }
  for (const folder of ['sources.d', 'lists/partial', 'cache/archives/partial', 'files']) {
    mkdirSync(join(apt, folder), { recursive: true });
  }
  writeFileSync(join(apt, 'sources.d', 'release.list'), `${list.join('\n')}\n`);
  writeFileSync(join(apt, 'sources.d', 'release.sources'), `${deb822.join('\n\n')}\n`);
  const settings = {
    'Dir::Etc::sourcelist': '/dev/null',
    'Dir::Etc::sourceparts': join(apt, 'sources.d'),
    'Dir::State::lists': join(apt, 'lists'),
    'Dir::Cache': join(apt, 'cache'),
    // apt's own user could not write below a directory of root's.
    'APT::Sandbox::User': 'root',
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
}

/**
 * Fetches the upstream archive of a source package (without Debian's patches), unless it is there.
 * @returns absolute path of the `.orig.tar.*` file
 * @throws BenchError if this machine has no apt, or the package cannot be fetched
 */
export async function fetchDebianSource(
  packageName: string,
  cacheDirectory: string,
  log: Log,
): Promise<string> {
  const apt = join(cacheDirectory, 'apt');
  const find = (): string | undefined => {
    const files = existsSync(join(apt, 'files')) ? readdirSync(join(apt, 'files')) : [];
    return files.find((name) => name.startsWith(`${packageName}_`) && /\.orig\.tar\.[a-z0-9]+$/.test(name));
  };
  if (find() === undefined) {
    const options = writeAptDirectory(apt);
    const run = { cwd: join(apt, 'files'), logFile: logFile(cacheDirectory, 'apt') };
    log(`fetching the source package ${packageName} with apt-get`);
    await runCommand(['apt-get', ...options, 'update'], run);
    await runCommand(
      ['apt-get', ...options, 'source', '--only-source', '--download-only', '--tar-only', packageName],
      run,
    );
  }
  const file = find();
  if (file === undefined) {
    throw new BenchError(
      `apt-get fetched no upstream archive for ${packageName}; see ${logFile(cacheDirectory, 'apt')}`,
    );
  }
  return join(apt, 'files', file);
}

/** Fetches a source package and unpacks its upstream archive into an empty directory. */
export async function unpackDebianSource(
  packageName: string,
  directory: string,
  cacheDirectory: string,
  log: Log,
): Promise<void> {
  const archive = await fetchDebianSource(packageName, cacheDirectory, log);
  await runCommand(['tar', '-xf', archive, '-C', directory, '--strip-components=1'], {
    cwd: directory,
    logFile: logFile(cacheDirectory, packageName),
  });
}
