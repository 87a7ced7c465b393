/** The machine that figures belong to. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { PACKAGE_ROOT, PACKAGE_VERSION } from '../../src/base/package-root.ts';

/** Facts that a reader needs to judge or repeat the figures. */
export interface MachineFacts {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly distribution: string;
  readonly node: string;
  /** First lines of `--version`, by program. */
  readonly programs: Readonly<Record<string, string>>;
  /** Versions of Debian packages of the contestants. */
  readonly packages: Readonly<Record<string, string>>;
  /** This project: its version and, if it is a checkout, the commit. */
  readonly meshcc: string;
}

function output(program: string, ...args: string[]): string | undefined {
  const { status, stdout } = spawnSync(program, args, { encoding: 'utf8', cwd: PACKAGE_ROOT });
  return status === 0 ? stdout.trim() : undefined;
}

function distribution(): string {
  const text = readFileSync('/etc/os-release', 'utf8');
  return /^PRETTY_NAME="?([^"\n]+)/m.exec(text)?.[1] ?? 'unknown';
}

/** This project: its version and, if it is a checkout, the commit, and whether files differ from it. */
export function ownVersion(): string {
  const commit = output('git', 'rev-parse', '--short', 'HEAD');
  if (commit === undefined) return PACKAGE_VERSION;
  const isChanged = output('git', 'status', '--porcelain', '--untracked-files=no') !== '';
  return `${PACKAGE_VERSION}, commit ${commit}${isChanged ? ' with changes' : ''}`;
}

/** The version of an installed Debian package. */
export function packageVersion(name: string): string | undefined {
  const answer = output('dpkg-query', '-s', name) ?? '';
  if (!/^Status: .* installed$/m.test(answer)) return undefined;
  return /^Version: (.*)$/m.exec(answer)?.[1];
}

/** @param packages Debian packages whose versions are wanted */
export function machineFacts(packages: readonly string[]): MachineFacts {
  const programs = ['gcc', 'make', 'ld'].map((name) => [
    name,
    output(name, '--version')?.split('\n')[0] ?? 'none',
  ]);
  const versions = packages.map((name) => [name, packageVersion(name) ?? 'not installed']);
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    kernel: release(),
    distribution: distribution(),
    node: process.version,
    programs: Object.fromEntries(programs),
    packages: Object.fromEntries(versions),
    meshcc: ownVersion(),
  };
}
