/** Finds the compilers of this machine: everything in PATH that has a compiler's name, each compiler once. */
import { readdir, realpath } from 'node:fs/promises';
import { basename } from 'node:path';
import { messageOf } from '../base/errors.ts';
import type { LanguageScope } from '../compiler/index.ts';
import { pathDirectories } from './find-in-path.ts';
import { MASQUERADE_PROGRAMS } from './masquerade-programs.ts';
import { probeToolchain } from './probe-toolchain.ts';
import type { CompilerDialect, CompilerDriver, Toolchain } from './toolchain.ts';

/** Tells what a program of this name is, or undefined if it is no compiler's name. */
export type IsCompilerName = (
  name: string,
) => { readonly dialect: CompilerDialect; readonly driver: CompilerDriver } | undefined;

/** How to look for compilers. */
export interface DiscoverOptions {
  /** PATH is searched. */
  readonly env: NodeJS.ProcessEnv;
  readonly isCompilerName: IsCompilerName;
  /** Asks one compiler; default {@link probeToolchain}, or that of a cache. */
  readonly probe?: (
    compilerPath: string,
    options: { env: NodeJS.ProcessEnv; scope?: LanguageScope },
  ) => Promise<Toolchain>;
}

/** A compiler, for one scope of languages, and all its names. */
export interface DiscoveredToolchain {
  readonly toolchain: Toolchain;
  /** Absolute paths by which it can be called (`/usr/bin/cc`, `/usr/bin/gcc`, …), in the order of PATH. */
  readonly names: readonly string[];
}

/** A compiler that the mesh cannot use, and why. */
export interface UnusableCompiler {
  readonly compilerPath: string;
  readonly reason: string;
}

/** All compilers that were found. */
export interface DiscoveryResult {
  readonly toolchains: readonly DiscoveredToolchain[];
  readonly unusable: readonly UnusableCompiler[];
}

/** Probes at once: each mostly waits for child processes and the disk. */
const PARALLEL_PROBES = 2;

/**
 * All compilers in the PATH of `env`, each once for every scope that it has programs for. Names that lead to a program standing in for a compiler (a shim, a
 * compiler cache) are passed over. A compiler that cannot be used is a value, not an error.
 */
export async function discoverToolchains(options: DiscoverOptions): Promise<DiscoveryResult> {
  const candidates = await findCandidates(options);
  const probe = options.probe ?? probeToolchain;
  const toolchains = new Map<string, { toolchain: Toolchain; names: string[] }>();
  const unusable: UnusableCompiler[] = [];
  const results = await mapInParallel([...candidates.values()], async (names) => {
    const [compilerPath = ''] = names;
    try {
      const own = await probe(compilerPath, { env: options.env });
      const found = [own];
      for (const scope of own.scopes.slice(1))
        found.push(await probe(compilerPath, { env: options.env, scope }));
      return { names, found };
    } catch (error) {
      return { compilerPath, reason: messageOf(error) };
    }
  });
  for (const result of results) {
    if (result.found === undefined) {
      unusable.push(result);
      continue;
    }
    for (const toolchain of result.found) {
      const key = `${toolchain.id} ${toolchain.driverPath}`;
      const same = toolchains.get(key);
      if (same === undefined) toolchains.set(key, { toolchain, names: [...result.names] });
      else same.names.push(...result.names);
    }
  }
  return { toolchains: [...toolchains.values()], unusable };
}

/** Groups of paths that certainly are the same compiler. */
async function findCandidates(options: DiscoverOptions): Promise<Map<string, string[]>> {
  const groups = new Map<string, string[]>();
  for (const directory of await distinctDirectories(options.env.PATH)) {
    const names = await readdir(directory).catch(() => []);
    for (const name of names.sort()) {
      const known = options.isCompilerName(name);
      if (known === undefined) continue;
      const path = `${directory === '/' ? '' : directory}/${name}`;
      const real = await realpath(path).catch(() => undefined);
      if (real === undefined || MASQUERADE_PROGRAMS[basename(real)] !== undefined) continue;
      // One clang executable is several compilers, even if called cc: its name selects language and target.
      const isClang =
        known.dialect === 'clang' || options.isCompilerName(basename(real))?.dialect === 'clang';
      const key = `${real} ${isClang ? name : known.driver}`;
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [path]);
      else group.push(path);
    }
  }
  return groups;
}

/** Directories of PATH, each once even if `/bin` is a link to `/usr/bin`: the first spelling stays. */
async function distinctDirectories(searchPath: string | undefined): Promise<string[]> {
  const seen = new Map<string, string>();
  for (const directory of pathDirectories(searchPath)) {
    const real = await realpath(directory).catch(() => undefined);
    if (real !== undefined && !seen.has(real)) seen.set(real, directory);
  }
  return [...seen.values()];
}

async function mapInParallel<Item, Result>(
  items: readonly Item[],
  task: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = new Array(items.length);
  let next = 0;
  const runner = async (): Promise<void> => {
    for (let at = next++; at < items.length; at = next++) {
      const item = items[at];
      if (item !== undefined) results[at] = await task(item);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_PROBES }, runner));
  return results;
}
