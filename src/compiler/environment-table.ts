/**
 * Every environment variable that GCC, Clang or their C library looks at during a compile, and what is done
 * about it. The shim's list of names, the documentation and the worker's validation all come from here.
 */

/**
 * What happens to a variable.
 * `forward`: travels with the job. `local-if-set`: the job stays local. `shim`: steers us, never reaches a
 * worker. `ignored`: seen by a compiler, but cannot change what a distributable compile produces.
 */
export type EnvironmentEffect = 'forward' | 'local-if-set' | 'shim' | 'ignored';

/** One variable. */
export interface EnvironmentRow {
  readonly name: string;
  readonly effect: EnvironmentEffect;
  /** What a forwarded value may look like; a value outside it keeps the job local. */
  readonly pattern?: RegExp;
  /** For `local-if-set`: the empty value means the same as no variable at all. */
  readonly emptyIsUnset?: boolean;
  /** What the variable does, for the documentation. */
  readonly note: string;
}

const LOCALE = /^[A-Za-z0-9_.@+-]{0,64}$/;
const WORD = /^[A-Za-z0-9_.+-]{0,64}$/;
const NUMBER = /^[0-9]{0,9}$/;

const FORWARDED: readonly EnvironmentRow[] = [
  { name: 'LANG', effect: 'forward', pattern: LOCALE, note: 'language and quotes of diagnostics' },
  { name: 'LC_ALL', effect: 'forward', pattern: LOCALE, note: 'language and quotes of diagnostics' },
  { name: 'LC_CTYPE', effect: 'forward', pattern: LOCALE, note: 'quotes of diagnostics' },
  { name: 'LC_MESSAGES', effect: 'forward', pattern: LOCALE, note: 'language of diagnostics' },
  {
    name: 'LANGUAGE',
    effect: 'forward',
    pattern: /^[A-Za-z0-9_.@:+-]{0,256}$/,
    note: 'preferred languages of diagnostics',
  },
  {
    name: 'TZ',
    effect: 'forward',
    pattern: /^(?!.*\.\.)[A-Za-z0-9_+/:,.<>-]{0,64}$/,
    note: 'time zone of `__TIMESTAMP__` and of diagnostics',
  },
  {
    name: 'SOURCE_DATE_EPOCH',
    effect: 'forward',
    pattern: /^[0-9]{1,12}$/,
    note: 'the time that `__DATE__` and `__TIME__` show, in seconds since 1970',
  },
  {
    name: 'PWD',
    effect: 'forward',
    pattern: /^\/[^\0\n]{0,4095}$/,
    note: 'the working directory as debug information spells it',
  },
  { name: 'TERM', effect: 'forward', pattern: WORD, note: 'whether diagnostics are coloured' },
  { name: 'COLORTERM', effect: 'forward', pattern: WORD, note: 'whether diagnostics carry links' },
  {
    name: 'GCC_COLORS',
    effect: 'forward',
    pattern: /^[a-z0-9=:;-]{0,1024}$/,
    note: 'colours of diagnostics; empty means none',
  },
  { name: 'GCC_URLS', effect: 'forward', pattern: WORD, note: 'whether diagnostics carry links' },
  { name: 'TERM_URLS', effect: 'forward', pattern: WORD, note: 'whether diagnostics carry links' },
  { name: 'VTE_VERSION', effect: 'forward', pattern: NUMBER, note: 'whether diagnostics carry links' },
  { name: 'COLUMNS', effect: 'forward', pattern: NUMBER, note: 'width of quoted source in diagnostics' },
  {
    name: 'GCC_EXTRA_DIAGNOSTIC_OUTPUT',
    effect: 'forward',
    pattern: /^(fixits-v1|fixits-v2)?$/,
    note: 'machine-readable fix-it hints after diagnostics',
  },
];

function localIfSet(name: string, note: string, emptyIsUnset = false): EnvironmentRow {
  return { name, effect: 'local-if-set', note, emptyIsUnset };
}

/**
 * An empty value is harmless only where the reader says so: GCC's incpath.c loops over no characters for
 * CPATH and its kin, and the dynamic loader skips empty lists. An empty COMPILER_PATH names the working
 * directory, an empty GCC_EXEC_PREFIX loses cc1, and an empty DEPENDENCIES_OUTPUT is opened as a file.
 * An empty *element* (`CPATH=:/x`) is the working directory too, and keeps the job local like any value.
 */
const LOCAL_IF_SET: readonly EnvironmentRow[] = [
  localIfSet('CPATH', 'include directories for every language', true),
  localIfSet('C_INCLUDE_PATH', 'include directories for C', true),
  localIfSet('CPLUS_INCLUDE_PATH', 'include directories for C++', true),
  localIfSet('OBJC_INCLUDE_PATH', 'include directories for Objective-C', true),
  localIfSet('OBJCPLUS_INCLUDE_PATH', 'include directories for Objective-C++', true),
  localIfSet('COMPILER_PATH', 'where the driver looks for cc1 and as'),
  localIfSet('GCC_EXEC_PREFIX', 'where the driver looks for cc1 and as'),
  localIfSet('GCC_ROOT', 'moves the directories that are built into the driver'),
  localIfSet('G++_ROOT', 'moves the directories that are built into the driver'),
  localIfSet('BINUTILS_ROOT', 'moves the directories that are built into the assembler'),
  localIfSet('GNUTARGET', 'object format of the assembler and of objcopy'),
  localIfSet('DEPENDENCIES_OUTPUT', 'appends dependencies to a file'),
  localIfSet('SUNPRO_DEPENDENCIES', 'appends dependencies to a file'),
  localIfSet('GCC_COMPARE_DEBUG', 'adds arguments to the compiler and runs it twice'),
  localIfSet('CXX_MODULE_MAPPER', 'starts a program that maps module names'),
  localIfSet('EXPERIMENTAL_SARIF_SOCKET', 'sends diagnostics to a socket'),
  localIfSet('LD_PRELOAD', 'loads code into the compiler', true),
  localIfSet('LD_AUDIT', 'loads code into the compiler', true),
  localIfSet('LD_LIBRARY_PATH', 'where the compiler finds its libraries', true),
  localIfSet('GCONV_PATH', 'loads character-set converters into the compiler'),
  localIfSet('LOCPATH', 'where the C library finds locales'),
  localIfSet('NLSPATH', 'where the C library finds message catalogues'),
  localIfSet('CCC_OVERRIDE_OPTIONS', 'edits the arguments of Clang'),
  localIfSet('CCC_ADD_ARGS', 'edits the arguments of Clang'),
  localIfSet('CLANG_CONFIG_FILE', 'a file of further arguments for Clang'),
  localIfSet('CLANG_CONFIG_FILE_SYSTEM_DIR', 'where Clang finds files of further arguments'),
  localIfSet('CLANG_CONFIG_FILE_USER_DIR', 'where Clang finds files of further arguments'),
  localIfSet('CLANG_NO_DEFAULT_CONFIG', 'whether Clang reads its configuration files'),
  localIfSet('CLANG_FORCE_COLOR_DIAGNOSTICS', 'colour of Clang diagnostics'),
  localIfSet('CC_PRINT_OPTIONS', 'Clang writes its commands to a file'),
  localIfSet('CC_PRINT_HEADERS', 'Clang writes the headers that it read to a file'),
  localIfSet('CC_LOG_DIAGNOSTICS', 'Clang writes its diagnostics to a file'),
  localIfSet('CC_PRINT_PROC_STAT', 'Clang writes its resource usage to a file'),
  localIfSet('SDKROOT', 'system root of Clang for Apple targets'),
  localIfSet('MACOSX_DEPLOYMENT_TARGET', 'target version of Apple compilers'),
  localIfSet('IPHONEOS_DEPLOYMENT_TARGET', 'target version of Apple compilers'),
];

const SHIM: readonly EnvironmentRow[] = [
  { name: 'MESHCC_BUILD', effect: 'shim', note: 'names the build that this compile belongs to' },
  {
    name: 'MESHCC_DISABLE',
    effect: 'shim',
    note: 'if set, not empty and not `0`, everything is compiled locally',
  },
  { name: 'MESHCC_EXPLAIN', effect: 'shim', note: 'if set, a local compile says why on standard error' },
];

const IGNORED_NAMES: readonly (readonly [string, string])[] = [
  ['PATH', 'the real compiler is found by the shim; a worker finds its own by the toolchain'],
  ['HOME', 'not read for a result'],
  ['TMPDIR', 'where temporary files lie; their names reach no output'],
  ['TMP', 'as TMPDIR'],
  ['TEMP', 'as TMPDIR'],
  ['MAKEFLAGS', 'read when linking with -flto only'],
  ['LIBRARY_PATH', 'read when linking only'],
  ['LPATH', 'read when linking only'],
  ['LD_RUN_PATH', 'read when linking only'],
  ['LDEMULATION', 'read when linking only'],
];

const IGNORED: readonly EnvironmentRow[] = IGNORED_NAMES.map(([name, note]) => ({
  name,
  effect: 'ignored',
  note,
}));

/** The whole table. Names are unique. */
export const ENVIRONMENT_TABLE: readonly EnvironmentRow[] = [
  ...FORWARDED,
  ...LOCAL_IF_SET,
  ...SHIM,
  ...IGNORED,
];

/** An environment, as the shim sends it. */
export type Environment = Readonly<Record<string, string | undefined>>;

const FORWARDED_BY_NAME = new Map(FORWARDED.map((row) => [row.name, row]));

/**
 * The variables that travel with a job, as `NAME=value`, in the order of the table.
 * Values are not checked here: {@link environmentObstacle} comes first on the submitter, and
 * {@link validateForwarded} on the worker.
 */
export function forwardedEnvironment(environment: Environment): string[] {
  const result: string[] = [];
  for (const { name } of FORWARDED) {
    const value = environment[name];
    if (value !== undefined) result.push(`${name}=${value}`);
  }
  return result;
}

/**
 * What in the environment keeps a compile local, as a phrase for the user; undefined if nothing does.
 */
export function environmentObstacle(environment: Environment): string | undefined {
  for (const row of LOCAL_IF_SET) {
    const value = environment[row.name];
    if (value === undefined || (value === '' && row.emptyIsUnset)) continue;
    return `${row.name} is set (${row.note})`;
  }
  for (const row of FORWARDED) {
    const value = environment[row.name];
    if (value !== undefined && row.pattern?.test(value) === false)
      return `${row.name} has an unusual value (${row.note})`;
  }
  return undefined;
}

/**
 * Whether a decoded environment holds only forwarded names, each once, with values inside their patterns.
 * A worker calls it before it starts anything.
 * @param entries `NAME=value` strings as {@link forwardedEnvironment} makes them
 */
export function validateForwarded(entries: readonly string[]): { ok: true } | { ok: false; why: string } {
  const seen = new Set<string>();
  for (const entry of entries) {
    const equals = entry.indexOf('=');
    const name = equals < 0 ? entry : entry.slice(0, equals);
    const row = FORWARDED_BY_NAME.get(name);
    if (equals < 0 || row === undefined) return { ok: false, why: `${name} is not a forwarded variable` };
    if (seen.has(name)) return { ok: false, why: `${name} is given twice` };
    seen.add(name);
    if (row.pattern?.test(entry.slice(equals + 1)) === false)
      return { ok: false, why: `the value of ${name} is outside its pattern` };
  }
  return { ok: true };
}

/** The C header that tells the shim which variables to send. Committed as src/shim/environment-table.h. */
export function renderEnvironmentHeader(): string {
  const names = ENVIRONMENT_TABLE.filter((row) => row.effect !== 'ignored').map(
    (row) => `    "${row.name}",`,
  );
  return [
    '/* Generated from src/compiler/environment-table.ts: the variables that the shim sends to the agent. */',
    'static const char *const MESHCC_ENVIRONMENT[] = {',
    ...names,
    '};',
    '',
  ].join('\n');
}
