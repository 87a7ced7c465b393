/** Where a compiler looks for headers: how to ask it, and how to read its answer. */
import { MeshError } from '../base/errors.ts';
import type { Invocation } from './invocation.ts';
import { OPTION_INDEX } from './option-index.ts';
import type { Dialect } from './option-row.ts';
import { renderArguments } from './render-arguments.ts';

/** The directories in the order in which they are searched, as the compiler spells them. */
export interface SearchPath {
  /** Searched before the others for `#include "…"` (-iquote). */
  readonly quote: readonly string[];
  /** Searched for both kinds of #include. */
  readonly angle: readonly string[];
}

/**
 * Arguments that make the compiler print its search path for this call on standard error. Equal for all
 * calls that share a search path, so that the answer can be remembered under them (and the working
 * directory). Run it with LC_ALL=C: the answer's headings are translated.
 * @returns argv without argv[0]
 */
export function searchPathArguments(invocation: Invocation, dialect: Dialect = 'gcc'): string[] {
  const kept = invocation.args.filter(
    (arg) => arg.form !== 'source' && OPTION_INDEX[dialect].row(arg.name)?.searchPath === true,
  );
  // Nothing is preprocessed of an assembler source, and no search path is told.
  const language = invocation.language === 'assembler' ? 'assembler-with-cpp' : invocation.language;
  return [...renderArguments(kept), '-v', '-E', '-x', language, '/dev/null', '-o', '/dev/null'];
}

const FRAMEWORK_SUFFIX = ' (framework directory)';

/**
 * Reads the search path out of what `-v` printed.
 * @throws MeshError MESHCC_COMPILER if the text holds none, because the compiler failed or speaks another
 * language: an empty list would pass for a compiler that searches nowhere
 */
export function parseSearchPath(stderr: string): SearchPath {
  const quote: string[] = [];
  const angle: string[] = [];
  let list: string[] | undefined;
  for (const line of stderr.split('\n')) {
    if (line.startsWith('#include "..." search starts here:')) list = quote;
    else if (line.startsWith('#include <...> search starts here:')) list = angle;
    else if (line.startsWith('End of search list.')) return { quote, angle };
    else if (list !== undefined && line.startsWith(' ') && !line.endsWith(FRAMEWORK_SUFFIX))
      list.push(line.slice(1));
  }
  throw new MeshError(
    'MESHCC_COMPILER',
    `asked a compiler for its header search path (-v -E), and its answer holds none: ${JSON.stringify(stderr.slice(0, 500))}. Run the same by hand, with LC_ALL=C, to see why.`,
  );
}
