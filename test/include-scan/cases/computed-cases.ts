/** Includes whose operand is a macro. */
import type { ScanCase } from './scan-case.ts';

const A = { 'a.h': 'int a;\n' };
const A_AND_B = { ...A, 'b.h': 'int b;\n' };
const STR = '#define STR1(x) #x\n#define STR(x) STR1(x)\n';

export const COMPUTED_CASES: readonly ScanCase[] = [
  {
    name: 'a macro that is a name in quotes',
    files: { ...A, 'main.c': '#define H "a.h"\n#include H\n' },
    reads: ['a.h'],
  },
  {
    name: 'a macro that is a name in angles',
    files: { 'y/a.h': '', 'main.c': '#define H <a.h>\n#include H\n' },
    args: ['-Iy'],
    reads: ['y/a.h'],
  },
  {
    name: 'a name from the command line, in quotes and in angles',
    files: { ...A, 'y/b.h': '', 'main.c': '#include H\n#include G\n' },
    args: ['-Iy', '-DH="a.h"', '-D', 'G=<b.h>'],
    reads: ['a.h', 'y/b.h'],
  },
  {
    name: 'a name from -Wp,',
    files: { ...A, 'main.c': '#include H\n' },
    args: ['-Wp,-DH="a.h"'],
    reads: ['a.h'],
  },
  {
    name: 'a part of the name from the command line',
    files: { 'conf-x86.h': '', 'main.c': `${STR}#include STR(conf-ARCH.h)\n` },
    args: ['-DARCH=x86'],
    reads: ['conf-x86.h'],
  },
  {
    name: 'a macro without a value is 1',
    files: { '1.h': '', 'main.c': `${STR}#include STR(V.h)\n` },
    args: ['-DV'],
    reads: ['1.h'],
  },
  {
    name: 'a macro with parameters from the command line',
    files: { ...A, 'main.c': '#include F(a)\n' },
    args: ['-DF(x)=<x.h>', '-I.'],
    reads: ['a.h'],
  },
  {
    name: 'macros through macros',
    files: { ...A, 'main.c': '#define H1 "a.h"\n#define H2 H1\n#define H3 H2\n#include H3\n' },
    reads: ['a.h'],
  },
  {
    name: 'a name from a header that the source includes',
    files: { ...A, 'conf.h': '#define H "a.h"\n', 'main.c': '#include "conf.h"\n#include H\n' },
    reads: ['a.h'],
  },
  {
    name: 'a name from -include',
    files: { ...A, 'conf.h': '#define H "a.h"\n', 'main.c': '#include H\n' },
    args: ['-include', 'conf.h'],
    reads: ['a.h'],
  },
  {
    name: 'a macro with two values, by a condition',
    files: { ...A_AND_B, 'main.c': '#if X\n#define H "a.h"\n#else\n#define H "b.h"\n#endif\n#include H\n' },
    args: ['-DX=1'],
    reads: ['a.h'],
    alsoFinds: ['b.h'],
  },
  {
    name: 'a macro that is redefined on the way',
    files: { ...A_AND_B, 'main.c': '#define H "a.h"\n#include H\n#undef H\n#define H "b.h"\n#include H\n' },
    reads: ['a.h', 'b.h'],
  },
  {
    name: 'a macro that is not defined any more',
    files: { 'dir.h': '', 'x.h': '', 'main.c': `${STR}#define dir x\n#undef dir\n#include STR(dir.h)\n` },
    reads: ['dir.h'],
  },
  {
    name: 'the trace idiom of the kernel',
    files: {
      'include/trace/define_trace.h': [
        '#define __stringify_1(x...) #x',
        '#define __stringify(x...) __stringify_1(x)',
        '#ifndef TRACE_INCLUDE_FILE',
        '# define TRACE_INCLUDE_FILE TRACE_SYSTEM',
        '#endif',
        '#ifndef TRACE_INCLUDE_PATH',
        '# define __TRACE_INCLUDE(system) <trace/events/system.h>',
        '#else',
        '# define __TRACE_INCLUDE(system) __stringify(TRACE_INCLUDE_PATH/system.h)',
        '#endif',
        '# define TRACE_INCLUDE(system) __TRACE_INCLUDE(system)',
        '#ifdef CREATE',
        '# undef CREATE',
        '# include TRACE_INCLUDE(TRACE_INCLUDE_FILE)',
        '# define CREATE',
        '# undef TRACE_INCLUDE_FILE',
        '# undef TRACE_INCLUDE_PATH',
        '# undef __TRACE_INCLUDE',
        '#endif',
      ].join('\n'),
      'include/trace/events/sched.h': '#define TRACE_SYSTEM sched\n#include <trace/define_trace.h>\n',
      'fs/events-9p.h': '',
      'fs/local.h':
        '#define TRACE_INCLUDE_PATH ../../fs\n#define TRACE_INCLUDE_FILE events-9p\n#include <trace/define_trace.h>\n',
      'main.c': '#define CREATE\n#include <trace/events/sched.h>\n#include "fs/local.h"\n',
    },
    args: ['-Iinclude'],
    reads: ['include/trace/events/sched.h', 'fs/events-9p.h'],
  },
  {
    name: 'pasting',
    files: {
      'ab.h': '',
      'main.c': `${STR}#define CAT(x, y) x ## y\n#define CAT2(x, y) CAT(x, y)\n#define P a\n#include STR(CAT2(P, b).h)\n`,
    },
    reads: ['ab.h'],
  },
  {
    name: 'an argument beside ## is not expanded',
    files: {
      'Pq.h': '',
      'aq.h': '',
      'main.c': `${STR}#define CAT(x, y) x ## y\n#define P a\n#include STR(CAT(P, q).h)\n`,
    },
    reads: ['Pq.h'],
  },
  {
    name: 'arguments with parentheses and commas',
    files: { 'a.h': '', 'main.c': '#define SECOND(x, y) y\n#define H SECOND((1, 2), "a.h")\n#include H\n' },
    reads: ['a.h'],
  },
  {
    name: 'variable arguments',
    files: {
      'x,y.h': '',
      'main.c': '#define S(...) S1(__VA_ARGS__)\n#define S1(...) #__VA_ARGS__\n#include S(x,y.h)\n',
    },
    reads: ['x,y.h'],
  },
  {
    name: 'a definition on several lines, with comments',
    files: { ...A, 'main.c': '#define H /* 1 */ \\\n   "a.h" /* 2\n 3 */ // 4\n#include H // 5\n' },
    reads: ['a.h'],
  },
  {
    name: 'a definition with a split keyword and name',
    files: { ...A, 'main.c': '#def\\\nine HEA\\\nDER "a.h"\n#include HEADER\n' },
    reads: ['a.h'],
  },
  {
    name: 'a comment between a name and a parenthesis',
    files: {
      ...A,
      'main.c': '#define S(x) #x\n#define ARG/**/(a.h)\n#define CALL(f, x) f x\n#include CALL(S, ARG)\n',
    },
    reads: ['a.h'],
  },
  {
    name: 'blanks inside angles',
    files: { 'y/a.h': '', 'main.c': '#define N a.h\n#define H <N>\n#include H\n' },
    args: ['-Iy'],
    reads: ['y/a.h'],
  },
  {
    name: 'a predefined macro inside a name',
    files: { '1/a.h': '', 'main.c': '#define H <linux/a.h>\n#include H\n' },
    args: ['-I.', '-std=gnu11'],
    reads: ['1/a.h'],
  },
  {
    name: 'a macro that only some flags predefine',
    files: { '1.h': '', 'main.c': `${STR}#include STR(__OPTIMIZE__.h)\n` },
    args: ['-O2'],
    reads: ['1.h'],
  },
  {
    name: 'a macro that refers to itself',
    files: { 'sys/a.h': '', 'main.c': `${STR}#define sys sys\n#include STR(sys/a.h)\n` },
    reads: ['sys/a.h'],
  },
  {
    name: 'files found by a computed include define the next one',
    files: {
      '1.h': '#undef NEXT\n#define NEXT "2.h"\n',
      '2.h': '#undef NEXT\n#define NEXT "3.h"\n',
      '3.h': '',
      'main.c': '#define NEXT "1.h"\n#include NEXT\n#include NEXT\n#include NEXT\n',
    },
    reads: ['1.h', '2.h', '3.h'],
  },
  {
    name: 'a name in quotes is looked for beside the file with the directive',
    files: {
      'x/use.h': '#include H\n',
      'x/a.h': '',
      'a.h': '',
      'main.c': '#define H "a.h"\n#include "x/use.h"\n',
    },
    reads: ['x/a.h'],
  },
  {
    name: 'include_next with a macro',
    files: { 'x/a.h': '#define H <a.h>\n#include_next H\n', 'y/a.h': '', 'main.c': '#include <a.h>\n' },
    args: ['-Ix', '-Iy'],
    reads: ['x/a.h', 'y/a.h'],
  },
  {
    name: 'a macro that is defined nowhere',
    files: { ...A, 'main.c': '#include "a.h"\n#ifdef H\n#include H\n#endif\n' },
    reads: ['a.h'],
  },
  {
    name: 'prose that looks like a computed include',
    files: { ...A, 'main.c': '/*\n#include the right header\n*/\n#include "a.h"\n' },
    reads: ['a.h'],
  },
  {
    name: 'the name of the file itself',
    files: { 'a.h': '#ifndef N\n#define N\n#include __FILE__\n#endif\n', 'main.c': '#include "a.h"\n' },
    reads: ['a.h'],
    asksCompiler: true,
  },
  {
    name: 'a counter',
    files: {
      '0.h': '#include "b.h"\n',
      'b.h': '',
      'main.c': `${STR}#define H STR(__COUNTER__.h)\n#include H\n`,
    },
    reads: ['0.h', 'b.h'],
    asksCompiler: true,
  },
  {
    name: 'a macro that finds its arguments outside its own text',
    files: { ...A, 'main.c': '#define F(x) x\n#define G F\n#include G("a.h")\n' },
    reads: ['a.h'],
    asksCompiler: true,
  },
  {
    name: 'a macro whose name is written with a universal character name',
    files: { ...A, 'main.c': '#define \\u00e9 "a.h"\n#include é\n' },
    reads: ['a.h'],
    asksCompiler: true,
  },
  {
    name: 'more values than can be told',
    files: {
      'aaaaaaaa.h': '',
      'main.c': [
        STR,
        '#define P a',
        ...Array.from({ length: 9 }, (_, i) => `#undef P\n#define P ${'abcdefghi'[i]}`),
        '#undef P',
        '#define P a',
        '#define C(p,q,r,s,t,u,v,w) C1(p,q,r,s,t,u,v,w)',
        '#define C1(p,q,r,s,t,u,v,w) p##q##r##s##t##u##v##w.h',
        '#include STR(C(P,P,P,P,P,P,P,P))',
      ].join('\n'),
    },
    reads: ['aaaaaaaa.h'],
    asksCompiler: true,
  },
];
