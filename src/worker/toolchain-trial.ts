/**
 * Tries a toolchain that stands for one of another host architecture: compiles nothing, at the submitter's paths, and
 * holds where the compiler looks for headers against where the submitter's does. Whether it makes the right objects is
 * for the submitter to find out.
 */
import { LANGUAGE_SCOPES } from '../compiler/index.ts';
import type { WireToolchainUse } from '../mesh/index.ts';
import type { Cell } from '../sandbox/index.ts';
import { type SearchList, searchDifference, searchListIn, searchOptions } from '../toolchain/index.ts';
import type { CompileLimits } from './compile.ts';
import type { InstalledToolchain } from './installed-toolchain.ts';
import type { Mirror } from './mirror.ts';

/** Written by the trial, and thrown away with its scratch. */
const TRIAL_OBJECT = '/.meshcc-trial.o';

/** The compiler as it is to be used, or in words why it cannot be. */
export type TrialOutcome = InstalledToolchain | { readonly refusal: string };

/** Runs a question in the submitter's tree. */
export interface TrialPlace {
  readonly cell: Cell;
  readonly mirror: Mirror;
  readonly limits: CompileLimits;
  readonly signal: AbortSignal;
}

/**
 * Tries a compiler as it is and, if it looks for headers elsewhere, with the submitter's directories given to it.
 * @param expected where the submitter's compiler looks
 */
export async function tryToolchain(
  installed: InstalledToolchain,
  expected: NonNullable<WireToolchainUse['otherHost']>,
  place: TrialPlace,
): Promise<TrialOutcome> {
  const { includeDirectories, absentIncludeDirectories } = expected;
  const wanted: SearchList = { directories: includeDirectories, absent: absentIncludeDirectories };
  const own = await searchList(installed, [], place);
  if ('refusal' in own) return own;
  if (searchDifference(wanted, own, NAMES) === undefined) return installed;
  const options = searchOptions(wanted);
  const told = await searchList(installed, options, place);
  if ('refusal' in told) return told;
  const difference = searchDifference({ ...wanted, absent: [] }, { ...told, absent: [] }, NAMES);
  if (difference !== undefined) return { refusal: difference };
  const absent = [...new Set([...wanted.absent, ...told.absent])];
  return { ...installed, toldDirectories: { options, absent } };
}

const NAMES = ['your compiler', 'this one'] as const;

async function searchList(
  { toolchain, driverPath, searchPath }: InstalledToolchain,
  options: readonly string[],
  { cell, mirror, limits, signal }: TrialPlace,
): Promise<SearchList | { readonly refusal: string }> {
  const hold = mirror.hold([]);
  try {
    await hold.ready;
    const sight = cell.wantsView ? { view: hold.view(['/']), writable: ['/'] } : {};
    const scope = LANGUAGE_SCOPES[toolchain.scope].arguments;
    const result = await cell.run(
      {
        executable: driverPath,
        argv: [driverPath, '-v', ...options, ...scope, '-c', '/dev/null', '-o', TRIAL_OBJECT],
        environment: ['LC_ALL=C', `PATH=${searchPath}`],
        cwd: '/',
        umask: 0o022,
        ...limits,
        ...sight,
      },
      signal,
    );
    if (result.kind === 'fault')
      return { refusal: `it could not be tried: ${result.cause}: ${result.detail}` };
    result.release();
    const said = result.stderr.toString('utf8');
    if (result.exitStatus !== 0 || result.signal !== 0)
      return { refusal: `at your paths it does not compile: ${complaintIn(said)}` };
    return searchListIn(said) ?? { refusal: 'it does not tell where it looks for headers' };
  } finally {
    hold.release();
  }
}

/** The line that says what went wrong, among all that -v prints. */
function complaintIn(text: string): string {
  const lines = text.trim().split('\n');
  return lines.find((line) => /\berror: /.test(line)) ?? lines.at(-1) ?? '';
}
