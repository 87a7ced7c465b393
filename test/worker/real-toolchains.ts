/** The compilers of this machine, and how a submitter that has the same ones describes them. */
import { dirname } from 'node:path';
import { digestToBytes } from '../../src/base/digest.ts';
import type { WireToolchainUse } from '../../src/mesh/index.ts';
import { probeToolchain, type Toolchain } from '../../src/toolchain/index.ts';

export const GCC = '/usr/bin/gcc';
export const GXX = '/usr/bin/g++';

const ENV: NodeJS.ProcessEnv = { PATH: '/usr/local/bin:/usr/bin:/bin' };
const probed = new Map<string, Promise<Toolchain>>();

/** Probed once per test process. */
export function toolchainOf(compilerPath: string): Promise<Toolchain> {
  let toolchain = probed.get(compilerPath);
  if (toolchain === undefined) {
    toolchain = probeToolchain(compilerPath, { env: ENV });
    probed.set(compilerPath, toolchain);
  }
  return toolchain;
}

/** The description that a submitter with the same toolchain at the same paths sends. */
export function useOf(toolchain: Toolchain, ref = 1): WireToolchainUse {
  const byName = toolchain.components.filter((component) => component.lookup === 'PATH');
  return {
    ref,
    toolchainId: toolchain.id,
    compilerPath: toolchain.compilerPath,
    files: toolchain.components.map(({ digest, path }) => ({ sha256: digestToBytes(digest), path })),
    directories: [...toolchain.directories],
    links: [...toolchain.links],
    programDirectories: [...new Set(byName.map((component) => dirname(component.path)))],
  };
}
