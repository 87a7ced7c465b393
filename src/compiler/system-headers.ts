/**
 * Which files a dependency file of -MMD leaves out: those that GCC takes for system headers. A header is one if it is
 * found in a system directory, or if it is included by one; and a file makes itself one with `#pragma GCC
 * system_header`, or lines of itself with a line marker (`# 1 "x.h" 3`; libcpp/directives.cc, do_linemarker).
 */
import type { Invocation, InvocationArg } from './invocation.ts';

/** Options that add system directories; with -nostdinc there are no others. */
const SYSTEM_DIRECTORY_OPTIONS: ReadonlySet<string> = new Set([
  '-isystem',
  '-idirafter',
  '-cxx-isystem',
  '-stdlib++-isystem',
]);

/** False only if no directory of the call's search is a system directory, and no macro on its command line marks files. */
export function mayFindSystemHeaders({ args }: Invocation): boolean {
  const named = new Set(args.filter(({ form }) => form !== 'source').map(({ name }) => name));
  if (!named.has('-nostdinc')) return true;
  if ([...SYSTEM_DIRECTORY_OPTIONS].some((name) => named.has(name))) return true;
  return args.some(marksInMacro);
}

function marksInMacro({ name, value, list }: InvocationArg): boolean {
  return (name === '-D' && mayMarkSystemHeaders(value)) || list.some(marksInMacro);
}

const SPLICE = /\\[ \t\v\f]*\r?\n/g;

/** The words themselves, either half of them beside a paste, or a line marker. */
const MARK =
  /system_header|system_\s*(?:##|%:%:)|(?:##|%:%:)\s*(?:_?header)\b|^[ \t\v\f]*(?:#|%:)[ \t\v\f]*\d/m;

/**
 * False only if nothing in a file's text can make it, or lines of it, a system header.
 * @param text in any encoding that keeps ASCII
 */
export function mayMarkSystemHeaders(text: string): boolean {
  // A trigraph can stand for a backslash or a #; whoever writes them is not taken for harmless.
  if (text.includes('??/') || text.includes('??=')) return true;
  return MARK.test(text.includes('\\') ? text.replace(SPLICE, '') : text);
}
