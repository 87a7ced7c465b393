/** Where a compiler looks for headers, for its own programs and for files that change its options. */
import { access } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { LanguageScope } from '../compiler/index.ts';
import { askProgram } from './ask-program.ts';
import type { DriverPlan } from './driver-plan.ts';
import { resourceDirectoryOf } from './resource-files.ts';

/** Directories that a compiler searches. All as it spells them. */
export interface SearchPaths {
  /** For `#include <…>`, in order; those that exist. */
  readonly includeDirectories: readonly string[];
  /** For `#include <…>` too, but there is nothing there now. */
  readonly absentIncludeDirectories: readonly string[];
  /** A new file in one of these may change which program or options file the driver finds. */
  readonly lookupDirectories: readonly string[];
  /** Files whose mere existence the driver looks for. */
  readonly markerFiles: readonly string[];
}

/** Where clang looks for configuration files besides its own directory (Debian builds it so). */
const CLANG_CONFIG_DIRECTORY = '/etc/clang';

/**
 * Asks a compiler for its search paths.
 * @throws Error if it does not tell them
 */
export async function searchPathsOf(
  compilerPath: string,
  plan: DriverPlan,
  scope: LanguageScope,
  env: NodeJS.ProcessEnv,
): Promise<SearchPaths> {
  const language = plan.dialect === 'clang' ? plan.driver : scope;
  const preprocessed = await askProgram(
    compilerPath,
    ['-E', '-v', '-x', language, '/dev/null', '-o', '/dev/null'],
    { env },
  );
  const includes = parseIncludeDirectories(preprocessed.stderr);
  if (includes === undefined) {
    throw new Error(`it does not tell its include directories: ${preprocessed.stderr.trim().slice(-200)}`);
  }
  if (plan.dialect === 'clang') return { ...includes, ...(await lookupsOfClang(compilerPath, plan, env)) };
  const answer = await askProgram(compilerPath, ['-print-search-dirs'], { env });
  return { ...includes, lookupDirectories: parseSearchDirectories(answer.stdout), markerFiles: [] };
}

/**
 * The include directories in what `-E -v` prints, or undefined if there is no list. Both GCC and Clang print
 * one directory per line between two fixed lines.
 */
export function parseIncludeDirectories(
  text: string,
): Pick<SearchPaths, 'includeDirectories' | 'absentIncludeDirectories'> | undefined {
  const list = /^#include <\.\.\.> search starts here:\n(.*?)^End of search list\./ms.exec(text)?.[1];
  if (list === undefined) return undefined;
  return {
    includeDirectories: list
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== ''),
    absentIncludeDirectories: [...text.matchAll(/^ignoring nonexistent directory "(.*)"$/gm)].map(
      (match) => match[1] ?? '',
    ),
  };
}

/** The directories in what `gcc -print-search-dirs` prints: programs, and libraries, among which specs files lie. */
export function parseSearchDirectories(text: string): string[] {
  const lists = [...text.matchAll(/^(?:programs|libraries): =(.*)$/gm)].map((match) => match[1] ?? '');
  return [...new Set(lists.flatMap((list) => list.split(':')))].filter((path) => path.startsWith('/'));
}

async function lookupsOfClang(
  compilerPath: string,
  plan: DriverPlan,
  env: NodeJS.ProcessEnv,
): Promise<Pick<SearchPaths, 'lookupDirectories' | 'markerFiles'>> {
  const resources = await resourceDirectoryOf(compilerPath, env);
  const lookupDirectories = [dirname(compilerPath), CLANG_CONFIG_DIRECTORY, resources];
  if (plan.gccInstallation === undefined) return { lookupDirectories, markerFiles: [] };
  // Clang takes a directory for a GCC installation if crtbegin.o is in it.
  const marker = `${plan.gccInstallation}/crtbegin.o`;
  const exists = await access(marker).then(
    () => true,
    () => false,
  );
  return {
    lookupDirectories: [...lookupDirectories, dirname(plan.gccInstallation)],
    markerFiles: exists ? [marker] : [],
  };
}
