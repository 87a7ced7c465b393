/**
 * A compiler that runs on another processor architecture in the place of one that is not there: what of it must be the
 * same all the same, and what of it may be its own.
 */
import { PathFootprint } from './path-footprint.ts';
import { parseIncludeDirectories } from './search-paths.ts';
import type {
  ComponentRole,
  Toolchain,
  ToolchainComponent,
  ToolchainFacts,
  ToolchainFile,
  ToolchainLink,
} from './toolchain.ts';

/** What stands of a component where the place of another compiler is taken. */
const PARTS: Readonly<Record<ComponentRole, 'program' | 'support' | 'text'>> = {
  driver: 'program',
  cc1: 'program',
  cc1plus: 'program',
  cc1obj: 'program',
  cc1objplus: 'program',
  as: 'program',
  objcopy: 'program',
  library: 'support',
  specs: 'text',
  config: 'text',
  resource: 'text',
};

/** True for a program, which is put where the other compiler has the one of its role. */
export function isPlacedByRole(role: ComponentRole): boolean {
  return PARTS[role] === 'program';
}

/** True for a part that its own programs look for where they were installed, as they do for libc. */
export function isRunSupport(role: ComponentRole): boolean {
  return PARTS[role] === 'support';
}

/**
 * Why a compiler cannot take the place of another one of the same version and target, whatever it does; in words that
 * follow its name.
 * @returns undefined if what it does decides
 */
export function otherHostObstacle(own: ToolchainFacts, theirs: ToolchainFacts): string | undefined {
  if (own.dialect !== 'gcc') return 'is no GCC, and only those are used across hosts';
  if (theirs.components.length === 0) return 'does not tell what it consists of';
  if (listOf(own, isPlacedByRole) !== listOf(theirs, isPlacedByRole))
    return 'consists of other kinds of programs';
  const isText = (role: ComponentRole): boolean => PARTS[role] === 'text';
  return listOf(own, isText, true) === listOf(theirs, isText, true)
    ? undefined
    : 'reads other files that change its options';
}

function listOf(
  { components }: ToolchainFacts,
  isWanted: (role: ComponentRole) => boolean,
  withContent = false,
): string {
  const wanted = components.filter(({ role }) => isWanted(role));
  return wanted
    .map(({ role, digest }) => (withContent ? `${role} ${digest}` : role))
    .sort()
    .join(' ');
}

/** What a compiler needs in order to run, where it was installed. */
export interface RunSupport {
  /** Loader and libraries, also those with code of the compiler. */
  readonly files: readonly (ToolchainFile & Partial<Pick<ToolchainComponent, 'digest'>>)[];
  /** What the paths of the files lead through. */
  readonly directories: readonly string[];
  readonly links: readonly ToolchainLink[];
}

/** Looks at the disk for a dozen paths. */
export function supportOf({ components, libraries }: Toolchain): RunSupport {
  const files = [...components.filter(({ role }) => isRunSupport(role)), ...libraries];
  const footprint = new PathFootprint();
  for (const { path } of files) footprint.add(path);
  return { files, directories: footprint.directories, links: footprint.links };
}

/** Where a compiler looks for `#include <…>`, spelled as it does. */
export interface SearchList {
  /** In order; all exist. */
  readonly directories: readonly string[];
  /** Where it would look if they were there; the order says nothing. */
  readonly absent: readonly string[];
}

/** Options that put directories behind those that a call names for system headers, and before the compiler's own. */
export function searchOptions({ directories }: SearchList): string[] {
  return directories.flatMap((directory) => ['-isystem', directory]);
}

/** The list in what a compiler prints with `-v`; undefined if there is none. */
export function searchListIn(text: string): SearchList | undefined {
  const parsed = parseIncludeDirectories(text);
  return parsed && { directories: parsed.includeDirectories, absent: parsed.absentIncludeDirectories };
}

/**
 * What of two lists is not the same, in words.
 * @param names how the two compilers are called
 */
export function searchDifference(
  a: SearchList,
  b: SearchList,
  [nameOfA, nameOfB]: readonly [string, string],
): string | undefined {
  const [all, others] = [everyOne(a), everyOne(b)];
  const onlyA = [...all].find((path) => !others.has(path));
  if (onlyA !== undefined) return `only ${nameOfA} looks for headers in ${onlyA}`;
  const onlyB = [...others].find((path) => !all.has(path));
  if (onlyB !== undefined) return `only ${nameOfB} looks for headers in ${onlyB}`;
  if (a.directories.join('\0') === b.directories.join('\0')) return undefined;
  return `${nameOfA} and ${nameOfB} look for headers in another order: ${a.directories.join(' ')}, and ${b.directories.join(' ')}`;
}

function everyOne({ directories, absent }: SearchList): ReadonlySet<string> {
  return new Set([...directories, ...absent]);
}
