/** What compilers are made to compile when their behaviour is compared: sources of ours, and options for them. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../base/package-root.ts';
import type { LanguageScope } from '../compiler/index.ts';
import type { CompilerDialect } from './toolchain.ts';

/** A source of the corpus. It includes nothing. */
export interface CorpusSource {
  readonly name: string;
  readonly language: 'c' | 'c++';
  readonly text: string;
}

const DIRECTORY = join(PACKAGE_ROOT, 'src/toolchain/corpus');

/** The languages of a scope that the corpus has sources in. */
const LANGUAGES: Readonly<Partial<Record<LanguageScope, readonly CorpusSource['language'][]>>> = {
  c: ['c'],
  'c++': ['c++'],
  clang: ['c', 'c++'],
};

/** The sources for a scope, by name; none if the corpus has nothing in its languages. */
export async function corpusFor(scope: LanguageScope): Promise<CorpusSource[]> {
  const sources: CorpusSource[] = [];
  for (const name of (await readdir(DIRECTORY)).sort()) {
    const language = name.endsWith('.cc') ? 'c++' : 'c';
    if (LANGUAGES[scope]?.includes(language) !== true) continue;
    sources.push({ name, language, text: await readFile(join(DIRECTORY, name), 'utf8') });
  }
  return sources;
}

/** Sets of options that every target has. */
const GENERAL_SETS: readonly string[] = [
  '-O0',
  '-O0 -g',
  '-O1',
  '-O2',
  '-O2 -g',
  '-O2 -g3 -gdwarf-4',
  '-Og -g -gdwarf-5',
  '-O3',
  '-Os',
  '-Ofast',
  '-O2 -fPIC',
  '-O2 -fno-pie',
  '-O2 -fPIE -fvisibility=hidden',
  '-O3 -funroll-loops -fno-strict-aliasing -fwrapv',
  '-O2 -ftree-vectorize -ffast-math',
  '-O2 -ffunction-sections -fdata-sections -fno-common',
  '-O2 -fno-omit-frame-pointer -fno-optimize-sibling-calls',
  '-O2 -fstack-protector-strong',
  '-Os -fstack-protector-all',
  '-O2 -ftrapv -fno-jump-tables',
  '-O2 -finstrument-functions -g1',
  '-O2 -pg',
  '-O1 -fsanitize=undefined',
  '-O2 -fsanitize=address -g',
  '-O2 -ffreestanding -fno-builtin -fshort-enums',
];

const GCC_SETS: readonly string[] = [
  '-O2 -fstack-clash-protection',
  '-O2 -fno-inline -fipa-pta -fno-tree-vectorize',
  '-O2 -flto -ffat-lto-objects -frandom-seed=meshcc',
];

/** Sets for targets whose triple begins so. */
const TARGET_SETS: readonly { readonly triple: RegExp; readonly sets: readonly string[] }[] = [
  {
    triple: /^x86_64-/,
    sets: [
      '-O2 -mno-sse -mgeneral-regs-only -mcmodel=kernel -fno-pic',
      '-O3 -mavx2 -mfma',
      '-O2 -march=x86-64-v3 -mtune=skylake',
      '-O2 -fcf-protection=full',
    ],
  },
  {
    triple: /^aarch64-/,
    sets: [
      '-O2 -mgeneral-regs-only -mno-outline-atomics',
      '-O3 -march=armv8.2-a+sve',
      '-O2 -mbranch-protection=standard',
      '-O2 -mcpu=cortex-a72 -fstack-protector-strong',
      '-O2 -mcpu=neoverse-n1',
    ],
  },
  { triple: /^arm-/, sets: ['-O2 -mthumb', '-O2 -marm -march=armv7-a', '-O3 -mfpu=neon -mfloat-abi=softfp'] },
  { triple: /^riscv/, sets: ['-O2 -mcmodel=medany', '-O2 -msave-restore', '-O2 -mno-relax'] },
];

/** The option sets for a compiler, each as words. */
export function optionSetsFor(dialect: CompilerDialect, targetTriple: string): string[][] {
  const ofTarget = TARGET_SETS.filter(({ triple }) => triple.test(targetTriple)).flatMap(({ sets }) => sets);
  return [...GENERAL_SETS, ...(dialect === 'gcc' ? GCC_SETS : []), ...ofTarget].map((set) => set.split(' '));
}
