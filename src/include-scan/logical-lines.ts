/** The first phases of translation: trigraphs and line continuations, so that everything after sees whole lines. */

const BACKSLASH = 92;
const NEWLINE = 10;
const RETURN = 13;

/** What each trigraph stands for. They count always: which ones are on depends on -std. */
const TRIGRAPHS: Readonly<Record<string, string>> = {
  '??=': '#',
  '??/': '\\',
  "??'": '^',
  '??(': '[',
  '??)': ']',
  '??!': '|',
  '??<': '{',
  '??>': '}',
  '??-': '~',
};

/** True for what may stand between tokens on one line; the compilers take NUL for a blank. */
export function isBlank(code: number): boolean {
  return code === 32 || code === 9 || code === 11 || code === 12 || code === 0;
}

/** True for what an identifier may be made of; bytes above ASCII are letters, and `$` is one for GCC. */
export function isWordPart(code: number): boolean {
  return (
    (code >= 97 && code <= 122) ||
    (code >= 65 && code <= 90) ||
    code === 95 ||
    (code >= 48 && code <= 57) ||
    code === 36 ||
    code >= 128
  );
}

/** True if the text means something else to a compiler that heeds trigraphs, where directives are concerned. */
export function hasTrigraphs(text: string): boolean {
  return text.includes('??=') || text.includes('??/');
}

/** The text with all trigraphs replaced. */
export function replaceTrigraphs(text: string): string {
  return text.replace(/\?\?[=/'()!<>-]/g, (trigraph) => TRIGRAPHS[trigraph] ?? trigraph);
}

/**
 * Joins lines that end in a backslash with the next one. Blanks between the backslash and the end of the line
 * do not matter (GCC and Clang warn, and join). Inside raw strings nothing would be joined; joining there as
 * well hides no directive, because a directive never starts inside one.
 */
export function joinLines(text: string): string {
  let joined = '';
  let keptTo = 0;
  for (let at = text.indexOf('\\'); at >= 0; at = text.indexOf('\\', at)) {
    const end = continuationEnd(text, at);
    if (end < 0) {
      at++;
      continue;
    }
    joined += text.slice(keptTo, at);
    keptTo = end;
    at = end;
  }
  return keptTo === 0 ? text : joined + text.slice(keptTo);
}

/** Where the next line starts if the backslash at `at` ends its line, else -1. */
function continuationEnd(text: string, at: number): number {
  let end = at + 1;
  let code = text.charCodeAt(end);
  while (isBlank(code)) code = text.charCodeAt(++end);
  if (code === RETURN) code = text.charCodeAt(++end);
  return code === NEWLINE ? end + 1 : -1;
}

/**
 * The next place after blanks and comments, on the same line or, through a block comment, on a later one.
 * @param text with its lines joined
 */
export function skipBlanks(text: string, from: number): number {
  let at = from;
  for (;;) {
    const code = text.charCodeAt(at);
    if (isBlank(code)) at++;
    else if (code === 47 && text.charCodeAt(at + 1) === 42) {
      const end = text.indexOf('*/', at + 2);
      if (end < 0) return text.length;
      at = end + 2;
    } else return at;
  }
}

/**
 * The rest of a directive from `from` to the end of its line, each comment replaced by a space, trimmed.
 * @param text with its lines joined
 */
export function restOfDirective(text: string, from: number): string {
  let rest = '';
  let keptTo = from;
  let at = from;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === NEWLINE) break;
    if (code === 34 || code === 39) at = literalEnd(text, at, code);
    else if (code === 47 && text.charCodeAt(at + 1) === 42) {
      rest += `${text.slice(keptTo, at)} `;
      const end = text.indexOf('*/', at + 2);
      keptTo = end < 0 ? text.length : end + 2;
      at = keptTo - 1;
    } else if (code === 47 && text.charCodeAt(at + 1) === 47) break;
  }
  return (rest + text.slice(keptTo, at)).trim();
}

/** The last place of a literal that starts at `start`; an unclosed one ends before the end of its line. */
function literalEnd(text: string, start: number, quote: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) return at;
    if (code === NEWLINE) return start;
    if (code === BACKSLASH && text.charCodeAt(at + 1) !== NEWLINE) at++;
  }
  return start;
}
