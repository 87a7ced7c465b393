/**
 * Parts of the Linux kernel from Debian's package linux-source-6.1: large header closures (about 600
 * files a unit), generated headers, `-Wp,-MMD`, merged objects.
 */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { BenchError } from '../bench-error.ts';
import { runCommand } from './command.ts';
import { listFiles, logFile, prepareOnce, removeFiles } from './source-tree.ts';
import type { Log, PreparedTree, Workload } from './workload.ts';

const ARCHIVE = '/usr/src/linux-source-6.1.tar.xz';
const PACKAGES = [
  'linux-source-6.1',
  ...['tar', 'xz-utils', 'make', 'gcc', 'binutils', 'bc', 'flex', 'bison', 'perl', 'kmod', 'cpio'],
  ...['libc6-dev', 'libelf-dev', 'libssl-dev'],
];
const RECIPE = `${ARCHIVE} defconfig`;

/** fixdep folds the depfile into `.x.o.cmd` and deletes it. */
const isOutput = (path: string): boolean => /\.o(\.cmd)?$/.test(path);

/** Everything that a build writes below a target; host tools such as lib/gen_crc32table stay. */
const isProduct = (path: string): boolean => /\.(o|a|mod|order)(\.cmd|\.d)?$/.test(basename(path));

/** Every build writes it, above all targets. */
const SYSCALL_CHECK = '.missing-syscalls.d';

async function prepareKernel(cacheDirectory: string, log: Log): Promise<string> {
  if (!existsSync(ARCHIVE)) {
    throw new BenchError(
      `${ARCHIVE} is missing: install the package linux-source-6.1, or take another workload`,
    );
  }
  return prepareOnce({ cacheDirectory, name: 'linux-6.1', recipe: RECIPE, log }, async (tree) => {
    const options = { cwd: tree, logFile: logFile(cacheDirectory, 'kernel') };
    await runCommand(['tar', '-xf', ARCHIVE, '--strip-components=1'], options);
    log('configuring the kernel (defconfig) and building its host tools');
    await runCommand(['make', 'defconfig'], options);
    await runCommand(['make', `-j${availableParallelism()}`, 'prepare', 'modules_prepare'], options);
  });
}

/** These workloads share one tree and differ in the directories that are built. */
function kernelWorkload(name: string, targets: readonly string[], description: string): Workload {
  const prepare = async (cacheDirectory: string, log: Log): Promise<PreparedTree> => {
    const directory = await prepareKernel(cacheDirectory, log);
    return {
      name,
      directory,
      recipe: `${RECIPE} ${targets.join(' ')}`,
      build: (jobs) => ['make', `-j${jobs}`, ...targets],
      clean: async () => {
        await removeFiles(directory, isProduct, targets);
        await rm(join(directory, SYSCALL_CHECK), { force: true });
      },
      objects: () => listFiles(directory, isOutput, targets),
    };
  };
  const programs = ['tar', 'xz', 'make', 'gcc', 'ld', 'ar', 'bc', 'flex', 'bison', 'perl'];
  return { name, description, programs, packages: PACKAGES, prepare };
}

/** About 440 C units, about 4 CPU minutes. */
export const kernel: Workload = kernelWorkload(
  'kernel',
  ['kernel/', 'lib/', 'mm/'],
  'Linux 6.1 kernel/ lib/ mm/, defconfig: about 440 C units; needs linux-source-6.1, libelf-dev, libssl-dev',
);

/** About 65 C units, about one CPU minute. */
export const kernelSmall: Workload = kernelWorkload(
  'kernel-small',
  ['mm/'],
  'Linux 6.1 mm/, defconfig: about 65 C units; needs linux-source-6.1, libelf-dev, libssl-dev',
);

/** About 350 C units, about 5 CPU minutes: the parts that published measurements of compile meshes have used. */
export const kernel348: Workload = kernelWorkload(
  'k348',
  ['kernel/', 'mm/', 'fs/ext4/', 'net/core/'],
  'Linux 6.1 kernel/ mm/ fs/ext4/ net/core/, defconfig: 348 C units; needs what kernel needs',
);

/** About 100 C units, about 75 CPU seconds. */
export const kernelHundred: Workload = kernelWorkload(
  'small',
  ['mm/', 'fs/ext4/'],
  'Linux 6.1 mm/ fs/ext4/, defconfig: 100 C units; needs what kernel needs',
);
