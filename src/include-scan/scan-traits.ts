/**
 * What in a file's text makes a compile depend on more than the headers that it includes: one table of bits.
 * Inactive code counts too: a false alarm costs a local compile, a miss would cost a wrong object.
 */
import type { LocalReasonId } from '../compiler/index.ts';
import { withoutComments } from './comments.ts';
import { type EmbeddedFile, embeddedFilesIn } from './embedded-files.ts';
import { pastedHalvesIn } from './pasted-questions.ts';

/** The bits of a file's traits. */
export const SCAN_TRAIT = {
  /** `__DATE__` occurs. */
  date: 1,
  /** `__TIMESTAMP__` occurs. */
  timestamp: 2,
  /** `.incbin` or `.include` of a spelled-out name occurs as an assembler directive would. */
  embedding: 4,
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
  /** `.incbin` or `.include` of a name that is not spelled out occurs. */
  computedEmbedding: 2048,
  /** Pieces occur that could make up such a directive. */
  piecedEmbedding: 4096,
  /** `__TIME__` occurs. */
  time: 8192,
  /** The file is large and binary, and was not looked into: it may be embedded, but not included. */
  unscanned: 16384,
} as const;

/**
 * Why each trait keeps a unit local. Absent are those that do not: `unclearMacros` only hampers computed includes, two
 * count together only, and what an `embedding` names is an input. GCC's assembler tells what it read, so that a
 * directive from pieces comes to light; Clang's does not.
 */
export const TRAIT_REASONS: readonly {
  readonly bit: number;
  readonly reason: LocalReasonId;
  readonly isForClang?: boolean;
}[] = [
  { bit: SCAN_TRAIT.date, reason: 'time-macro' },
  { bit: SCAN_TRAIT.time, reason: 'time-macro' },
  { bit: SCAN_TRAIT.timestamp, reason: 'time-macro' },
  { bit: SCAN_TRAIT.computedEmbedding, reason: 'incbin' },
  { bit: SCAN_TRAIT.piecedEmbedding, reason: 'incbin', isForClang: true },
  { bit: SCAN_TRAIT.unscanned, reason: 'unsupported-encoding' },
  { bit: SCAN_TRAIT.embed, reason: 'embed' },
  { bit: SCAN_TRAIT.compiledHeader, reason: 'precompiled-header' },
  { bit: SCAN_TRAIT.hiddenPragma, reason: 'computed-has-include' },
  { bit: SCAN_TRAIT.pastedQuestion, reason: 'computed-has-include' },
  { bit: SCAN_TRAIT.unreadableName, reason: 'unsupported-encoding' },
];

/** Traits that a command line settles by defining the macro itself. */
export const DEFINED_TRAITS: Readonly<Record<string, number>> = {
  __DATE__: SCAN_TRAIT.date,
  __TIME__: SCAN_TRAIT.time,
  __TIMESTAMP__: SCAN_TRAIT.timestamp,
};

/** One of these occurs wherever a trait is to be found. */
const SIGN =
  /__(?:DATE|TIME)|\.(?:inc(?:bin|l)|file\s|in?c?(?:b|bi|l|lu|lud)?"|"\s*"inc)|(?:056|x2e)inc|incbin|_embed|(?:GCC|clang)\s+(?:dep|pch)/i;

const DATE = /\b__DATE__\b/;
const TIME = /\b__TIME__\b/;
const TIMESTAMP = /\b__TIMESTAMP__\b/;
const EMBED_TEST = /\b__has_embed\s*\(/;
/** Such a pragma anywhere but in a pragma directive, where it is read exactly. */
const HIDDEN_PRAGMA = /^(?!\s*(?:#|%:)\s*pragma\b).*\b(?:GCC|clang)\s+(?:dependency|pch_preprocess)\b/m;

/** What shows in a text itself. */
export interface TextTraits {
  readonly bits: number;
  readonly embedded: readonly EmbeddedFile[];
}

const NO_TRAITS: TextTraits = { bits: 0, embedded: [] };

/**
 * The traits that show in the text itself; those of directives are added while these are read.
 * @param text with its lines joined
 */
export function textTraitsOf(text: string): TextTraits {
  const pasted = pastedHalvesIn(text, withoutComments);
  let bits = 0;
  if (pasted.sure) bits |= SCAN_TRAIT.pastedQuestion;
  if (pasted.start) bits |= SCAN_TRAIT.pastedStart;
  if (pasted.end) bits |= SCAN_TRAIT.pastedEnd;
  if (!SIGN.test(text)) return bits === 0 ? NO_TRAITS : { bits, embedded: NO_TRAITS.embedded };
  const code = withoutComments(text);
  if (DATE.test(code)) bits |= SCAN_TRAIT.date;
  if (TIME.test(code)) bits |= SCAN_TRAIT.time;
  if (TIMESTAMP.test(code)) bits |= SCAN_TRAIT.timestamp;
  if (EMBED_TEST.test(code)) bits |= SCAN_TRAIT.embed;
  if (HIDDEN_PRAGMA.test(code)) bits |= SCAN_TRAIT.hiddenPragma;
  const { files, isComputed, isPieced } = embeddedFilesIn(code);
  if (files.length > 0) bits |= SCAN_TRAIT.embedding;
  if (isComputed) bits |= SCAN_TRAIT.computedEmbedding;
  if (isPieced) bits |= SCAN_TRAIT.piecedEmbedding;
  return { bits, embedded: files };
}

/** The traits of files that are read together: two halves make a whole. */
export function withWholes(traits: number): number {
  const both = SCAN_TRAIT.pastedStart | SCAN_TRAIT.pastedEnd;
  return (traits & both) === both ? traits | SCAN_TRAIT.pastedQuestion : traits;
}
