/** Compiler names, reasons, and the committed files that the tables generate. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PACKAGE_ROOT } from '../../src/base/package-root.ts';
import type { CompilerName, LocalReasonId } from '../../src/compiler/index.ts';
import {
  explainLocalReason,
  GENERATED_FILES,
  isCompilerName,
  isLocalReasonId,
  LOCAL_REASONS,
} from '../../src/compiler/index.ts';

const C: CompilerName = { dialect: 'gcc', driver: 'c' };
const CXX: CompilerName = { dialect: 'gcc', driver: 'c++' };

test('compiler names', () => {
  const named: Record<string, CompilerName> = {
    cc: { ...C, isGuess: true },
    gcc: C,
    'gcc-12': C,
    'gcc-12.2': C,
    'gcc-12.2.0': C,
    'x86_64-linux-gnu-gcc': C,
    'x86_64-linux-gnu-gcc-12': C,
    'arm-none-eabi-g++': CXX,
    'aarch64-linux-gnu-gcc': C,
    'avr-gcc': C,
    'g++': CXX,
    'c++': { ...CXX, isGuess: true },
    'g++-13': CXX,
    clang: { dialect: 'clang', driver: 'c' },
    'clang-14': { dialect: 'clang', driver: 'c' },
    'clang++-14': { dialect: 'clang', driver: 'c++' },
    'aarch64-linux-android21-clang++': { dialect: 'clang', driver: 'c++' },
  };
  for (const [name, expected] of Object.entries(named))
    assert.deepEqual(isCompilerName(name), expected, name);
  const others = [
    '',
    'gcc-ar',
    'gcc-nm-12',
    'x86_64-linux-gnu-gcc-ranlib-12',
    'gcov',
    'gcov-12',
    'cpp',
    'ld',
  ];
  const wrappers = [
    'gcc-',
    'gcc-12-',
    'gcc-x',
    'mygcc',
    '/usr/bin/gcc',
    'clang-format',
    'clang-tidy-14',
    'c99',
  ];
  for (const name of [...others, ...wrappers, 'musl-gcc', 'ccache', '-gcc', 'gcc\n']) {
    assert.equal(isCompilerName(name), undefined, name);
  }
});

test('every reason is one readable sentence under a stable kind of id', () => {
  for (const [id, { text, advice }] of Object.entries(LOCAL_REASONS)) {
    assert.match(id, /^[a-z]+(?:-[a-z]+)*$/);
    assert.match(text, /^[A-Z_].*\.$/, id);
    if (advice !== undefined) assert.match(advice, /^[A-Z].*\.$/, id);
    assert.ok(isLocalReasonId(id));
  }
  assert.equal(isLocalReasonId('toString'), false);
});

test('an explanation holds the sentence, the detail and the advice', () => {
  const id: LocalReasonId = 'march-native';
  const line = explainLocalReason(id, '-march=native');
  for (const part of [LOCAL_REASONS[id].text, '(-march=native)', 'x86-64-v3']) assert.ok(line.includes(part));
  assert.equal(line.includes('\n'), false);
});

test('the committed generated files are fresh (node dist/src/compiler/write-docs.js)', () => {
  for (const [path, render] of Object.entries(GENERATED_FILES)) {
    assert.equal(readFileSync(join(PACKAGE_ROOT, path), 'utf8'), render(), path);
  }
});
