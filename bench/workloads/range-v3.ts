/**
 * range-v3 from Debian's sources: a library of deep templates, its tests, and one unit for each of its headers.
 * Its build fits the code to the processor of the machine (-march=native).
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { unpackDebianSource } from './debian-source.ts';
import { listFiles, prepareOnce } from './source-tree.ts';
import type { Log, PreparedTree, Workload } from './workload.ts';

const SOURCE_PACKAGE = 'range-v3';
const CONFIGURE =
  'cmake -S . -B build -G "Unix Makefiles" -DCMAKE_BUILD_TYPE=Debug -DRANGE_V3_HEADER_CHECKS=ON -DRANGE_V3_DOCS=OFF -DRANGES_ENABLE_WERROR=OFF -DRANGES_PREFER_REAL_CONCEPTS=OFF';

const isOutput = (path: string): boolean => /\.o(\.d)?$/.test(path) && !path.includes('CMakeScratch');

async function prepare(cacheDirectory: string, log: Log): Promise<PreparedTree> {
  const recipe = SOURCE_PACKAGE;
  const directory = await prepareOnce({ cacheDirectory, name: 'range-v3', recipe, log }, (tree) =>
    unpackDebianSource(SOURCE_PACKAGE, tree, cacheDirectory, log),
  );
  const buildDirectory = join(directory, 'build');
  return {
    name: 'range-v3',
    directory,
    recipe,
    build: (jobs) => ['sh', '-c', `${CONFIGURE} && cmake --build build -j ${jobs}`],
    clean: () => rm(buildDirectory, { recursive: true, force: true }),
    objects: () => listFiles(directory, isOutput, ['build']),
  };
}

/** More than 500 C++ units, about half an hour of CPU time. */
export const rangeV3: Workload = {
  name: 'range-v3',
  description:
    'range-v3 from the Debian source package: more than 500 C++ units of deep templates, -march=native, CMake',
  programs: ['apt-get', 'tar', 'gzip', 'cmake', 'make', 'g++', 'ar'],
  packages: ['tar', 'gzip', 'cmake', 'make', 'g++', 'binutils'],
  prepare,
};
