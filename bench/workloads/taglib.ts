/** TagLib from Debian's sources: C++ configured by CMake, configuration included in the measured build. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { unpackDebianSource } from './debian-source.ts';
import { listFiles, prepareOnce } from './source-tree.ts';
import type { Log, PreparedTree, Workload } from './workload.ts';

const SOURCE_PACKAGE = 'taglib';
/** zlib is off so that the same units are built whether its headers are there or not. */
const CONFIGURE =
  'cmake -S . -B build -G "Unix Makefiles" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DBUILD_TESTING=OFF -DBUILD_EXAMPLES=OFF -DCMAKE_DISABLE_FIND_PACKAGE_ZLIB=ON';

/** CMake's own tests of the compiler leave objects too, some with random names. */
const isOutput = (path: string): boolean =>
  /\.(o(\.d)?|dwo|su)$/.test(path) && !path.includes('CMakeScratch');

function taglibWorkload(name: string, flags: string, description: string): Workload {
  const recipe = SOURCE_PACKAGE;
  const configure = flags === '' ? CONFIGURE : `${CONFIGURE} -DCMAKE_CXX_FLAGS="${flags}"`;
  const prepare = async (cacheDirectory: string, log: Log): Promise<PreparedTree> => {
    const directory = await prepareOnce({ cacheDirectory, name: 'taglib', recipe, log }, (tree) =>
      unpackDebianSource(SOURCE_PACKAGE, tree, cacheDirectory, log),
    );
    const buildDirectory = join(directory, 'build');
    return {
      name,
      directory,
      recipe,
      build: (jobs) => ['sh', '-c', `${configure} && cmake --build build -j ${jobs}`],
      clean: () => rm(buildDirectory, { recursive: true, force: true }),
      objects: () => listFiles(directory, isOutput, ['build']),
    };
  };
  return {
    name,
    description,
    programs: ['apt-get', 'tar', 'gzip', 'cmake', 'make', 'g++', 'ar'],
    packages: ['tar', 'gzip', 'cmake', 'make', 'g++', 'binutils'],
    prepare,
  };
}

/** About 100 C++ units, about 25 CPU seconds. */
export const taglib: Workload = taglibWorkload(
  'taglib',
  '',
  'TagLib from the Debian source package: about 100 C++ units, CMake, configured under the shim',
);

/**
 * The same with its debug information in files of its own. GCC gives these another id each time if it follows
 * variables through optimised code, so that not even two local builds would be equal.
 */
export const taglibSplit: Workload = taglibWorkload(
  'taglib-split',
  '-gsplit-dwarf -fno-var-tracking -fstack-usage',
  'TagLib with -gsplit-dwarf: objects and .dwo files of about 100 C++ units',
);
