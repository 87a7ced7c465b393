/** Finds the row of an argument: exact name first, then the longest name that the argument starts with. */
import type { LocalReasonId } from './local-reasons.ts';
import type { Dialect, OptionEffect, OptionForm, OptionRow } from './option-row.ts';
import { OPTION_TABLE } from './option-table.ts';
import { ASSEMBLER_TABLE, BACKEND_TABLE, FRONTEND_TABLE, PREPROCESSOR_TABLE } from './sub-option-tables.ts';

/** A found row. */
export interface OptionMatch {
  readonly row: OptionRow;
  readonly form: OptionForm;
  /** What follows the name of a `joined` or `list` option; empty otherwise. */
  readonly value: string;
}

/** Two characters tell the families apart, so that an argument meets few candidates. */
const BUCKET_LENGTH = 2;

/** One table made ready for look-ups. */
export class OptionIndex {
  readonly #byName = new Map<string, OptionRow>();
  readonly #whole = new Map<string, OptionMatch>();
  readonly #prefixes = new Map<string, OptionRow[]>();

  constructor(rows: readonly OptionRow[]) {
    for (const row of rows) {
      this.#byName.set(row.name, row);
      const form = row.forms.find((candidate) => candidate === 'flag' || candidate === 'separate');
      if (form !== undefined) this.#whole.set(row.name, { row, form, value: '' });
      if (!row.forms.some((candidate) => candidate === 'joined' || candidate === 'list')) continue;
      const key = row.name.slice(0, BUCKET_LENGTH);
      const bucket = this.#prefixes.get(key);
      if (bucket === undefined) this.#prefixes.set(key, [row]);
      else bucket.push(row);
    }
    for (const bucket of this.#prefixes.values()) bucket.sort((a, b) => b.name.length - a.name.length);
  }

  /** The row that an argument belongs to, or undefined if no row matches. */
  match(argument: string): OptionMatch | undefined {
    const whole = this.#whole.get(argument);
    if (whole !== undefined) return whole;
    const bucket = this.#prefixes.get(argument.slice(0, BUCKET_LENGTH));
    if (bucket === undefined) return undefined;
    for (const row of bucket) {
      if (!argument.startsWith(row.name)) continue;
      const form = row.forms.includes('list') ? 'list' : 'joined';
      return { row, form, value: argument.slice(row.name.length) };
    }
    return undefined;
  }

  /** The row of that name. */
  row(name: string): OptionRow | undefined {
    return this.#byName.get(name);
  }
}

function tableOf(dialect: Dialect): OptionRow[] {
  return OPTION_TABLE.filter((row) => row.dialect === undefined || row.dialect === dialect);
}

/** The option tables of the two dialects. */
export const OPTION_INDEX: Readonly<Record<Dialect, OptionIndex>> = {
  gcc: new OptionIndex(tableOf('gcc')),
  clang: new OptionIndex(tableOf('clang')),
};

/** Options that are handed on to a part of the compiler: their table, and why an unknown one stays local. */
export interface PieceTable {
  readonly index: OptionIndex;
  readonly reason: LocalReasonId;
}

/** The pieces of `-Wp,` and `-Xpreprocessor`. */
export const PREPROCESSOR_INDEX = new OptionIndex(PREPROCESSOR_TABLE);
/** The pieces of `-Wa,` and `-Xassembler`. */
export const ASSEMBLER_INDEX = new OptionIndex(ASSEMBLER_TABLE);

/** The tables of pieces by the effect of the option that hands them on. */
export const PIECE_TABLES: Readonly<Partial<Record<OptionEffect, PieceTable>>> = {
  'preprocessor-list': { index: PREPROCESSOR_INDEX, reason: 'preprocessor-option' },
  'assembler-list': { index: ASSEMBLER_INDEX, reason: 'assembler-option' },
  'frontend-list': { index: new OptionIndex(FRONTEND_TABLE), reason: 'compiler-internals' },
  'backend-list': { index: new OptionIndex(BACKEND_TABLE), reason: 'compiler-internals' },
};
