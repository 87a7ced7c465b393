/** What a unit depends on besides the headers that it includes. */
import type { ScanCase } from './scan-case.ts';

const A = { 'a.h': 'int a;\n' };

export const EVIDENCE_CASES: readonly ScanCase[] = [
  {
    name: 'a test for a header that exists',
    files: { ...A, 'main.c': '#if __has_include("a.h")\nint x;\n#endif\n' },
    alsoFinds: ['a.h'],
  },
  {
    name: 'a test for a header that does not exist',
    files: {
      'y/keep': '',
      'main.c': '#if __has_include(<none.h>) || __has_include ( "d/none2.h" )\nint x;\n#endif\n',
    },
    args: ['-Iy'],
    absent: ['y/none.h', 'd'],
  },
  {
    name: 'a header that is only tested for is not read',
    files: {
      'a.h': '#include "b.h"\nconst char *t = __DATE__;\n',
      'b.h': '',
      'main.c': '#if __has_include("a.h")\n#endif\n',
    },
    alsoFinds: ['a.h'],
    leavesOut: ['b.h'],
  },
  {
    name: 'a test that goes on behind the file',
    files: { 'x/a.h': '#if __has_include_next(<a.h>)\n#endif\n', 'y/a.h': '', 'main.c': '#include <a.h>\n' },
    args: ['-Ix', '-Iy'],
    reads: ['x/a.h'],
    alsoFinds: ['y/a.h'],
  },
  {
    name: 'a test for a macro that is a header',
    files: { ...A, 'main.c': '#define H "a.h"\n#if __has_include(H)\n#endif\n' },
    alsoFinds: ['a.h'],
  },
  {
    name: 'a test for a call of a macro',
    files: { 'x/a.h': '', 'main.c': '#define H(n) <x/n.h>\n#if __has_include(H(a))\n#endif\n' },
    args: ['-I.'],
    alsoFinds: ['x/a.h'],
  },
  {
    name: 'a test inside a macro',
    files: { ...A, 'main.c': '#define HAS(x) __has_include(x)\n#if HAS("a.h")\n#endif\n' },
    local: 'computed-has-include',
  },
  {
    name: 'another name for the test',
    files: { ...A, 'main.c': '#define HAS __has_include\n#if HAS("a.h")\n#endif\n' },
    local: 'computed-has-include',
  },
  {
    name: 'a test in quotes inside a macro, which means another file elsewhere',
    files: {
      'x/use.h': '#if HAS_A\n#endif\n',
      'x/a.h': '',
      'main.c': '#define HAS_A __has_include("a.h")\n#include "x/use.h"\n',
    },
    local: 'computed-has-include',
  },
  {
    name: 'a test in angles inside a macro',
    files: { ...A, 'main.c': '#define HAS_A __has_include(<a.h>)\n#if HAS_A\n#endif\n' },
    args: ['-I.'],
    alsoFinds: ['a.h'],
  },
  {
    name: 'a test inside a macro of the command line',
    files: { ...A, 'main.c': '#if HAS_A\n#endif\n' },
    args: ['-I.', '-DHAS_A=__has_include(<a.h>)'],
    alsoFinds: ['a.h'],
  },
  {
    name: 'a definition for compilers that lack the test',
    files: { ...A, 'main.c': '#ifndef __has_include\n#define __has_include(x) 0\n#endif\n#include "a.h"\n' },
    reads: ['a.h'],
  },
  {
    name: 'a test in a comment',
    files: { 'main.c': '/* __has_include(x) */ // __has_include(y)\n#ifdef __has_include\n#endif\n' },
  },
  {
    name: 'a pragma that compares ages',
    files: { 'grammar.y': '', 'main.c': '#pragma GCC dependency "grammar.y" is newer\n' },
    args: ['-w'],
    alsoFinds: ['grammar.y'],
  },
  {
    name: 'such a pragma in a string',
    files: { 'grammar.y': '', 'main.c': '_Pragma("GCC dependency \\"grammar.y\\"")\n' },
    args: ['-w'],
    local: 'computed-has-include',
  },
  { name: 'the date', files: { 'main.c': 'const char *t = __DATE__;\n' }, local: 'time-macro' },
  {
    name: 'the time in a header',
    files: { 'a.h': 'const char *t = __TIME__;\n', 'main.c': '#include "a.h"\n' },
    local: 'time-macro',
  },
  {
    name: 'the time split by a continued line',
    files: { 'main.c': 'const char *t = __TI\\\nME__;\n' },
    local: 'time-macro',
  },
  {
    name: 'the time on the command line',
    files: { 'main.c': 'const char *t = T;\n' },
    args: ['-DT=__TIME__'],
    local: 'time-macro',
  },
  {
    name: 'the time in comments and longer names',
    files: {
      ...A,
      'main.c': '/* __DATE__ */ // __TIME__\nint x__DATE__, __TIME__STAMP__;\n#include "a.h"\n',
    },
    reads: ['a.h'],
  },
  {
    name: 'the date, with a fixed clock',
    files: { ...A, 'main.c': 'const char *t = __DATE__ __TIME__;\n#include "a.h"\n' },
    environment: ['SOURCE_DATE_EPOCH=1700000000'],
    reads: ['a.h'],
  },
  {
    name: 'the time of the file, with a fixed clock',
    files: { 'main.c': 'const char *t = __TIMESTAMP__;\n' },
    environment: ['SOURCE_DATE_EPOCH=1700000000'],
    local: 'time-macro',
  },
  {
    name: 'members that look like it',
    files: {
      ...A,
      'main.c':
        '#include "a.h"\nstruct s { int include, incbin; } s = { .include = 1, .incbin = 2 };\nint f(struct s *p) { return s.include + p[0].incbin + (*p).include; }\n',
    },
    reads: ['a.h'],
  },
  {
    name: 'an embedded file',
    files: { data: 'x', 'main.c': '#if 0\nchar d[] = {\n# embed "data"\n};\n#endif\n' },
    local: 'embed',
  },
  {
    name: 'a test for an embedded file',
    files: { data: 'x', 'main.c': '#if 0\n#if __has_embed("data")\n#endif\n#endif\n' },
    local: 'embed',
  },
  {
    name: 'a precompiled header beside the first header',
    files: { ...A, 'a.h.gch': 'x', 'main.c': '#include "a.h"\n' },
    local: 'precompiled-header',
  },
  {
    name: 'a directory of precompiled headers',
    files: { 'y/a.h': '', 'y/a.h.gch/O2': 'x', 'main.c': '#include <a.h>\n' },
    args: ['-Iy'],
    local: 'precompiled-header',
  },
  {
    name: 'a precompiled header without its header, in an earlier directory',
    files: { 'x/a.h.gch': 'x', 'y/a.h': '', 'main.c': '#include <a.h>\n' },
    args: ['-Ix', '-Iy'],
    local: 'precompiled-header',
  },
  {
    name: 'a precompiled header of -include',
    files: { ...A, 'a.h.gch': 'x', 'main.c': '' },
    args: ['-include', 'a.h'],
    local: 'precompiled-header',
  },
  {
    name: 'a precompiled header by a computed include',
    files: { ...A, 'a.h.gch': 'x', 'main.c': '#define H "a.h"\n#include H\n' },
    local: 'precompiled-header',
  },
  {
    name: 'a precompiled header beside a later header is not used',
    files: { 'a.h': '#include "b.h"\n', 'b.h': '', 'b.h.gch': 'x', 'main.c': '#include "a.h"\n' },
    reads: ['a.h', 'b.h'],
  },
  {
    name: 'a pragma that names a precompiled header',
    files: { 'main.c': '#if 0\n#pragma GCC pch_preprocess "x.gch"\n#endif\n' },
    local: 'precompiled-header',
  },
  {
    name: 'a shadow that may appear',
    files: { 'x/keep': '', 'y/a.h': '', 'main.c': '#include <a.h>\n#include "b.h"\n', 'y/b.h': '' },
    args: ['-Ix', '-Iy'],
    reads: ['y/a.h', 'y/b.h'],
    absent: ['x/a.h', 'b.h', 'x/b.h'],
  },
];
