/** Clang, as Debian's package clang-14 brings it. */
import { casesOf, type EqualityCase } from './equality-case.ts';

export const CLANG_FILES: Readonly<Record<string, string>> = {
  'ignored.txt': 'fun:helper\n',
  'clang-clock.c': '#if 0\nconst char *made = __DATE__;\n#endif\nint size;\n',
};

const c = casesOf('clang-14');
const cxx = casesOf('clang++-14');

export const CLANG_CASES: readonly EqualityCase[] = [
  c('clang, no options', '-c unit.c', 'unit.o'),
  ...['-O0', '-O1', '-O2', '-O3', '-Os', '-Oz'].map((level) =>
    c(`clang, ${level}`, `${level} -c unit.c`, 'unit.o'),
  ),
  cxx('clang++, -O2 -g', '-O2 -g -MD -c unit.cpp', 'unit.o unit.d'),
  cxx('clang++, -std=c++20', '-std=c++20 -c unit.cpp', 'unit.o'),
  c('clang, -g -MD', '-g -MD -c unit.c', 'unit.o unit.d'),
  c('clang, -Wp,-MMD', '-Wp,-MMD,dir/.unit.o.d -c unit.c -o dir/unit.o', 'dir/unit.o dir/.unit.o.d'),
  c('clang, -gdwarf-4', '-gdwarf-4 -c unit.c', 'unit.o'),
  c('clang, -gsplit-dwarf', '-g -gsplit-dwarf -c unit.c -o dir/unit.o', 'dir/unit.o dir/unit.dwo'),
  c('clang, -gsplit-dwarf=split', '-g -gsplit-dwarf=split -c unit.c', 'unit.o unit.dwo'),
  cxx('clang++, -gsplit-dwarf', '-O1 -g -gsplit-dwarf -ggnu-pubnames -c unit.cpp', 'unit.o unit.dwo'),
  c('clang, --coverage', '--coverage -c unit.c -o dir/unit.o', 'dir/unit.o dir/unit.gcno'),
  c('clang, -fstack-usage', '-fstack-usage -c unit.c', 'unit.o unit.su'),
  c('clang, -S', '-O2 -S unit.c', 'unit.s'),
  c('clang, -flto', '-O2 -flto -c unit.c', 'unit.o'),
  c('clang, -flto=thin', '-O2 -flto=thin -c unit.c', 'unit.o'),
  c('clang, warnings', '-Weverything -Wno-padded -c unit.c', 'unit.o'),
  c('clang, an option that is not used', '-lm -c unit.c', 'unit.o'),
  c('clang, --target=', '--target=aarch64-linux-gnu -O2 -c cross.c', 'cross.o'),
  c('clang, .S', '-D__ASSEMBLY__ -MD -Iasm -c asm/entry.S', 'entry.o entry.d'),
  c('clang, .s', '-c asm/part.s', 'part.o'),
  c('clang, .incbin in C', '-c embeds.c', 'embeds.o'),
  c('clang, -fno-integrated-as', '-fno-integrated-as -O2 -g -c unit.c', 'unit.o', { needs: 'as' }),
  c('clang, -no-integrated-as .S', '-no-integrated-as -D__ASSEMBLY__ -Iasm -c asm/entry.S', 'entry.o', {
    needs: 'as',
  }),
  c('clang, -march=native', '-O3 -march=native -c unit.c', 'unit.o'),
  c('clang, -march=native -g', '-O2 -g -march=native -mtune=native -c unit.c', 'unit.o'),
  c(
    'clang, -Xclang',
    '-O0 -Xclang -disable-O0-optnone -Xclang -target-feature -Xclang +avx2 -c unit.c',
    'unit.o',
  ),
  c('clang, -mllvm', '-O2 -mllvm -inline-threshold=5 -mllvm -unroll-count=2 -c unit.c', 'unit.o'),
  c('clang, -fprofile-instr-generate', '-fprofile-instr-generate -fcoverage-mapping -c unit.c', 'unit.o'),
  c('clang, -fprofile-generate=', '-O2 -fprofile-generate=counts -c unit.c', 'unit.o'),
  c('clang, -fsanitize=', '-O1 -g -fsanitize=undefined,address -c unit.c', 'unit.o'),
  c(
    'clang, -fsanitize-ignorelist=',
    '-fsanitize=address -fsanitize-ignorelist=ignored.txt -MD -c unit.c',
    'unit.o unit.d',
  ),
  c('clang, Objective-C', '-c unit.m', 'unit.o'),
  cxx('clang++, Objective-C++', '-c unit.mm', 'unit.o'),
  cxx('clang++, C as C++', '-c search.c -Iangle -idirafter after', 'search.o'),
  c('clang, C++ through the C driver', '-O1 -c unit.cpp', 'unit.o'),
  c('clang, response file', '@arguments.rsp -c unit.c', 'unit.o'),
  c('clang, -ffile-compilation-dir=', '-g -ffile-compilation-dir=. -c unit.c -o dir/unit.o', 'dir/unit.o'),
  c('clang, -mcpu=native, which it does not use', '-mcpu=native -c unit.c', 'unit.o', {
    mayBeLocal: 'the warning quotes the option',
  }),
  c('clang, a date that is not used', '-c clang-clock.c', 'clang-clock.o', {
    mayBeLocal: 'the scan evaluates no condition',
  }),
];
