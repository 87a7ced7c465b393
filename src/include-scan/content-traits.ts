/**
 * What a file's text says about inputs that no list of included headers shows: files embedded by the
 * assembler, existence tests, and text that depends on the clock. A token in a comment counts too; the
 * price of a false alarm is a local compile, the price of a miss would be a wrong object.
 */

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

const ASSEMBLER_FILE = /\.(?:incbin|include)\b/;
const EMBED_DIRECTIVE = /#[ \t]*embed\b|\b__has_embed\b/;
const EXISTENCE_TEST =
  /\b__has_include(?:_next)?\b(?:[ \t]|\\\r?\n)*\((?:[ \t]|\\\r?\n)*(?:"([^"\n]+)"|<([^>\n]+)>|([^\s"<]))?/g;

/** Reads the traits off a file's bytes (any encoding that keeps ASCII). */
export function contentTraitsOf(content: Buffer): ContentTraits {
  const usesClock =
    content.includes('__DATE__') || content.includes('__TIME__') || content.includes('__TIMESTAMP__');
  const mayEmbedByAssembler = content.includes('.incbin') || content.includes('.include');
  const mayEmbed = content.includes('embed');
  const mayTest = content.includes('__has_include');
  if (!usesClock && !mayEmbedByAssembler && !mayEmbed && !mayTest) return PLAIN;
  const text = content.toString('latin1');
  const existenceTests: ExistenceTest[] = [];
  let computesExistenceTest = false;
  if (mayTest) {
    for (const match of text.matchAll(EXISTENCE_TEST)) {
      const name = match[1] ?? match[2];
      if (name !== undefined) existenceTests.push({ name: name.trim(), quoted: match[1] !== undefined });
      else if (match[3] !== undefined && match[3] !== ')') computesExistenceTest = true;
    }
  }
  return {
    usesClock,
    embedsByAssembler: mayEmbedByAssembler && ASSEMBLER_FILE.test(text),
    embeds: mayEmbed && EMBED_DIRECTIVE.test(text),
    computesExistenceTest,
    existenceTests,
  };
}
