/** Documentation pages made from the tables. Pure: tables in, Markdown out. */
import { ENVIRONMENT_TABLE } from './environment-table.ts';
import type { LocalReasonKind } from './local-reasons.ts';
import { LOCAL_REASONS } from './local-reasons.ts';
import type { OptionForm, OptionRow } from './option-row.ts';
import { OPTION_TABLE } from './option-table.ts';
import { ASSEMBLER_TABLE, BACKEND_TABLE, FRONTEND_TABLE, PREPROCESSOR_TABLE } from './sub-option-tables.ts';
import { VALUE_KINDS } from './value-kinds.ts';

const GENERATED = '<!-- Generated from src/compiler by write-docs.ts; do not edit. -->';

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

const KIND_TEXTS: Readonly<Record<LocalReasonKind, string>> = {
  'by-design': 'Such calls are never distributed',
  probe: 'Probes and questions, answered at once',
  environment: 'Something on this machine asks for it',
  mesh: 'No worker could take the job',
  fault: 'Something went wrong',
};

/** docs/local-reasons.md. */
export function renderLocalReasons(): string {
  const parts = [
    GENERATED,
    '# Why a job ran locally',
    'Every compile that is not distributed has one of these reasons. `MESHCC_EXPLAIN=1` prints it.',
  ];
  for (const [kind, title] of Object.entries(KIND_TEXTS)) {
    const rows = Object.entries(LOCAL_REASONS)
      .filter(([, reason]) => reason.kind === kind)
      .map(([id, reason]) => [`\`${id}\``, reason.text, reason.advice ?? '']);
    parts.push(`## ${title}`, table(['reason', 'meaning', 'what to do'], rows));
  }
  return `${parts.join('\n\n')}\n`;
}

const FORM_TAILS: Readonly<Record<OptionForm, string>> = {
  flag: '',
  joined: '…',
  separate: ' …',
  list: '…,…',
};

function spelling(row: OptionRow): string {
  return row.forms.map((form) => `\`${row.name}${FORM_TAILS[form]}\``).join(', ');
}

function effectText(row: OptionRow): string {
  const isLocal = row.effect === 'local' || row.effect === 'refuse';
  if (isLocal && row.reason !== undefined) return `${row.effect}: \`${row.reason}\``;
  if (row.output !== undefined) return `${row.effect}: ${row.output}`;
  return row.effect;
}

function valueText(row: OptionRow): string {
  return row.effect === 'local' || row.effect === 'refuse' || row.value === 'none' ? '' : row.value;
}

function optionTable(rows: readonly OptionRow[]): string {
  return table(
    ['option', 'value', 'effect', 'notes'],
    rows.map((row) => {
      const notes = [
        ...(row.dialect === undefined ? [] : [`${row.dialect} only`]),
        ...(row.needsSeed ? ['another object each time without `-frandom-seed=`'] : []),
        ...(row.varies ? ['another result each time'] : []),
      ];
      return [spelling(row), valueText(row), effectText(row), notes.join('; ')];
    }),
  );
}

/** docs/compiler-options.md. */
export function renderCompilerOptions(): string {
  const kinds = Object.entries(VALUE_KINDS).map(([kind, row]) => [kind, row.text]);
  return `${[
    GENERATED,
    '# Compiler options',
    'What each option of GCC and Clang means for distribution. The longest matching name counts. An option that no row matches, or whose value does not fit, keeps the job local (`unknown-option`). `both` options travel with the job; `link-only` options are left out of the line that a worker runs, and `native` ones are spelled out for it. `refuse` options would be turned down by a worker even if a submitter sent them.',
    optionTable(OPTION_TABLE),
    '## Inside `-Wp,` and behind `-Xpreprocessor`',
    optionTable(PREPROCESSOR_TABLE),
    '## Inside `-Wa,` and behind `-Xassembler`',
    optionTable(ASSEMBLER_TABLE),
    '## Behind `-Xclang`',
    optionTable(FRONTEND_TABLE),
    '## Behind `-mllvm`',
    optionTable(BACKEND_TABLE),
    '## Values',
    table(['value', 'what fits'], kinds),
  ].join('\n\n')}\n`;
}

/** docs/environment.md. */
export function renderEnvironment(): string {
  const texts = {
    forward: 'travels with the job',
    'local-if-set': 'keeps the job local',
    shim: 'read by meshcc',
    ignored: 'not sent',
  } as const;
  const rows = ENVIRONMENT_TABLE.map((row) => {
    const effect = row.emptyIsUnset ? `${texts[row.effect]} unless empty` : texts[row.effect];
    return [`\`${row.name}\``, effect, row.note];
  });
  return `${[
    GENERATED,
    '# Environment variables',
    'What happens to the variables that a compiler looks at. A worker builds its environment from the ones that travel and nothing else. A value outside the expected pattern keeps the job local.',
    table(['variable', 'what happens', 'what it does'], rows),
  ].join('\n\n')}\n`;
}
