/** What assembler text embeds, and pieces that could become a directive, for compilers whose assembler tells nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scanDirectives } from '../../src/include-scan/directive-scan.ts';
import { embeddedFilesIn } from '../../src/include-scan/embedded-files.ts';
import { SCAN_TRAIT } from '../../src/include-scan/scan-traits.ts';

const namesIn = (text: string): string[] => embeddedFilesIn(text).files.map(({ name }) => name);

test('names are taken where an assembler would take them', () => {
  assert.deepEqual(namesIn('.incbin "a"\n\t.include "b"\nl: .INCBIN "c", 1; .incbin "d"\n'), [
    'a',
    'b',
    'c',
    'd',
  ]);
  assert.deepEqual(namesIn('asm(".incbin \\"a b\\"\\n");'), ['a b']);
  assert.deepEqual(namesIn('asm("x:\\n.incbin \\"a\\"\\n\\t.include \\"b\\"");'), ['a', 'b']);
  assert.deepEqual(namesIn('s.include("a"); x->incbin; .include = 3; ).incbin("b")'), []);
  assert.deepEqual(namesIn('\t.file "a.c"\n\t.file 1 "b.c"\n'), ['a.c']);
});

test('a name that is not spelled out is noticed', () => {
  for (const text of [
    '.incbin NAME',
    '.incbin "a\\056b"',
    '.include "\\name"',
    'asm(".incbin " "\\"a\\"");',
    'asm(".incbin \\"%0\\"");',
    'asm(".incbin \\"{a|b}\\"");',
    'say("no .incbin here");',
  ])
    assert.ok(embeddedFilesIn(text).isComputed, text);
  for (const text of ['.incbin "a"', 'asm(".incbin \\"a\\"");', 'x.incbin = 1;'])
    assert.ok(!embeddedFilesIn(text).isComputed, text);
});

test('pieces of a directive are noticed', () => {
  for (const text of [
    'asm("." "incbin \\"a\\"");',
    'asm("." "include \\"a\\"");',
    'asm("\\056include \\"a\\"");',
    'asm(".inc" "bin \\"a\\"");',
    'asm(".incb"\n "in \\"a\\"");',
    'asm(".in" TAIL);',
    '#define D(x) asm(".inc" #x)\n',
    'asm("\\056incbin \\"a\\"");',
    'asm("\\x2eincbin \\"a\\"");',
    '#define DIRECTIVE(x) asm("." #x)\nDIRECTIVE(incbin "a")\n',
    'asm(".i" "ncbin \\"a\\"");',
    '.altmacro\n.macro m n\n.\\n "a"\n.endm\nm incbin\n',
  ]) {
    assert.ok(embeddedFilesIn(text).isPieced, text);
    assert.notEqual(scanDirectives(Buffer.from(text)).traits & SCAN_TRAIT.piecedEmbedding, 0, text);
  }
  for (const text of [
    '#include "table.inc"\nint x;\n',
    '# include "table.inc"\n#define X\n',
    '\t.include "part.inc"\nlabel:\n',
    '.incbin "a"',
    'asm("\\t.incbin \\"a\\"");',
    'open("x.inc", "r"); f(".i", x); "see fig.i" ;',
  ])
    assert.ok(!embeddedFilesIn(text).isPieced, text);
});
