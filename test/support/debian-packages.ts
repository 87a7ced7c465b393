/** Brings Debian's packages of any architecture with apt-get into a directory of its own, and installs nothing. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** apt-get with lists and a cache of its own. */
function apt(directory: string, cwd: string, architectures: readonly string[], ...args: string[]): void {
  const options = ['Dir::State::Lists=lists', 'Dir::State::status=status', 'Dir::Cache=cache'].map((option) =>
    option.replace('=', `=${directory}/`),
  );
  const all = [
    ...options,
    ...architectures.map((architecture) => `APT::Architectures::=${architecture}`),
    'APT::Sandbox::User=root',
  ];
  execFileSync('apt-get', ['-q', ...all.flatMap((option) => ['-o', option]), ...args], {
    cwd,
    stdio: 'inherit',
  });
}

/**
 * Downloads and unpacks; what is there already is left as it is.
 * @param packages names with architectures, perhaps with versions: `libc6:i386`, `gcc-12:arm64=12.2.0-14`
 * @returns the directory that holds their files
 * @throws Error if apt-get or dpkg-deb fails, or there is none
 */
export function bringPackages(directory: string, packages: readonly string[]): string {
  const [root, archives] = [join(directory, 'root'), join(directory, 'debs')];
  for (const path of ['lists/partial', 'cache/archives/partial', 'debs', 'root'])
    mkdirSync(join(directory, path), { recursive: true });
  const present = readdirSync(archives);
  const isPresent = (wanted: string): boolean => {
    const [name = '', architecture = ''] = wanted.replace(/=.*/, '').split(':');
    return present.some((file) => file.startsWith(`${name}_`) && file.endsWith(`_${architecture}.deb`));
  };
  const missing = packages.filter((wanted) => !isPresent(wanted));
  if (missing.length === 0) return root;
  const architectures = [...new Set(packages.map((wanted) => wanted.replace(/=.*/, '').split(':')[1] ?? ''))];
  writeFileSync(join(directory, 'status'), '');
  try {
    apt(directory, directory, architectures, 'update');
  } catch {
    // A list that cannot be had, of updates perhaps, need not be the one with these packages.
  }
  apt(directory, archives, architectures, 'download', ...missing);
  for (const file of readdirSync(archives)) {
    if (!present.includes(file)) execFileSync('dpkg-deb', ['-x', join(archives, file), root]);
  }
  return root;
}
