/**
 * Names of the files that a compile writes, where the arguments do not spell them out.
 * Found by trying GCC 12 and Clang 14; GCC's manual describes them under -dumpbase and -MD.
 */
import type { Dialect } from './option-row.ts';

/** What follows the last slash. */
export function basenameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The suffix of a file name with its dot; empty if there is none, or nothing but it. */
export function suffixOf(path: string): string {
  const name = basenameOf(path);
  const dot = name.lastIndexOf('.');
  return dot <= 0 ? '' : name.slice(dot);
}

function withoutSuffix(path: string): string {
  return path.slice(0, path.length - suffixOf(path).length);
}

/** Drops the whole name of a hidden file too: `d/.x` becomes `d/`. */
function withoutLastDot(path: string): string {
  const dot = path.lastIndexOf('.');
  return dot > path.lastIndexOf('/') ? path.slice(0, dot) : path;
}

/**
 * Where the object or assembly goes without -o: into the working directory, under the source's name.
 * @param suffix `.o` or `.s`
 */
export function defaultOutputName(sourcePath: string, suffix: string): string {
  return withoutSuffix(basenameOf(sourcePath)) + suffix;
}

/** What decides about the names of files beside the object. */
export interface NamingArguments {
  readonly sourcePath: string;
  /** The value of -o, or undefined without it. */
  readonly outputPath: string | undefined;
  /** -dumpdir, or what stands for it; GCC only. */
  readonly directory?: string | undefined;
  /** -dumpbase; GCC only. */
  readonly base?: string | undefined;
  /** -dumpbase-ext; GCC only. */
  readonly extension?: string | undefined;
}

/** What the names of files beside the object begin with. */
export interface AuxiliaryNames {
  /** Of `.dwo`, `.gcno`, `.gcda`, `.su`, `.ci`, `.i`: a suffix follows. */
  readonly stem: string;
  /** Of dumps: a number, a letter and the name of a pass follow. */
  readonly dumpStem: string;
}

/** The names of files beside the object. */
export function auxiliaryNames(naming: NamingArguments, dialect: Dialect): AuxiliaryNames {
  const { sourcePath, outputPath, base, extension = '' } = naming;
  if (dialect === 'clang' && outputPath !== undefined) {
    const stem = withoutLastDot(outputPath);
    return { stem, dumpStem: stem };
  }
  const directory = naming.directory ?? directoryOf(outputPath ?? '');
  if (base !== undefined) {
    const name = base.includes('/') ? base : directory + base;
    const isSuffix = extension !== '' && base.endsWith(extension) && base.length > extension.length;
    return { stem: isSuffix ? name.slice(0, -extension.length) : name, dumpStem: name };
  }
  const stem = directory + withoutSuffix(basenameOf(outputPath ?? sourcePath));
  return { stem, dumpStem: stem + suffixOf(sourcePath) };
}

function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1);
}

/**
 * The name of the dependency file of -MD and -MMD without -MF. Unlike a side output's it drops the whole
 * name of a hidden file: `-o d/.x` gives `d/.d`.
 */
export function defaultDepfileName(sourcePath: string, outputPath: string | undefined): string {
  return `${outputPath === undefined ? withoutSuffix(basenameOf(sourcePath)) : withoutLastDot(outputPath)}.d`;
}

/** What follows the stem in the name of a dump: `.252t.optimized`. */
const DUMP_TAIL = /^\.[0-9]{3}[ilrt]\.[A-Za-z0-9_.+-]+$/;

/** True if a file belongs to a family of dumps. @param stem path of the `dump` output */
export function isDumpOf(stem: string, path: string): boolean {
  return path.startsWith(stem) && DUMP_TAIL.test(path.slice(stem.length));
}
