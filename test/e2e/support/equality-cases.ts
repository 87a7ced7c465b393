/** Ways to call a compiler whose result must be the same on another machine, and the sources that they need. */
import { mkdirSync, symlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { ASSEMBLER_CASES, ASSEMBLER_FILES } from './assembler-cases.ts';
import { CLANG_CASES, CLANG_FILES } from './clang-cases.ts';
import { casesOf, type EqualityCase } from './equality-case.ts';
import { writeFiles } from './file-tree.ts';
import { OUTPUT_CASES, OUTPUT_FILES, writeProfiles } from './output-cases.ts';
import { TOOLCHAIN_CASES, TOOLCHAIN_FILES } from './toolchain-cases.ts';

const C_SOURCE = `#include <stddef.h>
#include <stdio.h>
#include "local.h"
#define SQUARE(x) ((x) * (x))
struct pair { int key; const char *text; };
static int helper(const struct pair *p, size_t n) {
  int sum = 0;
  for (size_t i = 0; i < n; i++) sum += SQUARE(p[i].key) + LOCAL_VALUE;
  return sum;
}
int run(const struct pair *p, size_t n) {
  char stack[256];
  snprintf(stack, sizeof stack, "%s:%d %s", __FILE__, __LINE__, n ? p->text : "");
  return helper(p, n) + stack[0];
}
#ifdef TEXT
const char *text = TEXT;
#endif
`;

const CXX_SOURCE = `#include <vector>
#include <string>
#include "local.h"
namespace shapes {
template <typename T> struct box { T value; T twice() const { return value + value; } };
inline int total(const std::vector<box<int>> &boxes) {
  int sum = LOCAL_VALUE;
  for (const auto &each : boxes) sum += each.twice();
  return sum;
}
}
int run(const std::vector<int> &in) {
  std::vector<shapes::box<int>> boxes;
  for (int each : in) boxes.push_back({each});
  return shapes::total(boxes) + static_cast<int>(std::string(__FILE__).size());
}
`;

const COMMON_FILES: Readonly<Record<string, string>> = {
  'unit.c': C_SOURCE,
  'unit.cpp': CXX_SOURCE,
  'unit.inc': C_SOURCE,
  'local.h': '#define LOCAL_VALUE 7\n',
  'forced.h': 'static const int forced = 1;\nint get_forced(void) { return forced; }\n',
  'arguments.rsp': '-O1 -DTEXT=\\"from-file\\" "-DSPACED=a b"\n-g\n',
  'dir/.keep': '',
  'name with spaces/größe 数.c': '#include "kopf datei.h"\nint größe(void) { return WERT; }\n',
  'name with spaces/kopf datei.h': '#define WERT 3\n',
  // one name in four directories: which one is found depends on the kind of directory
  'quote/which.h': '#define WHICH "quote"\n',
  'angle/which.h': '#define WHICH "angle"\n',
  'system/which.h': '#define WHICH "system"\n',
  'after/which.h': '#define WHICH "after"\n',
  'after/last.h': '#define LAST "after"\n',
  'search.c':
    '#include "which.h"\nconst char *a = WHICH;\n#undef WHICH\n#include <which.h>\nconst char *b = WHICH;\n#include <last.h>\nconst char *c = LAST;\n',
  'has.c':
    '#if __has_include("present.h")\nint present = 1;\n#endif\n#if __has_include("absent.h")\n#include "absent.h"\n#else\nint absent = 1;\n#endif\n#if __has_include(<stdio.h>)\nint has_stdio = 1;\n#endif\n',
  'has-unicode.c':
    '#if __has_include("größe.h")\nint present = 1;\n#endif\n#if __has_include("ärger.h")\nint absent = 1;\n#endif\n',
  'größe.h': '#error never read\n',
  'has-alias.c': '#define EXISTS __has_include\n#if EXISTS("only-tested.h")\nint present = 1;\n#endif\n',
  'has-computed.c':
    '#define NAME "only-tested.h"\n#if __has_include(NAME)\nint present = 1;\n#endif\n#define GONE <no/such.h>\n#if !__has_include(GONE)\nint absent = 1;\n#endif\n',
  'only-tested.h': '#error never read\n',
  'has-angle.c':
    '#if __has_include(<which.h>)\nint which = 1;\n#endif\n#ifdef __has_include_next\nint next = 1;\n#endif\n',
  'present.h': '#error never read\n',
  'computed.c':
    '#define STRING_(x) #x\n#define STRING(x) STRING_(x)\n#define NAME local.h\n#include STRING(NAME)\n#ifdef CONFIGURED\n#include CONFIGURED\n#endif\nint computed = LOCAL_VALUE;\n',
  'real/include/linked.h': '#include "beside.h"\nint linked = BESIDE;\n',
  'real/include/beside.h': '#define BESIDE 5\n',
  'real/up.h': '#define UP 9\n',
  'linked.c': '#include "link/linked.h"\n',
  'dotdot.c': '#include "link/../up.h"\nint up = UP;\n',
};

/** GCC takes two such headers of equal content for one only if their times are equal too. */
const PRAGMA_ONCE = '#pragma once\n#ifdef SEEN\nint read_twice = 1;\n#endif\n#define SEEN\n';

/** Writes the sources of all cases. */
export function writeEqualitySources(directory: string): void {
  for (const files of [COMMON_FILES, ASSEMBLER_FILES, OUTPUT_FILES, CLANG_FILES, TOOLCHAIN_FILES])
    writeFiles(directory, files);
  writeProfiles(directory);
  const stamps = {
    'once/a': 1_600_000_000,
    'once/b': 1_600_000_000,
    'twice/a': 1_600_000_000,
    'twice/b': 1_600_000_500,
  };
  for (const [place, seconds] of Object.entries(stamps)) {
    const header = `${place}/same.h`;
    writeFiles(directory, { [header]: PRAGMA_ONCE });
    utimesSync(join(directory, header), seconds, seconds);
  }
  for (const pair of ['once', 'twice']) {
    writeFiles(directory, {
      [`${pair}.c`]: `#include "${pair}/a/same.h"\n#include "${pair}/b/same.h"\nint done;\n`,
    });
  }
  symlinkSync('real/include', join(directory, 'link'));
  mkdirSync(join(directory, 'deep/er'), { recursive: true });
}

const c = casesOf('gcc');
const cxx = casesOf('g++');

/** The cases. All run in one directory, one after the other, so that each finds what the others left at the worker. */
export const EQUALITY_CASES: readonly EqualityCase[] = [
  c('C, no options', '-c unit.c', 'unit.o'),
  ...['-O0', '-O1', '-O2', '-O3', '-Os', '-Og'].map((level) =>
    c(`C, ${level}`, `${level} -c unit.c -o unit.o`, 'unit.o'),
  ),
  ...['-O0', '-O2', '-O3'].map((level) => cxx(`C++, ${level}`, `${level} -c unit.cpp -o unit.o`, 'unit.o')),
  c('C, -g', '-g -c unit.c', 'unit.o'),
  c('C, -g3', '-O2 -g3 -c unit.c', 'unit.o'),
  c('C, -gdwarf-5', '-gdwarf-5 -c unit.c', 'unit.o'),
  c('C, -gdwarf-4', '-gdwarf-4 -c unit.c', 'unit.o'),
  cxx('C++, -g', '-O1 -g -c unit.cpp', 'unit.o'),
  c('C, -gsplit-dwarf', '-g -gsplit-dwarf -c unit.c -o dir/unit.o', 'dir/unit.o dir/unit.dwo'),
  cxx('C++, -gsplit-dwarf', '-g -gsplit-dwarf -c unit.cpp', 'unit.o unit.dwo'),
  c('-MD', '-MD -c unit.c', 'unit.o unit.d'),
  c('-MMD in another directory', '-MMD -c unit.c -o dir/unit.o', 'dir/unit.o dir/unit.d'),
  c('-MF, -MT, -MP', '-MD -MP -MF dir/named.dep -MT target -c unit.c', 'unit.o dir/named.dep'),
  c('-MQ', '-MMD -MF unit.d -MQ $(odd).o -c unit.c', 'unit.o unit.d'),
  c('-Wp,-MMD', '-Wp,-MMD,dir/.unit.o.d -c -o dir/unit.o unit.c', 'dir/unit.o dir/.unit.o.d'),
  cxx('C++, -MD', '-MD -c unit.cpp', 'unit.o unit.d'),
  c('-include', '-include forced.h -c unit.c', 'unit.o'),
  c('-imacros', '-imacros local.h -c unit.c', 'unit.o'),
  c(
    '-iquote, -I, -isystem, -idirafter',
    '-iquote quote -Iangle -isystem system -idirafter after -MD -c search.c',
    'search.o search.d',
  ),
  c('-isystem before -idirafter', '-isystem system -idirafter after -MMD -c search.c', 'search.o search.d'),
  {
    name: 'spaces and unicode in names',
    args: ['-MD', '-g', '-Iname with spaces', '-c', 'name with spaces/größe 数.c', '-o', 'dir/größe 数.o'],
    outputs: ['dir/größe 数.o', 'dir/größe 数.d'],
  },
  c('-o in another directory', '-c unit.c -o dir/other-name.o', 'dir/other-name.o'),
  {
    ...c('from a deeper directory', '-g -MD -c ../../unit.c', 'deep/er/unit.o deep/er/unit.d'),
    cwd: 'deep/er',
  },
  c('-S', '-O2 -S unit.c', 'unit.s'),
  c('-S -o', '-S -fPIC unit.c -o dir/out.asm', 'dir/out.asm'),
  cxx('-x c++', '-x c++ -c forced.h -o forced.o', 'forced.o'),
  c('-x c with an odd suffix', '-x c -c unit.inc -o unit.o', 'unit.o'),
  c(
    '-std=gnu89 -pedantic',
    '-std=gnu89 -pedantic -c search.c -iquote quote -Iangle -idirafter after',
    'search.o',
  ),
  c('-std=c17 -Wall', '-std=c17 -Wall -Wextra -c unit.c', 'unit.o'),
  cxx('-std=c++20', '-std=c++20 -c unit.cpp', 'unit.o'),
  c('-fPIC', '-fPIC -fvisibility=hidden -c unit.c', 'unit.o'),
  c('-ffunction-sections', '-ffunction-sections -fdata-sections -fno-common -c unit.c', 'unit.o'),
  c('-march= and -mtune=', '-march=x86-64-v3 -mtune=generic -mno-red-zone -O2 -c unit.c', 'unit.o'),
  c('-flto with a seed', '-O2 -flto -frandom-seed=unit.c -c unit.c', 'unit.o'),
  c(
    '--coverage with a seed',
    '--coverage -frandom-seed=unit.c -c unit.c -o dir/unit.o',
    'dir/unit.o dir/unit.gcno',
  ),
  c('-fstack-usage', '-fstack-usage -c unit.c -o dir/unit.o', 'dir/unit.o dir/unit.su'),
  {
    name: '-DX="a b"',
    args: ['-DTEXT="a b"', '-D', "OTHER='x'", '-UUNUSED', '-c', 'unit.c'],
    outputs: ['unit.o'],
  },
  c('response file', '@arguments.rsp -c unit.c', 'unit.o'),
  {
    ...c('#pragma once, equal headers of equal time', '-c once.c -MD', 'once.o once.d'),
    mayBeLocal: 'the compiler itself does not list the second header among the dependencies',
  },
  c('#pragma once, equal headers of different time', '-c twice.c -MD', 'twice.o twice.d'),
  c('__has_include', '-MD -c has.c', 'has.o has.d'),
  c('__has_include, name not in ASCII', '-MD -c has-unicode.c', 'has-unicode.o has-unicode.d'),
  {
    ...c('__has_include under another name', '-MD -c has-alias.c', 'has-alias.o has-alias.d'),
    mayBeLocal: 'nothing short of a preprocessor knows which names are tested',
  },
  {
    ...c('__has_include of a macro', '-MD -c has-computed.c', 'has-computed.o has-computed.d'),
    mayBeLocal: 'nothing short of a preprocessor knows which names are tested',
  },
  c('__has_include in a directory of -I', '-MD -Iquote -c has-angle.c', 'has-angle.o has-angle.d'),
  c('symbolic link to a directory', '-MD -g -c linked.c', 'linked.o linked.d'),
  c('.. through a symbolic link', '-MD -g -c dotdot.c', 'dotdot.o dotdot.d'),
  {
    name: 'computed include',
    args: ['-DCONFIGURED="forced.h"', '-MD', '-c', 'computed.c'],
    outputs: ['computed.o', 'computed.d'],
  },
  c('-ffile-prefix-map', '-g -ffile-prefix-map=/tmp=/elsewhere -c unit.c', 'unit.o'),
  { ...c('SOURCE_DATE_EPOCH', '-g -c unit.c', 'unit.o'), env: { SOURCE_DATE_EPOCH: '1500000000' } },
  ...ASSEMBLER_CASES,
  ...OUTPUT_CASES,
  ...TOOLCHAIN_CASES,
  ...CLANG_CASES,
];
