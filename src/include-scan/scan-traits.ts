/**
 * What in a file's text makes a compile depend on more than the headers that it includes: one table of bits.
 * Inactive code counts too: a false alarm costs a local compile, a miss would cost a wrong object.
 */
import type { LocalReasonId } from '../compiler/index.ts';
import { withoutComments } from './comments.ts';
import { pastedHalvesIn } from './pasted-questions.ts';

/** The bits of a file's traits. */
export const SCAN_TRAIT = {
  /** `__DATE__` or `__TIME__` occurs. */
  clock: 1,
  /** `__TIMESTAMP__` occurs. */
  timestamp: 2,
  /** `.incbin` or `.include` occurs as an assembler directive would. */
  assemblerFile: 4,
  /** `#embed` or `__has_embed` occurs. */
  embed: 8,
  /** A pragma names a precompiled header. */
  compiledHeader: 16,
  /** A header's name is not UTF-8. */
  unreadableName: 32,
  /** A pragma that names a file may be hidden in a string or a macro. */
  hiddenPragma: 64,
  /** A macro's name is written in a way that its hash does not show. */
  unclearMacros: 128,
  /** Half of a `__has_include` that is pasted together; see pasted-questions.ts. */
  pastedQuestion: 256,
  /** What may be the beginning, or the end, of one: together they are taken for it. */
  pastedStart: 512,
  pastedEnd: 1024,
} as const;

/**
 * Why each trait keeps a unit local. `unclearMacros` is absent: it only hampers computed includes; so are the two that
 * count together only.
 */
export const TRAIT_REASONS: readonly { readonly bit: number; readonly reason: LocalReasonId }[] = [
  { bit: SCAN_TRAIT.clock, reason: 'time-macro' },
  { bit: SCAN_TRAIT.timestamp, reason: 'time-macro' },
  { bit: SCAN_TRAIT.assemblerFile, reason: 'incbin' },
  { bit: SCAN_TRAIT.embed, reason: 'embed' },
  { bit: SCAN_TRAIT.compiledHeader, reason: 'precompiled-header' },
  { bit: SCAN_TRAIT.hiddenPragma, reason: 'computed-has-include' },
  { bit: SCAN_TRAIT.pastedQuestion, reason: 'computed-has-include' },
  { bit: SCAN_TRAIT.unreadableName, reason: 'unsupported-encoding' },
];

/** One of these occurs wherever a trait is to be found. */
const SIGN = /__(?:DATE|TIME)|\.inc(?:bin|lude)|_embed|(?:GCC|clang)\s+(?:dep|pch)/i;

const CLOCK = /\b__(?:DATE|TIME)__\b/;
const TIMESTAMP = /\b__TIMESTAMP__\b/;
const EMBED_TEST = /\b__has_embed\s*\(/;
/** Such a pragma anywhere but in a pragma directive, where it is read exactly. */
const HIDDEN_PRAGMA = /^(?!\s*(?:#|%:)\s*pragma\b).*\b(?:GCC|clang)\s+(?:dependency|pch_preprocess)\b/m;

/**
 * `.incbin` where an assembler would see a directive: not after a name (`options.include`), unless what looks
 * like its end is an escape sequence (`"\n.incbin"`), and not where C goes on as after a member. GNU as takes
 * directives in any case.
 */
const ASSEMBLER_FILE =
  /(?:^|[^\w)\]]|\\[abfnrtv]|\\[0-7]{1,3}|\\x[0-9a-f]+)\.inc(?:bin|lude)\b(?!\s*(?:[;,.)\]]|=|->))/im;

/**
 * The traits that show in the text itself; those of directives are added while these are read.
 * @param text with its lines joined
 */
export function textTraitsOf(text: string): number {
  const pasted = pastedHalvesIn(text, withoutComments);
  let traits = 0;
  if (pasted.sure) traits |= SCAN_TRAIT.pastedQuestion;
  if (pasted.start) traits |= SCAN_TRAIT.pastedStart;
  if (pasted.end) traits |= SCAN_TRAIT.pastedEnd;
  if (!SIGN.test(text)) return traits;
  const code = withoutComments(text);
  if (CLOCK.test(code)) traits |= SCAN_TRAIT.clock;
  if (TIMESTAMP.test(code)) traits |= SCAN_TRAIT.timestamp;
  if (EMBED_TEST.test(code)) traits |= SCAN_TRAIT.embed;
  if (ASSEMBLER_FILE.test(code)) traits |= SCAN_TRAIT.assemblerFile;
  if (HIDDEN_PRAGMA.test(code)) traits |= SCAN_TRAIT.hiddenPragma;
  return traits;
}

/** The traits of files that are read together: two halves make a whole. */
export function withWholes(traits: number): number {
  const both = SCAN_TRAIT.pastedStart | SCAN_TRAIT.pastedEnd;
  return (traits & both) === both ? traits | SCAN_TRAIT.pastedQuestion : traits;
}
