/**
 * Holds compilers of this machine against compilers for the same target that run on arm64, by what they do: takes the
 * fingerprints of both, the arm64 ones in qemu. It brings Debian's arm64 packages with apt-get into a directory of its
 * own and installs nothing. Needs qemu-user-static, and this machine's side of each pair.
 *
 *   node dist/bench/foreign-hosts.js [DIRECTORY [TARGET …]]
 */
import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import type { LanguageScope } from '../src/compiler/index.ts';
import {
  type Fingerprint,
  fingerprintDifference,
  takeFingerprint,
} from '../src/toolchain/behaviour-fingerprint.ts';
import { bringPackages } from '../test/support/debian-packages.ts';

/** Programs that a compile starts, as globs would have them. */
const PROGRAMS = /\/(?:[a-z0-9_-]+-)?(?:gcc-12|g\+\+-12|as|cc1|cc1plus)$/;

const LIBRARIES =
  'libbinutils libctf0 libjansson4 libgmp10 libisl23 libmpc3 libmpfr6 libzstd1 zlib1g libc6 libstdc++6 libgcc-s1';

/** By target triple: packages of arm64 beside {@link LIBRARIES}, and what is compared. */
const TARGETS: Readonly<
  Record<string, { readonly packages: string; readonly scopes: readonly LanguageScope[] }>
> = {
  'riscv64-linux-gnu': {
    packages: 'gcc-12-riscv64-linux-gnu cpp-12-riscv64-linux-gnu binutils-riscv64-linux-gnu',
    scopes: ['c'],
  },
  'arm-linux-gnueabihf': {
    packages: 'gcc-12-arm-linux-gnueabihf cpp-12-arm-linux-gnueabihf binutils-arm-linux-gnueabihf',
    scopes: ['c'],
  },
  // On arm64 this is the system's own compiler.
  'aarch64-linux-gnu': { packages: 'gcc-12 cpp-12 binutils binutils-aarch64-linux-gnu', scopes: ['c'] },
  // On amd64 this is the system's own compiler.
  'x86_64-linux-gnu': {
    packages:
      'gcc-12-x86-64-linux-gnu g++-12-x86-64-linux-gnu cpp-12-x86-64-linux-gnu binutils-x86-64-linux-gnu',
    scopes: ['c', 'c++'],
  },
};

/** Puts a script in the place of each program, which runs it in qemu: nothing of the machine's settings is changed. */
function wrapPrograms(root: string): void {
  for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    const path = join(root, name);
    if (!PROGRAMS.test(`/${name}`) || !lstatSync(path).isFile() || existsSync(`${path}.real`)) continue;
    renameSync(path, `${path}.real`);
    const script = `#!/bin/sh\nexec qemu-aarch64-static -L ${root} ${path}.real "$@"\n`;
    writeFileSync(path, script, { mode: 0o755 });
  }
}

async function fingerprintIn(prefix: string, target: string, scope: LanguageScope): Promise<Fingerprint> {
  const bin = join(prefix, 'bin');
  const compilerPath = join(bin, `${target}-${scope === 'c++' ? 'g++' : 'gcc'}-12`);
  const env = { ...process.env, PATH: `${bin}:/usr/bin:/bin` };
  const ask = (...args: string[]): string =>
    execFileSync(compilerPath, args, { env, encoding: 'utf8' }).trim();
  const versionText = execFileSync('/bin/sh', ['-c', `${compilerPath} -v 2>&1 | tail -n 1`], {
    env,
    encoding: 'utf8',
  });
  const assembler = ask('-print-prog-name=as');
  const assemblerPath = assembler.startsWith('/') ? assembler : join(bin, `${target}-as`);
  const subject = {
    compilerPath,
    dialect: 'gcc',
    scope,
    versionText: versionText.trim(),
    assemblerPath,
  } as const;
  return takeFingerprint({ ...subject, targetTriple: ask('-dumpmachine') }, env);
}

async function compare(root: string, target: string, scope: LanguageScope): Promise<void> {
  const what = `${target}, ${scope}`;
  const here = join('/usr/bin', `${target}-${scope === 'c++' ? 'g++' : 'gcc'}-12`);
  if (!existsSync(here)) return void console.log(`${what}: ${here} is not installed here`);
  const [ours, theirs] = await Promise.all(
    ['/usr', join(root, 'usr')].map((prefix) => fingerprintIn(prefix, target, scope)),
  );
  if (ours === undefined || theirs === undefined) return;
  const difference = fingerprintDifference(ours, theirs);
  console.log(`${what}: ${difference ?? `equal in all ${ours.parts.length} comparisons`}`);
  const digests = new Map(theirs.parts.map(({ name, digest }) => [name, digest]));
  for (const { name, digest } of ours.parts) if (digests.get(name) !== digest) console.log(`  ${name}`);
}

const [directory = join(tmpdir(), 'meshcc-foreign-hosts'), ...asked] = process.argv.slice(2);
const targets = asked.length > 0 ? asked : Object.keys(TARGETS);
const packages = targets.flatMap((target) => TARGETS[target]?.packages.split(' ') ?? []);
const wanted = [...LIBRARIES.split(' '), ...packages].map((name) => `${name}:arm64`);
const root = bringPackages(resolve(directory), wanted);
wrapPrograms(root);
console.log(`${basename(process.argv[1] ?? '')}: ${targets.join(' ')}; ${availableParallelism()} processors`);
for (const target of targets)
  for (const scope of TARGETS[target]?.scopes ?? []) await compare(root, target, scope);
