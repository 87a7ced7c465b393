/** Finds preprocessor directives in a text, driven by the sign that starts them: most of a header is of no interest. */
import { isBlank, isWordPart, skipBlanks } from './logical-lines.ts';

/**
 * Called for each directive.
 * @param name e.g. `include`; empty for a null directive
 * @param end where the name ends
 */
export type DirectiveVisitor = (name: string, end: number) => void;

/** The byte-order mark, as Latin-1 and as decoded UTF-8. */
const BYTE_ORDER_MARKS = ['\u00ef\u00bb\u00bf', '\ufeff'];

/**
 * Visits every directive, also one that is inside a comment or a raw string and only looks like one.
 * @param text with its lines joined
 */
export function visitDirectives(text: string, visit: DirectiveVisitor): void {
  visitMarked(text, '#', visit);
  if (text.includes('%:')) visitMarked(text, '%:', visit);
}

function visitMarked(text: string, mark: string, visit: DirectiveVisitor): void {
  // The search goes on right behind the sign, whatever the directive holds: should the sign be part of a string
  // (`"*/ # /*"`), what looks like a comment behind it may be full of directives.
  for (let at = text.indexOf(mark); at >= 0; at = text.indexOf(mark, at + 1)) {
    if (!startsLine(text, at)) continue;
    const start = skipBlanks(text, at + mark.length);
    let end = start;
    while (isWordPart(text.charCodeAt(end))) end++;
    visit(text.slice(start, end), end);
  }
}

/** True if only blanks and comments can stand between the start of the line and `at`. */
function startsLine(text: string, at: number): boolean {
  let before = at - 1;
  while (before >= 0 && isBlank(text.charCodeAt(before))) before--;
  if (before < 0) return true;
  const code = text.charCodeAt(before);
  if (code === 10 || code === 13) return true;
  if (code === 47) return text.charCodeAt(before - 1) === 42;
  return before < 3 && BYTE_ORDER_MARKS.includes(text.slice(0, before + 1));
}
