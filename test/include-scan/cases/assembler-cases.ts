/** Assembler sources, and assembler text in C: what the assembler reads by itself is an input too. */
import type { ScanCase } from './scan-case.ts';

/** A call whose assembler tells what it read. */
function assembled(name: string, source: string, text: string, more: Partial<ScanCase> = {}): ScanCase {
  return {
    name,
    source,
    assembles: true,
    ...more,
    files: { 'data.bin': 'bytes\n', 'inner.inc': '.byte 1\n', ...more.files, [source]: text },
  };
}

/** A call that stays local. */
function computed(name: string, source: string, text: string): ScanCase {
  return { name, source, files: { 'data.bin': 'bytes\n', [source]: text }, local: 'incbin' };
}

export const ASSEMBLER_CASES: readonly ScanCase[] = [
  assembled('a preprocessed assembler source', 'unit.S', '#include "regs.h"\nf: ret\n', {
    files: { 'regs.h': '#define R 1\n#include "deep.h"\n', 'deep.h': '' },
    reads: ['regs.h', 'deep.h'],
  }),
  assembled('a plain assembler source', 'unit.s', '# include this, said a comment\nf: ret\n'),
  assembled('a header of a plain assembler source is a comment', 'unit.s', '#include "regs.h"\nf: ret\n'),
  assembled('.incbin in an assembler source', 'unit.S', '.incbin "data.bin"\n', { reads: ['data.bin'] }),
  assembled('.incbin with a part of the file', 'unit.s', '\t.incbin "data.bin" , 1, 2\n', {
    reads: ['data.bin'],
  }),
  assembled('.incbin in capitals behind a label', 'unit.s', 'l: .INCBIN "data.bin"\n', {
    reads: ['data.bin'],
  }),
  assembled('.incbin behind another statement', 'unit.s', 'f: ret; .incbin "data.bin"\n', {
    reads: ['data.bin'],
  }),
  assembled('.include, and what the included text embeds', 'unit.s', '.include "outer.inc"\n', {
    files: { 'outer.inc': '.include "inner.inc"\n.incbin "data.bin"\n' },
    reads: ['outer.inc', 'inner.inc', 'data.bin'],
  }),
  assembled('in a header of an assembler source', 'unit.S', '#include "regs.h"\n', {
    files: { 'regs.h': '.incbin "data.bin"\n' },
    reads: ['regs.h', 'data.bin'],
  }),
  assembled('found in a directory of -I', 'unit.S', '.incbin "far.bin"\n.include "far.inc"\n', {
    args: ['-Iempty', '-I', 'inc'],
    files: { 'empty/keep': '', 'inc/far.bin': 'x', 'inc/far.inc': '.incbin "data.bin"\n' },
    reads: ['inc/far.bin', 'inc/far.inc', 'data.bin'],
  }),
  assembled('found in a directory of -Wa,-I', 'unit.s', '.incbin "far.bin"\n', {
    args: ['-Wa,-I,inc', '-Wa,-Iother'],
    files: { 'inc/far.bin': 'x', 'other/far.bin': 'y' },
    reads: ['inc/far.bin'],
    alsoFinds: ['other/far.bin'],
  }),
  assembled('not beside the source but in the working directory', 'dir/unit.S', '.incbin "data.bin"\n', {
    reads: ['data.bin'],
  }),
  assembled('by an absolute path', 'unit.S', '.incbin "$DIR/data.bin"\n', { reads: ['data.bin'] }),
  assembled('what is not there is no input', 'unit.S', '.if 0\n.incbin "none.bin"\n.endif\n'),
  assembled('in a comment', 'unit.S', '/* .incbin "none" */\n// .incbin none\nf: ret\n'),
  assembled('the source that a compiler named', 'unit.s', '\t.file "main.c"\nf: ret\n', {
    files: { 'main.c': '' },
    alsoFinds: ['main.c'],
  }),
  assembled('in a literal of C', 'main.c', '__asm__(".incbin \\"data.bin\\"");\n', { reads: ['data.bin'] }),
  assembled(
    'in C behind an escape sequence, in capitals',
    'main.c',
    '__asm__("x:\\n\\t.INCBIN \\"data.bin\\"\\n");\n',
    {
      reads: ['data.bin'],
    },
  ),
  assembled(
    'in a literal of C over several lines',
    'main.c',
    '__asm__(".pushsection .rodata\\n"\n\t"\t.incbin \\"data.bin\\"\t\\n"\n\t".popsection");\n',
    { reads: ['data.bin'] },
  ),
  assembled(
    'in a macro of C that makes it a string',
    'main.c',
    '#define ASM(x) __asm__(#x)\nASM(.include "inner.inc");\n',
    {
      reads: ['inner.inc'],
    },
  ),
  assembled('in a raw string', 'main.cc', 'asm(R"(\n.incbin "data.bin"\n)");\n', { reads: ['data.bin'] }),
  computed('a name that a macro spells', 'unit.S', '#define NAME "data.bin"\n.incbin NAME\n'),
  computed('a name with an escape', 'unit.s', '.incbin "data\\056bin"\n'),
  computed(
    'a name that a macro of the assembler makes',
    'unit.s',
    '.macro m n\n.incbin "\\n"\n.endm\nm data.bin\n',
  ),
  computed('a name pasted from literals', 'main.c', '__asm__(".incbin \\"" "data.bin" "\\"");\n'),
  computed('a name in a literal of its own', 'main.c', '__asm__(".incbin " "\\"data.bin\\"");\n'),
];
