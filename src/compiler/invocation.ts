/**
 * A compiler call as data. What travels between nodes is this, never argv: the worker validates it
 * against its own option table and rebuilds argv itself.
 */

/** Languages that can be compiled elsewhere; the names are those of `-x`. */
export const LANGUAGES = [
  'c',
  'c++',
  'objective-c',
  'objective-c++',
  'assembler-with-cpp',
  'assembler',
] as const;
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
  'prototypes',
  'preprocessed',
  'dump',
] as const;
export type OutputKind = (typeof OUTPUT_KINDS)[number];

/** A file that the compile will write, or may write. */
export interface ExpectedOutput {
  readonly kind: OutputKind;
  /**
   * As spelled by the compiler: relative to the working directory, or absolute. A `dump` is a family of files:
   * its path is what their names begin with.
   */
  readonly path: string;
  /** False if a successful compile may leave it out (`.dwo` of a unit without debug info). */
  readonly required: boolean;
}

/** Where GCC looks for what a training run counted (-fprofile-use). */
export interface ProfileRequest {
  /** Directories of -fprofile-use=, -fprofile-dir= and -fprofile-generate=, of which one counts. */
  readonly directories: readonly string[];
  /** Name of the counts without their suffix, as spelled. */
  readonly stem: string;
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
  /** Files that options name and the compiler reads as data, without includes of their own. */
  readonly dataFiles: readonly string[];
  readonly profile: ProfileRequest | undefined;
  /** Directories where the assembler looks for files besides the working directory: -I, also inside `-Wa,`. */
  readonly assemblerDirectories: readonly string[];
  /** Options that mean the processor of the machine where the compiler runs: `-march=native`. */
  readonly nativeOptions: readonly string[];
  /** False if Clang is to start the assembler of the system. */
  readonly usesOwnAssembler: boolean;
  /** False if each compile makes another object, here as elsewhere; comparing two of them proves nothing. */
  readonly isRepeatable: boolean;
}
