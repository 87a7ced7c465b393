/** Results are kept, and the speeds in them found again; what is damaged, short or of another corpus counts for nothing. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { keepResult, knownSpeeds, lastResult } from '../../src/benchmark/index.ts';
import { benchResult, nodeResult } from './bench-fixtures.ts';

function directory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'meshcc-bench-results-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

test('nothing is known at first', (t) => {
  const state = directory(t);
  assert.equal(lastResult(state), undefined);
  assert.equal(knownSpeeds(state, 1).size, 0);
});

test('a result comes back as it was, and gives the speed of one slot of each other node', (t) => {
  const state = directory(t);
  const result = benchResult([
    nodeResult('laptop', 8000, { isHere: true }),
    nodeResult('board1', 12_000, { slots: 4 }),
    nodeResult('board2', undefined),
  ]);
  keepResult(state, result);
  assert.deepEqual(lastResult(state), JSON.parse(JSON.stringify(result)));
  assert.deepEqual([...knownSpeeds(state, 1)], [['id-of-board1', 3000]]);
  assert.equal(knownSpeeds(state, 2).size, 0, 'another corpus is other work');
});

test('a later result replaces what it measured, and leaves the rest', (t) => {
  const state = directory(t);
  keepResult(state, benchResult([nodeResult('board1', 4000), nodeResult('board2', 2000)]));
  keepResult(state, benchResult([nodeResult('board2', 6000)]));
  assert.deepEqual(
    knownSpeeds(state, 1),
    new Map([
      ['id-of-board1', 2000],
      ['id-of-board2', 3000],
    ]),
  );
});

test('a short run is kept as the last result, but no job is placed by it', (t) => {
  const state = directory(t);
  keepResult(state, { ...benchResult([nodeResult('board1', 4000)]), isWhole: false });
  assert.equal(lastResult(state)?.isWhole, false);
  assert.equal(knownSpeeds(state, 1).size, 0);
});

test('speeds of another compiler are forgotten, and runs that did not agree tell none', (t) => {
  const state = directory(t);
  keepResult(state, benchResult([nodeResult('board1', 4000), nodeResult('board2', 2000)]));
  const unsteady = nodeResult('board2', 6000);
  assert.ok('value' in unsteady.allSlots);
  const { value } = unsteady.allSlots;
  const linesPerSecond = { ...value.linesPerSecond, agrees: false };
  keepResult(state, benchResult([{ ...unsteady, allSlots: { value: { ...value, linesPerSecond } } }]));
  assert.equal(knownSpeeds(state, 1).get('id-of-board2'), 1000, 'what was known before holds');
  const other = benchResult([nodeResult('board3', 4000)]);
  keepResult(state, { ...other, compiler: { ...other.compiler, version: '99' } });
  assert.deepEqual([...knownSpeeds(state, 1).keys()], ['id-of-board3']);
});

test('a damaged file is no result', (t) => {
  const state = directory(t);
  writeFileSync(join(state, 'bench-result.json'), '{"nodes": [');
  writeFileSync(join(state, 'node-speeds.json'), '{"id": {"corpus": 1, "linesPerSecondAndSlot": "fast"}}');
  assert.equal(lastResult(state), undefined);
  assert.equal(knownSpeeds(state, 1).size, 0);
});
