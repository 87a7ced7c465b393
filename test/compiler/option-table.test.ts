/** The option table: its own order, what each row leads to, and that GCC reads options as it does. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import type { Dialect, OptionRow } from '../../src/compiler/index.ts';
import { classify, isLocalReasonId, OPTION_TABLE } from '../../src/compiler/index.ts';
import { OPTION_INDEX } from '../../src/compiler/option-index.ts';
import type { ValueKind } from '../../src/compiler/value-kinds.ts';
import { isValueOf, VALUE_KINDS } from '../../src/compiler/value-kinds.ts';

/** A value inside each pattern, and one outside. */
const SAMPLES: Readonly<Record<ValueKind, readonly [string, string]>> = {
  none: ['', 'x'],
  number: ['8', '8x'],
  depth: ['900', '10000'],
  word: ['armv8-a+crc', 'a/b'],
  option: ['visibility=hidden', '../x'],
  warning: ['error=date-time', 'x/y'],
  parameter: ['max-inline-insns=10', 'x=/y'],
  level: ['2', '2x'],
  standard: ['gnu++20', 'a/b'],
  language: ['c', 'C/D'],
  charset: ['UTF-8', 'IBM1047'],
  diagnostics: ['json', 'json-file'],
  'split-kind': ['split', 'x'],
  sections: ['labels', 'list=x'],
  macro: ['KBUILD_STR(x)=#x', '=x'],
  identifier: ['_FORTIFY_SOURCE', 'a b'],
  symbol: ['x=0x10', 'x=/y'],
  path: ['dir/a b.h', '@file'],
  directory: ['/usr/include', '=/usr/include'],
  absolute: ['/opt/root', 'root'],
  'tree-dump': ['optimized-vops', 'all'],
  remarks: ['vec-missed', 'vec=x'],
  suffix: ['.c', 'c/d'],
  linker: ['mold', './evil'],
  feature: ['+avx2', 'avx2'],
  tuning: ['mapping-scale=3', 'file=/x'],
  'prefix-map': ['/src=.', '/src'],
  text: ['any, text', 'a\nb'],
};

/** Effects of options that a job may have anywhere. */
const TRAVELLING = [
  'both',
  'search-dir',
  'input-file',
  'side-output',
  'data-file',
  'profile-use',
  'profile-dir',
  'native',
  'aux-dir',
  'aux-base',
  'aux-ext',
  'save-temps',
  'own-assembler',
  'external-assembler',
  'link-only',
];

function dialectsOf(row: OptionRow): Dialect[] {
  return row.dialect === undefined ? ['gcc', 'clang'] : [row.dialect];
}

/** The argument spelled in each of the row's forms. */
function spellings(row: OptionRow, value: string): string[][] {
  return row.forms.map((form) => {
    if (form === 'flag') return [row.name];
    if (form === 'separate') return [row.name, value];
    return [row.name + value];
  });
}

function outcome(args: readonly string[], dialect: Dialect) {
  return classify({ compilerName: dialect, dialect, args, environment: {} });
}

test('the table is sorted, and a name occurs once per dialect', () => {
  const names = OPTION_TABLE.map((row) => row.name);
  assert.deepEqual(names, [...names].sort());
  for (const dialect of ['gcc', 'clang'] as const) {
    const seen = OPTION_TABLE.filter((row) => dialectsOf(row).includes(dialect)).map((row) => row.name);
    assert.deepEqual(
      seen.filter((name, i) => seen.indexOf(name) !== i),
      [],
    );
  }
});

test('every sample is inside its kind, and every counter-sample outside', () => {
  for (const kind of Object.keys(VALUE_KINDS) as ValueKind[]) {
    const [good, bad] = SAMPLES[kind];
    assert.equal(isValueOf(kind, good), true, kind);
    assert.equal(isValueOf(kind, bad), false, kind);
  }
});

test('every row that stays local does so in every form, with a known reason', () => {
  for (const row of OPTION_TABLE) {
    if (row.effect !== 'local' && row.effect !== 'refuse') continue;
    assert.ok(row.reason !== undefined && isLocalReasonId(row.reason), row.name);
    for (const dialect of dialectsOf(row)) {
      for (const spelling of spellings(row, 'x')) {
        const result = outcome(['-c', 'x.c', ...spelling], dialect);
        assert.ok(result.kind === 'local', spelling.join(' '));
        assert.equal(result.reason, row.reason, spelling.join(' '));
      }
    }
  }
});

test('every row that goes along does so with a fitting value only', () => {
  for (const row of OPTION_TABLE) {
    if (!TRAVELLING.includes(row.effect)) continue;
    for (const dialect of dialectsOf(row)) {
      const [good, bad] = SAMPLES[row.value];
      for (const spelling of spellings(row, row.value === 'option' ? 'x1' : good)) {
        const result = outcome([...spelling, '-frandom-seed=x', '-c', 'a.c', '-o', 'b.o'], dialect);
        assert.equal(result.kind, 'distributable', `${spelling.join(' ')} ${JSON.stringify(result)}`);
      }
      if (row.forms.length === 1 && row.forms[0] === 'flag') continue;
      const wrong = { ...row, forms: row.forms.filter((form) => form !== 'flag') };
      for (const spelling of spellings(wrong, bad)) {
        assert.equal(outcome(['-c', 'a.c', ...spelling], dialect).kind, 'local', spelling.join(' '));
      }
    }
  }
});

test('an option that needs a seed makes another object each time without one', () => {
  for (const row of OPTION_TABLE.filter((each) => each.needsSeed)) {
    for (const spelling of spellings(row, 'auto')) {
      const bare = outcome(['-c', 'x.c', ...spelling], 'gcc');
      if (row.needsSeed === 'names') {
        assert.equal(bare.kind === 'local' && bare.reason, 'lto-without-random-seed');
        continue;
      }
      const seeded = outcome(['-c', 'x.c', ...spelling, '-frandom-seed=x'], 'gcc');
      assert.ok(bare.kind === 'distributable' && seeded.kind === 'distributable');
      assert.deepEqual([bare.invocation.isRepeatable, seeded.invocation.isRepeatable], [false, true]);
    }
  }
});

test('split debug information of optimised code has another id each time', () => {
  const isRepeatable = (...args: string[]): boolean => {
    const result = outcome(['-c', 'x.c', ...args], 'gcc');
    assert.ok(result.kind === 'distributable');
    return result.invocation.isRepeatable;
  };
  assert.equal(isRepeatable('-g', '-gsplit-dwarf', '-O2'), false);
  assert.equal(isRepeatable('-g', '-gsplit-dwarf', '-O2', '-O0'), true);
  assert.equal(isRepeatable('-g', '-gsplit-dwarf', '-O2', '-fno-var-tracking'), true);
  assert.equal(isRepeatable('-g', '-O2'), true);
});

test('what depends on addresses in the compiler’s memory is known to vary, whatever seed is given', () => {
  for (const option of ['-fanalyzer', '-gctf', '-gctf2']) {
    const result = outcome(['-c', 'x.c', '-frandom-seed=1', option], 'gcc');
    assert.ok(result.kind === 'distributable', option);
    assert.equal(result.invocation.isRepeatable, false, option);
  }
});

test('no option for which GCC takes the next argument travels as if it did not', () => {
  // c.opt marks these two NoDriverArg: they take an argument in cc1, and none in the driver.
  const cc1Only = ['-MD', '-MMD'];
  const separate = spawnSync('/usr/bin/gcc', ['--help=separate'], { encoding: 'utf8' }).stdout;
  const separateNames = separate.match(/^ {2}(-[^\s<=]+)/gm)?.map((name) => name.trim()) ?? [];
  assert.ok(separateNames.length > 10);
  for (const name of separateNames) {
    const match = OPTION_INDEX.gcc.match(name);
    if (cc1Only.includes(name)) continue;
    if (match === undefined || match.form === 'separate') continue;
    assert.ok(match.row.effect === 'local' || match.row.effect === 'refuse', name);
  }
});
