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
    const found = besideCandidates(workingDirectory, name, true, ['.gch', '.pch'], chain, memory);
    if (found !== undefined) return found;
  }
  const file = source.target === undefined ? undefined : memory.view.file(source.target);
  if (file === undefined) return undefined;
  const known = chain.compiledHeaders.get(source.id);
  if (known?.file === file) return known.path;
  const path = firstBeside(source, file.scan, chain, memory);
  chain.compiledHeaders.set(source.id, { file, path });
  return path;
}

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
    const found = besideCandidates(directory, name, true, ['.gch'], chain, memory);
    if (found !== undefined) return found;
  }
  for (const name of scan.angled) {
    const found = besideCandidates(directory, name, false, ['.gch'], chain, memory);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Looks beside every place where the header itself would be looked for, up to where it is. */
function besideCandidates(
  directory: string,
  name: string,
  isQuoted: boolean,
  suffixes: readonly string[],
  { chain }: ChainMemory,
  { graph: { probe } }: ScanMemory,
): string | undefined {
  const directories = chain.angle.map((each) => each.canonical);
  if (isQuoted) directories.unshift(directory, ...chain.quote.map((each) => each.canonical));
  for (const each of name.startsWith('/') ? ['/'] : directories) {
    const suffix = suffixes.find((candidate) => probe.exists(each, name + candidate));
    if (suffix !== undefined) return name.startsWith('/') ? name + suffix : `${each}/${name}${suffix}`;
    if (probe.find(each, name).node !== undefined) return undefined;
  }
  return undefined;
}
