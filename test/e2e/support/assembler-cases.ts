/** Assembler sources, and C that embeds files by the assembler. */
import { casesOf, type EqualityCase } from './equality-case.ts';

export const ASSEMBLER_FILES: Readonly<Record<string, string>> = {
  'asm/entry.S':
    '#include "regs.h"\n#ifndef __ASSEMBLY__\n#error not assembly\n#endif\n\t.text\n\t.globl entry\nentry:\n\tmov $VALUE, %eax\n\tret\n\t.include "asm/tail.inc"\n',
  'asm/regs.h': '#define VALUE 42\n',
  'asm/tail.inc': '\t.section .rodata\n\t.incbin "asm/blob.bin"\n',
  'asm/blob.bin': 'some bytes of a blob\n',
  'asm/part.s': '\t.file "gone.c"\n\t.globl part\npart:\n\tret\n\t.data\n\t.incbin "asm/blob.bin", 5, 5\n',
  'asm/far/far.bin': 'far away\n',
  'asm/far.S': '\t.data\n\t.globl far\nfar:\t.incbin "far.bin"\n',
  'embeds.c':
    '__asm__(".section .rodata\\n\\t.globl blob\\nblob:\\n\\t.incbin \\"asm/blob.bin\\"\\n\\t.byte 0\\n\\t.previous\\n");\nextern const char blob[];\nconst char *get(void) { return blob; }\n',
};

const c = casesOf('gcc');

export const ASSEMBLER_CASES: readonly EqualityCase[] = [
  c('.S with -include, .include and .incbin', '-D__ASSEMBLY__ -c asm/entry.S -o entry.o', 'entry.o'),
  c(
    '.S with a depfile as a kernel build asks for it',
    '-Wp,-MMD,dir/.entry.o.d -Iasm -D__ASSEMBLY__ -c asm/entry.S -o dir/entry.o',
    'dir/entry.o dir/.entry.o.d',
  ),
  c('.S, -MD', '-MD -D__ASSEMBLY__ -c asm/entry.S', 'entry.o entry.d'),
  c('.S, -g', '-g -D__ASSEMBLY__ -c asm/entry.S', 'entry.o'),
  c('.S, -gdwarf-5 by the assembler', '-Wa,-gdwarf-5 -D__ASSEMBLY__ -c asm/entry.S', 'entry.o'),
  c('.S, -gsplit-dwarf', '-g -gsplit-dwarf -D__ASSEMBLY__ -c asm/entry.S', 'entry.o entry.dwo'),
  c('-x assembler-with-cpp', '-x assembler-with-cpp -D__ASSEMBLY__ -c asm/entry.S -o entry.o', 'entry.o'),
  c('.s', '-c asm/part.s', 'part.o'),
  c('.s, -g', '-g -c asm/part.s -o dir/part.o', 'dir/part.o'),
  c('.s, with options that do nothing there', '-MD -O2 -Wall -c asm/part.s', 'part.o'),
  c('-x assembler', '-xassembler -c asm/part.s', 'part.o'),
  c('-x none', '-x c -x none -c asm/part.s', 'part.o'),
  c('.s, --noexecstack', '-Wa,--noexecstack -Xassembler --fatal-warnings -c asm/part.s', 'part.o'),
  c('.incbin found by -I', '-Iasm/far -c asm/far.S', 'far.o'),
  c('.incbin found by -Wa,-I', '-Wa,-I,asm/far -c asm/far.S', 'far.o'),
  c('-Wa,--defsym', '-Wa,--defsym,x=5 -c asm/part.s', 'part.o'),
  c('.S, -save-temps', '-save-temps -D__ASSEMBLY__ -c asm/entry.S -o dir/entry.o', 'dir/entry.o dir/entry.s'),
  c('.incbin in C', '-O2 -MD -c embeds.c', 'embeds.o embeds.d'),
  c('.incbin in C, -g', '-g -c embeds.c -o dir/embeds.o', 'dir/embeds.o'),
  casesOf('g++')('.S through the C++ driver', '-D__ASSEMBLY__ -c asm/entry.S', 'entry.o'),
];
