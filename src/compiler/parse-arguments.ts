/** Argv to typed arguments, by the option table alone. Nothing is lost: rendering gives argv back. */
import type { InvocationArg } from './invocation.ts';
import type { LocalReasonId } from './local-reasons.ts';
import type { OptionMatch } from './option-index.ts';
import { OPTION_INDEX, PIECE_TABLES, type PieceTable } from './option-index.ts';
import type { Dialect, OptionEffect, OptionRow } from './option-row.ts';
import { isValueOf } from './value-kinds.ts';

/** Something in the arguments that keeps the call local. */
export interface Finding {
  readonly reason: LocalReasonId;
  /** The argument, or what is wrong with it. */
  readonly detail: string;
}

/** Parsed arguments. With findings the call is local; the arguments are complete all the same. */
export interface ParsedArguments {
  readonly args: readonly InvocationArg[];
  readonly findings: readonly Finding[];
}

const NO_LIST: readonly InvocationArg[] = [];

/** Arguments remembered for each dialect; most of a build's are those of the unit before. */
const MAX_REMEMBERED = 20_000;

const REMEMBERED: Record<Dialect, Map<string, InvocationArg>> = { gcc: new Map(), clang: new Map() };

/** A part of a string keeps the whole of it in memory: here, that of the whole command line. */
function copied(text: string): string {
  return Buffer.from(text).toString();
}

/**
 * Parses argv.
 * @param argv the arguments without argv[0], response files expanded
 */
export function parseArguments(argv: readonly string[], dialect: Dialect): ParsedArguments {
  const parser = new ArgumentParser(dialect);
  for (let at = 0; at < argv.length; ) at += parser.take(argv[at] ?? '', argv[at + 1]);
  return parser.end();
}

class ArgumentParser {
  readonly #dialect: Dialect;
  readonly #remembered: Map<string, InvocationArg>;
  readonly #args: InvocationArg[] = [];
  readonly #findings: Finding[] = [];
  /** By the option that hands pieces on one by one: the piece that waits for its value. */
  readonly #openPieces = new Map<OptionEffect, OptionRow>();

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
    this.#remembered = REMEMBERED[dialect];
  }

  /** Takes one argument. @returns how many were used: 2 if the next one is its value */
  take(given: string, next: string | undefined): number {
    const known = this.#remembered.get(given);
    if (known !== undefined) {
      this.#args.push(known);
      return 1;
    }
    const argument = copied(given);
    if (argument.startsWith('@')) this.#find('response-file-unreadable', argument);
    if (argument === '-' || !argument.startsWith('-')) {
      this.#source(argument);
      return 1;
    }
    const match = OPTION_INDEX[this.#dialect].match(argument);
    if (match === undefined) {
      this.#find('unknown-option', argument);
      this.#args.push({ name: argument, form: 'flag', value: '', list: NO_LIST });
      return 1;
    }
    if (match.form === 'separate') return this.#separate(match, argument, next);
    const findingsBefore = this.#findings.length;
    if (match.form === 'list') this.#list(match, argument);
    else this.#option(match, match.value, argument);
    this.#remember(argument, findingsBefore);
    return 1;
  }

  end(): ParsedArguments {
    for (const [effect, row] of this.#openPieces) {
      this.#find(PIECE_TABLES[effect]?.reason ?? 'unknown-option', `${row.name} lacks its value`);
    }
    return { args: this.#args, findings: this.#findings };
  }

  #find(reason: LocalReasonId, detail: string): void {
    this.#findings.push({ reason, detail });
  }

  #source(path: string): void {
    if (path !== '-' && !isValueOf('path', path))
      this.#find('unknown-option', `unusual file name ${JSON.stringify(path)}`);
    this.#args.push({ name: '', form: 'source', value: path, list: NO_LIST });
  }

  #separate(match: OptionMatch, argument: string, next: string | undefined): number {
    if (next === undefined) {
      this.#find('contradicting-options', `${argument} lacks its value`);
      this.#args.push({ name: match.row.name, form: 'flag', value: '', list: NO_LIST });
      return 1;
    }
    const text = `${argument}\0${next}`;
    const known = this.#remembered.get(text);
    if (known !== undefined) {
      this.#args.push(known);
      return 2;
    }
    const findingsBefore = this.#findings.length;
    const value = copied(next);
    if (value.startsWith('@')) this.#find('response-file-unreadable', value);
    const table = PIECE_TABLES[match.row.effect];
    if (table === undefined) {
      this.#option(match, value, argument);
      this.#remember(text, findingsBefore);
    } else this.#piece(match, value, table);
    return 2;
  }

  /**
   * Keeps the last argument if it has no findings: from now on its text gives the same object. Nobody may change it.
   * @param text the argument; with a NUL between, two that belong together
   */
  #remember(text: string, findingsBefore: number): void {
    const arg = this.#args.at(-1);
    if (arg === undefined || this.#findings.length > findingsBefore) return;
    if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear();
    this.#remembered.set(text, arg);
  }

  #option(match: OptionMatch, value: string, argument: string): void {
    this.#check(match, value, argument);
    this.#args.push({ name: match.row.name, form: match.form, value, list: NO_LIST });
  }

  #check({ row, form }: OptionMatch, value: string, argument: string): void {
    if (row.effect === 'local' || row.effect === 'refuse') {
      this.#find(row.reason ?? 'unknown-option', argument);
    } else if (form !== 'flag' && !isValueOf(row.value, value)) {
      const detail = form === 'separate' ? `${argument} ${value}` : argument;
      const toStream = value === '-' && (row.effect === 'output' || row.effect === 'depfile-path');
      this.#find(toStream ? 'output-not-regular' : (row.reason ?? 'unknown-option'), detail);
    }
  }

  /** `-Wa,a,b`: its pieces are parsed like a command line of their own, without sources. */
  #list(match: OptionMatch, argument: string): void {
    const { row, value } = match;
    const table = PIECE_TABLES[row.effect];
    if (table === undefined && (row.effect !== 'link-only' || !isValueOf('text', value)))
      this.#find(row.reason ?? 'unknown-option', argument);
    const list =
      table === undefined
        ? value.split(',').map((name) => ({ name, form: 'flag' as const, value: '', list: NO_LIST }))
        : this.#pieces(value.split(','), table);
    this.#args.push({ name: row.name, form: 'list', value: '', list });
  }

  #pieces(pieces: readonly string[], table: PieceTable): InvocationArg[] {
    const list: InvocationArg[] = [];
    for (let at = 0; at < pieces.length; at++) {
      const piece = pieces[at] ?? '';
      const match = this.#matchPiece(piece, table);
      const isSeparate = match?.form === 'separate';
      const value = isSeparate ? pieces[++at] : (match?.value ?? '');
      if (match === undefined || value === undefined) {
        if (match !== undefined) this.#find(table.reason, `${piece} lacks its value`);
        list.push({ name: piece, form: 'flag', value: '', list: NO_LIST });
        continue;
      }
      this.#checkPiece(match.row, value, table);
      list.push({ name: match.row.name, form: match.form, value, list: NO_LIST });
    }
    return list;
  }

  /** `-Xassembler a`: one piece, or the value of the piece before it. */
  #piece({ row }: OptionMatch, piece: string, table: PieceTable): void {
    this.#args.push({ name: row.name, form: 'separate', value: piece, list: NO_LIST });
    const open = this.#openPieces.get(row.effect);
    if (open !== undefined) {
      this.#openPieces.delete(row.effect);
      this.#checkPiece(open, piece, table);
      return;
    }
    const match = this.#matchPiece(piece, table);
    if (match === undefined) return;
    if (match.form === 'separate') this.#openPieces.set(row.effect, match.row);
    else this.#checkPiece(match.row, match.value, table);
    // Such a piece has a say in what the call writes or reads, which is derived from lists only.
    if (match.row.effect !== 'both') this.#find(match.row.reason ?? table.reason, `${row.name} ${piece}`);
  }

  #matchPiece(piece: string, table: PieceTable): OptionMatch | undefined {
    const match = table.index.match(piece);
    if (match === undefined) this.#find(table.reason, piece === '' ? 'empty piece of a list' : piece);
    return match;
  }

  #checkPiece(row: OptionRow, value: string, table: PieceTable): void {
    if (row.effect === 'refuse') this.#find(row.reason ?? table.reason, `${row.name}${value}`);
    else if (!isValueOf(row.value, value)) this.#find(table.reason, `${row.name} ${value}`);
  }
}
