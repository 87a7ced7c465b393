/**
 * Tries a toolchain that stands for one of another host architecture: compiles nothing, at the submitter's paths, and
 * holds where the compiler looks for headers against where the submitter's does. Whether it makes the right objects is
 * for the submitter to find out.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { LANGUAGE_SCOPES } from '../compiler/index.ts';
import type { WireToolchainUse } from '../mesh/index.ts';
import type { Cell } from '../sandbox/index.ts';
import {
  type SearchList,
  searchDifference,
  searchListIn,
  searchOptions,
  type Toolchain,
} from '../toolchain/index.ts';
import type { CompileLimits } from './compile.ts';
import { type InstalledToolchain, installToolchain, type OtherHostUse } from './installed-toolchain.ts';
import { Mirror, type MirrorContent } from './mirror.ts';

/** Written by the trial, and thrown away with its scratch. */
const TRIAL_OBJECT = '/.meshcc-trial.o';

/** Nothing of the submitter comes into a trial. */
const NO_CONTENT: MirrorContent = {
  need: () => Promise.reject(new Error('a trial has no inputs')),
  materialise: () => Promise.reject(new Error('a trial has no inputs')),
};

/** The compiler as it is to be used, or in words why it cannot be. */
export type TrialOutcome = InstalledToolchain | { readonly refusal: string };

/** Where a trial takes place, and with what. */
export interface TrialParts {
  /** Made for it, and removed behind it. */
  readonly directory: string;
  readonly toolchainFilesDirectory: string;
  /** Whom the directories of a tree belong to; 0: this agent's own user. */
  readonly treeOwner: number;
  openCell(treeDirectory: string, jobsDirectory: string): Promise<Cell>;
  removeDirectory(path: string): Promise<void>;
  readonly limits: CompileLimits;
  readonly signal: AbortSignal;
}

/** A tree with nothing in it but the compiler. */
interface TrialPlace extends Pick<TrialParts, 'limits' | 'signal'> {
  readonly cell: Cell;
  readonly mirror: Mirror;
}

/**
 * Tries a compiler in a tree of its own, where it meets no file of the submitter, and from which nothing stays.
 * @throws MeshError as {@link installToolchain} does
 */
export async function tryToolchain(
  toolchain: Toolchain,
  use: OtherHostUse,
  parts: TrialParts,
): Promise<TrialOutcome> {
  const { directory, toolchainFilesDirectory, treeOwner, limits, signal } = parts;
  const tree = join(directory, 'tree');
  try {
    await mkdir(tree, { recursive: true, mode: 0o755 });
    const mirror = new Mirror(tree, NO_CONTENT, Promise.resolve(), treeOwner);
    const installed = await installToolchain(toolchain, use, mirror, toolchainFilesDirectory);
    const cell = await parts.openCell(tree, join(directory, 'jobs'));
    try {
      return await tryInstalled(installed, use.otherHost, { cell, mirror, limits, signal });
    } finally {
      await cell.close();
    }
  } finally {
    await parts.removeDirectory(directory);
  }
}

/**
 * Tries a compiler as it is and, if it looks for headers elsewhere, with the submitter's directories given to it.
 * @param expected where the submitter's compiler looks
 */
async function tryInstalled(
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
