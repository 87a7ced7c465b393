/** Other languages through each driver, and compilers for other machines. */
import { casesOf, type EqualityCase } from './equality-case.ts';

export const TOOLCHAIN_FILES: Readonly<Record<string, string>> = {
  'unit.m':
    '#import "local.h"\n@interface Counter { int value; }\n- (int)next;\n@end\n@implementation Counter\n- (int)next { return value += LOCAL_VALUE; }\n@end\n',
  'unit.mm':
    '#import "local.h"\n@interface Box { int value; }\n- (int)twice;\n@end\ntemplate <typename T> static T twice(T x) { return x + x; }\n@implementation Box\n- (int)twice { return twice(value) + LOCAL_VALUE; }\n@end\n',
  'cross.c': '#include "local.h"\nint cross(int x) { return x * LOCAL_VALUE + (int)sizeof(long); }\n',
  'cross.S': '#include "local.h"\n\t.globl f\nf:\n\tmov x0, #LOCAL_VALUE\n\tret\n',
};

const gcc = casesOf('gcc');
const gxx = casesOf('g++');
const arm = casesOf('aarch64-linux-gnu-gcc');
const objective = { needs: '../lib/gcc/x86_64-linux-gnu/12/cc1obj' };
const objectiveCxx = { needs: '../lib/gcc/x86_64-linux-gnu/12/cc1objplus' };

export const TOOLCHAIN_CASES: readonly EqualityCase[] = [
  gcc('C++ through the C driver', '-O2 -g -MD -c unit.cpp', 'unit.o unit.d'),
  gcc('-x c++ through the C driver', '-x c++ -c forced.h -o forced.o', 'forced.o'),
  gcc('-xc++', '-xc++ -g -c unit.cpp', 'unit.o'),
  gxx('C through the C++ driver, -x c', '-x c -MD -g -c unit.c', 'unit.o unit.d'),
  gxx('C as C++', '-c search.c -Iangle -idirafter after', 'search.o'),
  gxx('C through the C++ driver, -x none', '-x none -c unit.c', 'unit.o'),
  gcc('Objective-C', '-MD -g -c unit.m', 'unit.o unit.d', objective),
  gcc('-x objective-c', '-x objective-c -O2 -c unit.m -o dir/unit.o', 'dir/unit.o', objective),
  gcc('Objective-C++', '-g -c unit.mm', 'unit.o', objectiveCxx),
  gxx('Objective-C++ through the C++ driver', '-O2 -MMD -c unit.mm', 'unit.o unit.d', objectiveCxx),
  arm('arm64, C', '-O2 -g -MD -c cross.c', 'cross.o cross.d'),
  arm('arm64, -mcpu= -S', '-O2 -mcpu=cortex-a72+crc -S cross.c', 'cross.s'),
  arm('arm64, assembler', '-g -D__ASSEMBLY__ -c cross.S', 'cross.o'),
  arm(
    'arm64, -gsplit-dwarf --coverage',
    '-g -gsplit-dwarf --coverage -frandom-seed=x -c cross.c',
    'cross.o cross.dwo cross.gcno',
  ),
];
