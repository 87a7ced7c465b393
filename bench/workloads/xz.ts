/** XZ Utils from Debian's sources: autotools and libtool, ./configure included in the measured build. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { unpackDebianSource } from './debian-source.ts';
import { listFiles, prepareOnce } from './source-tree.ts';
import type { Log, PreparedTree, Workload } from './workload.ts';

const SOURCE_PACKAGE = 'xz-utils';
const CONFIGURE = 'mkdir -p build && cd build && ../configure -q --disable-nls --disable-doc';

/** automake keeps the depfile of `x.o` as `.deps/x.Po`, that of libtool's `x.lo` as `.deps/x.Plo`. */
const isOutput = (path: string): boolean => /\.(o|Po|Plo)$/.test(path);

async function prepare(cacheDirectory: string, log: Log): Promise<PreparedTree> {
  const recipe = SOURCE_PACKAGE;
  const directory = await prepareOnce({ cacheDirectory, name: 'xz', recipe, log }, (tree) =>
    unpackDebianSource(SOURCE_PACKAGE, tree, cacheDirectory, log),
  );
  const buildDirectory = join(directory, 'build');
  return {
    name: 'xz',
    directory,
    recipe,
    build: (jobs) => ['sh', '-c', `${CONFIGURE} && make -j${jobs}`],
    clean: () => rm(buildDirectory, { recursive: true, force: true }),
    objects: () => listFiles(directory, isOutput, ['build']),
  };
}

/** About 180 objects (libtool compiles most units twice), about 20 CPU seconds. */
export const xz: Workload = {
  name: 'xz',
  description:
    'XZ Utils from the Debian source package: about 180 C compiles, autotools, configured under the shim',
  programs: ['apt-get', 'tar', 'xz', 'make', 'gcc', 'ar'],
  packages: ['tar', 'xz-utils', 'make', 'gcc', 'libc6-dev', 'binutils'],
  prepare,
};
