/** The order in which directories are searched, by the rules of GCC (incpath.c) and Clang (InitHeaderSearch.cpp). */
import { statSync } from 'node:fs';
import type { BuiltInDirectories } from './compiler-questions.ts';
import type { PathProbe } from './path-probe.ts';
import type { SearchPlan } from './search-plan.ts';

/** A directory that is searched. */
export interface SearchedDirectory {
  /** Absolute, as the compiler spells it. */
  readonly spelled: string;
  readonly canonical: string;
}

/** The two lists. The second is searched after the first for `#include "…"`, and alone for `#include <…>`. */
export interface SearchChain {
  readonly quote: readonly SearchedDirectory[];
  readonly angle: readonly SearchedDirectory[];
  /** Canonical paths of the first missing components of those that do not exist. */
  readonly missing: readonly string[];
}

/**
 * Tells directories apart as the compilers do. Two paths lead to one directory through links, which the
 * canonical path shows, or through a bind mount, which only the inode shows.
 */
function identityOf(canonical: string): string {
  const stat = statSync(canonical, { throwIfNoEntry: false, bigint: true });
  return stat === undefined ? canonical : `${stat.dev}:${stat.ino}`;
}

/**
 * Puts the lists together. Directories that do not exist are left out; of two that are the same, the first one
 * stays, but a system directory stays at its place even if -I names it, too. With GCC, that goes for -iquote as well.
 */
export function searchChainOf(plan: SearchPlan, builtIn: BuiltInDirectories, probe: PathProbe): SearchChain {
  const systemKeys = new Set<string>();
  const missing: string[] = [];
  const system = existing([...plan.system, ...builtIn.angle, ...plan.after], probe, systemKeys, missing);
  const include = existing(plan.include, probe, new Set(systemKeys), missing);
  const quote = existing(plan.quote, probe, new Set(builtIn.isClang ? [] : systemKeys), missing);
  return { quote, angle: [...include, ...system], missing };
}

/** @param seen identities that are taken; those of the result are added */
function existing(
  spelled: readonly string[],
  probe: PathProbe,
  seen: Set<string>,
  missing: string[],
): SearchedDirectory[] {
  const kept: SearchedDirectory[] = [];
  for (const path of spelled) {
    const directory = probe.directory(path);
    if (!directory.exists) {
      if (!directory.isFile) missing.push(directory.canonical);
      continue;
    }
    const identity = identityOf(directory.canonical);
    if (seen.has(identity)) continue;
    seen.add(identity);
    kept.push({ spelled: path, canonical: directory.canonical });
  }
  return kept;
}
