/**
 * A compiler by content. Two toolchains with one id make the same object of the same input; the version a
 * compiler prints says less (distributions rebuild one version with other patches).
 */
import { type Digest, digestOf } from '../base/digest.ts';
import type { Language, LanguageScope } from '../compiler/index.ts';
import type { WatchedPath } from './file-stamp.ts';

/** SHA-256 over what is named in {@link toolchainIdOf}. */
export type ToolchainId = Digest & { readonly __toolchain: unique symbol };

/** Which command-line language a driver speaks. */
export type CompilerDialect = 'gcc' | 'clang';

/** `c++` compiles even a `.c` file as C++ (g++, clang++). */
export type CompilerDriver = 'c' | 'c++';

/** What a component of a toolchain is for. */
export const COMPONENT_ROLES = {
  driver: 'reads the command line and starts the others',
  cc1: 'compiles C',
  cc1plus: 'compiles C++',
  cc1obj: 'compiles Objective-C',
  cc1objplus: 'compiles Objective-C++',
  as: 'assembles',
  objcopy: 'splits off the debug information (-gsplit-dwarf)',
  specs: 'a specs file on disk, which changes the options that the driver passes on',
  config: 'a configuration file of clang, which adds options to every call',
  resource: 'a file beside the headers of clang that some options make it read',
  library: 'a shared library that holds the code of a component, not general services',
} as const;
export type ComponentRole = keyof typeof COMPONENT_ROLES;

/** A file whose content is part of the identity. */
export interface ToolchainComponent {
  readonly role: ComponentRole;
  /** Absolute path by which the driver (or the loader) gets at it; may hold `..` and links. */
  readonly path: string;
  readonly realPath: string;
  readonly digest: Digest;
  /** `PATH`: the driver starts it by its bare name, so the PATH of the compile decides. */
  readonly lookup: 'absolute' | 'PATH';
}

/** A file that a toolchain needs to run. */
export interface ToolchainFile {
  /** Absolute path by which it is looked for; may hold `..` and links. */
  readonly path: string;
  readonly realPath: string;
}

/** A symbolic link on the way to one of the files. */
export interface ToolchainLink {
  readonly path: string;
  readonly target: string;
}

/** What decides about the identity, and what tells a person why two toolchains differ. */
export interface ToolchainFacts {
  readonly dialect: CompilerDialect;
  readonly driver: CompilerDriver;
  /** E.g. `12.2.0`. */
  readonly version: string;
  /** E.g. `x86_64-linux-gnu`: what its objects are for, not where it runs. */
  readonly targetTriple: string;
  /** SHA-256 of `-dumpspecs`; undefined for clang. */
  readonly specsDigest: Digest | undefined;
  readonly components: ReadonlyArray<Pick<ToolchainComponent, 'role' | 'path' | 'digest'>>;
}

/** A compiler on this machine. */
export interface Toolchain extends ToolchainFacts {
  readonly id: ToolchainId;
  /** As asked for: absolute, links not followed. */
  readonly compilerPath: string;
  /** The driver's own file. */
  readonly driverPath: string;
  /** What it runs on, e.g. `x86_64`. Not part of its identity: programs for two machines differ in content anyway. */
  readonly host: string;
  /** Its version in its own words, e.g. `gcc version 12.2.0 (Debian 12.2.0-14+deb12u1)`. */
  readonly versionText: string;
  /** What it was identified for: its id covers no compiler proper for other languages. */
  readonly scope: LanguageScope;
  readonly languages: readonly Language[];
  /** What the same driver can be identified for on this machine; the first is what its own name stands for. */
  readonly scopes: readonly LanguageScope[];
  readonly components: readonly ToolchainComponent[];
  /** Loader, shared libraries and marker files: needed to run it, not part of its identity. */
  readonly libraries: readonly ToolchainFile[];
  /** Canonical paths of directories that must exist for every path above to resolve, parents first. */
  readonly directories: readonly string[];
  /** Links that must exist likewise. */
  readonly links: readonly ToolchainLink[];
  /** Where `#include <…>` looks without further options, in order, spelled as the compiler does; all exist. */
  readonly builtinIncludeDirectories: readonly string[];
  /** Where it would look too, if there were such directories. */
  readonly absentIncludeDirectories: readonly string[];
  /** As long as none of these changes, a new probe would give the same answer. */
  readonly watched: readonly WatchedPath[];
}

/** Changes whenever the same files shall give another id. */
const ID_FORMAT = 1;

/**
 * The id: a digest over dialect, driver, version, target triple, built-in specs, and role and content of each
 * component. Where a file lies is not part of it.
 */
export function toolchainIdOf(facts: ToolchainFacts): ToolchainId {
  const components = facts.components.map((component) => `${component.role} ${component.digest}`);
  const text = JSON.stringify([
    ID_FORMAT,
    facts.dialect,
    facts.driver,
    facts.version,
    facts.targetTriple,
    facts.specsDigest ?? null,
    [...new Set(components)].sort(),
  ]);
  return digestOf(text) as ToolchainId;
}
