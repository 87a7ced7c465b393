/**
 * Which of the known files define a macro, and how: only for the few macros that computed includes ask for.
 * Everything else about macros stays a four-byte hash per definition.
 */
import { readFileSync } from 'node:fs';
import { LRUCache } from 'lru-cache';
import { digestOf } from '../base/digest.ts';
import { FRESHNESS_LIMITS } from './freshness-limits.ts';
import { type MacroDefinition, macroDefinitionsIn } from './macro-definitions.ts';
import { nameHash } from './name-hash.ts';
import { SCAN_TRAIT } from './scan-traits.ts';
import type { SourceFile } from './source-view-port.ts';

/** A definition with a number; equal definitions have the same one, in whatever file they stand. */
export interface NumberedDefinition extends MacroDefinition {
  readonly id: number;
}

/** Files that define a macro. */
interface KnownMacro {
  readonly name: string;
  /** By number of the file's node; undefined if the definitions could not be read off. */
  readonly sites: Map<number, readonly NumberedDefinition[] | undefined>;
}

/** Texts kept while several macros of one file are asked for. */
const MAX_TEXTS = 16;

/** Bits that tell whether any file defines a name of some hash; wrong for a few per cent of the names, never in silence. */
const FILTER_BITS = 1 << 20;

/** Names that may be asked for; an expansion that wants more is left to the compiler. */
const MAX_NAMES = 20_000;

export class MacroIndex {
  /** How many names had to be looked for in all files so far: the costly part of the work here. */
  searches = 0;
  readonly #filter = new Uint8Array(FILTER_BITS / 8);
  readonly #files: (SourceFile | undefined)[] = [];
  readonly #macros = new Map<string, KnownMacro>();
  readonly #byHash = new Map<number, KnownMacro[]>();
  readonly #definitions = new Map<string, NumberedDefinition>();
  readonly #texts = new LRUCache<string, string>({ max: MAX_TEXTS });

  /**
   * Takes note of a file's content, at first sight and after each change.
   * @param node number of the file in the graph
   */
  note(node: number, file: SourceFile): void {
    const previous = this.#files[node];
    this.#files[node] = file;
    if (previous?.digest === file.digest) return;
    for (const hash of file.scan.definedNames) {
      const bit = hash % FILTER_BITS;
      this.#filter[bit >> 3] = (this.#filter[bit >> 3] ?? 0) | (1 << (bit & 7));
    }
    if (previous !== undefined) for (const macro of this.#asked(previous)) macro.sites.delete(node);
    for (const macro of this.#asked(file)) macro.sites.set(node, this.#read(file, macro.name));
  }

  /**
   * Definitions of a macro in some files.
   * @param isIn whether a node's file is among them
   * @returns without duplicates; undefined if a file may define the macro in a way that cannot be told
   */
  definitions(name: string, isIn: (node: number) => boolean): NumberedDefinition[] | undefined {
    const macro = this.#macros.get(name) ?? this.#ask(name);
    if (macro === undefined) return undefined;
    const found = new Set<NumberedDefinition>();
    for (const [node, definitions] of macro.sites) {
      if (!isIn(node)) continue;
      if (definitions === undefined) return undefined;
      for (const definition of definitions) found.add(definition);
    }
    return [...found];
  }

  /** A definition that stands in no file, with its number. */
  numbered(definition: MacroDefinition): NumberedDefinition {
    const { name, parameters, isVariadic, body } = definition;
    const key = JSON.stringify([name, parameters, isVariadic, body]);
    const known = this.#definitions.get(key);
    if (known !== undefined) return known;
    const numbered = { ...definition, id: this.#definitions.size };
    this.#definitions.set(key, numbered);
    return numbered;
  }

  #asked(file: SourceFile): KnownMacro[] {
    const asked: KnownMacro[] = [];
    if (this.#byHash.size === 0) return asked;
    for (const hash of file.scan.definedNames) {
      const macros = this.#byHash.get(hash);
      if (macros !== undefined) asked.push(...macros);
    }
    return asked;
  }

  #ask(name: string): KnownMacro | undefined {
    if (this.#macros.size >= MAX_NAMES) return undefined;
    const macro: KnownMacro = { name, sites: new Map() };
    const hash = nameHash(Buffer.from(name, 'utf8').toString('latin1'));
    this.#macros.set(name, macro);
    const sameHash = this.#byHash.get(hash);
    if (sameHash === undefined) this.#byHash.set(hash, [macro]);
    else sameHash.push(macro);
    const bit = hash % FILTER_BITS;
    if (((this.#filter[bit >> 3] ?? 0) & (1 << (bit & 7))) === 0) return macro;
    this.searches++;
    for (const [node, file] of this.#files.entries()) {
      if (file?.scan.definedNames.includes(hash)) macro.sites.set(node, this.#read(file, name));
    }
    return macro;
  }

  #read(file: SourceFile, name: string): readonly NumberedDefinition[] | undefined {
    if ((file.scan.traits & SCAN_TRAIT.unclearMacros) !== 0) return undefined;
    // Looking through it once more would hold the event loop: the compiler may tell.
    if (file.sizeBytes > FRESHNESS_LIMITS.largeFileBytes) return undefined;
    const text = this.#texts.get(file.digest) ?? this.#load(file);
    return text === undefined
      ? undefined
      : macroDefinitionsIn(text, (defined) => defined === name).map((found) => this.numbered(found));
  }

  /** The text, if it is still the one that was scanned. */
  #load(file: SourceFile): string | undefined {
    let content: Buffer;
    try {
      content = readFileSync(file.path);
    } catch {
      return undefined; // gone since the last refresh: the next one will tell
    }
    if (digestOf(content) !== file.digest) return undefined;
    const text = content.toString('utf8');
    this.#texts.set(file.digest, text);
    return text;
  }
}
