/** The language of a source, as the drivers decide it from -x, the suffix and their own name. */
import type { Language } from './invocation.ts';
import { LANGUAGES } from './invocation.ts';
import type { LocalReasonId } from './local-reasons.ts';
import type { Dialect } from './option-row.ts';
import { suffixOf } from './output-names.ts';

/** Suffixes of languages that are distributed (GCC's gcc.c default_compilers; they are case-sensitive). */
export const SOURCE_SUFFIXES: Readonly<Record<string, Language>> = {
  '.c': 'c',
  '.cc': 'c++',
  '.cp': 'c++',
  '.cxx': 'c++',
  '.cpp': 'c++',
  '.c++': 'c++',
  '.C': 'c++',
  '.CPP': 'c++',
  '.m': 'objective-c',
  '.mm': 'objective-c++',
  '.M': 'objective-c++',
  '.S': 'assembler-with-cpp',
  '.s': 'assembler',
};

/** Other suffixes and `-x` names, and why they stay local. */
const LOCAL_LANGUAGES: Readonly<Record<string, LocalReasonId>> = {
  '.i': 'preprocessed-source',
  '.ii': 'preprocessed-source',
  '.mi': 'preprocessed-source',
  '.mii': 'preprocessed-source',
  'cpp-output': 'preprocessed-source',
  'c++-cpp-output': 'preprocessed-source',
  'objective-c-cpp-output': 'preprocessed-source',
  'objective-c++-cpp-output': 'preprocessed-source',
  '.h': 'precompiled-header',
  '.hh': 'precompiled-header',
  '.H': 'precompiled-header',
  '.hp': 'precompiled-header',
  '.hxx': 'precompiled-header',
  '.hpp': 'precompiled-header',
  '.HPP': 'precompiled-header',
  '.h++': 'precompiled-header',
  'c-header': 'precompiled-header',
  'c++-header': 'precompiled-header',
  'objective-c-header': 'precompiled-header',
  'objective-c++-header': 'precompiled-header',
  '.cppm': 'modules',
  '.ixx': 'modules',
  '.pcm': 'modules',
  'c++-module': 'modules',
  'c++-system-header': 'modules',
  'c++-user-header': 'modules',
};

/** A language, or why the source stays local. */
export type SourceLanguage =
  | { readonly language: Language }
  | { readonly reason: LocalReasonId; readonly detail: string };

function isLanguage(name: string): name is Language {
  return (LANGUAGES as readonly string[]).includes(name);
}

/**
 * The language of a source.
 * @param chosen the value of the last -x before the source; undefined without one
 * @param driver `c++` for g++ and clang++, which take `.c` for C++. GCC's g++ does so only if no -x at all
 * stands before the source (`g++ -x none x.c` compiles C); clang++ does after `-x none` too.
 */
export function languageOf(
  sourcePath: string,
  chosen: string | undefined,
  driver: 'c' | 'c++',
  dialect: Dialect,
): SourceLanguage {
  if (chosen !== undefined && chosen !== 'none') {
    if (isLanguage(chosen)) return { language: chosen };
    return { reason: LOCAL_LANGUAGES[chosen] ?? 'unsupported-language', detail: `-x ${chosen}` };
  }
  const suffix = suffixOf(sourcePath);
  // Clang hands it to the linker.
  const language = suffix === '.sx' && dialect === 'gcc' ? 'assembler-with-cpp' : SOURCE_SUFFIXES[suffix];
  if (language === undefined) {
    return { reason: LOCAL_LANGUAGES[suffix] ?? 'unsupported-language', detail: sourcePath };
  }
  const turnsIntoCxx = driver === 'c++' && (chosen === undefined || dialect === 'clang');
  return { language: turnsIntoCxx && language === 'c' ? 'c++' : language };
}
