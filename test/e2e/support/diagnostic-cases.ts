/** Sources that make a compiler talk, and what is known about where such a call ends up. */

export interface DiagnosticCase {
  readonly name: string;
  readonly compiler?: 'gcc' | 'g++';
  readonly args: readonly string[];
  readonly files: Readonly<Record<string, string>>;
  /**
   * `remote`, or the reason why the final word is the local compiler's; `local` where it depends on how the
   * headers are searched whether the error is met here at once or on the other node first.
   */
  readonly place: 'remote' | 'local' | 'remote-nonzero-exit' | 'diagnostics-in-other-locale';
  readonly env?: NodeJS.ProcessEnv;
  /** The compiler must say this; a case whose compiler is silent proves nothing. */
  readonly says: string;
}

const WARNING_SOURCE = `#include <stdio.h>
#define TWICE(x) ((x) + (x))
#define ASSIGN(x) if (x = 1) return 1
static int unused(void) { return 1; }
int f(unsigned a, int b) {
  int never;
  ASSIGN(b);
  if (TWICE(a) < b) printf("%s\\n", b);
  return never;
}
`;
const SYNTAX_SOURCE = `int f(void) { return 1 }
int g(int x { return x; }
struct s { int a; int a; };
int h(void) { undeclared = 3; return missing(); }
`;
const TEMPLATE_SOURCE = `#include <vector>
#include <algorithm>
struct thing { int value; };
void order(std::vector<thing> &things) { std::sort(things.begin(), things.end()); }
template <typename T> T pick(T a, T b) { return a.no_such_member + b; }
int use() { return pick(1, 2); }
`;
const UNICODE_SOURCE = `/* Größe, 数 */
const char *text = "größer als 数";
int größe(int wert) { if (wert = 1) return 2; return "€" == text; }
`;
const HEADER_WITH_WARNING = 'static inline int noisy(int a) { if (a = 2) return 1; return 0; }\n';

/** The cases; each gets a directory of its own. */
export const DIAGNOSTIC_CASES: readonly DiagnosticCase[] = [
  {
    name: 'warnings',
    args: ['-Wall', '-Wextra', '-O2', '-c', 'unit.c'],
    files: { 'unit.c': WARNING_SOURCE },
    place: 'remote',
    says: 'warning:',
  },
  {
    name: 'warnings with -MMD and -g',
    args: ['-Wall', '-g', '-MMD', '-c', 'unit.c', '-o', 'out.o'],
    files: { 'unit.c': WARNING_SOURCE },
    place: 'remote',
    says: 'macro',
  },
  {
    name: '-Werror',
    args: ['-Wall', '-Werror', '-c', 'unit.c'],
    files: { 'unit.c': WARNING_SOURCE },
    place: 'remote-nonzero-exit',
    says: 'all warnings being treated as errors',
  },
  {
    name: 'an error in the middle',
    args: ['-c', 'unit.c'],
    files: { 'unit.c': 'int f(void) { return 1; }\nint g(void) { return nothing; }\n' },
    place: 'remote-nonzero-exit',
    says: 'undeclared',
  },
  {
    name: 'syntax errors at several places',
    args: ['-c', 'unit.c', '-MMD'],
    files: { 'unit.c': SYNTAX_SOURCE },
    place: 'remote-nonzero-exit',
    says: 'expected',
  },
  {
    name: 'a missing header',
    args: ['-c', 'unit.c'],
    files: { 'unit.c': '#include "no/such.h"\nint f(void) { return 1 }\n' },
    place: 'local',
    says: 'No such file or directory',
  },
  {
    name: '#error',
    args: ['-c', 'unit.c'],
    files: { 'unit.c': '#error the configuration is wrong\nint f(void) { return 1; }\n' },
    place: 'local',
    says: 'the configuration is wrong',
  },
  {
    name: '#warning and #pragma message',
    args: ['-c', 'unit.c'],
    files: { 'unit.c': '#warning "old interface"\n#pragma message "hello"\nint f(void) { return 1; }\n' },
    place: 'remote',
    says: 'old interface',
  },
  {
    name: 'a warning in a header, with the way to it',
    args: ['-Wall', '-Iinclude', '-c', 'src/unit.c'],
    files: {
      'src/unit.c': '#include "outer.h"\nint f(int x) { return noisy(x); }\n',
      'include/outer.h': '#include "inner.h"\n',
      'include/inner.h': HEADER_WITH_WARNING,
    },
    place: 'remote',
    says: 'In file included from include/outer.h:1',
  },
  {
    name: 'a warning in a system header stays silent, one of the source does not',
    args: ['-Wall', '-isystem', 'include', '-c', 'unit.c'],
    files: {
      'unit.c': '#include <inner.h>\nint f(int x) { if (x = 3) return noisy(x); return 0; }\n',
      'include/inner.h': HEADER_WITH_WARNING,
    },
    place: 'remote',
    says: 'unit.c:2',
  },
  {
    name: 'a template error',
    compiler: 'g++',
    args: ['-c', 'unit.cpp'],
    files: { 'unit.cpp': TEMPLATE_SOURCE },
    place: 'remote-nonzero-exit',
    says: 'no match for',
  },
  {
    name: 'a template warning',
    compiler: 'g++',
    args: ['-Wall', '-Wextra', '-O2', '-c', 'unit.cpp'],
    files: {
      'unit.cpp':
        '#include <map>\ntemplate <class T> bool less(T a, unsigned b) { return a < b; }\nbool f(int x) { std::map<int, int> m; return less(x, m.size()); }\n',
    },
    place: 'remote',
    says: 'instantiation of',
  },
  {
    name: 'text that is not ASCII, in the C locale',
    args: ['-Wall', '-c', 'unit.c'],
    files: { 'unit.c': UNICODE_SOURCE },
    place: 'remote',
    says: 'warning:',
  },
  {
    name: 'text that is not ASCII, in C.UTF-8',
    args: ['-Wall', '-c', 'größe.c'],
    files: { 'größe.c': UNICODE_SOURCE },
    place: 'remote',
    env: { LC_ALL: 'C.UTF-8' },
    says: '‘größe’',
  },
  {
    name: 'a locale that is not installed',
    args: ['-Wall', '-c', 'unit.c'],
    files: { 'unit.c': UNICODE_SOURCE },
    place: 'remote',
    env: { LANG: 'en_XX.UTF-8' },
    says: 'warning:',
  },
  {
    name: 'a language for which translations may be installed',
    args: ['-Wall', '-c', 'unit.c'],
    files: { 'unit.c': UNICODE_SOURCE },
    place: 'diagnostics-in-other-locale',
    env: { LC_ALL: 'C.UTF-8', LANGUAGE: 'de', LC_MESSAGES: 'de_DE.UTF-8' },
    says: 'warning:',
  },
  {
    name: 'colours that were asked for',
    args: ['-Wall', '-fdiagnostics-color=always', '-c', 'unit.c'],
    files: { 'unit.c': WARNING_SOURCE },
    place: 'remote',
    says: '\u001b[',
  },
  {
    name: '-fdiagnostics-format=json',
    args: ['-Wall', '-fdiagnostics-format=json', '-c', 'unit.c'],
    files: { 'unit.c': WARNING_SOURCE },
    place: 'remote',
    says: '"kind": "warning"',
  },
  {
    name: 'warnings of the assembler',
    args: ['-c', 'unit.c'],
    files: { 'unit.c': 'void f(void) { __asm__(".warning \\"from the assembler\\""); }\n' },
    place: 'remote',
    says: 'from the assembler',
  },
];
