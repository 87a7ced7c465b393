/**
 * What one file's text asks the preprocessor for. No condition is evaluated: every directive counts. A directive
 * too many costs a look-up; one too few would cost a wrong object.
 */
import { withoutComments } from './comments.ts';
import { visitDirectives } from './directives.ts';
import type { EmbeddedFile } from './embedded-files.ts';
import { type ExistenceQuestion, existenceQuestionsIn } from './has-include.ts';
import { internName } from './interned-names.ts';
import {
  hasTrigraphs,
  isWordPart,
  joinLines,
  replaceTrigraphs,
  restOfDirective,
  skipBlanks,
} from './logical-lines.ts';
import { nameHash } from './name-hash.ts';
import { SCAN_TRAIT, textTraitsOf } from './scan-traits.ts';

/** What was found in one file. Lists are in order of occurrence and without duplicates; empty ones are shared. */
export interface FileScan {
  /** Names in `#include "…"` and `#import "…"`. */
  readonly quoted: readonly string[];
  /** Names in `#include <…>` and `#import <…>`. */
  readonly angled: readonly string[];
  /** Names in `#include_next`, both forms. */
  readonly next: readonly string[];
  /** Operands of includes that only macro expansion turns into a name, comments removed. */
  readonly computed: readonly string[];
  /** Files whose existence or age is asked for: `__has_include`, `#pragma GCC dependency`. */
  readonly questions: readonly ExistenceQuestion[];
  /** Operands of such questions that only macro expansion turns into a name; empty: not even that is visible. */
  readonly computedQuestions: readonly string[];
  /** Files that assembler text in it names. */
  readonly embedded: readonly EmbeddedFile[];
  /** {@link nameHash} of every macro that the file defines: a look-up passes by files without it. */
  readonly definedNames: Uint32Array;
  /** Bits of {@link SCAN_TRAIT}. */
  readonly traits: number;
}

const NONE: readonly never[] = [];
const NO_NAMES = new Uint32Array(0);

/** A larger file with a NUL in this much of it is no text: looking for directives in it would take too long. */
const MAX_BINARY_BYTES = 256 * 1024;

/** Gathers the findings of one file. */
class Findings {
  readonly quoted = new Set<string>();
  readonly angled = new Set<string>();
  readonly next = new Set<string>();
  readonly computed = new Set<string>();
  readonly questions = new Map<string, ExistenceQuestion>();
  readonly computedQuestions = new Set<string>();
  readonly embedded = new Map<string, EmbeddedFile>();
  readonly definedNames = new Set<number>();
  traits = 0;

  /** The name as the file system spells it; empty (and noted) if it cannot be spelled. */
  name(text: string): string {
    const name = internName(text);
    if (name === undefined) this.traits |= SCAN_TRAIT.unreadableName;
    return name ?? '';
  }

  question({ name, lookup }: ExistenceQuestion): void {
    this.questions.set(`${lookup} ${name}`, { name: this.name(name), lookup });
  }

  embed({ name, role }: EmbeddedFile): void {
    this.embedded.set(`${role} ${name}`, { name: this.name(name), role });
  }

  toScan(): FileScan {
    return {
      quoted: listOf(this.quoted),
      angled: listOf(this.angled),
      next: listOf(this.next),
      computed: listOf(this.computed),
      questions: this.questions.size === 0 ? NONE : [...this.questions.values()],
      computedQuestions: listOf(this.computedQuestions),
      embedded: this.embedded.size === 0 ? NONE : [...this.embedded.values()],
      definedNames: this.definedNames.size === 0 ? NO_NAMES : Uint32Array.from(this.definedNames),
      traits: this.traits,
    };
  }
}

function listOf(set: ReadonlySet<string>): readonly string[] {
  return set.size === 0 ? NONE : [...set];
}

/**
 * Scans one file.
 * @param content its bytes, in any encoding that keeps ASCII
 */
export function scanDirectives(content: Buffer): FileScan {
  const findings = new Findings();
  if (content.length > MAX_BINARY_BYTES && content.subarray(0, MAX_BINARY_BYTES).includes(0)) {
    findings.traits |= SCAN_TRAIT.unscanned;
    return findings.toScan();
  }
  // Latin-1 keeps every byte as one character, whatever the encoding is.
  const text = content.toString('latin1');
  scanText(text, findings);
  if (hasTrigraphs(text)) scanText(replaceTrigraphs(text), findings);
  return findings.toScan();
}

function scanText(raw: string, findings: Findings): void {
  const text = joinLines(raw);
  let seemsComputed = false;
  visitDirectives(text, (name, end) => {
    switch (name) {
      case 'include':
      case 'import':
      // Clang's: reads the file for its macros only.
      case '__include_macros':
        if (!scanName(text, end, findings.quoted, findings.angled, findings)) seemsComputed = true;
        break;
      case 'include_next':
        if (!scanName(text, end, findings.next, findings.next, findings)) seemsComputed = true;
        break;
      case 'define':
        scanDefine(text, skipBlanks(text, end), findings);
        break;
      case 'pragma':
        scanPragma(restOfDirective(text, end), findings);
        break;
      case 'embed':
        findings.traits |= SCAN_TRAIT.embed;
        break;
    }
  });
  if (seemsComputed) scanComputed(text, findings);
  const { bits, embedded } = textTraitsOf(text);
  findings.traits |= bits;
  for (const file of embedded) findings.embed(file);
  const { named, computed } = existenceQuestionsIn(text);
  for (const question of named) findings.question(question);
  for (const operand of computed) findings.computedQuestions.add(findings.name(operand));
}

/**
 * Reads the header name of an include. It ends at its closing sign, and backslashes in it mean themselves.
 * @returns false if the name is not spelled out
 */
function scanName(
  text: string,
  from: number,
  quoted: Set<string>,
  angled: Set<string>,
  findings: Findings,
): boolean {
  const at = skipBlanks(text, from);
  const code = text.charCodeAt(at);
  if (code !== 34 && code !== 60) return false;
  const lineEnd = text.indexOf('\n', at);
  const rest = text.slice(at + 1, lineEnd < 0 ? text.length : lineEnd);
  const length = rest.indexOf(code === 34 ? '"' : '>');
  if (length < 0) return false;
  const known = findings.name(rest.slice(0, length));
  if (known !== '') (code === 34 ? quoted : angled).add(known);
  return true;
}

/**
 * Includes of something other than a spelled-out name, which costs so much to resolve that prose like
 * "#include the right header" in a comment must not count. What starts like no macro is an error when reached.
 */
function scanComputed(text: string, findings: Findings): void {
  const code = withoutComments(text);
  visitDirectives(code, (name, end) => {
    if (name !== 'include' && name !== 'include_next' && name !== 'import' && name !== '__include_macros')
      return;
    const operand = restOfDirective(code, end);
    if (isWordPart(operand.charCodeAt(0)) || operand.startsWith('\\'))
      findings.computed.add(findings.name(operand));
  });
}

function scanDefine(text: string, at: number, findings: Findings): void {
  let end = at;
  while (isWordPart(text.charCodeAt(end))) end++;
  // A universal character name (\u00e9) may stand in an identifier, and means the same as the character.
  if (text.charCodeAt(end) === 92) findings.traits |= SCAN_TRAIT.unclearMacros;
  if (end > at) findings.definedNames.add(nameHash(text, at, end));
}

const DEPENDENCY = /^(?:GCC|clang)\s+dependency\s*(?:"([^"]+)"|<([^>]+)>|(.*))/;
const COMPILED_HEADER = /^GCC\s+pch_preprocess\b/;

function scanPragma(rest: string, findings: Findings): void {
  if (COMPILED_HEADER.test(rest)) findings.traits |= SCAN_TRAIT.compiledHeader;
  const match = DEPENDENCY.exec(rest);
  if (match === null) return;
  const [, quoted, angled, computed] = match;
  if (quoted !== undefined) findings.question({ name: quoted, lookup: 'quoted' });
  else if (angled !== undefined) findings.question({ name: angled, lookup: 'angled' });
  else if (computed !== undefined) findings.computedQuestions.add(findings.name(computed));
}
