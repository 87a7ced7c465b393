/**
 * `__has_include` and its kin: questions about a file's existence, which no list of included headers shows.
 * Inside a macro definition the question is asked wherever the macro is used, so that only names that mean the
 * same everywhere can be answered from the definition.
 */
import { withoutComments } from './comments.ts';

/** How the file is looked for. */
export type LookupKind = 'quoted' | 'angled' | 'next';

/** A file that is asked for without being read. */
export interface ExistenceQuestion {
  readonly name: string;
  readonly lookup: LookupKind;
}

/** All questions of one file. */
export interface ExistenceQuestions {
  readonly named: readonly ExistenceQuestion[];
  /** Operands that only macro expansion turns into a name; empty if not even the operand is visible. */
  readonly computed: readonly string[];
}

const NO_QUESTIONS: ExistenceQuestions = { named: [], computed: [] };

/** 1: `_next`. GCC 5 to 9 spell the built-in with two more underscores. */
const OPERATOR = /\b__has_include(_next)?(?:__)?\b/g;
const DEFINE = /^[ \t\v\f\0]*(?:#|%:)[ \t\v\f\0]*define\b(.*)$/s;
/** 1: `"name"`, 2: `<name>`, 3: anything else between the parentheses, as far as it goes on this line. */
const OPERAND = /\s*\(\s*(?:"([^"\n]+)"|<([^>\n]+)>|([^\n]*))/y;

/**
 * The questions in a file's text.
 * @param text with its lines joined
 */
export function existenceQuestionsIn(text: string): ExistenceQuestions {
  if (!text.includes('__has_include')) return NO_QUESTIONS;
  const code = withoutComments(text);
  const named: ExistenceQuestion[] = [];
  const computed: string[] = [];
  for (const match of code.matchAll(OPERATOR)) {
    const definition = DEFINE.exec(code.slice(code.lastIndexOf('\n', match.index) + 1, match.index));
    // `#define __has_include(x) 0`, for compilers that lack it.
    if (definition?.[1]?.trim() === '') continue;
    OPERAND.lastIndex = match.index + match[0].length;
    const operand = OPERAND.exec(code);
    // `#ifdef __has_include` asks nothing; as the body of a macro it gives the operator another name.
    if (operand === null) {
      if (definition !== null) computed.push('');
      continue;
    }
    const [, quoted, angled, other = ''] = operand;
    const next = match[1] !== undefined;
    if (angled !== undefined) named.push({ name: angled, lookup: next ? 'next' : 'angled' });
    else if (definition !== null) computed.push('');
    else if (quoted !== undefined) named.push({ name: quoted, lookup: next ? 'next' : 'quoted' });
    else computed.push(untilClosed(other));
  }
  return { named, computed };
}

/** The text up to the parenthesis that closes the operator's own; all of it if there is none. */
function untilClosed(text: string): string {
  let depth = 1;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '(') depth++;
    else if (text[at] === ')' && --depth === 0) return text.slice(0, at).trim();
  }
  return text.trim();
}
