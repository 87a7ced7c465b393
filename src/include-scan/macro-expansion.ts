/**
 * Macro expansion with many values: a macro may have any of its definitions, or none, because the scanner
 * evaluates no condition. The result holds every text that the preprocessor could arrive at, and more; which
 * of them names a file that exists is looked at afterwards.
 */
import type { MacroDefinition } from './macro-definitions.ts';

/** Thrown inside an expansion that cannot list all values; the compiler has to be asked instead. */
class UnclearExpansion extends Error {}

/** Texts that one expansion may produce on its way. */
const MAX_TEXTS = 40_000;
const MAX_DEPTH = 40;

/** Stands where two tokens touch that would read as one; has no width. */
const SEAM = '\u007f';

const TOKEN =
  /[ \t\v\f\r\n]+|[A-Za-z_$\u0080-\uffff][\w$\u0080-\uffff]*|\.?\d(?:[eEpP][+-]|[\w.$])*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|##|[\s\S]/g;
const IDENTIFIER = /^[A-Za-z_$\u0080-\uffff]/;
const BLANK = /^[ \t\v\f\r\n\u007f]/;

/** Macros whose value the compiler makes up at each use. */
const DYNAMIC_MACROS: ReadonlySet<string> = new Set(
  (
    '__FILE__ __FILE_NAME__ __BASE_FILE__ __LINE__ __COUNTER__ __INCLUDE_LEVEL__ __DATE__ __TIME__ ' +
    '__TIMESTAMP__ _Pragma __pragma __VA_OPT__ __has_include __has_include_next __has_embed __has_attribute ' +
    '__has_cpp_attribute __has_c_attribute __has_builtin __has_feature __has_extension __is_identifier'
  ).split(' '),
);

/**
 * Every text that an operand may expand to.
 * @param define all definitions that a macro may have; undefined if they cannot all be told
 * @returns undefined if not all values can be told, or if they are too many
 */
export function expandMacros(
  operand: string,
  define: (name: string) => readonly MacroDefinition[] | undefined,
): ReadonlySet<string> | undefined {
  try {
    return new Expander(define).expand(operand, []);
  } catch (error) {
    if (error instanceof UnclearExpansion) return undefined;
    throw error;
  }
}

class Expander {
  readonly #define: (name: string) => readonly MacroDefinition[] | undefined;
  #texts = 0;

  constructor(define: (name: string) => readonly MacroDefinition[] | undefined) {
    this.#define = define;
  }

  /** @param hidden macros that are being expanded, and so are not expanded again */
  expand(text: string, hidden: readonly string[]): Set<string> {
    if (hidden.length > MAX_DEPTH) throw new UnclearExpansion();
    const tokens = text.match(TOKEN) ?? [];
    const suffixes: Set<string>[] = [];
    suffixes[tokens.length] = new Set(['']);
    // From the end: what can follow a token is known when its own values are put before it.
    for (let at = tokens.length - 1; at >= 0; at--) suffixes[at] = this.#from(tokens, at, suffixes, hidden);
    const [all = new Set<string>()] = suffixes;
    return all;
  }

  #from(
    tokens: readonly string[],
    at: number,
    suffixes: readonly Set<string>[],
    hidden: readonly string[],
  ): Set<string> {
    const token = tokens[at] ?? '';
    const values = new Set<string>();
    // A universal character name may be part of an identifier.
    if (token === '\\') throw new UnclearExpansion();
    // As it stands: no macro, or not defined at this point.
    this.#append(values, [token], suffixes[at + 1]);
    if (!IDENTIFIER.test(token) || hidden.includes(token)) return values;
    const definitions = this.#definitionsOf(token);
    const opening = nextSolid(tokens, at + 1);
    const isCall = tokens[opening] === '(';
    for (const definition of definitions) {
      if (definition.parameters === undefined) {
        const replaced = this.expand(pasted(definition.body), [...hidden, token]);
        if (isCall) for (const value of replaced) this.#refuseOpenCall(value);
        this.#append(values, replaced, suffixes[at + 1]);
      } else if (isCall) {
        const call = argumentsOf(tokens, opening);
        if (call === undefined) continue;
        const replaced = this.#call(definition, call.args, hidden);
        const isCallAgain = tokens[nextSolid(tokens, call.end)] === '(';
        if (isCallAgain) for (const value of replaced) this.#refuseOpenCall(value);
        this.#append(values, replaced, suffixes[call.end]);
      }
    }
    return values;
  }

  #definitionsOf(name: string): readonly MacroDefinition[] {
    const definitions = DYNAMIC_MACROS.has(name) ? undefined : this.#define(name);
    if (definitions === undefined) throw new UnclearExpansion();
    return definitions;
  }

  /** An expansion that ends in the name of a macro which finds its arguments outside is not followed. */
  #refuseOpenCall(value: string): void {
    const last = (value.match(TOKEN) ?? []).filter((token) => !BLANK.test(token)).at(-1);
    if (last === undefined || !IDENTIFIER.test(last)) return;
    if (this.#definitionsOf(last).some((definition) => definition.parameters !== undefined))
      throw new UnclearExpansion();
  }

  #append(values: Set<string>, heads: Iterable<string>, tails: Iterable<string> | undefined): void {
    for (const head of heads) {
      for (const tail of tails ?? []) {
        if (++this.#texts > MAX_TEXTS) throw new UnclearExpansion();
        values.add(joined(head, tail));
      }
    }
  }

  #call(macro: MacroDefinition, given: readonly string[], hidden: readonly string[]): Set<string> {
    const { parameters = [] } = macro;
    const results = new Set<string>();
    const args = fitArguments(macro, given);
    if (args === undefined) return results;
    const body: readonly string[] = macro.body.match(TOKEN) ?? [];
    if (/__VA_OPT__|,[ \t]*##/.test(macro.body)) throw new UnclearExpansion();
    // Parameters are independent of each other; one parameter has the same value wherever it is used.
    let choices: (readonly string[])[] = [[]];
    for (const [index, parameter] of parameters.entries()) {
      const isUsed = body.includes(parameter);
      const values = isUsed ? this.expand(args[index] ?? '', hidden) : [''];
      choices = choices.flatMap((choice) => [...values].map((value) => [...choice, value]));
      this.#texts += choices.length;
      if (this.#texts > MAX_TEXTS) throw new UnclearExpansion();
    }
    for (const choice of choices) {
      const text = substitute(body, parameters, args, choice);
      for (const value of this.expand(text, [...hidden, macro.name])) results.add(value);
    }
    return results;
  }
}

function nextSolid(tokens: readonly string[], from: number): number {
  let at = from;
  while (at < tokens.length && BLANK.test(tokens[at] ?? '')) at++;
  return at;
}

/** Arguments of a call, and where it ends; undefined if it is not closed. */
function argumentsOf(
  tokens: readonly string[],
  opening: number,
): { args: readonly string[]; end: number } | undefined {
  const args = [''];
  let depth = 1;
  for (let at = opening + 1; at < tokens.length; at++) {
    const token = tokens[at] ?? '';
    if (token === '(') depth++;
    else if (token === ')' && --depth === 0) return { args: args.map((arg) => arg.trim()), end: at + 1 };
    if (token === ',' && depth === 1) args.push('');
    else args[args.length - 1] += token;
  }
  return undefined;
}

/** One argument per parameter, or undefined if the call does not fit the macro. */
function fitArguments(macro: MacroDefinition, given: readonly string[]): readonly string[] | undefined {
  const count = macro.parameters?.length ?? 0;
  if (count === 0) return given.length === 1 && given[0] === '' ? [] : undefined;
  if (!macro.isVariadic) return given.length === count ? given : undefined;
  if (given.length < count - 1) return undefined;
  return [...given.slice(0, count - 1), given.slice(count - 1).join(',')];
}

/** The body with its parameters replaced: raw beside # and ##, expanded elsewhere. */
function substitute(
  body: readonly string[],
  parameters: readonly string[],
  raw: readonly string[],
  expanded: readonly string[],
): string {
  let text = '';
  for (let at = 0; at < body.length; at++) {
    const token = body[at] ?? '';
    if (token === '#') {
      const operand = nextSolid(body, at + 1);
      const index = parameters.indexOf(body[operand] ?? '');
      if (index >= 0) {
        text = joined(text, stringified(raw[index] ?? ''));
        at = operand;
        continue;
      }
    }
    const index = parameters.indexOf(token);
    if (index < 0) text = joined(text, token);
    else text = joined(text, (isPasted(body, at) ? raw[index] : expanded[index]) ?? '');
  }
  return pasted(text);
}

function isPasted(body: readonly string[], at: number): boolean {
  let before = at - 1;
  while (before >= 0 && BLANK.test(body[before] ?? '')) before--;
  return body[before] === '##' || body[nextSolid(body, at + 1)] === '##';
}

function pasted(text: string): string {
  return text.includes('##') ? text.replace(/[ \t\u007f]*##[ \t\u007f]*/g, '') : text;
}

function stringified(arg: string): string {
  const tokens = arg.trim().match(TOKEN) ?? [];
  const text = tokens.map((token) => {
    if (token === SEAM) return '';
    if (BLANK.test(token)) return ' ';
    return token.startsWith('"') || token.startsWith("'") ? token.replace(/[\\"]/g, '\\$&') : token;
  });
  return `"${text.join('')}"`;
}

/** Two texts side by side, so that their tokens stay what they were. */
function joined(head: string, tail: string): string {
  if (head === '' || tail === '') return head + tail;
  return mayMerge(head.charCodeAt(head.length - 1)) && mayMerge(tail.charCodeAt(0))
    ? `${head}${SEAM}${tail}`
    : head + tail;
}

function mayMerge(code: number): boolean {
  return (
    (code >= 48 && code <= 57) ||
    (code >= 65 && code <= 90) ||
    (code >= 97 && code <= 122) ||
    code === 95 ||
    code === 36 ||
    code === 46 ||
    code === 35 ||
    code >= 128
  );
}

/** A header name that an expanded operand spells. */
export interface HeaderName {
  readonly name: string;
  readonly isQuoted: boolean;
}

/**
 * The header names that an expanded operand may mean; none if it is no header name, which is an error when the
 * compiler gets there. Compilers keep some blanks between `<` and `>`; with and without all of them is returned.
 */
export function headerNamesOf(expanded: string): HeaderName[] | undefined {
  const text = expanded.replaceAll(SEAM, '').trim();
  const quoted = /^"((?:[^"\\]|\\.)*)"/.exec(text);
  if (quoted?.[1] !== undefined) return [{ name: quoted[1], isQuoted: true }];
  const angled = /^<([^>]*)>(.*)$/s.exec(text);
  if (angled?.[1] === undefined) return [];
  // `->` and `>>` are tokens of their own, and do not close the name.
  if (angled[1].endsWith('-') || angled[2]?.includes('>')) return undefined;
  const spaced = angled[1].trim().replace(/\s+/g, ' ');
  const names = new Set([spaced, ` ${spaced}`, spaced.replaceAll(' ', '')]);
  return [...names].map((name) => ({ name, isQuoted: false }));
}
