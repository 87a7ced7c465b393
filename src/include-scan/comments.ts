/** Comments out of C text, for tests that must not be alarmed by prose. Never removes what is not certainly a comment. */

const SLASH = 47;
const STAR = 42;
const QUOTE = 34;
const APOSTROPHE = 39;
const BACKSLASH = 92;
const NEWLINE = 10;

/**
 * The text with each comment replaced by a space. Text with raw strings is returned as it is: a comment sign
 * inside one opens nothing. Literals end at the end of their line at the latest (an apostrophe in prose opens none).
 */
export function withoutComments(text: string): string {
  if (text.includes('R"')) return text;
  let kept = '';
  let keptTo = 0;
  let at = 0;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === QUOTE || code === APOSTROPHE) at = literalEnd(text, at, code);
    else if (code === SLASH && (text.charCodeAt(at + 1) === STAR || text.charCodeAt(at + 1) === SLASH)) {
      const end = text.charCodeAt(at + 1) === STAR ? blockEnd(text, at) : lineEnd(text, at);
      kept += `${text.slice(keptTo, at)} `;
      keptTo = end;
      at = end;
    } else at++;
  }
  return kept + text.slice(keptTo);
}

function literalEnd(text: string, start: number, quote: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at++;
    else if (code === quote || code === NEWLINE) return at + 1;
  }
  return text.length;
}

function blockEnd(text: string, start: number): number {
  const end = text.indexOf('*/', start + 2);
  return end < 0 ? text.length : end + 2;
}

/** A line comment goes on where its line ends in a backslash. */
function lineEnd(text: string, start: number): number {
  for (let at = start; ; at++) {
    at = text.indexOf('\n', at);
    if (at < 0) return text.length;
    const before = text.charCodeAt(at - 1) === 13 ? at - 2 : at - 1;
    if (text.charCodeAt(before) !== BACKSLASH) return at;
  }
}
