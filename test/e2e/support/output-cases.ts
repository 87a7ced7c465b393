/** Calls that write more than an object, read more than sources, or mean the machine that they run on. */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { casesOf, type EqualityCase } from './equality-case.ts';

export const OUTPUT_FILES: Readonly<Record<string, string>> = {
  'profiled.c':
    '#include <stdlib.h>\nstatic int hot(int n) { return n % 3 ? n * 2 : n / 2; }\nint main(int argc, char **argv) {\n  int sum = argc;\n  for (int i = 0; i < 5000; i++) sum += i % 7 ? hot(i) : sum / 3;\n  return sum == atoi(argv[0]);\n}\n',
  'clock.c': 'const char *made(void) { return __DATE__ " " __TIME__; }\n',
  'outer.rsp': '-O2 @inner.rsp\n',
  'inner.rsp': '"-DTEXT=\\"in ner\\"" "-I" \'dir\'\n-g\n',
  'kept/.keep': '',
};

/** Runs a program that counts, so that there are counts to be used. */
export function writeProfiles(directory: string): void {
  mkdirSync(join(directory, 'counts'));
  mkdirSync(join(directory, 'prof'));
  for (const [options, output] of [
    [['-fprofile-generate'], 'prof/profiled.o'],
    [[`-fprofile-generate=${directory}/counts`], 'prof/other.o'],
  ] as const) {
    const program = join(directory, 'prof/program');
    const run = (argv: readonly string[]) =>
      spawnSync(argv[0] ?? '', argv.slice(1), { cwd: directory, stdio: 'ignore' });
    run(['gcc', '-O2', ...options, '-c', 'profiled.c', '-o', output]);
    run(['gcc', ...options, output, '-o', program]);
    run([program]);
  }
}

const c = casesOf('gcc');
const cxx = casesOf('g++');

/** GCC finds the counts by the name of the object. */
const PROFILES: readonly EqualityCase[] = [
  c('-fprofile-use', '-O2 -fprofile-use -c profiled.c -o prof/profiled.o', 'prof/profiled.o'),
  c('-fprofile-use=', '-O2 -fprofile-use=counts -c profiled.c -o prof/other.o', 'prof/other.o'),
  c('-fprofile-use, no counts', '-O2 -fprofile-use -c profiled.c -o dir/none.o', 'dir/none.o'),
  c('-fprofile-use=, no counts', '-O2 -fprofile-use=counts -c profiled.c -o dir/none.o', 'dir/none.o'),
  c(
    '-fbranch-probabilities',
    '-O2 -fbranch-probabilities -c profiled.c -o prof/profiled.o',
    'prof/profiled.o',
  ),
  c(
    '-fprofile-use -fprofile-correction',
    '-O2 -fprofile-use -fprofile-correction -Wno-missing-profile -c profiled.c -o prof/profiled.o',
    'prof/profiled.o',
  ),
  c('-fprofile-generate', '-O2 -fprofile-generate -frandom-seed=x -c profiled.c', 'profiled.o'),
  c('-fprofile-generate=', '-O2 -fprofile-generate=counts -frandom-seed=x -c profiled.c', 'profiled.o'),
  c('--coverage -g', '--coverage -g -O1 -frandom-seed=x -c unit.c', 'unit.o unit.gcno'),
  c(
    '--coverage -fprofile-dir= -fprofile-abs-path',
    '--coverage -fprofile-dir=counts -fprofile-abs-path -frandom-seed=x -c unit.c -o dir/unit.o',
    'dir/unit.o dir/unit.gcno',
  ),
  c('-fprofile-note=', '--coverage -fprofile-note=dir/x.gcno -frandom-seed=x -c unit.c', 'unit.o dir/x.gcno'),
  c('-fprofile-arcs alone', '-fprofile-arcs -frandom-seed=x -c unit.c', 'unit.o'),
  cxx('C++, --coverage', '--coverage -frandom-seed=x -c unit.cpp -o dir/unit.o', 'dir/unit.o dir/unit.gcno'),
];

const SIDE_OUTPUTS: readonly EqualityCase[] = [
  c('-save-temps', '-save-temps -c unit.c', 'unit.o unit.i unit.s'),
  c(
    '-save-temps -g -MD',
    '-save-temps=obj -g -MD -c unit.c -o dir/unit.o',
    'dir/unit.o dir/unit.d dir/unit.i dir/unit.s',
  ),
  c('-save-temps=cwd', '-save-temps=cwd -c unit.c -o dir/unit.o', 'dir/unit.o unit.i unit.s'),
  cxx('C++, -save-temps', '-save-temps -c unit.cpp', 'unit.o unit.ii unit.s'),
  c('-aux-info', '-aux-info dir/unit.aux -c unit.c', 'unit.o dir/unit.aux'),
  c('-fcallgraph-info', '-fcallgraph-info=su,da -c unit.c -o dir/unit.o', 'dir/unit.o dir/unit.ci'),
  c('-fstack-usage -S', '-fstack-usage -S unit.c', 'unit.s unit.su'),
  c(
    '-fdump-tree-',
    '-O2 -fdump-tree-optimized -fdump-tree-gimple-raw -c unit.c -o dir/unit.o',
    'dir/unit.o dir/unit.c.006t.gimple dir/unit.c.252t.optimized',
    { needs: 'gcc-12' },
  ),
  c(
    '-dumpdir, -dumpbase, -dumpbase-ext',
    '-g -gsplit-dwarf -fstack-usage -dumpdir kept/ -dumpbase x.y -dumpbase-ext .y -c unit.c -o dir/unit.o',
    'dir/unit.o kept/x.dwo kept/x.su',
  ),
  c('-fopt-info', '-O3 -fopt-info-vec-missed -fopt-info-inline -c unit.c', 'unit.o'),
  c('-H', '-H -c unit.c', 'unit.o'),
  c('-fverbose-asm into an object', '-fverbose-asm -c unit.c', 'unit.o'),
  c('-ffat-lto-objects', '-O2 -g -flto -ffat-lto-objects -frandom-seed=x -c unit.c', 'unit.o'),
  cxx('C++, -flto=auto', '-O2 -flto=auto -frandom-seed=x -c unit.cpp', 'unit.o'),
  c('-gz', '-g3 -gz -c unit.c', 'unit.o'),
  c(
    '-gdwarf-5 -gsplit-dwarf',
    '-gdwarf-5 -gsplit-dwarf -O2 -c unit.c -o dir/unit.o',
    'dir/unit.o dir/unit.dwo',
  ),
  cxx(
    'C++, -gsplit-dwarf -ggnu-pubnames',
    '-g -gsplit-dwarf -ggnu-pubnames -O2 -c unit.cpp',
    'unit.o unit.dwo',
  ),
];

/** The processor is this machine's, whatever node compiles. */
const NATIVE: readonly EqualityCase[] = [
  c('-march=native', '-O3 -march=native -c unit.c', 'unit.o'),
  c('-march=native -g', '-O2 -g -march=native -mno-red-zone -c unit.c', 'unit.o'),
  c('-march=native, recorded', '-O2 -mno-avx512f -march=native -frecord-gcc-switches -c unit.c', 'unit.o'),
  c('-mtune=native -g', '-O2 -g -march=x86-64-v3 -mtune=native -c unit.c', 'unit.o'),
  c('-march=native -mtune=generic', '-O2 -g -mtune=generic -march=native -c unit.c', 'unit.o'),
  c('-march=native -mtune=native', '-O2 -g -march=native -mtune=native -c unit.c', 'unit.o'),
  c('-march=native -m32', '-O2 -g -m32 -march=native -c search.c -Iangle -idirafter after', 'search.o', {
    mayBeLocal: 'the headers of another word size need not be installed',
  }),
  c('-mcpu=native', '-O2 -mcpu=native -c unit.c', 'unit.o'),
  c('-march=native -S', '-O2 -march=native -S unit.c', 'unit.s'),
  c('-march=native -flto', '-O2 -march=native -flto -frandom-seed=x -c unit.c', 'unit.o'),
  cxx('C++, -march=native -g', '-O3 -g -march=native -c unit.cpp', 'unit.o'),
];

const REWRITTEN: readonly EqualityCase[] = [
  c('options of a link', '-Wl,-z,now -Xlinker -x -L/nowhere -lm -T x.ld -c unit.c', 'unit.o'),
  c('-fuse-ld=', '-fuse-ld=gold -shared -c unit.c', 'unit.o'),
  c('-Xpreprocessor', '-Xpreprocessor -DLOCAL_EXTRA=1 -Xpreprocessor -Wundef -c unit.c', 'unit.o'),
  c('--sysroot=', '--sysroot=/ -MD -c unit.c', 'unit.o unit.d'),
  c('-isysroot', '-isysroot / -g -c unit.c', 'unit.o'),
  c('nested response files', '@outer.rsp -c unit.c', 'unit.o'),
  {
    name: '-D__DATE__ -D__TIME__',
    args: ['-Wno-builtin-macro-redefined', '-D__DATE__="a day"', '-D__TIME__="some time"', '-c', 'clock.c'],
    outputs: ['clock.o'],
  },
  c('__DATE__ with SOURCE_DATE_EPOCH', '-c clock.c', 'clock.o', { env: { SOURCE_DATE_EPOCH: '1500000000' } }),
];

export const OUTPUT_CASES: readonly EqualityCase[] = [...PROFILES, ...SIDE_OUTPUTS, ...NATIVE, ...REWRITTEN];
