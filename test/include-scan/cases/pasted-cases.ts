/** Questions for headers that are put together by pasting: each stays local, and look-alikes do not. */
import type { ScanCase } from './scan-case.ts';

const A = { 'a.h': 'int a;\n' };
const CAT = '#define CAT_(x, y) x##y\n#define CAT(x, y) CAT_(x, y)\n';

function pasted(name: string, text: string, more: Partial<ScanCase> = {}): ScanCase {
  return { name: `pasted: ${name}`, files: { ...A, 'main.c': text }, local: 'computed-has-include', ...more };
}

export const PASTED_CASES: readonly ScanCase[] = [
  pasted('two halves', `${CAT}#if CAT(__has_, include)("a.h")\nint x;\n#endif\n`),
  pasted('halves in other places', `${CAT}#if CAT(__has_inc, lude)("a.h")\nint x;\n#endif\n`),
  pasted('a short beginning', `${CAT}#if CAT(__, has_include)("a.h")\nint x;\n#endif\n`),
  pasted('one underscore', `${CAT}#if CAT(_, _has_include)("a.h")\nint x;\n#endif\n`),
  pasted('an ending with its operand', `${CAT}#if CAT(__has_, include("a.h"))\nint x;\n#endif\n`),
  pasted('in the macro itself', '#define HAS(x) __has_##x\n#if HAS(include("a.h"))\nint x;\n#endif\n'),
  pasted('the other way round', '#define HAS(x) x##_include\n#if HAS(__has)("a.h")\nint x;\n#endif\n'),
  pasted('with digraphs', '%:define HAS(x) x%:%:include\n#if HAS(__has_)("a.h")\nint x;\n#endif\n'),
  pasted('over two lines', `${CAT}#if CAT(__has_, inc\\\nlude)("a.h")\nint x;\n#endif\n`),
  pasted('the next one', `${CAT}#if CAT(__has_, include_next)(<a.h>)\nint x;\n#endif\n`),
  pasted('half in a header', '#include "cat.h"\n#if HAS(include)("a.h")\nint x;\n#endif\n', {
    files: {
      ...A,
      'cat.h': '#define HAS(x) __has_##x\n',
      'main.c': '#include "cat.h"\n#if HAS(include)("a.h")\nint x;\n#endif\n',
    },
  }),
  pasted('on the command line', '#if HAS(include)("a.h")\nint x;\n#endif\n', {
    args: ['-DHAS(x)=__has_##x'],
  }),
  pasted('for #embed', `${CAT}#ifdef NEVER\n#if CAT(__has_, embed)("a.h")\n#endif\n#endif\n`),
  {
    name: 'pasted: one half alone is an ordinary name',
    files: {
      ...A,
      'main.c': `#include "a.h"\n${CAT}#define TYPE(x) struct __has_##x { int include; }\nTYPE(value);\nint f(int include) { return include; }\n`,
    },
    reads: ['a.h'],
  },
  {
    name: 'pasted: halves in comments are none',
    files: {
      ...A,
      'main.c': '#include "a.h"\n/* CAT(__has_, include) */\n// __has_inc ## lude\nint x;\n',
    },
    reads: ['a.h'],
  },
  {
    name: 'pasted: the C++ library has a half of it',
    source: 'main.cc',
    files: { ...A, 'main.cc': '#include <type_traits>\n#include "a.h"\nstd::true_type t;\n' },
    reads: ['a.h'],
  },
];
