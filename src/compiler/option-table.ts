/**
 * The options of GCC and Clang, and what each means for distribution. Longest name wins, as in the
 * compilers. An option that no row matches keeps the job local: nothing unknown ever reaches a worker.
 */
import type { OptionMeaning, OptionRow } from './option-row.ts';
import { eitherWay, flags, joined, lists, local, separate, stems } from './option-row.ts';
import { PROFILE_OPTIONS } from './profile-options.ts';
import { REFUSED_OPTIONS } from './refused-options.ts';

const BOTH: OptionMeaning = { effect: 'both' };
const SEARCHED: OptionMeaning = { effect: 'both', searchPath: true };
const SEARCH_DIR: OptionMeaning = { effect: 'search-dir', value: 'directory', searchPath: true };
const FAMILY: OptionMeaning = { effect: 'both', value: 'option' };
const COLOR: OptionMeaning = { effect: 'both', choosesColor: true };
const LINK_ONLY: OptionMeaning = { effect: 'link-only', value: 'text', dialect: 'gcc' };
const SPLIT = { effect: 'side-output', output: 'split-dwarf' } as const;
const CLANG = { dialect: 'clang' } as const;
const GCC = { dialect: 'gcc' } as const;

/** What is compiled, where to, and from what. */
const DRIVING: readonly OptionRow[] = [
  ...flags('-c -S', { effect: 'action' }),
  ...eitherWay('-o', { effect: 'output', value: 'path' }),
  ...eitherWay('-x', { effect: 'language', value: 'language' }),
  ...flags('-pipe -pass-exit-codes -no-canonical-prefixes', BOTH),
  ...flags('-Qunused-arguments -nobuiltininc', { ...BOTH, ...CLANG }),
  ...flags('-integrated-as -fintegrated-as', { effect: 'own-assembler', ...CLANG }),
  ...flags('-no-integrated-as -fno-integrated-as', { effect: 'external-assembler', ...CLANG }),
  ...flags('--no-default-config', { ...SEARCHED, ...CLANG }),
  ...separate('-target', { ...SEARCHED, ...CLANG, value: 'word' }),
  ...joined('--target=', { ...SEARCHED, ...CLANG, value: 'word' }),
];

/** What the preprocessor sees. */
const PREPROCESSING: readonly OptionRow[] = [
  ...eitherWay('-D', { effect: 'both', value: 'macro' }),
  ...eitherWay('-U', { effect: 'both', value: 'identifier' }),
  ...eitherWay('-I -isystem -iquote -idirafter', SEARCH_DIR),
  ...eitherWay('-cxx-isystem -stdlib++-isystem', { ...SEARCH_DIR, ...CLANG }),
  // Clang also looks for a GCC below it, in more places than a job could list.
  ...joined('--sysroot=', { ...SEARCHED, ...GCC, value: 'absolute' }),
  ...separate('--sysroot', { ...SEARCHED, ...GCC, value: 'absolute' }),
  ...eitherWay('-isysroot', { ...SEARCHED, ...GCC, value: 'absolute' }),
  ...eitherWay('-include -imacros', { effect: 'input-file', value: 'path' }),
  ...flags('-nostdinc -nostdinc++', SEARCHED),
  ...flags('-nostdlibinc', { ...SEARCHED, ...CLANG }),
  ...joined('-stdlib=', { ...SEARCHED, ...CLANG, value: 'word' }),
  ...flags('-undef -trigraphs -ansi -pthread', BOTH),
  ...joined('-std= --std=', { effect: 'both', value: 'standard' }),
  ...flags('-MD -MMD', { effect: 'depfile' }),
  ...eitherWay('-MF', { effect: 'depfile-path', value: 'path' }),
  ...eitherWay('-MT -MQ', { effect: 'depfile-detail', value: 'text' }),
  ...flags('-MP', { effect: 'depfile-detail' }),
  ...lists('-Wp,', { effect: 'preprocessor-list' }),
  ...separate('-Xpreprocessor', { effect: 'preprocessor-list', value: 'text' }),
  ...lists('-Wa,', { effect: 'assembler-list' }),
  ...separate('-Xassembler', { effect: 'assembler-list', value: 'text' }),
  ...separate('-Xclang', { effect: 'frontend-list', value: 'text', ...CLANG }),
  ...separate('-mllvm', { effect: 'backend-list', value: 'text', ...CLANG }),
  ...flags('-M -MM --dependencies --user-dependencies', local('dependencies-only')),
  ...flags('-E --preprocess', local('preprocess-only')),
  ...flags('-MG -P -C -CC -traditional -traditional-cpp -remap', local('unknown-option')),
];

/** Diagnostics, code generation, debug information: families whose members take no path. */
const FAMILIES: readonly OptionRow[] = [
  ...flags('-w -pedantic -pedantic-errors -p -pg', BOTH),
  ...stems('-W', { effect: 'both', value: 'warning' }),
  ...stems('-O', { effect: 'both', value: 'level' }),
  ...joined('-f', FAMILY),
  ...joined('-m', { ...FAMILY, searchPath: true }),
  ...flags('-march=native -mcpu=native -mtune=native', { effect: 'native', searchPath: true }),
  ...joined('-march=native+ -mcpu=native+ -mtune=native+', local('march-native')),
  ...joined('-march= -mcpu= -mtune=', { ...FAMILY, searchPath: true }),
  ...separate('-mthread-model', { effect: 'both', value: 'word', ...CLANG }),
  ...joined('--param=', { effect: 'both', value: 'parameter' }),
  ...separate('--param', { effect: 'both', value: 'parameter' }),
  ...eitherWay('-G', { effect: 'both', value: 'number' }),
  ...flags('-EB -EL -mbig-endian -mlittle-endian', SEARCHED),
  ...joined('-ftemplate-depth= -ftemplate-depth-', { effect: 'both', value: 'depth' }),
  ...joined('-frandom-seed=', { effect: 'both', value: 'text', givesSeed: true }),
  ...joined('-ffile-prefix-map= -fmacro-prefix-map= -fdebug-prefix-map= -fprofile-prefix-map=', {
    effect: 'both',
    value: 'prefix-map',
  }),
  ...joined('-fcoverage-prefix-map=', { effect: 'both', value: 'prefix-map', ...CLANG }),
  ...joined('-fdebug-compilation-dir= -ffile-compilation-dir= -fcoverage-compilation-dir=', {
    effect: 'both',
    value: 'text',
    ...CLANG,
  }),
  ...joined('-finstrument-functions-exclude-file-list= -finstrument-functions-exclude-function-list=', {
    effect: 'both',
    value: 'text',
  }),
  ...joined('-finput-charset= -fexec-charset=', { effect: 'both', value: 'charset' }),
  ...joined('-fwide-exec-charset=', local('character-set')),
  ...joined('-fdiagnostics-format=', { effect: 'both', value: 'diagnostics' }),
  ...joined('-fdiagnostics-color=', { ...COLOR, value: 'word' }),
  ...flags('-fdiagnostics-color -fno-diagnostics-color -fdiagnostics-plain-output', COLOR),
  ...flags('-fcolor-diagnostics -fno-color-diagnostics -fansi-escape-codes', { ...COLOR, ...CLANG }),
  ...flags('-enable-trivial-auto-var-init-zero-knowing-it-will-be-removed-from-clang', { ...BOTH, ...CLANG }),
  ...joined('-fbasic-block-sections=', { effect: 'both', value: 'sections', ...CLANG }),
  // Its comments hold sizes that GCC takes from the memory of the machine; an object has no comments.
  ...flags('-fverbose-asm', { ...BOTH, annotatesAssembly: true }),
  ...stems('-fopt-info', { effect: 'both', value: 'remarks', reason: 'dump-output', ...GCC }),
  ...flags('-fdump-noaddr -fdump-unnumbered -fdump-unnumbered-links', { ...BOTH, ...GCC }),
  // What it says depends on where its memory happens to lie.
  ...flags('-fanalyzer', { ...BOTH, ...GCC, varies: true }),
  ...flags('-H', BOTH),
];

const DEBUG_FLAGS =
  '-g -g0 -g1 -g2 -g3 -ggdb -ggdb0 -ggdb1 -ggdb2 -ggdb3 -gdwarf -gdwarf-2 -gdwarf-3 -gdwarf-4 -gdwarf-5 ' +
  '-gdwarf32 -gdwarf64 -gz -gtoggle -gpubnames -gno-pubnames -ggnu-pubnames -gno-gnu-pubnames ' +
  '-gno-record-gcc-switches -gstrict-dwarf -gno-strict-dwarf -gcolumn-info ' +
  '-gno-column-info -gas-loc-support -gno-as-loc-support -gas-locview-support -gno-as-locview-support ' +
  '-gstatement-frontiers -gno-statement-frontiers -gvariable-location-views -gno-variable-location-views ' +
  '-ginline-points -gno-inline-points -ginternal-reset-location-views -gno-internal-reset-location-views ' +
  '-gstabs -gstabs+ -gcodeview -gdescribe-dies -gno-describe-dies -gno-split-dwarf -gbtf';

/** Debug information. Clang's -gmodules and GCC's unknown ones stay local, so the members are named. */
const DEBUGGING: readonly OptionRow[] = [
  ...flags(DEBUG_FLAGS, BOTH),
  ...flags('-gctf -gctf0 -gctf1 -gctf2', { ...BOTH, varies: true }),
  ...flags('-gline-tables-only -gline-directives-only -gno-modules -gsimple-template-names -gembed-source', {
    ...BOTH,
    ...CLANG,
  }),
  ...joined('-gz= -gvariable-location-views=', { effect: 'both', value: 'word' }),
  ...flags('-gsplit-dwarf', SPLIT),
  ...joined('-gsplit-dwarf=', { ...SPLIT, ...CLANG, value: 'split-kind' }),
  ...flags('-gmodules', local('modules', 'clang')),
  // GCC records its own options there, and none of those that a worker adds.
  ...flags('-grecord-gcc-switches -frecord-gcc-switches', { ...BOTH, ...GCC }),
  ...flags('-grecord-gcc-switches -frecord-gcc-switches', local('recorded-command-line', 'clang')),
  ...flags('-grecord-command-line -frecord-command-line', local('recorded-command-line', 'clang')),
  ...eitherWay('-MJ', local('recorded-command-line', 'clang')),
  ...stems('-fembed-bitcode', local('recorded-command-line', 'clang')),
];

/** Options that make the compile write another file, or another object each time. */
const SIDE_OUTPUTS: readonly OptionRow[] = [
  ...flags('-flto', { ...BOTH, ...GCC, needsSeed: 'names' }),
  ...joined('-flto=', { effect: 'both', value: 'word', ...GCC, needsSeed: 'names' }),
  ...separate('-aux-info', { effect: 'side-output', output: 'prototypes', value: 'path', ...GCC }),
  ...joined('-aux-info=', { effect: 'side-output', output: 'prototypes', value: 'path', ...GCC }),
  ...joined('-fdump-tree-', {
    effect: 'side-output',
    output: 'dump',
    value: 'tree-dump',
    reason: 'dump-output',
    ...GCC,
  }),
  ...flags('-save-temps --save-temps -save-temps=obj --save-temps=obj', { effect: 'save-temps', ...GCC }),
  ...flags('-save-temps=cwd --save-temps=cwd', {
    effect: 'save-temps',
    ...GCC,
    keepsInWorkingDirectory: true,
  }),
  ...separate('-dumpdir --dumpdir', { effect: 'aux-dir', value: 'path', ...GCC }),
  ...separate('-dumpbase --dumpbase', { effect: 'aux-base', value: 'path', ...GCC }),
  ...separate('-dumpbase-ext --dumpbase-ext', { effect: 'aux-ext', value: 'suffix', ...GCC }),
  ...flags('-fstack-usage', { effect: 'side-output', output: 'stack-usage' }),
  ...flags('-fcallgraph-info', { effect: 'side-output', output: 'callgraph-info', ...GCC }),
  ...joined('-fcallgraph-info=', {
    effect: 'side-output',
    output: 'callgraph-info',
    value: 'option',
    ...GCC,
  }),
];

/**
 * Options for a link, which a compile ignores. Those that take a path or a list are left out of the command line that
 * a worker runs; Clang says of some that they are unused, so there the call stays local.
 */
const LINKING: readonly OptionRow[] = [
  ...flags('-static -shared -pie -no-pie -static-pie -rdynamic -s -nostdlib -nodefaultlibs', BOTH),
  ...flags('-nostartfiles -static-libgcc -shared-libgcc -static-libstdc++', BOTH),
  ...eitherWay('-l', { effect: 'both', value: 'word' }),
  ...joined('-fuse-ld=', { effect: 'both', value: 'linker' }),
  ...lists('-Wl,', LINK_ONLY),
  ...lists('-Wl,', local('linker-option', 'clang')),
  ...eitherWay('-L -T -u -z -e', LINK_ONLY),
  ...eitherWay('-L -T -u -z -e', local('linker-option', 'clang')),
  ...separate('-Xlinker', LINK_ONLY),
  ...separate('-Xlinker', local('linker-option', 'clang')),
  ...flags('-r', local('linker-option')),
];

/** Questions to the compiler. `-v` is one too, but compiles besides. */
const QUERIES: readonly OptionRow[] = [
  ...flags('--version -### -v --verbose --target-help -dumpversion -dumpmachine', local('compiler-query')),
  ...flags('-dumpfullversion -dumpspecs -fhelp -ftarget-help -fversion', local('compiler-query')),
  ...stems('--help -fhelp= -print- --print- --autocomplete=', local('compiler-query')),
];

function byName(a: OptionRow, b: OptionRow): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : (a.dialect ?? '').localeCompare(b.dialect ?? '');
}

/** The whole table, sorted by name. A name occurs once per dialect. */
export const OPTION_TABLE: readonly OptionRow[] = [
  ...DRIVING,
  ...PREPROCESSING,
  ...FAMILIES,
  ...DEBUGGING,
  ...SIDE_OUTPUTS,
  ...PROFILE_OPTIONS,
  ...LINKING,
  ...QUERIES,
  ...REFUSED_OPTIONS,
].sort(byName);
