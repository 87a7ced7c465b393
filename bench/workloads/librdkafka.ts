/**
 * The demo project: librdkafka, a C library whose sources come inside an npm package. It builds as any
 * user with gcc, make and libc alone, so it is what `npm run demo` compiles on a fresh machine.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { BenchError } from '../bench-error.ts';
import { runCommand } from './command.ts';
import { listFiles, logFile, prepareOnce, removeFiles } from './source-tree.ts';
import type { Log, PreparedTree, Workload } from './workload.ts';

const PACKAGE = 'node-rdkafka';
const VERSION = '3.6.1';
/** SHA-512 of the package file in base64, as the registry publishes it (`npm view … dist.integrity`). */
const INTEGRITY = 'sfpTbrT35429cs0RE8Yb9avGX9BiRRvpV7aweQsghKTjtrVZP3jBrKOPItWXAqHb8doyh3SkuGuUVBLgig1SRg==';
const INSIDE = 'package/deps/librdkafka';

/** Without optional libraries; `--cxx=gcc` because its configure insists on a C++ driver that we do not use. */
const CONFIGURE = [
  './configure',
  '--cc=gcc',
  '--cxx=gcc',
  '--disable-ssl',
  '--disable-gssapi',
  '--disable-zlib',
  '--disable-zstd',
  '--disable-lz4-ext',
  '--disable-curl',
];

const isOutput = (path: string): boolean => /\.[od]$/.test(path);
const isProduct = (path: string): boolean => /\.[oda]$/.test(path);

function hasIntegrity(file: string): boolean {
  return createHash('sha512').update(readFileSync(file)).digest('base64') === INTEGRITY;
}

async function fetchPackage(cacheDirectory: string, log: Log): Promise<string> {
  const downloads = join(cacheDirectory, 'downloads');
  const file = join(downloads, `${PACKAGE}-${VERSION}.tgz`);
  if (existsSync(file) && hasIntegrity(file)) return file;
  mkdirSync(downloads, { recursive: true });
  rmSync(file, { force: true });
  log(`fetching ${PACKAGE} ${VERSION} with npm (5 MB)`);
  const pack = ['npm', 'pack', '--silent', '--ignore-scripts', '--pack-destination', downloads];
  await runCommand([...pack, `${PACKAGE}@${VERSION}`], {
    cwd: downloads,
    // npm takes its proxy and registry settings from npm_* variables too, so they stay.
    env: process.env,
    logFile: logFile(cacheDirectory, 'librdkafka'),
  });
  if (!existsSync(file) || !hasIntegrity(file)) {
    rmSync(file, { force: true });
    throw new BenchError(
      `fetched ${PACKAGE}@${VERSION}, but the file is not the published one (its SHA-512 differs from the pinned one), so it was removed. Check the npm registry and proxy settings, then try again.`,
    );
  }
  return file;
}

async function prepare(cacheDirectory: string, log: Log): Promise<PreparedTree> {
  const recipe = `${INTEGRITY}\n${CONFIGURE.join(' ')}`;
  const directory = await prepareOnce({ cacheDirectory, name: 'librdkafka', recipe, log }, async (tree) => {
    const options = { cwd: tree, logFile: logFile(cacheDirectory, 'librdkafka') };
    const archive = await fetchPackage(cacheDirectory, log);
    await runCommand(['tar', '-xzf', archive, '--strip-components=3', INSIDE], options);
    log('configuring librdkafka without optional libraries');
    await runCommand(CONFIGURE, options);
  });
  return {
    name: 'librdkafka',
    directory,
    recipe,
    build: (jobs) => ['make', '-C', 'src', `-j${jobs}`, 'librdkafka.a'],
    clean: () => removeFiles(directory, isProduct, ['src']),
    objects: () => listFiles(directory, isOutput, ['src']),
  };
}

/** 81 C units, about 45 CPU seconds. */
export const librdkafka: Workload = {
  name: 'librdkafka',
  description: 'librdkafka from the npm package node-rdkafka: 81 C units, -g -O2, make; any user, no apt',
  programs: ['npm', 'tar', 'bash', 'make', 'gcc', 'ar'],
  prepare,
};
