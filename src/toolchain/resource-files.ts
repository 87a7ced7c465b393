/**
 * Files beside Clang's own headers that change what it makes: lists of what a sanitizer leaves alone, which the driver
 * names to the front end if they exist (Clang's SanitizerArgs.cpp, `<resource directory>/share`).
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { askProgram } from './ask-program.ts';
import type { CompilerDialect } from './toolchain.ts';

/** The directory, which need not exist. */
export async function resourceDirectoryOf(compilerPath: string, env: NodeJS.ProcessEnv): Promise<string> {
  const answer = await askProgram(compilerPath, ['-print-resource-dir'], { env });
  return join(answer.stdout.trim(), 'share');
}

/** Absolute paths of the files in it, sorted; none for GCC. */
export async function resourceFilesOf(
  compilerPath: string,
  dialect: CompilerDialect,
  env: NodeJS.ProcessEnv,
): Promise<string[]> {
  if (dialect !== 'clang') return [];
  const directory = await resourceDirectoryOf(compilerPath, env);
  const names = await readdir(directory).catch(() => []);
  return names.sort().map((name) => join(directory, name));
}
