/**
 * Tries a toolchain that stands for one of another host architecture: compiles nothing, at the submitter's paths, and
 * holds where the compiler looks for headers against where the submitter's does. Whether it makes the right objects is
 * for the submitter to find out.
 */
import { LANGUAGE_SCOPES } from '../compiler/index.ts';
import type { WireToolchainUse } from '../mesh/index.ts';
import type { Cell } from '../sandbox/index.ts';
import { searchDifference, searchListIn } from '../toolchain/index.ts';
import type { CompileLimits } from './compile.ts';
import type { InstalledToolchain } from './installed-toolchain.ts';
import type { Mirror } from './mirror.ts';

/** Written by the trial, and thrown away with its scratch. */
const TRIAL_OBJECT = '/.meshcc-trial.o';

/** @returns why it cannot be used, in words; undefined if it can */
export async function toolchainTrouble(
  { toolchain, driverPath, searchPath }: InstalledToolchain,
  expected: NonNullable<WireToolchainUse['otherHost']>,
  cell: Cell,
  mirror: Mirror,
  limits: CompileLimits,
  signal: AbortSignal,
): Promise<string | undefined> {
  const hold = mirror.hold([]);
  try {
    await hold.ready;
    const sight = cell.wantsView ? { view: hold.view(['/']), writable: ['/'] } : {};
    const scope = LANGUAGE_SCOPES[toolchain.scope].arguments;
    const result = await cell.run(
      {
        executable: driverPath,
        argv: [driverPath, '-v', ...scope, '-c', '/dev/null', '-o', TRIAL_OBJECT],
        environment: ['LC_ALL=C', `PATH=${searchPath}`],
        cwd: '/',
        umask: 0o022,
        ...limits,
        ...sight,
      },
      signal,
    );
    if (result.kind === 'fault') return `it could not be tried: ${result.cause}: ${result.detail}`;
    result.release();
    const said = result.stderr.toString('utf8');
    if (result.exitStatus !== 0 || result.signal !== 0)
      return `at your paths it does not compile: ${said.trim().split('\n').at(-1) ?? ''}`;
    const found = searchListIn(said);
    if (found === undefined) return 'it does not tell where it looks for headers';
    const { includeDirectories, absentIncludeDirectories } = expected;
    const wanted = { directories: includeDirectories, absent: absentIncludeDirectories };
    return searchDifference(wanted, found, ['your compiler', 'this one']);
  } finally {
    hold.release();
  }
}
