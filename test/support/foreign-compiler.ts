/**
 * Real compilers that were built for another host architecture, as programs for i386, which an x86-64 kernel runs as
 * well: Debian's cross GCC for arm64, which this machine may have as a program of its own, and the one for x86-64, whose
 * counterpart here is the native GCC. They lie in a directory of their own with all their libraries;
 * `node dist/test/support/foreign-compiler.js` brings them.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, lstatSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Fingerprints, probeToolchain } from '../../src/toolchain/index.ts';
import { bringPackages } from './debian-packages.ts';

/** By target triple. */
const TARGETS = {
  'aarch64-linux-gnu': {
    packages: ['gcc-12-aarch64-linux-gnu', 'cpp-12-aarch64-linux-gnu', 'binutils-aarch64-linux-gnu'],
    /** Where it looks for headers, and where this machine has them: they are the same for every host. */
    headers: {
      'usr/lib/gcc-cross/aarch64-linux-gnu/12/include': '/usr/lib/gcc-cross/aarch64-linux-gnu/12/include',
      'usr/aarch64-linux-gnu/include': '/usr/aarch64-linux-gnu/include',
    },
  },
  'x86_64-linux-gnu': {
    packages: ['gcc-12-x86-64-linux-gnu', 'cpp-12-x86-64-linux-gnu', 'binutils-x86-64-linux-gnu'],
    headers: {
      'usr/lib/gcc-cross/x86_64-linux-gnu/12/include': '/usr/lib/gcc/x86_64-linux-gnu/12/include',
    },
  },
} as const;
type Target = keyof typeof TARGETS;

const LIBRARIES =
  'libbinutils libctf0 libctf-nobfd0 libjansson4 libgmp10 libisl23 libmpc3 libmpfr6 libzstd1 zlib1g libc6 libstdc++6 libgcc-s1';

function driverOf(target: Target): string {
  return `usr/bin/${target}-gcc-12`;
}

/** The compiler of this machine for a target. */
export function nativeTwin(target: Target): string {
  return `/${driverOf(target)}`;
}

function directory(): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'meshcc-test', 'host-i386');
}

/** The driver for i386, or in words why there is none. */
export function foreignCompiler(target: Target): { readonly path: string } | { readonly missing: string } {
  const path = join(directory(), 'root', driverOf(target));
  if (!existsSync(nativeTwin(target))) return { missing: `${nativeTwin(target)} is not installed` };
  if (!existsSync(path))
    return { missing: 'node dist/test/support/foreign-compiler.js has not brought compilers for i386' };
  const [theirs, ours] = [path, nativeTwin(target)].map(
    (driver) => spawnSync(driver, ['-dumpfullversion'], { encoding: 'utf8' }).stdout,
  );
  if (!theirs) return { missing: 'this machine runs no programs for i386' };
  return theirs === ours ? { path } : { missing: `${path} has another version than ${nativeTwin(target)}` };
}

/** Where the fingerprints of both are kept, as agents keep them: to take them at the lowest priority takes a while. */
export function preparedFingerprints(): string {
  return join(directory(), 'cache', 'fingerprints');
}

async function prepareFingerprints(...compilerPaths: readonly string[]): Promise<void> {
  const env = { PATH: '/usr/bin:/bin' };
  await Promise.all(
    compilerPaths.map(async (path) => {
      const fingerprints = new Fingerprints(dirname(preparedFingerprints()), env);
      await fingerprints.of(await probeToolchain(path, { env }));
    }),
  );
}

/** @throws Error if they cannot be had */
function bring(): void {
  if (process.arch !== 'x64') throw new Error('only an x86-64 machine runs programs for i386');
  const packages = Object.values(TARGETS).flatMap((target) => target.packages.map(wantedPackage));
  const libraries = LIBRARIES.split(' ').map((name) => `${name}:i386`);
  const root = bringPackages(directory(), [...packages, ...libraries, 'patchelf:amd64']);
  for (const [target, { headers }] of Object.entries(TARGETS)) {
    for (const [path, place] of Object.entries(headers))
      if (!existsSync(join(root, path))) cpSync(place, join(root, path), { recursive: true });
    const programs = [
      `usr/lib/gcc-cross/${target}/12/cc1`,
      `usr/bin/${target}-as`,
      `usr/bin/${target}-objcopy`,
    ];
    for (const name of [driverOf(target as Target), ...programs])
      settle(root, join(root, name), '--set-interpreter', join(root, 'lib/i386-linux-gnu/ld-linux.so.2'));
  }
  const usr = join(root, 'usr/lib/i386-linux-gnu');
  for (const name of readdirSync(usr)) {
    if (/^lib.*\.so/.test(name) && lstatSync(join(usr, name)).isFile()) settle(root, join(usr, name));
  }
}

/** In the version that this machine has, if it has the package. */
function wantedPackage(name: string): string {
  const format = '$' + '{Version}';
  const { status, stdout } = spawnSync('dpkg-query', ['-W', '-f', format, name], { encoding: 'utf8' });
  return status === 0 && stdout !== '' ? `${name}:i386=${stdout}` : `${name}:i386`;
}

/** As if a program were installed: with its own loader and libraries, wherever it lies. */
function settle(root: string, path: string, ...options: string[]): void {
  const patchelf = join(root, 'usr/bin/patchelf');
  const libraries = ['lib/i386-linux-gnu', 'usr/lib/i386-linux-gnu'].map((place) => join(root, place));
  const libraryPath = libraries.join(':');
  if (execFileSync(patchelf, ['--print-rpath', path], { encoding: 'utf8' }).trim() === libraryPath) return;
  execFileSync(patchelf, ['--force-rpath', '--set-rpath', libraryPath, ...options, path]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  bring();
  for (const target of Object.keys(TARGETS) as Target[]) {
    const found = foreignCompiler(target);
    if ('missing' in found) throw new Error(found.missing);
    console.log(found.path);
  }
  const found = foreignCompiler('aarch64-linux-gnu');
  if ('path' in found) await prepareFingerprints(found.path, nativeTwin('aarch64-linux-gnu'));
}
