/** Calls that stay on the machine where they were made, each with the reason that the user must be told. */
import { linkSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

export interface LocalCase {
  readonly name: string;
  /** Default gcc; the case is skipped where there is no such program. */
  readonly compiler?: string;
  readonly args: readonly string[];
  /** Id of the reason. */
  readonly reason: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
  /** Further preparation of the case's directory. */
  readonly prepare?: (directory: string) => void;
}

const SOURCE = 'int f(void) { return 1; }\n';
const CLOCK_SOURCE = 'const char *made = __DATE__;\n';

function local(name: string, args: string, reason: string, more: Partial<LocalCase> = {}): LocalCase {
  return { name, args: args.split(' '), reason, files: { 'unit.c': SOURCE }, ...more };
}

function clang(name: string, args: string, reason: string, more: Partial<LocalCase> = {}): LocalCase {
  return local(`clang, ${name}`, args, reason, { compiler: 'clang-14', ...more });
}

const CLANG_CASES: readonly LocalCase[] = [
  // Clang 14 does not know the variable, and shows the time of the compile.
  clang('SOURCE_DATE_EPOCH', '-c unit.c', 'time-macro', {
    files: { 'unit.c': 'int size = sizeof __TIME__;\n' },
    env: { SOURCE_DATE_EPOCH: '1500000000' },
  }),
  clang('an .incbin from pieces', '-c unit.c', 'incbin', {
    files: { 'unit.c': '__asm__(".inc" "bin \\"blob.bin\\"");\n', 'blob.bin': 'some bytes\n' },
  }),
  clang('-ftime-trace', '-ftime-trace -c missing.c', 'measurement'),
  clang('-MJ', '-MJ unit.json -c unit.c', 'recorded-command-line'),
  clang('-grecord-command-line', '-g -grecord-command-line -c unit.c', 'recorded-command-line'),
  clang('-fmodules', '-fmodules -fmodules-cache-path=cache -c missing.c', 'modules'),
  clang('--config', '--config unit.cfg -c unit.c', 'specs', {
    files: { 'unit.c': SOURCE, 'unit.cfg': '-O2\n' },
  }),
  clang('-Wl,', '-Wl,-z,now -c unit.c', 'linker-option'),
  clang('-emit-llvm', '-emit-llvm -c unit.c', 'unsupported-output'),
  clang('-include-pch', '-include-pch none.pch -c unit.c', 'precompiled-header'),
  clang('-Xclang -load', '-Xclang -load -Xclang ./none.so -c unit.c', 'plugin'),
  clang('-save-temps', '-save-temps -c unit.c', 'save-temps'),
];

/** The cases; each gets a directory of its own. */
export const LOCAL_CASES: readonly LocalCase[] = [
  local('a link', 'main.c -o program', 'link', { files: { 'main.c': 'int main(void) { return 0; }\n' } }),
  local('a link that fails', 'unit.c -o program', 'link'),
  local('-E', '-E unit.c', 'preprocess-only'),
  local('-E -o', '-E unit.c -o unit.i', 'preprocess-only'),
  local('-M', '-M unit.c', 'dependencies-only'),
  local('-fsyntax-only', '-fsyntax-only unit.c', 'syntax-only'),
  local('a source on standard input', '-x c -c - -o out.o', 'stdin-source', { input: SOURCE }),
  local('a probe of a configure step', '-c conftest.c', 'configure-probe', {
    files: { 'conftest.c': SOURCE },
  }),
  local('-o /dev/null', '-c unit.c -o /dev/null', 'output-not-regular'),
  local('an option that nobody knows', '-c unit.c --frobnicate', 'unknown-option'),
  local('CPATH', '-c unit.c', 'environment-variable', {
    files: { 'unit.c': '#include "far.h"\n', 'far/far.h': SOURCE },
    env: { CPATH: 'far' },
  }),
  local('.incbin of a name that macros make', '-c unit.c', 'incbin', {
    files: {
      'unit.c': '#define NAME "blob.bin"\n__asm__(".incbin \\"" NAME "\\"");\n',
      'blob.bin': 'some bytes\n',
    },
  }),
  local('__TIME__ in a header', '-c unit.c', 'time-macro', {
    // only its size, so that the object is the same at any time
    files: { 'unit.c': '#include "clock.h"\n', 'clock.h': 'int size = sizeof __TIME__;\n' },
  }),
  local('__DATE__', '-c unit.c', 'time-macro', { files: { 'unit.c': CLOCK_SOURCE } }),
  local('-march=native with more', '-march=native+crypto -c unit.c', 'march-native'),
  local('an output that is a symbolic link', '-c unit.c -o out.o', 'output-not-regular', {
    files: { 'unit.c': SOURCE, 'elsewhere.o': 'old' },
    prepare: (directory) => symlinkSync('elsewhere.o', join(directory, 'out.o')),
  }),
  local('an output with a second name', '-c unit.c -o out.o', 'output-not-regular', {
    files: { 'unit.c': SOURCE, 'elsewhere.o': 'old' },
    prepare: (directory) => linkSync(join(directory, 'elsewhere.o'), join(directory, 'out.o')),
  }),
  local('an output in a directory that does not exist', '-c unit.c -o none/out.o', 'output-write-failed'),
  local(
    'a depfile in a directory that does not exist',
    '-MD -MF none/unit.d -c unit.c',
    'output-write-failed',
  ),
  local('an output below a file', '-c unit.c -o unit.c/out.o', 'output-write-failed'),
  local('an output behind a link to itself', '-c unit.c -o loop/out.o', 'output-write-failed', {
    prepare: (directory) => symlinkSync('loop', join(directory, 'loop')),
  }),
  local('two sources', '-c unit.c other.c', 'several-inputs', {
    files: { 'unit.c': SOURCE, 'other.c': 'int g;\n' },
  }),
  local('a source that does not exist', '-c missing.c', 'closure-failed'),
  local('an assembler source that is only preprocessed', '-S unit.S -o unit.s', 'assembler-source', {
    files: { 'unit.S': '.globl f\nf: ret\n' },
  }),
  local('a language that is not distributed', '-c unit.f90', 'unsupported-language', {
    files: { 'unit.f90': 'end\n' },
  }),
  local('a list of passes', '-fdump-passes -c unit.c', 'dump-output'),
  local('-flto without a seed', '-flto -c unit.c -o unit.o', 'lto-without-random-seed', {
    // only sections with names of chance differ, and such an object would be another each time
    files: { 'unit.c': 'this does not compile\n' },
  }),
  local('-fprofile-use with a prefix', '-fprofile-use -fprofile-prefix-path=/x -c unit.c', 'profile-use'),
  local('a relative --sysroot=', '--sysroot=root -c unit.c', 'unknown-option'),
  // Refused by the driver: the report itself would be another one each time.
  local('a report of the time that passes take', '-ftime-report -c unit.c -fno-such-option', 'measurement'),
  local('a preprocessed source', '-c unit.i', 'preprocessed-source', { files: { 'unit.i': SOURCE } }),
  local('a response file that does not exist', '@none.rsp -c unit.c', 'response-file-unreadable'),
  local('a directory for the compiler’s programs', '-B. -c unit.c', 'program-path'),
  local('C_INCLUDE_PATH', '-c unit.c', 'environment-variable', {
    env: { C_INCLUDE_PATH: '/usr/include' },
  }),
  local('a header to be precompiled', '-c missing.h', 'precompiled-header'),
  local('a precompiled header beside the first one', '-c unit.c', 'precompiled-header', {
    files: { 'unit.c': '#include "header.h"\n', 'header.h': 'int f(void);\n', 'header.h.gch/x': 'no header' },
  }),
  ...CLANG_CASES,
];
