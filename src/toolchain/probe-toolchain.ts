/** Asks a compiler what it is: which programs it starts, what they consist of, and what they need to run. */
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type Digest, digestOf } from '../base/digest.ts';
import { MeshError, messageOf } from '../base/errors.ts';
import { LANGUAGES, type Language } from '../compiler/index.ts';
import { askProgram } from './ask-program.ts';
import { isCodeLibrary } from './code-libraries.ts';
import { type DriverPlan, type PlannedProgram, parseDriverPlan } from './driver-plan.ts';
import { executableKind } from './elf-interpreter.ts';
import { FileDigests } from './file-digests.ts';
import type { WatchedPath } from './file-stamp.ts';
import { findInPath, isExecutableFile } from './find-in-path.ts';
import { MASQUERADE_PROGRAMS } from './masquerade-programs.ts';
import { PathFootprint } from './path-footprint.ts';
import { type SearchPaths, searchPathsOf } from './search-paths.ts';
import { sharedLibrariesOf } from './shared-libraries.ts';
import {
  type Toolchain,
  type ToolchainComponent,
  type ToolchainFacts,
  type ToolchainFile,
  toolchainIdOf,
} from './toolchain.ts';

/** How to ask. */
export interface ProbeOptions {
  /** PATH decides which assembler a GCC starts that has none of its own; little else is looked at. */
  readonly env: NodeJS.ProcessEnv;
  /** Remembers digests between probes. */
  readonly digests?: FileDigests;
}

/**
 * Finds out what makes up a compiler. Nothing is compiled; the compiler is run about six times with options
 * that only print, in a clean environment, and its loader lists its libraries.
 * @param compilerPath absolute path, e.g. `/usr/bin/gcc`; links are followed
 * @throws MeshError MESHCC_COMPILER that says why this compiler cannot be used for other nodes
 */
export async function probeToolchain(compilerPath: string, options: ProbeOptions): Promise<Toolchain> {
  try {
    return await probe(compilerPath, options.env, options.digests ?? new FileDigests());
  } catch (error) {
    throw new MeshError(
      'MESHCC_COMPILER',
      `cannot use the compiler ${compilerPath} in the mesh: ${messageOf(error)}. It still works on this machine alone.`,
      { cause: error },
    );
  }
}

async function probe(compilerPath: string, env: NodeJS.ProcessEnv, digests: FileDigests): Promise<Toolchain> {
  const driverPath = await assertRealCompiler(compilerPath);
  const plan = await planOf(compilerPath, env);
  const [facts, searchPaths, programs] = await Promise.all([
    factsOf(compilerPath, plan, env),
    searchPathsOf(compilerPath, plan, env),
    locatePrograms(plan.programs, env.PATH),
  ]);
  const named: LocatedFile[] = [
    { role: 'driver', path: compilerPath, lookup: 'absolute' },
    ...programs,
    ...plan.optionFiles.map(({ role, path }) => ({ role, path, lookup: 'absolute' as const })),
  ];
  const libraryPaths = await librariesOf([compilerPath, ...programs.map(({ path }) => path)], env);
  const codeLibraries = libraryPaths.filter(isCodeLibrary);
  const components = await digestAll(
    [...named, ...codeLibraries.map((path) => ({ role: 'library', path, lookup: 'absolute' }) as const)],
    digests,
  );
  const neededPaths = [...libraryPaths.filter((path) => !isCodeLibrary(path)), ...searchPaths.markerFiles];
  const libraries = await Promise.all(neededPaths.map(withRealPath));
  const footprint = new PathFootprint();
  for (const { path } of [...components, ...libraries]) footprint.add(path);
  for (const directory of searchPaths.includeDirectories) footprint.add(directory);
  const complete: ToolchainFacts = { ...facts, components };
  return {
    ...complete,
    components,
    id: toolchainIdOf(complete),
    compilerPath,
    driverPath,
    versionText: plan.versionText,
    languages: languagesOf(plan),
    libraries,
    directories: footprint.directories,
    links: footprint.links,
    builtinIncludeDirectories: searchPaths.includeDirectories,
    watched: watchedPaths([...components, ...libraries], searchPaths),
  };
}

/** Refuses what is no compiler's own executable, before anything is run. Returns the real path. */
async function assertRealCompiler(compilerPath: string): Promise<string> {
  if (!compilerPath.startsWith('/')) throw new Error('its path is not absolute');
  const driverPath = await realpath(compilerPath);
  const standsIn = MASQUERADE_PROGRAMS[basename(driverPath)];
  if (standsIn !== undefined) throw new Error(`it leads to ${driverPath}, ${standsIn}, and is no compiler`);
  if (!(await isExecutableFile(driverPath))) throw new Error(`${driverPath} is not an executable file`);
  const executable = await executableKind(driverPath);
  if (executable.kind === 'script') {
    throw new Error(`${driverPath} is a script (${executable.firstLine}), and what it runs cannot be known`);
  }
  if (executable.kind === 'other') throw new Error(`${driverPath} is not an ELF executable`);
  return driverPath;
}

/** Asks for the steps of a compile, with split debug information if the compiler can do that. */
async function planOf(compilerPath: string, env: NodeJS.ProcessEnv): Promise<DriverPlan> {
  // Clang wants the file to exist, and its name must tell the language: `-x` would hide that this is a g++.
  const directory = await mkdtemp(join(tmpdir(), 'meshcc-probe-'));
  try {
    await writeFile(join(directory, 'x.c'), '');
    let reason = '';
    for (const debug of [['-g', '-gsplit-dwarf'], []]) {
      const args = ['-###', '-v', ...debug, '-c', 'x.c', '-o', 'x.o'];
      const answer = await askProgram(compilerPath, args, { env, cwd: directory });
      const plan = parseDriverPlan(answer.stderr);
      if (!('reason' in plan) && answer.exitCode === 0) return plan;
      reason =
        'reason' in plan
          ? plan.reason
          : `asked for its steps, it failed: ${answer.stderr.trim().slice(-200)}`;
    }
    throw new Error(reason);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function factsOf(
  compilerPath: string,
  plan: DriverPlan,
  env: NodeJS.ProcessEnv,
): Promise<Omit<ToolchainFacts, 'components'>> {
  const ask = async (...args: string[]): Promise<string> => {
    const answer = await askProgram(compilerPath, args, { env });
    if (answer.exitCode === 0 && answer.stdout !== '') return answer.stdout;
    throw new Error(`it does not answer to ${args.join(' ')}: ${answer.stderr.trim().slice(0, 200)}`);
  };
  const isGcc = plan.dialect === 'gcc';
  const [targetTriple, version, specs] = await Promise.all([
    ask('-dumpmachine'),
    // -dumpversion of clang is not its version before 14, and -dumpversion of Debian's gcc is only `12`.
    isGcc ? ask('-dumpfullversion', '-dumpversion') : /clang version (\S+)/.exec(plan.versionText)?.[1],
    isGcc ? ask('-dumpspecs') : undefined,
  ]);
  return {
    dialect: plan.dialect,
    driver: plan.driver,
    version: (version ?? plan.versionText).trim(),
    targetTriple: targetTriple.trim(),
    specsDigest: specs === undefined ? undefined : digestOf(specs),
  };
}

type LocatedFile = Omit<ToolchainComponent, 'realPath' | 'digest'>;

/** Where each program lies. One that is nowhere is an error, save objcopy: few compiles need it. */
async function locatePrograms(
  programs: readonly PlannedProgram[],
  searchPath: string | undefined,
): Promise<LocatedFile[]> {
  const located: LocatedFile[] = [];
  for (const { role, program } of programs) {
    if (program.startsWith('/')) {
      located.push({ role, path: program, lookup: 'absolute' });
      continue;
    }
    if (program.includes('/'))
      throw new Error(`it starts ${program}, which depends on the working directory`);
    const path = await findInPath(program, searchPath);
    if (path !== undefined) located.push({ role, path, lookup: 'PATH' });
    else if (role !== 'objcopy')
      throw new Error(`it starts ${program}, which is not installed or not in PATH`);
  }
  return located;
}

async function librariesOf(programs: readonly string[], env: NodeJS.ProcessEnv): Promise<string[]> {
  const paths = new Set<string>();
  for (const program of programs) {
    for (const path of await sharedLibrariesOf(program, env)) paths.add(path);
  }
  return [...paths];
}

async function digestAll(files: readonly LocatedFile[], digests: FileDigests): Promise<ToolchainComponent[]> {
  const components: ToolchainComponent[] = [];
  for (const file of files) {
    const real = await realpath(file.path);
    const digest: Digest = await digests.digestOf(real);
    components.push({ ...file, realPath: real, digest });
  }
  return components;
}

async function withRealPath(path: string): Promise<ToolchainFile> {
  return { path, realPath: await realpath(path) };
}

/** gcc starts another compiler proper for each language, and only the one of `x.c` is in the id. */
function languagesOf(plan: DriverPlan): readonly Language[] {
  if (plan.dialect === 'clang') return LANGUAGES;
  return plan.driver === 'c' ? ['c'] : ['c++'];
}

function watchedPaths(files: readonly ToolchainFile[], searchPaths: SearchPaths): WatchedPath[] {
  const paths = new Map<string, WatchedPath>();
  const watch = (path: string, aspect: WatchedPath['aspect']) =>
    paths.set(`${aspect} ${path}`, { path, aspect });
  for (const { path } of files) watch(path, 'content');
  for (const directory of searchPaths.lookupDirectories) watch(directory, 'entries');
  for (const directory of searchPaths.includeDirectories) watch(directory, 'existence');
  for (const directory of searchPaths.absentIncludeDirectories) watch(directory, 'existence');
  return [...paths.values()];
}
