/** Ways to write a directive. */
import type { ScanCase } from './scan-case.ts';

const A = { 'a.h': 'int a;\n' };
const A_AND_B = { ...A, 'b.h': 'int b;\n' };

export const LEXING_CASES: readonly ScanCase[] = [
  {
    name: 'plain quotes and angles',
    files: { ...A_AND_B, 'main.c': '#include "a.h"\n#include <b.h>\n' },
    args: ['-I.'],
    reads: ['a.h', 'b.h'],
  },
  {
    name: 'no blanks at all',
    files: { ...A_AND_B, 'main.c': '#include"a.h"\n#include<b.h>' },
    args: ['-I.'],
    reads: ['a.h', 'b.h'],
  },
  {
    name: 'blanks before, after and inside',
    files: { ...A, 'main.c': '\t #\t include \t"a.h"\n' },
    reads: ['a.h'],
  },
  {
    name: 'form feed and vertical tab before the sign',
    files: { ...A, 'main.c': '\f\v#include "a.h"\n' },
    reads: ['a.h'],
  },
  { name: 'a NUL among the blanks', files: { ...A, 'main.c': '\0#include "a.h"\n' }, reads: ['a.h'] },
  {
    name: 'comments between all parts',
    files: { ...A, 'main.c': '/* 1 */ # /* 2 */ include /* 3 */ "a.h" /* 4 */ // 5\n' },
    reads: ['a.h'],
  },
  {
    name: 'a comment that began on an earlier line before the sign',
    files: { ...A, 'main.c': '/* 1\n 2 */ #include "a.h"\n' },
    reads: ['a.h'],
  },
  {
    name: 'comments over several lines inside the directive',
    files: { ...A, 'main.c': '# /* 1\n 2 */ include /* 3\n\n 4 */ "a.h"\n' },
    reads: ['a.h'],
  },
  {
    name: 'a keyword on two lines',
    files: { ...A, 'main.c': '#incl\\\nude "a.h"\n' },
    reads: ['a.h'],
  },
  {
    name: 'a keyword on five lines, with blanks behind the backslash',
    files: { ...A, 'main.c': '#\\\ni\\ \t\nn\\\n\\\nclude\\\n "a.h"\n' },
    reads: ['a.h'],
  },
  {
    name: 'a header name on two lines',
    files: { ...A, 'main.c': '#include "a\\\n.h"\n' },
    reads: ['a.h'],
  },
  {
    name: 'comment signs on two lines',
    files: { ...A, 'main.c': '/\\\n* 1 *\\\n/ #include "a.h"\n' },
    reads: ['a.h'],
  },
  {
    name: 'an empty continued line before the sign',
    files: { ...A, 'main.c': '\\\n#include "a.h"\n' },
    reads: ['a.h'],
  },
  {
    name: 'lines that end in carriage return and line feed',
    files: { ...A_AND_B, 'main.c': '#include "a.h"\r\n#inc\\\r\nlude "b.h"\r\n' },
    reads: ['a.h', 'b.h'],
  },
  { name: 'a digraph', files: { ...A, 'main.c': '  %: include "a.h"\n' }, reads: ['a.h'] },
  {
    name: 'a trigraph as the sign',
    files: { ...A, 'main.c': '??=include "a.h"\n' },
    args: ['-trigraphs'],
    reads: ['a.h'],
  },
  {
    name: 'a trigraph as the backslash of a continued line',
    files: { ...A, 'main.c': '#incl??/\nude "a.h"\n' },
    args: ['-std=c11'],
    reads: ['a.h'],
  },
  {
    name: 'a trigraph that is none, because they are off',
    files: { ...A, 'main.c': '// what??/\n#include "a.h"\n' },
    args: ['-std=gnu11'],
    reads: ['a.h'],
  },
  {
    name: 'a byte-order mark before the sign',
    files: { ...A, 'main.c': '\ufeff#include "a.h"\n' },
    reads: ['a.h'],
  },
  { name: 'no newline at the end', files: { ...A, 'main.c': '#include "a.h"' }, reads: ['a.h'] },
  {
    name: 'more tokens behind the name',
    files: { ...A, 'main.c': '#include "a.h" "b.h" c\n' },
    reads: ['a.h'],
  },
  {
    name: 'an apostrophe and a quote in skipped text',
    files: { ...A, 'main.c': '#if 0\ndon\'t "\n#endif\n#include "a.h"\n' },
    reads: ['a.h'],
  },
  {
    name: 'a comment sign in a string',
    files: { ...A, 'main.c': 'const char *s = "/*";\n#include "a.h"\nconst char *t = "*/";\n' },
    reads: ['a.h'],
  },
  {
    name: 'comment signs around a number sign in a string',
    files: { ...A, 'main.c': 'const char *s = "*/ # /*";\n#include "a.h"\n/**/\n' },
    reads: ['a.h'],
  },
  {
    name: 'a comment sign in a character',
    files: { ...A, 'main.c': "int s = '\"'; int t = '/*';\n#include \"a.h\"\n" },
    args: ['-Wno-multichar'],
    reads: ['a.h'],
  },
  {
    name: 'a comment sign in a raw string',
    files: { ...A, 'main.cc': 'const char *s = R"x(/* " )" )x";\n#include "a.h"\n' },
    source: 'main.cc',
    reads: ['a.h'],
  },
  {
    name: 'a raw string whose last line ends in a backslash',
    files: { ...A, 'main.cc': 'const char *s = R"(\\\n)";\n#include "a.h"\n' },
    source: 'main.cc',
    reads: ['a.h'],
  },
  {
    name: 'digit separators',
    files: { ...A, 'main.cc': 'int x = 1\'000; int y = 2\'0;\n#include "a.h"\n' },
    source: 'main.cc',
    reads: ['a.h'],
  },
  {
    name: 'a line comment that goes on',
    files: { ...A_AND_B, 'main.c': '// 1 \\\n#include "b.h"\n#include "a.h"\n' },
    reads: ['a.h'],
    leavesOut: ['b.h'],
  },
  {
    name: 'a header name that looks like a comment',
    files: { 'd/*a.h': 'int a;\n', 'main.c': '#include <d/*a.h>\n' },
    args: ['-I.'],
    reads: ['d/*a.h'],
  },
  {
    name: 'a header name with a doubled slash',
    files: { 'd/a.h': 'int a;\n', 'main.c': '#include "d//a.h"\n' },
    reads: ['d/a.h'],
  },
  {
    name: 'a header name with a backslash, blanks and a number sign',
    files: { 'a\\b.h': 'int a;\n', 'c d#.h': 'int c;\n', 'main.c': '#include "a\\b.h"\n#include "c d#.h"\n' },
    reads: ['a\\b.h', 'c d#.h'],
  },
  {
    name: 'a header name in UTF-8',
    files: { 'größe.h': 'int a;\n', 'main.c': '#include "größe.h"\n' },
    reads: ['größe.h'],
  },
  {
    name: 'bytes that are no UTF-8 in a comment',
    files: { ...A, 'main.c': Buffer.from('/* gr\xf6\xdfe */ #include "a.h"\n', 'latin1') },
    reads: ['a.h'],
  },
  {
    name: 'a header name that is no UTF-8',
    files: { ...A, 'main.c': Buffer.from('#include "gr\xf6\xdfe.h"\n', 'latin1') },
    local: 'unsupported-encoding',
  },
  {
    name: 'a directive among the arguments of a macro',
    files: { 'a.h': '1\n', 'main.c': '#define F(x) x\nint v = F(\n#include "a.h"\n);\n' },
    reads: ['a.h'],
  },
  { name: 'import', files: { ...A, 'main.c': '#import "a.h"\n' }, reads: ['a.h'] },
  {
    name: 'a line marker moves no one',
    files: { 'd/a.h': '# 1 "elsewhere/x.h"\n#include "b.h"\n', 'd/b.h': '', 'main.c': '#include "d/a.h"\n' },
    reads: ['d/a.h', 'd/b.h'],
  },
  {
    name: 'conditions do not count',
    files: { ...A_AND_B, 'main.c': '#if 1\n#include "a.h"\n#else\n#include "b.h"\n#endif\n' },
    reads: ['a.h'],
    alsoFinds: ['b.h'],
  },
  {
    name: 'a null directive',
    files: { ...A, 'main.c': '#\ninclude "a.h";\n' },
    leavesOut: ['a.h'],
  },
];
