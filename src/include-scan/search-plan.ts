/** What a call's arguments say about the search for headers, before anything on disk is looked at. */
import type { Invocation, InvocationArg } from '../compiler/index.ts';

/** The parts of a call that the scan needs. Directories are absolute, as spelled. */
export interface SearchPlan {
  /** -iquote. */
  readonly quote: readonly string[];
  /** -I. */
  readonly include: readonly string[];
  /** -isystem. */
  readonly system: readonly string[];
  /** -idirafter. */
  readonly after: readonly string[];
  /** Files of -include and -imacros, as spelled. */
  readonly preincludes: readonly string[];
  /** The macros of -D as a source text, one definition per line. */
  readonly definitions: string;
  /** An option with a say in the search that only the compiler understands. */
  readonly unsupported: string | undefined;
}

/** Which list a search directory belongs to. */
const LISTS = {
  '-iquote': 'quote',
  '-I': 'include',
  '-isystem': 'system',
  '-idirafter': 'after',
} as const satisfies Record<string, keyof SearchPlan>;

/** Options of Clang that put directories at places of their own. */
const UNSUPPORTED: ReadonlySet<string> = new Set(['-cxx-isystem', '-stdlib++-isystem']);

function isList(name: string): name is keyof typeof LISTS {
  return Object.hasOwn(LISTS, name);
}

/** True for options whose value is a search directory of the user. */
export function isSearchDirectory(arg: InvocationArg): boolean {
  return isList(arg.name) || UNSUPPORTED.has(arg.name);
}

/**
 * Reads the plan off the arguments.
 * @param workingDirectory absolute
 */
export function searchPlanOf(invocation: Invocation, workingDirectory: string): SearchPlan {
  const lists = {
    quote: [] as string[],
    include: [] as string[],
    system: [] as string[],
    after: [] as string[],
  };
  const preincludes: string[] = [];
  const definitions: string[] = [];
  let unsupported: string | undefined;
  for (const { name, form, value, list } of invocation.args) {
    if (form === 'source') continue;
    if (isList(name)) lists[LISTS[name]].push(absolutePath(workingDirectory, value));
    else if (name === '-include' || name === '-imacros') preincludes.push(value);
    else if (name === '-D') definitions.push(definitionText(value));
    else if (name === '-Wp,') {
      for (const piece of list) if (piece.name === '-D') definitions.push(definitionText(piece.value));
    } else if (UNSUPPORTED.has(name)) unsupported ??= name;
  }
  return { ...lists, preincludes, definitions: definitions.join(''), unsupported };
}

/** A path of the command line made absolute, otherwise as spelled. */
export function absolutePath(workingDirectory: string, path: string): string {
  if (path.startsWith('/')) return path;
  return workingDirectory === '/' ? `/${path}` : `${workingDirectory}/${path}`;
}

/** `-DNAME` defines 1, `-DNAME=text` the text; the first `=` is no part of either. */
function definitionText(value: string): string {
  const equals = value.indexOf('=');
  return equals < 0
    ? `#define ${value} 1\n`
    : `#define ${value.slice(0, equals)} ${value.slice(equals + 1)}\n`;
}
