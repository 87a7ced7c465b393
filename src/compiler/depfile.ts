/**
 * Reads the rules that `-M` and `-MD` write in make's format. The escapes are those of GCC's mkdeps.c:
 * a space or tab gets a backslash and doubles those before it, `#` gets a backslash, `$` is doubled.
 */

/** One word of a rule, and where the text after it starts. */
interface Word {
  readonly text: string;
  readonly next: number;
}

function isBlank(c: string): boolean {
  return c === ' ' || c === '\t' || c === '\r';
}

/** The length of a backslash-newline at `at`; 0 if there is none. */
function continuationAt(text: string, at: number): number {
  if (text.charAt(at) !== '\\') return 0;
  if (text.charAt(at + 1) === '\n') return 2;
  return text.startsWith('\r\n', at + 1) ? 3 : 0;
}

function readWord(text: string, start: number): Word {
  let word = '';
  let at = start;
  while (at < text.length) {
    const c = text.charAt(at);
    if (c === '\n' || isBlank(c) || continuationAt(text, at) > 0) break;
    const next = text.charAt(at + 1);
    if (c === '\\') {
      let end = at;
      while (text.charAt(end) === '\\') end++;
      const count = end - at;
      const follows = text.charAt(end);
      if (follows === '#') {
        word += `${'\\'.repeat(count - 1)}#`;
        at = end + 1;
      } else if (follows === ' ' || follows === '\t') {
        word += '\\'.repeat(count >> 1);
        if (count % 2 === 1) word += follows;
        at = end + (count % 2);
      } else if (continuationAt(text, end - 1) > 0) {
        word += '\\'.repeat(count - 1);
        at = end - 1;
      } else {
        word += '\\'.repeat(count);
        at = end;
      }
    } else if (c === '$' && next === '$') {
      word += '$';
      at += 2;
    } else {
      word += c;
      at++;
    }
  }
  return { text: word, next: at };
}

/**
 * The prerequisites of all rules, each once, in order. Rules without prerequisites (the phony targets of
 * -MP) and the targets themselves are left out. A word that ends in `:` ends the targets of its rule; a
 * colon elsewhere belongs to the name.
 */
export function parseDepfile(text: string): string[] {
  const result = new Set<string>();
  let inTargets = true;
  let at = 0;
  while (at < text.length) {
    const c = text.charAt(at);
    const continuation = continuationAt(text, at);
    if (continuation > 0) at += continuation;
    else if (c === '\n') {
      inTargets = true;
      at++;
    } else if (isBlank(c)) at++;
    else {
      const word = readWord(text, at);
      at = word.next;
      if (!inTargets) result.add(word.text);
      else if (word.text.endsWith(':')) inTargets = false;
    }
  }
  return [...result];
}
