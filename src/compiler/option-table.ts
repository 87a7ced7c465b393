/**
 * The options of GCC and Clang, and what each means for distribution. Longest name wins, as in the
 * compilers. An option that no row matches keeps the job local: nothing unknown ever reaches a worker.
 */
import type { OptionMeaning, OptionRow } from './option-row.ts';
import { eitherWay, flags, joined, lists, local, separate, stems } from './option-row.ts';
import { REFUSED_OPTIONS } from './refused-options.ts';

const BOTH: OptionMeaning = { effect: 'both' };
const SEARCHED: OptionMeaning = { effect: 'both', searchPath: true };
const SEARCH_DIR: OptionMeaning = { effect: 'search-dir', value: 'directory', searchPath: true };
const FAMILY: OptionMeaning = { effect: 'both', value: 'option' };
const COLOR: OptionMeaning = { effect: 'both', choosesColor: true };
const NOTES = { effect: 'side-output', output: 'coverage-notes' } as const;
const SPLIT = { effect: 'side-output', output: 'split-dwarf' } as const;
const CLANG = { dialect: 'clang' } as const;
const GCC = { dialect: 'gcc' } as const;

/** What is compiled, where to, and from what. */
const DRIVING: readonly OptionRow[] = [
  ...flags('-c -S', { effect: 'action' }),
  ...eitherWay('-o', { effect: 'output', value: 'path' }),
  ...eitherWay('-x', { effect: 'language', value: 'language' }),
  ...flags('-pipe -pass-exit-codes -no-canonical-prefixes', BOTH),
  ...flags('-Qunused-arguments -nobuiltininc -integrated-as -no-integrated-as', { ...BOTH, ...CLANG }),
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
  ...lists('-Wa,', { effect: 'assembler-list' }),
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
  ...stems('-march=native -mcpu=native -mtune=native', local('march-native')),
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
  ...joined('-fbasic-block-sections=', { effect: 'both', value: 'sections', ...CLANG }),
  ...flags('-fprofile-abs-path -fprofile-partial-training -fprofile-reorder-functions', BOTH),
  ...joined('-fprofile-update=', { effect: 'both', value: 'word' }),
];

const DEBUG_FLAGS =
  '-g -g0 -g1 -g2 -g3 -ggdb -ggdb0 -ggdb1 -ggdb2 -ggdb3 -gdwarf -gdwarf-2 -gdwarf-3 -gdwarf-4 -gdwarf-5 ' +
  '-gdwarf32 -gdwarf64 -gz -gtoggle -gpubnames -gno-pubnames -ggnu-pubnames -gno-gnu-pubnames ' +
  '-grecord-gcc-switches -gno-record-gcc-switches -gstrict-dwarf -gno-strict-dwarf -gcolumn-info ' +
  '-gno-column-info -gas-loc-support -gno-as-loc-support -gas-locview-support -gno-as-locview-support ' +
  '-gstatement-frontiers -gno-statement-frontiers -gvariable-location-views -gno-variable-location-views ' +
  '-ginline-points -gno-inline-points -ginternal-reset-location-views -gno-internal-reset-location-views ' +
  '-gdescribe-dies -gno-describe-dies -gno-split-dwarf -gbtf -gctf -gctf0 -gctf1 -gctf2';

/** Debug information. Clang's -gmodules and GCC's unknown ones stay local, so the members are named. */
const DEBUGGING: readonly OptionRow[] = [
  ...flags(DEBUG_FLAGS, BOTH),
  ...flags('-gline-tables-only -gline-directives-only -gno-modules -gsimple-template-names -gembed-source', {
    ...BOTH,
    ...CLANG,
  }),
  ...joined('-gz= -gvariable-location-views=', { effect: 'both', value: 'word' }),
  ...flags('-gsplit-dwarf', SPLIT),
  ...joined('-gsplit-dwarf=', { ...SPLIT, ...CLANG, value: 'split-kind' }),
  ...flags('-gmodules', local('modules', 'clang')),
];

/** Options that make the compile write another file, or another object each time. */
const SIDE_OUTPUTS: readonly OptionRow[] = [
  ...flags('--coverage -coverage -ftest-coverage -fprofile-arcs', { ...NOTES, ...GCC, needsSeed: true }),
  ...flags('--coverage -coverage -ftest-coverage -fprofile-arcs', { ...NOTES, ...CLANG }),
  ...flags('-fpath-coverage -fcondition-coverage', { ...NOTES, ...GCC, needsSeed: true }),
  ...flags('-flto', { ...BOTH, ...GCC, needsSeed: true }),
  ...joined('-flto=', { effect: 'both', value: 'word', ...GCC, needsSeed: true }),
  ...flags('-fstack-usage', { effect: 'side-output', output: 'stack-usage' }),
  ...flags('-fcallgraph-info', { effect: 'side-output', output: 'callgraph-info', ...GCC }),
  ...joined('-fcallgraph-info=', {
    effect: 'side-output',
    output: 'callgraph-info',
    value: 'option',
    ...GCC,
  }),
];

/** Options for a link that a compile ignores. Those that take a path or a list stay local. */
const LINKING: readonly OptionRow[] = [
  ...flags('-static -shared -pie -no-pie -static-pie -rdynamic -s -nostdlib -nodefaultlibs', BOTH),
  ...flags('-nostartfiles -static-libgcc -shared-libgcc -static-libstdc++', BOTH),
  ...eitherWay('-l', { effect: 'both', value: 'word' }),
  ...lists('-Wl,', local('linker-option')),
  ...eitherWay('-L -T -u -z -e', local('linker-option')),
  ...separate('-Xlinker', local('linker-option')),
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
  ...LINKING,
  ...QUERIES,
  ...REFUSED_OPTIONS,
].sort(byName);
