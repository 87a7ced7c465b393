/**
 * The options of the table that keep a job local: they run programs, load code, or read and write files that
 * are no part of a job. Sources: the manuals of GCC 12 and Clang 17, and trying each against GCC 12.
 */
import type { OptionRow } from './option-row.ts';
import { eitherWay, flags, joined, local, refuse, separate, stems } from './option-row.ts';

/** Options that run programs or load code. */
const CODE: readonly OptionRow[] = [
  ...stems('-fplugin', refuse('plugin')),
  ...joined('-fpass-plugin= -iplugindir=', refuse('plugin')),
  ...separate('-specs', refuse('specs')),
  ...joined('-specs= --specs= --config=', refuse('specs')),
  ...separate('--specs --config', refuse('specs')),
  ...joined('-mmcu=', local('specs')),
  ...separate('-wrapper', refuse('program-path')),
  ...eitherWay('-B', refuse('program-path')),
  ...separate(
    '--prefix --gcc-toolchain -gcc-toolchain -resource-dir -ccc-install-dir',
    refuse('program-path'),
  ),
  ...joined('--prefix= --gcc-toolchain= --gcc-install-dir= --gcc-triple=', refuse('program-path')),
  ...joined('-resource-dir= --driver-mode=', refuse('program-path')),
  ...joined('--sysroot=', refuse('program-path', 'clang')),
  ...separate('--sysroot', refuse('program-path', 'clang')),
  ...eitherWay('-isysroot', refuse('program-path', 'clang')),
  ...flags('-no-integrated-cpp', refuse('program-path')),
  ...stems('-ccc-', refuse('program-path')),
  ...joined('--ld-path= --rtlib= -rtlib= --unwindlib= -unwindlib=', refuse('linker-option')),
  ...joined('-Xclang= -mllvm= -mlink-builtin-bitcode', refuse('compiler-internals')),
  ...stems('-cc1', refuse('compiler-internals')),
  ...separate(
    '-Xanalyzer -Xcuda-fatbinary -Xcuda-ptxas -Xopenmp-target -Xarch_host',
    refuse('compiler-internals'),
  ),
  ...joined('-Xopenmp-target= -Xarch_', refuse('compiler-internals')),
  ...separate('--for-assembler', refuse('assembler-option')),
  ...joined('--for-assembler=', refuse('assembler-option')),
  ...separate('--for-linker', refuse('linker-option')),
  ...joined('--for-linker=', refuse('linker-option')),
  ...stems('-fcompare-debug', refuse('compiler-internals')),
  ...joined('-fself-test=', refuse('compiler-internals')),
  ...stems(
    '-fopenmp-targets= -foffload -fsycl -fcuda -fgpu -fhip -fopenmp-host-ir-file-path',
    local('offload'),
  ),
];

/** Modules and precompiled headers. */
const MODULES: readonly OptionRow[] = [
  ...stems('-fmodule -module -fprebuilt- -fimplicit-module -fsystem-module -fapinotes', refuse('modules')),
  ...stems('-fbuild-session- -fcas- -fdepscan -findex-', refuse('modules')),
  ...eitherWay('-ivfsoverlay -vfsoverlay', refuse('modules')),
  ...separate('-iapinotes-modules', refuse('modules')),
  ...separate('-include-pch', refuse('precompiled-header')),
  ...joined('--output-pch=', refuse('precompiled-header')),
  ...flags('-emit-pch -emit-module', refuse('precompiled-header')),
  ...stems('-fpch-', local('precompiled-header')),
  ...flags('-fpreprocessed -fdirectives-only', local('preprocessed-source')),
];

/** Options that write a file beside the object, or a report. */
const WRITES: readonly OptionRow[] = [
  ...stems('-save-temps --save-temps', refuse('save-temps', 'clang')),
  ...stems('-save-stats --save-stats', refuse('save-temps')),
  ...stems('-fdump- -fsave-optimization-record -foptimization-record', refuse('dump-output')),
  ...stems('-ftime-trace -ftime-report -fmem-report -fproc-stat-report -time', refuse('measurement')),
  ...stems('-fcrash-diagnostics', refuse('dump-output')),
  ...flags('-fpre-ipa-mem-report -fpost-ipa-mem-report -fstats', local('measurement')),
  ...flags('-mdump-tune-features', local('dump-output')),
  ...joined('-fdiagnostics-add-output= -fdiagnostics-set-output= -fdbg-cnt-list', refuse('dump-output')),
  ...flags('-Q --trace-includes', local('dump-output')),
  ...joined('-d', refuse('dump-output')),
  ...eitherWay('-index-store-path', refuse('dump-output')),
  ...separate('-serialize-diagnostics --serialize-diagnostics -auxbase', refuse('dump-output')),
  ...separate('--dump -dependency-dot -dependency-file -header-include-file', refuse('dump-output')),
  ...joined('--dump=', refuse('dump-output')),
  ...stems('-gen-reproducer', refuse('dump-output')),
  ...separate('-gen-cdb-fragment-path', refuse('dump-output')),
  ...flags('-MV', local('dump-output')),
  ...separate('--output', refuse('unsupported-output')),
  ...joined('--output=', refuse('unsupported-output')),
  ...stems('-emit- --emit- --analyze -analyze -rewrite- -extract-api', refuse('unsupported-output')),
  ...flags('-fsyntax-only', local('syntax-only')),
  ...joined(
    '-flinker-output= -fresolution= -fthinlto-index= -fthin-link-bitcode=',
    refuse('unsupported-output'),
  ),
  ...stems('-fltrans -fwpa', refuse('unsupported-output')),
];

/** Options that read a file, or say where the compiler's own headers are. */
const READS: readonly OptionRow[] = [
  ...joined('-fdepfile-entry= -working-directory=', refuse('header-search')),
  ...separate('-working-directory', refuse('header-search')),
  ...eitherWay('-iprefix -iwithprefix -iwithprefixbefore -iwithsysroot -iframework', refuse('header-search')),
  ...separate('-imultilib -imultiarch -iframeworkwithsysroot', refuse('header-search')),
  ...eitherWay('-F', refuse('header-search')),
  ...eitherWay('-A', refuse('unknown-option')),
  ...joined('--embed-dir= -embed-dir=', refuse('embed')),
  ...separate('--embed-dir -embed-dir', refuse('embed')),
  ...separate(
    '-arch --include --imacros --include-directory --include-directory-after',
    refuse('unknown-option'),
  ),
  ...separate('--define-macro --undefine-macro --assert --language', refuse('unknown-option')),
  ...flags('-fno-random-seed -frandom-seed', local('unknown-option')),
  ...flags('-frepo', local('unknown-option')),
  ...separate('-fintrinsic-modules-path', refuse('unknown-option')),
];

/** All rows of this file. */
export const REFUSED_OPTIONS: readonly OptionRow[] = [...CODE, ...MODULES, ...WRITES, ...READS];
