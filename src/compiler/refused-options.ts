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
    '--prefix --sysroot --gcc-toolchain -gcc-toolchain -resource-dir -ccc-install-dir',
    refuse('program-path'),
  ),
  ...joined('--prefix= --sysroot= --gcc-toolchain= --gcc-install-dir= --gcc-triple=', refuse('program-path')),
  ...joined('-resource-dir= --driver-mode=', refuse('program-path')),
  ...eitherWay('-isysroot', refuse('program-path')),
  ...flags('-no-integrated-cpp', refuse('program-path')),
  ...stems('-ccc-', refuse('program-path')),
  ...joined('-fuse-ld= --ld-path= --rtlib= -rtlib= --unwindlib= -unwindlib=', refuse('linker-option')),
  ...separate('-Xclang -mllvm', refuse('compiler-internals')),
  ...joined('-Xclang= -mllvm= -mlink-builtin-bitcode', refuse('compiler-internals')),
  ...stems('-cc1', refuse('compiler-internals')),
  ...separate(
    '-Xanalyzer -Xcuda-fatbinary -Xcuda-ptxas -Xopenmp-target -Xarch_host',
    refuse('compiler-internals'),
  ),
  ...joined('-Xopenmp-target= -Xarch_', refuse('compiler-internals')),
  ...separate('-Xpreprocessor', refuse('preprocessor-option')),
  ...separate('-Xassembler --for-assembler', refuse('assembler-option')),
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

/** Profiles. */
const PROFILES: readonly OptionRow[] = [
  ...stems('-fprofile-use -fauto-profile -fprofile-instr-use -fprofile-sample-use', refuse('profile-use')),
  ...stems(
    '-fmemory-profile -fbranch-probabilities -fprofile-list -fprofile-remapping-file',
    refuse('profile-use'),
  ),
  ...flags('-fprofile-correction', local('profile-use')),
  ...stems('-fprofile-generate -fprofile-instr-generate -fcs-profile-', refuse('profile-generate')),
  ...joined('-fprofile-', refuse('profile-generate')),
  ...flags('-fcreate-profile -fcoverage-mapping', refuse('profile-generate')),
  ...flags('-a -ax', refuse('profile-generate')),
];

/** Options that write a file beside the object, or a report. */
const WRITES: readonly OptionRow[] = [
  ...stems('-save-temps --save-temps -save-stats --save-stats', refuse('save-temps')),
  ...stems('-fdump- -fopt-info -fsave-optimization-record -foptimization-record', refuse('dump-output')),
  ...stems(
    '-ftime-trace -ftime-report -fmem-report -fproc-stat-report -fcrash-diagnostics',
    refuse('dump-output'),
  ),
  ...flags('-fpre-ipa-mem-report -fpost-ipa-mem-report -fstats -mdump-tune-features', local('dump-output')),
  ...joined('-fdiagnostics-add-output= -fdiagnostics-set-output= -fdbg-cnt-list', refuse('dump-output')),
  ...flags('-fverbose-asm', local('host-dependent-text')),
  ...flags('-H -Q --trace-includes', local('dump-output')),
  ...joined('-d', refuse('dump-output')),
  ...separate('-dumpbase -dumpbase-ext -dumpdir --dumpbase --dumpbase-ext --dumpdir', refuse('dump-output')),
  ...eitherWay('-aux-info -MJ -index-store-path', refuse('dump-output')),
  ...separate('-serialize-diagnostics --serialize-diagnostics -auxbase', refuse('dump-output')),
  ...separate('--dump -dependency-dot -dependency-file -header-include-file', refuse('dump-output')),
  ...joined('--dump=', refuse('dump-output')),
  ...stems('-time', refuse('dump-output')),
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

/** Options that read a file. */
const READS: readonly OptionRow[] = [
  ...joined(
    '-fsanitize-blacklist= -fsanitize-ignorelist= -fsanitize-system-blacklist=',
    refuse('unknown-option'),
  ),
  ...joined('-fsanitize-system-ignorelist= -fsanitize-coverage-allowlist=', refuse('unknown-option')),
  ...joined('-fsanitize-coverage-ignorelist= -fsanitize-coverage-whitelist=', refuse('unknown-option')),
  ...joined(
    '-fsanitize-coverage-blacklist= -fxray-attr-list= -fxray-always-instrument=',
    refuse('unknown-option'),
  ),
  ...joined('-fxray-never-instrument= -fdepfile-entry= -working-directory=', refuse('unknown-option')),
  ...separate('-working-directory', refuse('unknown-option')),
  ...eitherWay(
    '-iprefix -iwithprefix -iwithprefixbefore -iwithsysroot -iframework',
    refuse('unknown-option'),
  ),
  ...separate('-imultilib -imultiarch -iframeworkwithsysroot', refuse('unknown-option')),
  ...eitherWay('-F -A', refuse('unknown-option')),
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
export const REFUSED_OPTIONS: readonly OptionRow[] = [...CODE, ...MODULES, ...PROFILES, ...WRITES, ...READS];
