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

const RECIPE = `${INTEGRITY}\n${CONFIGURE.join(' ')}`;

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

async function prepareSources(cacheDirectory: string, log: Log): Promise<string> {
  const place = { cacheDirectory, name: 'librdkafka', recipe: RECIPE, log };
  return prepareOnce(place, async (tree) => {
    const options = { cwd: tree, logFile: logFile(cacheDirectory, 'librdkafka') };
    const archive = await fetchPackage(cacheDirectory, log);
    await runCommand(['tar', '-xzf', archive, '--strip-components=3', INSIDE], options);
    log('configuring librdkafka without optional libraries');
    await runCommand(CONFIGURE, options);
  });
}

/** Workloads of the one tree differ in what make is asked for. */
function librdkafkaWorkload(name: string, targets: readonly string[], description: string): Workload {
  const prepare = async (cacheDirectory: string, log: Log): Promise<PreparedTree> => {
    const directory = await prepareSources(cacheDirectory, log);
    return {
      name,
      directory,
      recipe: RECIPE,
      build: (jobs) => ['make', '-C', 'src', `-j${jobs}`, ...targets],
      clean: () => removeFiles(directory, isProduct, ['src']),
      objects: () => listFiles(directory, isOutput, ['src']),
    };
  };
  const programs = ['npm', 'tar', 'bash', 'make', 'gcc', 'ar'];
  const packages = ['tar', 'bash', 'make', 'gcc', 'libc6-dev', 'binutils'];
  return { name, description, programs, packages, prepare };
}

/** 81 C units, about 45 CPU seconds. */
export const librdkafka: Workload = librdkafkaWorkload(
  'librdkafka',
  ['librdkafka.a'],
  'librdkafka from the npm package node-rdkafka: 81 C units, -g -O2, make; any user, no apt',
);

/** Small units of librdkafka, for runs that only show that something works. */
const FIFTEEN = [
  ...['crc32c', 'rdaddr', 'rdavl', 'rdbase64', 'rdcrc32', 'rdfnv1a', 'rdlist', 'rdlog'],
  ...['rdmap', 'rdmurmur2', 'rdports', 'rdrand', 'rdregex', 'rdstring', 'rdunittest'],
];

/** 15 C units, about 5 CPU seconds. */
export const fifteen: Workload = librdkafkaWorkload(
  'fifteen',
  FIFTEEN.map((name) => `${name}.o`),
  '15 small units of librdkafka',
);
