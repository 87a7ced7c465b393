/** What holds for every source file: its name, its size, its first line, and that nothing is put off in it. */
import assert from 'node:assert/strict';
import { basename } from 'node:path';
import { test } from 'node:test';
import { filesIn, textOf } from './sources.ts';

const MAX_LINES = 400;

const FILES = ['src', 'test', 'bench'].flatMap((folder) => filesIn(folder, '.ts', '.c', '.h'));

function filesWhere(isBad: (file: string, text: string) => boolean): string[] {
  return FILES.filter((file) => isBad(file, textOf(file)));
}

test('there are files to hold the rules to', () => {
  assert.ok(FILES.length > 200);
});

test('names are kebab-case', () => {
  const named = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.test)?\.(?:ts|c|h)$/;
  assert.deepEqual(
    filesWhere((file) => !named.test(basename(file))),
    [],
  );
});

test(`no file has more than ${MAX_LINES} lines`, () => {
  assert.deepEqual(
    filesWhere((_, text) => text.split('\n').length - 1 > MAX_LINES),
    [],
  );
});

test('every file of the product begins by saying what it is', () => {
  assert.deepEqual(
    filesWhere((file, text) => file.startsWith('src/') && !/^(?:#!.*\n)?\/[/*]/.test(text)),
    [],
  );
});

test('nothing is put off', () => {
  // Spelled in two halves, so that this file may hold the rule.
  const putOff = new RegExp(`\\b(?:TO${'DO'}|FIX${'ME'}|X${'XX'})\\b`);
  assert.deepEqual(
    filesWhere((_, text) => putOff.test(text)),
    [],
  );
});
