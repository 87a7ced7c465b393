/**
 * Languages that the same programs compile. GCC has a compiler proper for each family of languages; Clang is one
 * program, and starts another only for an assembler that is not its own. A toolchain is identified for one scope,
 * so that a node without g++ still helps with C.
 */
import type { Invocation, Language } from './invocation.ts';
import type { Dialect } from './option-row.ts';

/** One scope. */
export interface ScopeRow {
  readonly dialect: Dialect;
  readonly languages: readonly Language[];
  /** Arguments that lead a driver to the programs of the scope, before the source. */
  readonly arguments: readonly string[];
}

const EVERY_LANGUAGE: readonly Language[] = [
  'c',
  'c++',
  'objective-c',
  'objective-c++',
  'assembler-with-cpp',
  'assembler',
];

/** The scopes by name. The first one of Clang's is what a call without further options uses. */
export const LANGUAGE_SCOPES = {
  // cc1 preprocesses assembler sources too.
  c: { dialect: 'gcc', languages: ['c', 'assembler-with-cpp', 'assembler'], arguments: ['-x', 'c'] },
  'c++': { dialect: 'gcc', languages: ['c++'], arguments: ['-x', 'c++'] },
  'objective-c': { dialect: 'gcc', languages: ['objective-c'], arguments: ['-x', 'objective-c'] },
  'objective-c++': { dialect: 'gcc', languages: ['objective-c++'], arguments: ['-x', 'objective-c++'] },
  clang: { dialect: 'clang', languages: EVERY_LANGUAGE, arguments: [] },
  'clang-with-as': { dialect: 'clang', languages: EVERY_LANGUAGE, arguments: ['-fno-integrated-as'] },
} as const satisfies Record<string, ScopeRow>;

export type LanguageScope = keyof typeof LANGUAGE_SCOPES;

/** True if `text` names a scope. */
export function isLanguageScope(text: unknown): text is LanguageScope {
  return typeof text === 'string' && Object.hasOwn(LANGUAGE_SCOPES, text);
}

/** The scopes of one dialect. */
export function scopesOf(dialect: Dialect): LanguageScope[] {
  const names = Object.keys(LANGUAGE_SCOPES) as LanguageScope[];
  return names.filter((name) => LANGUAGE_SCOPES[name].dialect === dialect);
}

/** The scope whose programs a call needs. */
export function scopeOf(
  { language, usesOwnAssembler }: Pick<Invocation, 'language' | 'usesOwnAssembler'>,
  dialect: Dialect,
): LanguageScope {
  if (dialect === 'clang') return usesOwnAssembler ? 'clang' : 'clang-with-as';
  const rows = Object.entries(LANGUAGE_SCOPES) as [LanguageScope, ScopeRow][];
  return rows.find(([, row]) => row.dialect === 'gcc' && row.languages.includes(language))?.[0] ?? 'c';
}
