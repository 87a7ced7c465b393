/**
 * Which loader and shared libraries a program needs, and where the loader finds them: the loader itself is
 * asked (`ld.so --list`), which maps the files but runs nothing of the program.
 */
import { access } from 'node:fs/promises';
import { askProgram } from './ask-program.ts';
import { executableKind } from './elf-interpreter.ts';

/** What steers loaders beyond their built-in directories: glibc's cache, and musl's path file by architecture. */
const GLIBC_CACHE = '/etc/ld.so.cache';
const MUSL_LOADER = /\/ld-(musl-[^/]+)\.so\.\d+$/;

/**
 * Paths of the loader and of all shared libraries of an ELF program; empty for a static one. If a library is
 * found only by the help of the loader's own configuration, that file is among them.
 * @throws Error if the file cannot be run here or a library is missing
 */
export async function sharedLibrariesOf(program: string, env: NodeJS.ProcessEnv): Promise<string[]> {
  const executable = await executableKind(program);
  if (executable.kind === 'static') return [];
  if (executable.kind !== 'dynamic') throw new Error(`${program} is not an ELF file`);
  const { interpreter } = executable;
  const musl = MUSL_LOADER.exec(interpreter);
  if (musl !== null) {
    const found = await list(interpreter, [], program, env);
    if (Array.isArray(found)) return [...(await ifExists(`/etc/ld-${musl[1]}.path`)), ...found];
    throw new Error(`the loader ${interpreter} cannot load ${program}: ${found.reason}`);
  }
  // Where the cache is not needed it is better not to be: it changes with every package that is installed.
  const plain = await list(interpreter, ['--inhibit-cache'], program, env);
  if (Array.isArray(plain)) return plain;
  const found = await list(interpreter, [], program, env);
  if (Array.isArray(found)) return [...(await ifExists(GLIBC_CACHE)), ...found];
  throw new Error(`the loader ${interpreter} cannot load ${program}: ${found.reason}`);
}

async function list(
  interpreter: string,
  options: readonly string[],
  program: string,
  env: NodeJS.ProcessEnv,
): Promise<string[] | { readonly reason: string }> {
  const answer = await askProgram(interpreter, [...options, '--list', program], { env });
  const missing = /^\s*(.+) => not found/m.exec(answer.stdout);
  if (missing !== null) return { reason: `${missing[1]} is not found` };
  if (answer.exitCode !== 0) return { reason: (answer.stderr || answer.stdout).trim() };
  return parseLoaderList(answer.stdout, interpreter);
}

/**
 * The paths in the output of `ld.so --list`: lines `name => /path (0x…)` or `/path (0x…)`. The kernel's vdso has
 * no path. The interpreter is always among them, under the path that the kernel opens.
 */
export function parseLoaderList(text: string, interpreter: string): string[] {
  const paths = new Set([interpreter]);
  for (const line of text.split('\n')) {
    const path = /^\s*(?:.* => )?(\/.*?)(?: \(0x[0-9a-f]+\))?$/.exec(line)?.[1];
    if (path !== undefined) paths.add(path);
  }
  return [...paths];
}

async function ifExists(path: string): Promise<string[]> {
  return access(path).then(
    () => [path],
    () => [],
  );
}
