/** The corpus is the same for everybody, and its lines are counted as the compiler would count them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { digestOf } from '../../src/base/digest.ts';
import { CORPUS_OPTIONS, makeCorpus } from '../../src/benchmark/index.ts';
import { SteadyRandom } from '../../src/benchmark/random.ts';
import { GCC } from '../worker/real-toolchains.ts';

const root = mkdtempSync(join(tmpdir(), 'meshcc-corpus-'));
after(() => rmSync(root, { recursive: true, force: true }));
const corpus = makeCorpus();
for (const [name, text] of corpus.files) writeFileSync(join(root, name), text);

function gcc(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(GCC, args, { cwd: root, encoding: 'utf8' });
  assert.equal(stderr, '');
  assert.equal(status, 0);
  return stdout;
}

test('corpus 1 is these very bytes, and these options: whoever changes them gives it another version', () => {
  const everything = JSON.stringify([...corpus.files, CORPUS_OPTIONS, corpus.units]);
  assert.equal(corpus.version, 1);
  assert.equal(digestOf(everything), 'cfc4835e6713f4092fa35eec29be759844f51bf2d1e14e1cbe40d117a935e143');
});

test('lines are those that the preprocessor leaves', () => {
  for (const { name, lines } of corpus.units) {
    const text = gcc(...CORPUS_OPTIONS, '-E', '-P', name);
    assert.equal(text.split('\n').filter((line) => line.trim() !== '').length, lines, name);
  }
});

test('a unit compiles without a word, and includes nothing but the corpus', () => {
  const [unit] = corpus.units;
  assert.ok(unit);
  gcc(...CORPUS_OPTIONS, '-c', unit.name, '-o', 'unit.o');
  const named = gcc(...CORPUS_OPTIONS, '-M', unit.name).match(/\S+\.[ch]\b/g) ?? [];
  assert.deepEqual(
    [...new Set(named)].filter((file) => !corpus.files.has(file)),
    [],
  );
});

test('the numbers behind it are the same everywhere', () => {
  const random = new SteadyRandom(1);
  const numbers = Array.from({ length: 6 }, () => random.below(1000));
  const again = new SteadyRandom(1);
  assert.deepEqual(
    numbers,
    Array.from({ length: 6 }, () => again.below(1000)),
  );
  assert.ok(new Set(numbers).size > 3);
});
