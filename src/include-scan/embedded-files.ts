/**
 * Files that assembler text reads by itself: `.incbin "…"`, `.include "…"`, in assembler sources and in the literals of
 * inline assembly. No condition is evaluated; a name that is not there is no input.
 */

/** One file that a text names. */
export interface EmbeddedFile {
  readonly name: string;
  /** `text`: assembled in the place (`.include`). `data`: its bytes are taken, or it is only named. */
  readonly role: 'text' | 'data';
}

/** What was found in one text. */
export interface EmbeddedFiles {
  /** Without duplicates. */
  readonly files: readonly EmbeddedFile[];
  /** A directive names a file in a way that only the assembler understands. */
  readonly isComputed: boolean;
  /** Parts of a directive occur that may be pasted together. */
  readonly isPieced: boolean;
}

/**
 * A directive where an assembler would see one: not after a name (`options.include`), unless what looks like its end
 * is an escape sequence (`"\n.incbin"`), and not where C goes on as after a member. GNU as takes directives in any case.
 */
const DIRECTIVE =
  /(?:^|[^\w)\]]|\\[abfnrtv]|\\[0-7]{1,3}|\\x[0-9a-f]+)\.inc(bin|lude)\b(?!\s*(?:[;,.)\]]|=|->))/gim;

/** A name in quotes of the assembler: as they are, or escaped in a literal of C. Escapes in the name are left alone. */
const PLAIN_NAME = /[ \t]*"([^"\\\n]+)"/y;
const LITERAL_NAME = /[ \t]*\\"([^"\\\n%{|}]+)\\"/y;

/** Compilers name the source in their assembly, and GNU as lists that name among what it read. */
const SOURCE_NAME = /^[ \t]*\.file[ \t]+"([^"\\\n]+)"/gm;

/** The word outside of a directive, or the dot of one as an escape. */
const PIECES = /(?:^|[^.])incbin\b|\\(?:056|x2e)inc(?:bin|lude)|\."\s*"include/i;

/** A literal that ends within a directive and goes on with another one, or with what a macro makes. */
const BROKEN_LITERAL =
  /^(?!\s*#\s*(?:include|import)|.*\.inc(?:bin|lude)\b).*\.in?c?(?:b|bi|l|lu|lud)?"\s*["#A-Z_]/im;

/**
 * What a text embeds.
 * @param code without comments, lines joined
 */
export function embeddedFilesIn(code: string): EmbeddedFiles {
  const files = new Map<string, EmbeddedFile>();
  let isComputed = false;
  for (const match of code.matchAll(DIRECTIVE)) {
    const end = match.index + match[0].length;
    const pattern = isInLiteral(code, end) ? LITERAL_NAME : PLAIN_NAME;
    pattern.lastIndex = end;
    const name = pattern.exec(code)?.[1];
    const role = match[1]?.toLowerCase() === 'bin' ? 'data' : 'text';
    if (name === undefined) isComputed = true;
    else files.set(`${role} ${name}`, { name, role });
  }
  for (const [, name = ''] of code.matchAll(SOURCE_NAME)) files.set(`data ${name}`, { name, role: 'data' });
  return { files: [...files.values()], isComputed, isPieced: PIECES.test(code) || BROKEN_LITERAL.test(code) };
}

/** True if a literal of C is open at a place: an odd number of quotes stands before it on its line. */
function isInLiteral(code: string, at: number): boolean {
  let isOpen = false;
  for (let before = code.lastIndexOf('\n', at - 1) + 1; before < at; before++) {
    const sign = code.charCodeAt(before);
    if (sign === 92) before++;
    else if (sign === 34) isOpen = !isOpen;
  }
  return isOpen;
}
