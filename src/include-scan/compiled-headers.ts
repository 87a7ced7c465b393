/**
 * Precompiled headers that a compiler takes by itself: GCC looks for `x.h.gch` wherever it looks for the first
 * header that the source or the command line names (deeper headers cannot be precompiled ones), Clang for
 * `x.h.pch` and `x.h.gch` beside the files of -include.
 */
import type { ChainMemory } from './include-graph.ts';
import type { GraphNode } from './path-probe.ts';
import type { ScanMemory } from './scan-memory.ts';

/**
 * The first precompiled header that the compiler might take.
 * @param source the file that is compiled
 * @param preincludes files of -include and -imacros
 * @param workingDirectory canonical
 * @returns its path, or undefined if there is none
 */
export function compiledHeaderFor(
  source: GraphNode,
  preincludes: readonly string[],
  workingDirectory: string,
  chain: ChainMemory,
  memory: ScanMemory,
): string | undefined {
  for (const name of preincludes) {
    const found = besideQuoted(workingDirectory, name, PREINCLUDE_SUFFIXES, chain, memory);
    if (found !== undefined) return found;
  }
  const scan = source.target === undefined ? undefined : memory.view.file(source.target)?.scan;
  return scan === undefined ? undefined : firstBeside(source, scan, chain, memory);
}

const PREINCLUDE_SUFFIXES = ['.gch', '.pch'];
const SUFFIXES = ['.gch'];

function firstBeside(
  { directory }: GraphNode,
  scan: {
    readonly quoted: readonly string[];
    readonly angled: readonly string[];
    readonly next: readonly string[];
  },
  chain: ChainMemory,
  memory: ScanMemory,
): string | undefined {
  for (const name of [...scan.quoted, ...scan.next]) {
    const found = besideQuoted(directory, name, SUFFIXES, chain, memory);
    if (found !== undefined) return found;
  }
  for (const name of scan.angled) {
    const found = besideAngled(name, SUFFIXES, chain, memory);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Where `#include "name"` in a file of `directory` may take a precompiled header from. */
function besideQuoted(
  directory: string,
  name: string,
  suffixes: readonly string[],
  chain: ChainMemory,
  memory: ScanMemory,
): string | undefined {
  return remembered(chain, `${directory}\0${name}\0${suffixes.length}`, () => {
    const { quote, angle } = chain.chain;
    const directories = [directory, ...[...quote, ...angle].map(({ canonical }) => canonical)];
    return besideHeader(directories, name, suffixes, memory);
  });
}

/** The same for `#include <name>`. */
function besideAngled(
  name: string,
  suffixes: readonly string[],
  chain: ChainMemory,
  memory: ScanMemory,
): string | undefined {
  return remembered(chain, name, () => {
    const directories = chain.chain.angle.map(({ canonical }) => canonical);
    return besideHeader(directories, name, suffixes, memory);
  });
}

/** The units of a directory include the same headers; what is known of them ends with the structure of the disk. */
function remembered(
  { compiledHeaders }: ChainMemory,
  key: string,
  look: () => string | undefined,
): string | undefined {
  const known = compiledHeaders.get(key);
  if (known !== undefined || compiledHeaders.has(key)) return known;
  const found = look();
  compiledHeaders.set(key, found);
  return found;
}

/** Looks beside every place where the header itself would be looked for, up to where it is. */
function besideHeader(
  directories: readonly string[],
  name: string,
  suffixes: readonly string[],
  { graph: { probe } }: ScanMemory,
): string | undefined {
  for (const each of name.startsWith('/') ? ['/'] : directories) {
    const suffix = suffixes.find((candidate) => probe.exists(each, name + candidate));
    if (suffix !== undefined) return name.startsWith('/') ? name + suffix : `${each}/${name}${suffix}`;
    if (probe.find(each, name).node !== undefined) return undefined;
  }
  return undefined;
}
