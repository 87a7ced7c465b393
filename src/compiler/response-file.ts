/**
 * Response files (`@file`), expanded as libiberty's expandargv does for GCC: white space separates, quotes
 * join, a backslash takes the next character. Where GCC's releases or Clang differ, the file counts as
 * unreadable, so that the compiler itself decides.
 */

/** Returns the text of a response file, or undefined if it cannot be read. */
export type ResponseFileReader = (path: string) => string | undefined;

/** The arguments after expansion, or the path of the file that stood in the way. */
export type ExpandedArguments = { ok: true; args: string[] } | { ok: false; path: string };

/** A file that names itself would expand for ever; GCC stops after 2000. */
const MAXIMUM_FILES = 100;

/** Inside double quotes, older GCCs take a backslash away before any character, newer ones before these only. */
const ALWAYS_ESCAPED = '"\\$`';

/**
 * Splits the text of a response file.
 * @returns the words, or undefined where compilers disagree (a backslash in single quotes, an unusual
 * escape in double quotes, an open quote)
 */
export function splitResponseFile(text: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let i = 0; i < text.length; i++) {
    const c = text.charAt(i);
    if (c === '\\') {
      const next = text.charAt(++i);
      if (next === '' || quote === "'") return undefined;
      if (quote === '"' && !ALWAYS_ESCAPED.includes(next)) return undefined;
      word = (word ?? '') + next;
    } else if (quote !== '') {
      if (c === quote) quote = '';
      else word += c;
    } else if (c === '"' || c === "'") {
      quote = c;
      word ??= '';
    } else if (/\s/.test(c)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? '') + c;
    }
  }
  if (quote !== '') return undefined;
  if (word !== undefined) words.push(word);
  return words;
}

/**
 * Replaces every `@file` by what the file holds, also inside files. Without one the array itself comes back.
 * @param args the arguments without argv[0]
 */
export function expandResponseFiles(
  args: readonly string[],
  reader: ResponseFileReader | undefined,
): ExpandedArguments {
  if (!args.some((arg) => arg.startsWith('@'))) return { ok: true, args: [...args] };
  const pending = [...args].reverse();
  const result: string[] = [];
  let files = 0;
  for (let arg = pending.pop(); arg !== undefined; arg = pending.pop()) {
    if (!arg.startsWith('@')) {
      result.push(arg);
      continue;
    }
    const path = arg.slice(1);
    const text = ++files > MAXIMUM_FILES ? undefined : reader?.(path);
    const words = text === undefined ? undefined : splitResponseFile(text);
    if (words === undefined) return { ok: false, path };
    for (const word of words.reverse()) pending.push(word);
  }
  return { ok: true, args: result };
}
