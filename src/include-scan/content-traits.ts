/**
 * What a file's text says about inputs that no list of included headers shows: files embedded by the
 * assembler, existence tests, and text that depends on the clock. Inactive code counts
 * too: the price of a false alarm is a local compile, the price of a miss would be a wrong object.
 */

import { withoutComments } from './comments.ts';

/** One `__has_include(...)` whose operand is spelled out. */
export interface ExistenceTest {
  readonly name: string;
  /** `"name"` searches the including file's directory first, `<name>` does not. */
  readonly quoted: boolean;
}

/** Traits of one file's content. */
export interface ContentTraits {
  /** `__DATE__`, `__TIME__` or `__TIMESTAMP__` occurs. */
  readonly usesClock: boolean;
  /** `.incbin` or `.include` occurs as an assembler directive would. */
  readonly embedsByAssembler: boolean;
  /** `#embed` or `__has_embed` occurs. */
  readonly embeds: boolean;
  /** `__has_include` is given something other than a spelled-out name. */
  readonly computesExistenceTest: boolean;
  readonly existenceTests: readonly ExistenceTest[];
}

const NO_TESTS: readonly ExistenceTest[] = [];

/** Shared by nearly all files. */
const PLAIN: ContentTraits = {
  usesClock: false,
  embedsByAssembler: false,
  embeds: false,
  computesExistenceTest: false,
  existenceTests: NO_TESTS,
};

/** One of these occurs wherever a trait is to be found. */
const TOKENS = ['__DATE__', '__TIME__', '__TIMESTAMP__', '.incbin', '.include', 'embed', '__has_include'];

const CLOCK_MACRO = /\b__(?:DATE|TIME|TIMESTAMP)__\b/;
const ASSEMBLER_FILE = /\.(?:incbin|include)\b/;
const EMBED_DIRECTIVE = /#[ \t]*embed\b|\b__has_embed\b/;
const EXISTENCE_TEST =
  /\b__has_include(?:_next)?\b(?:[ \t]|\\\r?\n)*\((?:[ \t]|\\\r?\n)*(?:"([^"\n]+)"|<([^>\n]+)>|([^\s"<]))?/g;

/** Reads the traits off a file's bytes (any encoding that keeps ASCII). */
export function contentTraitsOf(content: Buffer): ContentTraits {
  if (!TOKENS.some((token) => content.includes(token))) return PLAIN;
  // Latin-1 keeps every byte as one character, whatever the encoding is.
  const text = withoutComments(content.toString('latin1'));
  const { tests, computed } = existenceTestsOf(text);
  return {
    usesClock: CLOCK_MACRO.test(text),
    embedsByAssembler: ASSEMBLER_FILE.test(text),
    embeds: EMBED_DIRECTIVE.test(text),
    computesExistenceTest: computed,
    existenceTests: tests,
  };
}

function existenceTestsOf(text: string): { tests: readonly ExistenceTest[]; computed: boolean } {
  const tests: ExistenceTest[] = [];
  let computed = false;
  for (const match of text.matchAll(EXISTENCE_TEST)) {
    const name = match[1] ?? match[2];
    if (name !== undefined) tests.push({ name: name.trim(), quoted: match[1] !== undefined });
    else if (match[3] !== undefined && match[3] !== ')') computed = true;
  }
  return { tests: tests.length === 0 ? NO_TESTS : tests, computed };
}
