/** Make-format dependency rules, as text and as a real GCC writes them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDepfile } from '../../src/compiler/index.ts';
import { Scratch } from './gcc.ts';

const CASES: readonly (readonly [string, readonly string[]])[] = [
  ['', []],
  ['x.o: x.c\n', ['x.c']],
  ['x.o: x.c', ['x.c']],
  ['x.o: x.c a.h \\\n b.h\n', ['x.c', 'a.h', 'b.h']],
  ['x.o: x.c a.h \\\r\n b.h\r\n', ['x.c', 'a.h', 'b.h']],
  ['a b c: x.c\n', ['x.c']],
  ['x.o: x.c a.h\n\na.h:\n', ['x.c', 'a.h']],
  ['x.o: x.c a.h\n\na.h:\n\nb.o: b.c a.h\n', ['x.c', 'a.h', 'b.c']],
  ['x.o: a\\ b.h c\\#d.h e$$f.h g:h.h\n', ['a b.h', 'c#d.h', 'e$f.h', 'g:h.h']],
  ['x.o: a\\\\\\ b.h c\\\\ d\\e\n', ['a\\ b.h', 'c\\', 'd\\e']],
  ['x.o: a\\\\#b.h\n', ['a\\#b.h']],
  ['x.o: a.h\\\n b.h\n', ['a.h', 'b.h']],
  ['x.o:\\\n a.h\n', ['a.h']],
  ['dir\\ x/x.o: x.c\n', ['x.c']],
  ['C:/x.o: C:/x.c\n', ['C:/x.c']],
  ['x.o:\n', []],
];

test('rules are read by the rules of mkdeps', () => {
  for (const [text, expected] of CASES) assert.deepEqual(parseDepfile(text), expected, JSON.stringify(text));
});

test('names with every awkward character come back from a real depfile', (t) => {
  const scratch = new Scratch(t);
  const names = [
    'a b',
    'a  b',
    'a#b',
    'a$b',
    'a$$b',
    'a\\b',
    'a\\ b',
    'a\\\\ b',
    'a\\#b',
    'a:b',
    'a%b',
    "a'b",
    'ä',
  ];
  for (const name of names) scratch.write(`${name}.h`, '');
  scratch.write('x.c', names.map((name) => `#include "${name}.h"\n`).join(''));
  const run = scratch.run('gcc', ['-c', 'x.c', '-MMD', '-MP', '-MF', 'x.d', '-MT', 'a b']);
  assert.equal(run.status, 0, run.stderr);
  const text = scratch.run('cat', ['x.d']).stdout;
  const listed = parseDepfile(text).filter((path) => !path.startsWith('/'));
  assert.deepEqual(listed, ['x.c', ...names.map((name) => `${name}.h`)], text);
});
