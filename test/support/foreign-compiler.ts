/**
 * A real compiler that was built for another host architecture, and its counterpart of this machine: Debian's GCC for
 * arm64, once as a program for i386, which an x86-64 kernel runs as well, and once for x86-64. The first lies in a
 * directory of its own with all its libraries; `node dist/test/support/foreign-compiler.js` brings it.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Fingerprints, probeToolchain } from '../../src/toolchain/index.ts';
import { bringPackages } from './debian-packages.ts';

const TARGET = 'aarch64-linux-gnu';
const DRIVER = `usr/bin/${TARGET}-gcc-12`;

/** On this machine, for this machine. */
export const NATIVE_TWIN = `/${DRIVER}`;

const COMPILER = ['gcc-12', 'cpp-12'].map((name) => `${name}-${TARGET}`);
const LIBRARIES =
  'libbinutils libctf0 libctf-nobfd0 libjansson4 libgmp10 libisl23 libmpc3 libmpfr6 libzstd1 zlib1g libc6 libstdc++6 libgcc-s1';

/** Headers of the target are the same packages for every host. */
const SHARED = [`usr/lib/gcc-cross/${TARGET}/12/include`, `usr/${TARGET}/include`];

const PROGRAMS = [
  DRIVER,
  `usr/lib/gcc-cross/${TARGET}/12/cc1`,
  `usr/bin/${TARGET}-as`,
  `usr/bin/${TARGET}-objcopy`,
];

function directory(): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'meshcc-test', 'host-i386');
}

/** The driver for i386, or in words why there is none. */
export function foreignCompiler(): { readonly path: string } | { readonly missing: string } {
  const path = join(directory(), 'root', DRIVER);
  if (!existsSync(NATIVE_TWIN)) return { missing: `${NATIVE_TWIN} is not installed` };
  if (!existsSync(path))
    return { missing: 'node dist/test/support/foreign-compiler.js has not brought a compiler for i386' };
  const versions = [path, NATIVE_TWIN].map(
    (driver) => spawnSync(driver, ['--version'], { encoding: 'utf8' }).stdout,
  );
  if (!versions[0]) return { missing: 'this machine runs no programs for i386' };
  if (versions[0] !== versions[1])
    return { missing: 'the compiler for i386 has another version than this machine’s' };
  return { path };
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

/** @throws Error if it cannot be had */
function bring(): void {
  if (process.arch !== 'x64') throw new Error('only an x86-64 machine runs programs for i386');
  const versions = [...COMPILER, `binutils-${TARGET}`].map((name) => {
    const format = '$' + '{Version}';
    const version = execFileSync('dpkg-query', ['-W', '-f', format, name], { encoding: 'utf8' });
    return `${name}:i386=${version}`;
  });
  const libraries = LIBRARIES.split(' ').map((name) => `${name}:i386`);
  const root = bringPackages(directory(), [...versions, ...libraries, 'patchelf:amd64']);
  for (const path of SHARED) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    if (lstatSync(join(root, path), { throwIfNoEntry: false }) === undefined)
      symlinkSync(`/${path}`, join(root, path));
  }
  // As if it were installed: with its own loader and libraries, wherever it lies.
  const libraryPath = ['lib/i386-linux-gnu', 'usr/lib/i386-linux-gnu']
    .map((path) => join(root, path))
    .join(':');
  const patch = (path: string, ...options: string[]): void => {
    const args = ['--force-rpath', '--set-rpath', libraryPath, ...options, path];
    execFileSync(join(root, 'usr/bin/patchelf'), args);
  };
  for (const name of PROGRAMS)
    patch(join(root, name), '--set-interpreter', join(root, 'lib/i386-linux-gnu/ld-linux.so.2'));
  const usr = join(root, 'usr/lib/i386-linux-gnu');
  for (const name of readdirSync(usr)) {
    if (/^lib.*\.so/.test(name) && lstatSync(join(usr, name)).isFile()) patch(join(usr, name));
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  bring();
  const found = foreignCompiler();
  if ('missing' in found) throw new Error(found.missing);
  await prepareFingerprints(found.path, NATIVE_TWIN);
  console.log(found.path);
}
