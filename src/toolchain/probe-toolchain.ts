/** Asks a compiler what it is: which programs it starts, what they consist of, and what they need to run. */
import { realpath } from 'node:fs/promises';
import { basename } from 'node:path';
import { type Digest, digestOf } from '../base/digest.ts';
import { MeshError, messageOf } from '../base/errors.ts';
import { LANGUAGE_SCOPES, type LanguageScope, scopesOf } from '../compiler/index.ts';
import { askProgram } from './ask-program.ts';
import { isCodeLibrary } from './code-libraries.ts';
import type { DriverPlan } from './driver-plan.ts';
import { driverPlanOf } from './driver-questions.ts';
import { executableKind } from './elf-interpreter.ts';
import { FileDigests } from './file-digests.ts';
import type { WatchedPath } from './file-stamp.ts';
import { isExecutableFile } from './find-in-path.ts';
import { hostArchitectureOf } from './host-architecture.ts';
import { type LocatedFile, locatePrograms } from './locate-programs.ts';
import { MASQUERADE_PROGRAMS } from './masquerade-programs.ts';
import { PathFootprint } from './path-footprint.ts';
import { resourceFilesOf } from './resource-files.ts';
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
  /** What it is to be identified for; default: what its name stands for. */
  readonly scope?: LanguageScope | undefined;
  /** Remembers digests between probes. */
  readonly digests?: FileDigests;
}

/**
 * Finds out what makes up a compiler. Nothing is compiled; the compiler is run about ten times with options
 * that only print, in a clean environment, and its loader lists its libraries.
 * @param compilerPath absolute path, e.g. `/usr/bin/gcc`; links are followed
 * @throws MeshError MESHCC_COMPILER that says why this compiler cannot be used for other nodes
 */
export async function probeToolchain(compilerPath: string, options: ProbeOptions): Promise<Toolchain> {
  try {
    return await probe(compilerPath, options, options.digests ?? new FileDigests());
  } catch (error) {
    throw new MeshError(
      'MESHCC_COMPILER',
      `cannot use the compiler ${compilerPath} in the mesh: ${messageOf(error)}. It still works on this machine alone.`,
      { cause: error },
    );
  }
}

/** What a driver is, and what it can be identified for. */
interface Driver {
  readonly plan: DriverPlan;
  /** Its own first. */
  readonly scopes: readonly LanguageScope[];
}

async function probe(compilerPath: string, options: ProbeOptions, digests: FileDigests): Promise<Toolchain> {
  const { env } = options;
  const driverPath = await assertRealCompiler(compilerPath);
  const driver = await driverOf(compilerPath, env);
  const scope = options.scope ?? driver.scopes[0] ?? 'c';
  const isOwn = scope === driver.scopes[0];
  if (!driver.scopes.includes(scope)) throw new Error(`it has no programs for ${scope}`);
  const scopePlan = isOwn ? driver.plan : await driverPlanOf(compilerPath, argumentsOf(scope), env);
  // Only the question without a language tells which driver this is.
  const plan = { ...scopePlan, driver: driver.plan.driver };
  const [facts, searchPaths, programs, resources] = await Promise.all([
    factsOf(compilerPath, plan, env),
    searchPathsOf(compilerPath, plan, scope, env),
    locatePrograms(plan.programs, env.PATH),
    resourceFilesOf(compilerPath, plan.dialect, env),
  ]);
  const named: LocatedFile[] = [
    { role: 'driver', path: compilerPath, lookup: 'absolute' },
    ...programs,
    ...plan.optionFiles.map(({ role, path }) => ({ role, path, lookup: 'absolute' as const })),
    ...resources.map((path) => ({ role: 'resource', path, lookup: 'absolute' }) as const),
  ];
  const pathsOfLibraries = await librariesOf([compilerPath, ...programs.map(({ path }) => path)], env);
  const codeLibraries = pathsOfLibraries.filter(isCodeLibrary);
  const components = await digestAll(
    [...named, ...codeLibraries.map((path) => ({ role: 'library', path, lookup: 'absolute' }) as const)],
    digests,
  );
  const neededPaths = [
    ...pathsOfLibraries.filter((path) => !isCodeLibrary(path)),
    ...searchPaths.markerFiles,
  ];
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
    host: (await hostArchitectureOf(driverPath)) ?? 'unknown',
    versionText: plan.versionText,
    scope,
    languages: LANGUAGE_SCOPES[scope].languages,
    scopes: driver.scopes,
    libraries,
    directories: footprint.directories,
    links: footprint.links,
    builtinIncludeDirectories: searchPaths.includeDirectories,
    absentIncludeDirectories: searchPaths.absentIncludeDirectories,
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

function argumentsOf(scope: LanguageScope): readonly string[] {
  return LANGUAGE_SCOPES[scope].arguments;
}

/** Asks a driver for the steps of a compile in each scope: those whose programs are missing are not its own. */
async function driverOf(compilerPath: string, env: NodeJS.ProcessEnv): Promise<Driver> {
  const plan = await driverPlanOf(compilerPath, [], env);
  const own: LanguageScope = plan.dialect === 'clang' ? 'clang' : plan.driver;
  const others = scopesOf(plan.dialect).filter((scope) => scope !== own);
  const available = await Promise.all(
    others.map(async (scope) => {
      try {
        const { programs } = await driverPlanOf(compilerPath, argumentsOf(scope), env);
        await locatePrograms(programs, env.PATH);
        return [scope];
      } catch {
        return [];
      }
    }),
  );
  return { plan, scopes: [own, ...available.flat()] };
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
