/**
 * A compiler call as data. What travels between nodes is this, never argv: the worker validates it
 * against its own option table and rebuilds argv itself.
 */

/** Languages that can be compiled elsewhere; the names are those of `-x`. */
export const LANGUAGES = ['c', 'c++', 'objective-c', 'objective-c++'] as const;
export type Language = (typeof LANGUAGES)[number];

/**
 * How an option's value is attached.
 * `flag`: no value (`-c`). `joined`: `-Idir`, `-std=c11` (name `-std=`). `separate`: `-I dir`.
 * `list`: the pieces of `-Wp,a,b` are in {@link InvocationArg.list}. `source`: the source file itself.
 */
export const ARG_FORMS = ['flag', 'joined', 'separate', 'list', 'source'] as const;
export type ArgForm = (typeof ARG_FORMS)[number];

/** One argument, in the order of the command line. Rendering all of them gives the original argv back. */
export interface InvocationArg {
  /** Name in the option table, e.g. `-I`, `-std=`, `-Wp,`; empty for `source`. */
  readonly name: string;
  readonly form: ArgForm;
  /** Value of `joined`, `separate` and `source`; empty otherwise. */
  readonly value: string;
  /** What a `list` option hands on, parsed by the same table; empty otherwise. */
  readonly list: readonly InvocationArg[];
}

/** What a file that a compile writes is for. */
export const OUTPUT_KINDS = [
  'object',
  'assembly',
  'depfile',
  'split-dwarf',
  'coverage-notes',
  'stack-usage',
  'callgraph-info',
] as const;
export type OutputKind = (typeof OUTPUT_KINDS)[number];

/** A file that the compile will write, or may write. */
export interface ExpectedOutput {
  readonly kind: OutputKind;
  /** As spelled by the compiler: relative to the working directory, or absolute. */
  readonly path: string;
  /** False if a successful compile may leave it out (`.dwo` of a unit without debug info). */
  readonly required: boolean;
}

/** How the compile tells what it read. */
export interface DepfileRequest {
  readonly path: string;
  /** `-MMD`: headers from system directories are left out. */
  readonly omitsSystemHeaders: boolean;
}

/** A compiler call that may run on another node. Paths are as spelled in argv. */
export interface Invocation {
  readonly args: readonly InvocationArg[];
  readonly language: Language;
  readonly sourcePath: string;
  /** Where the object (or the assembly, with `-S`) goes. */
  readonly outputPath: string;
  readonly outputs: readonly ExpectedOutput[];
  readonly depfile: DepfileRequest | undefined;
  /** Directories named by -I, -isystem, -iquote, -idirafter, …; they exist in the worker's view if they exist here. */
  readonly includeDirectories: readonly string[];
  /** The user chose a colour mode himself. */
  readonly choosesColor: boolean;
}
