/** What the tests of this room share: the machine's compilers, and private copies of them to tamper with. */
import { copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Toolchain } from '../../src/toolchain/index.ts';

/** An environment with the system's programs and nothing else. */
export const SYSTEM_ENV: NodeJS.ProcessEnv = { PATH: '/usr/local/bin:/usr/bin:/bin' };

/** A directory that is gone after the test. Its path holds no links. */
export function scratch(t: TestContext): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'meshcc-toolchain-')));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A copy of a GCC below another prefix. */
export interface GccCopy {
  readonly compilerPath: string;
  /** Where it looks for cc1 and specs first. */
  readonly internalsDirectory: string;
}

/**
 * Copies a GCC's driver, and links its cc1, below `prefix`: a GCC finds its programs relative to where its
 * driver lies.
 */
export function copyGcc(original: Toolchain, prefix: string): GccCopy {
  const cc1 = original.components.find(({ role }) => role === 'cc1');
  if (cc1 === undefined) throw new Error(`${original.compilerPath} has no cc1`);
  const internalsDirectory = join(prefix, dirname(cc1.realPath).replace(/^\/usr\//, ''));
  const compilerPath = join(prefix, 'bin', 'gcc');
  mkdirSync(internalsDirectory, { recursive: true });
  mkdirSync(dirname(compilerPath), { recursive: true });
  copyFileSync(original.driverPath, compilerPath);
  symlinkSync(cc1.realPath, join(internalsDirectory, 'cc1'));
  return { compilerPath, internalsDirectory };
}
