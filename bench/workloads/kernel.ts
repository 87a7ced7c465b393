/**
 * Parts of the Linux kernel from Debian's package linux-source-6.1: large header closures (about 600
 * files a unit), generated headers, `-Wp,-MMD`, merged objects.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { BenchError } from '../bench-error.ts';
import { runCommand } from './command.ts';
import { listFiles, logFile, prepareOnce, removeFiles, treeDirectory } from './source-tree.ts';
import type { Log, PreparedTree, Workload } from './workload.ts';

const ARCHIVE = '/usr/src/linux-source-6.1.tar.xz';
const PACKAGES = [
  'linux-source-6.1',
  ...['tar', 'xz-utils', 'make', 'gcc', 'binutils', 'bc', 'flex', 'bison', 'perl', 'kmod', 'cpio'],
  ...['libc6-dev', 'libelf-dev', 'libssl-dev'],
];

/** fixdep folds the depfile into `.x.o.cmd` and deletes it. */
const isOutput = (path: string): boolean => /\.(o|gcno)(\.cmd)?$/.test(path);

/** Everything that a build writes below a target; host tools such as lib/gen_crc32table stay. */
const isProduct = (path: string): boolean => /\.(o|a|mod|order|gcno)(\.cmd|\.d)?$/.test(basename(path));

/** Every build writes it, above all targets. */
const SYSCALL_CHECK = '.missing-syscalls.d';

/** A configured kernel; several workloads may build other parts of one. */
interface Configuration {
  /** Names the directory. */
  readonly name: string;
  /** Configured beside the sources, which are shared; else in a tree of its own, as most people do it. */
  readonly isOutside: boolean;
  /** Arguments of every make. */
  readonly make: readonly string[];
  /** Arguments of scripts/config after defconfig. */
  readonly changes: readonly string[];
}

const DEFCONFIG: Configuration = { name: 'linux-6.1', isOutside: false, make: [], changes: [] };

async function unpack(tree: string, log: string): Promise<void> {
  if (!existsSync(ARCHIVE)) {
    throw new BenchError(
      `${ARCHIVE} is missing: install the package linux-source-6.1, or take another workload`,
    );
  }
  await runCommand(['tar', '-xf', ARCHIVE, '--strip-components=1'], { cwd: tree, logFile: log });
}

async function configure(
  { name, make, changes }: Configuration,
  sources: string,
  tree: string,
  cacheDirectory: string,
  log: Log,
): Promise<void> {
  const options = { cwd: sources, logFile: logFile(cacheDirectory, name) };
  const run = (...args: string[]): Promise<number> =>
    runCommand(['make', ...(tree === sources ? [] : [`O=${tree}`]), ...make, ...args], options);
  log(`configuring the kernel (defconfig ${changes.join(' ')}) and building its host tools`);
  await run('defconfig');
  if (changes.length > 0) {
    await runCommand(['scripts/config', '--file', join(tree, '.config'), ...changes], options);
    await run('olddefconfig');
  }
  await run(`-j${availableParallelism()}`, 'prepare', 'modules_prepare');
}

async function prepareKernel(what: Configuration, cacheDirectory: string, log: Log): Promise<string> {
  const { name, isOutside, make, changes } = what;
  const recipe = [ARCHIVE, 'defconfig', ...make, ...changes].join(' ');
  const place = { cacheDirectory, name, recipe, log };
  const output = logFile(cacheDirectory, name);
  if (!isOutside) {
    return prepareOnce(place, async (tree) => {
      await unpack(tree, output);
      await configure(what, tree, tree, cacheDirectory, log);
    });
  }
  const sources = await prepareOnce({ ...place, name: 'linux-6.1-sources', recipe: ARCHIVE }, (tree) =>
    unpack(tree, output),
  );
  return prepareOnce(place, async (tree) => {
    mkdirSync(treeDirectory(cacheDirectory, name), { recursive: true });
    await configure(what, sources, tree, cacheDirectory, log);
  });
}

/** A workload that builds some directories of a configured kernel. */
interface KernelWorkload {
  readonly name: string;
  readonly configuration?: Configuration;
  readonly targets: readonly string[];
  readonly description: string;
  readonly programs?: readonly string[];
  /** Debian packages besides those that each of these workloads wants. */
  readonly packages?: readonly string[];
}

function kernelWorkload(workload: KernelWorkload): Workload {
  const { name, configuration = DEFCONFIG, targets, programs = ['gcc', 'ld', 'ar'] } = workload;
  const prepare = async (cacheDirectory: string, log: Log): Promise<PreparedTree> => {
    const directory = await prepareKernel(configuration, cacheDirectory, log);
    return {
      name,
      directory,
      recipe: [ARCHIVE, 'defconfig', ...configuration.make, ...configuration.changes, ...targets].join(' '),
      build: (jobs) => ['make', `-j${jobs}`, ...configuration.make, ...targets],
      clean: async () => {
        await removeFiles(directory, isProduct, targets);
        await rm(join(directory, SYSCALL_CHECK), { force: true });
      },
      objects: () => listFiles(directory, isOutput, targets),
    };
  };
  const tools = ['tar', 'xz', 'make', 'bc', 'flex', 'bison', 'perl'];
  return {
    name,
    description: workload.description,
    programs: [...tools, ...programs],
    packages: [...PACKAGES, ...(workload.packages ?? [])],
    prepare,
  };
}

const NEEDS = 'needs linux-source-6.1, libelf-dev, libssl-dev';
const SUBSET = ['kernel/', 'lib/', 'mm/'];
const SETS: readonly KernelWorkload[] = [
  {
    name: 'kernel',
    targets: SUBSET,
    description: `Linux 6.1 kernel/ lib/ mm/, defconfig: about 440 C units; ${NEEDS}`,
  },
  {
    name: 'kernel-small',
    targets: ['mm/'],
    description: `Linux 6.1 mm/, defconfig: about 65 C units; ${NEEDS}`,
  },
  {
    // The parts that published measurements of compile meshes have used.
    name: 'k348',
    targets: ['kernel/', 'mm/', 'fs/ext4/', 'net/core/'],
    description: 'Linux 6.1 kernel/ mm/ fs/ext4/ net/core/, defconfig: 348 C units; needs what kernel needs',
  },
  {
    name: 'small',
    targets: ['mm/', 'fs/ext4/'],
    description: 'Linux 6.1 mm/ fs/ext4/, defconfig: 100 C units; needs what kernel needs',
  },
  {
    name: 'kernel-wide',
    targets: [
      ...SUBSET,
      'fs/',
      'net/core/',
      'drivers/base/',
      'drivers/pci/',
      'arch/x86/kernel/',
      'arch/x86/lib/',
      'arch/x86/entry/',
    ],
    description: `Linux 6.1 kernel/ lib/ mm/ fs/ net/core/ drivers/base/ drivers/pci/ and parts of arch/x86 with their assembler sources; ${NEEDS}`,
  },
  {
    name: 'kernel-debug',
    configuration: {
      name: 'linux-6.1-debug',
      isOutside: true,
      make: [],
      changes: ['-d', 'DEBUG_INFO_NONE', '-e', 'DEBUG_INFO_DWARF5'],
    },
    targets: SUBSET,
    description: `Linux 6.1 kernel/ lib/ mm/ with CONFIG_DEBUG_INFO_DWARF5, built beside its sources; ${NEEDS}`,
  },
  {
    name: 'kernel-gcov',
    configuration: {
      name: 'linux-6.1-gcov',
      isOutside: true,
      // Without a seed GCC stamps each object with the time of day, and no two builds are equal.
      make: ['KCFLAGS=-frandom-seed=kernel'],
      changes: ['-e', 'DEBUG_FS', '-e', 'GCOV_KERNEL', '-e', 'GCOV_PROFILE_ALL'],
    },
    targets: SUBSET,
    description: `Linux 6.1 kernel/ lib/ mm/ with CONFIG_GCOV_PROFILE_ALL: objects and .gcno; ${NEEDS}`,
  },
  {
    name: 'kernel-clang',
    configuration: {
      name: 'linux-6.1-clang',
      isOutside: true,
      make: ['CC=clang-14', 'LLVM_IAS=1'],
      changes: [],
    },
    targets: SUBSET,
    description: `Linux 6.1 kernel/ lib/ mm/ with CC=clang-14; ${NEEDS}, clang-14`,
    programs: ['clang-14', 'gcc', 'ld', 'ar'],
    packages: ['clang-14'],
  },
  {
    name: 'kernel-arm64',
    configuration: {
      name: 'linux-6.1-arm64',
      isOutside: true,
      make: ['ARCH=arm64', 'CROSS_COMPILE=aarch64-linux-gnu-'],
      changes: [],
    },
    targets: [...SUBSET, 'arch/arm64/kernel/', 'arch/arm64/lib/'],
    description: `Linux 6.1 kernel/ lib/ mm/ and parts of arch/arm64 for arm64; ${NEEDS}, gcc-aarch64-linux-gnu`,
    programs: ['aarch64-linux-gnu-gcc', 'aarch64-linux-gnu-ld', 'gcc'],
    packages: ['gcc-aarch64-linux-gnu', 'binutils-aarch64-linux-gnu'],
  },
];

/** From a CPU minute (`kernel-small`) to a quarter of an hour and more on two processors (`kernel-wide`). */
export const KERNEL_WORKLOADS: readonly Workload[] = SETS.map(kernelWorkload);
