/** Argv to typed arguments, by the option table alone. Nothing is lost: rendering gives argv back. */
import type { InvocationArg } from './invocation.ts';
import type { LocalReasonId } from './local-reasons.ts';
import type { OptionIndex, OptionMatch } from './option-index.ts';
import { ASSEMBLER_INDEX, OPTION_INDEX, PREPROCESSOR_INDEX } from './option-index.ts';
import type { Dialect } from './option-row.ts';
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

function sourceArg(path: string, findings: Finding[]): InvocationArg {
  if (path !== '-' && !isValueOf('path', path)) {
    findings.push({ reason: 'unknown-option', detail: `unusual file name ${JSON.stringify(path)}` });
  }
  return { name: '', form: 'source', value: path, list: NO_LIST };
}

/** Splits one list. Its pieces are parsed like a command line of their own, without sources. */
function parseList(value: string, index: OptionIndex, reason: LocalReasonId, findings: Finding[]) {
  const pieces = value.split(',');
  const list: InvocationArg[] = [];
  for (let i = 0; i < pieces.length; i++) {
    const piece = pieces[i] ?? '';
    const match = index.match(piece);
    if (match === undefined) {
      findings.push({ reason, detail: piece === '' ? 'empty piece of a list' : piece });
      list.push({ name: piece, form: 'flag', value: '', list: NO_LIST });
      continue;
    }
    const { row, form } = match;
    const value = form === 'separate' ? pieces[++i] : match.value;
    if (value === undefined) findings.push({ reason, detail: `${piece} lacks its value` });
    else if (!isValueOf(row.value, value)) findings.push({ reason, detail: `${row.name} ${value}` });
    const written = value === undefined ? 'flag' : form;
    list.push({ name: row.name, form: written, value: value ?? '', list: NO_LIST });
  }
  return list;
}

function listOf(match: OptionMatch, argument: string, findings: Finding[]): readonly InvocationArg[] {
  switch (match.row.effect) {
    case 'preprocessor-list':
      return parseList(match.value, PREPROCESSOR_INDEX, 'preprocessor-option', findings);
    case 'assembler-list':
      return parseList(match.value, ASSEMBLER_INDEX, 'assembler-option', findings);
    default:
      findings.push({ reason: match.row.reason ?? 'unknown-option', detail: argument });
      return match.value.split(',').map((name) => ({ name, form: 'flag', value: '', list: NO_LIST }));
  }
}

function checkRow(match: OptionMatch, value: string, argument: string, findings: Finding[]): void {
  const { row } = match;
  if (row.effect === 'local' || row.effect === 'refuse') {
    findings.push({ reason: row.reason ?? 'unknown-option', detail: argument });
  } else if (match.form !== 'flag' && !isValueOf(row.value, value)) {
    const detail = match.form === 'separate' ? `${argument} ${value}` : argument;
    const toStream = value === '-' && (row.effect === 'output' || row.effect === 'depfile-path');
    findings.push({ reason: toStream ? 'output-not-regular' : 'unknown-option', detail });
  }
}

/** Arguments remembered for each dialect; most of a build's are those of the unit before. */
const MAX_REMEMBERED = 20_000;

const REMEMBERED: Record<Dialect, Map<string, InvocationArg>> = { gcc: new Map(), clang: new Map() };

/**
 * Keeps an argument that has no findings: from now on its text gives the same object. Nobody may change it.
 * @param text the argument; with a NUL between, two that belong together
 */
function remember(dialect: Dialect, text: string, arg: InvocationArg): InvocationArg {
  const known = REMEMBERED[dialect];
  if (known.size >= MAX_REMEMBERED) known.clear();
  known.set(text, arg);
  return arg;
}

/** A part of a string keeps the whole of it in memory: here, that of the whole command line. */
function copied(text: string): string {
  return Buffer.from(text).toString();
}

/**
 * Parses argv.
 * @param argv the arguments without argv[0], response files expanded
 */
export function parseArguments(argv: readonly string[], dialect: Dialect): ParsedArguments {
  const index = OPTION_INDEX[dialect];
  const args: InvocationArg[] = [];
  const findings: Finding[] = [];
  for (let i = 0; i < argv.length; i++) {
    const known = REMEMBERED[dialect].get(argv[i] ?? '');
    if (known !== undefined) {
      args.push(known);
      continue;
    }
    const argument = copied(argv[i] ?? '');
    if (argument.startsWith('@')) findings.push({ reason: 'response-file-unreadable', detail: argument });
    if (argument === '-' || !argument.startsWith('-')) {
      args.push(sourceArg(argument, findings));
      continue;
    }
    const match = index.match(argument);
    const findingsBefore = findings.length;
    if (match === undefined) {
      findings.push({ reason: 'unknown-option', detail: argument });
      args.push({ name: argument, form: 'flag', value: '', list: NO_LIST });
      continue;
    }
    if (match.form === 'list') {
      const list = listOf(match, argument, findings);
      const arg: InvocationArg = { name: match.row.name, form: 'list', value: '', list };
      args.push(findings.length === findingsBefore ? remember(dialect, argument, arg) : arg);
      continue;
    }
    let { value } = match;
    let form: InvocationArg['form'] = match.form;
    let text = argument;
    if (form === 'separate') {
      const next = argv[i + 1];
      if (next === undefined) {
        findings.push({ reason: 'contradicting-options', detail: `${argument} lacks its value` });
        form = 'flag';
      } else {
        if (next.startsWith('@')) findings.push({ reason: 'response-file-unreadable', detail: next });
        value = copied(next);
        i++;
        text = `${argument}\0${value}`;
        const pair = REMEMBERED[dialect].get(text);
        if (pair !== undefined) {
          args.push(pair);
          continue;
        }
      }
    }
    checkRow(match, value, argument, findings);
    const arg: InvocationArg = { name: match.row.name, form, value, list: NO_LIST };
    args.push(findings.length === findingsBefore ? remember(dialect, text, arg) : arg);
  }
  return { args, findings };
}
