/** BusyBox from Debian's sources: many small C units, kbuild of an older generation. */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from './command.ts';
import { unpackDebianSource } from './debian-source.ts';
import { listFiles, logFile, prepareOnce } from './source-tree.ts';
import type { Log, PreparedTree, Workload } from './workload.ts';

/** TC: its source uses CBQ constants that kernel headers since 6.8 no longer have. */
const SWITCHED_OFF = ['CONFIG_TC'];
const SOURCE_PACKAGE = 'busybox';
/** Without it the time of day of the configuration, which a build may repeat, is compiled into libbb/messages.o. */
const MAKE = ['make', 'KCONFIG_NOTIMESTAMP=1'];

/** `.*.o.cmd` holds the command and the dependencies; kbuild deletes the depfile itself. Host tools do not count. */
const isOutput = (path: string): boolean => /\.o(\.cmd)?$/.test(path) && !path.startsWith('scripts/');

async function configure(tree: string, log: string): Promise<void> {
  const options = { cwd: tree, logFile: log };
  await runCommand([...MAKE, 'defconfig'], options);
  const config = join(tree, '.config');
  const kept = readFileSync(config, 'utf8')
    .split('\n')
    .filter((line) => !SWITCHED_OFF.some((name) => line.startsWith(`${name}=`)));
  writeFileSync(config, kept.join('\n'));
  appendFileSync(config, SWITCHED_OFF.map((name) => `# ${name} is not set\n`).join(''));
  await runCommand([...MAKE, 'silentoldconfig'], options);
}

async function prepare(cacheDirectory: string, log: Log): Promise<PreparedTree> {
  const recipe = `${MAKE.join(' ')} defconfig without ${SWITCHED_OFF.join(' ')}`;
  const output = logFile(cacheDirectory, 'busybox');
  const directory = await prepareOnce({ cacheDirectory, name: 'busybox', recipe, log }, async (tree) => {
    await unpackDebianSource(SOURCE_PACKAGE, tree, cacheDirectory, log);
    log('configuring busybox (defconfig)');
    await configure(tree, output);
  });
  return {
    name: 'busybox',
    directory,
    recipe,
    build: (jobs) => [...MAKE, `-j${jobs}`, 'busybox_unstripped'],
    clean: async () => {
      await runCommand(['make', 'clean'], { cwd: directory, logFile: output });
    },
    objects: () => listFiles(directory, isOutput),
  };
}

/** About 565 C units, about 45 CPU seconds. */
export const busybox: Workload = {
  name: 'busybox',
  description: 'BusyBox from the Debian source package: about 565 small C units, -Os, old kbuild',
  programs: ['apt-get', 'tar', 'bzip2', 'make', 'gcc', 'ar'],
  packages: ['tar', 'bzip2', 'make', 'gcc', 'libc6-dev', 'binutils'],
  prepare,
};
