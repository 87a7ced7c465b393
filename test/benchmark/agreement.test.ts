/** Runs are repeated until the last ones agree, and no longer than is sensible. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AGREEMENT, repeatUntilAgreed } from '../../src/benchmark/index.ts';

/** Runs that come to these values, a second each. */
async function repeated(values: readonly number[], mostMs = AGREEMENT.mostMs) {
  let runs = 0;
  const figure = await repeatUntilAgreed(
    async () => {
      const value = values[runs++];
      assert.ok(value !== undefined, 'no further run was to come');
      return value;
    },
    { ...AGREEMENT, mostMs },
    () => 1000 * runs,
  );
  return { runs, ...figure };
}

test('three runs within 3 % are enough', async () => {
  const figure = await repeated([100, 102, 101]);
  assert.deepEqual([figure.runs, figure.median, figure.agrees], [3, 101, true]);
});

test('runs that differ are repeated; the last three count', async () => {
  const figure = await repeated([50, 100, 104, 101, 102]);
  assert.deepEqual([figure.runs, figure.median, figure.agrees], [5, 102, true]);
  assert.deepEqual(figure.values, [50, 100, 104, 101, 102]);
});

test('runs that never agree end, and it is said', async () => {
  const figure = await repeated([100, 110, 100, 110, 100, 110, 100, 110]);
  assert.deepEqual([figure.runs, figure.agrees], [AGREEMENT.mostRuns, false]);
  assert.ok(figure.spread > 0.09 && figure.spread < 0.11);
});

test('after the time that there is no further run begins, but three there are', async () => {
  assert.equal((await repeated([100, 110, 120, 130, 140], 3_500)).runs, 4);
  assert.equal((await repeated([100, 110, 120, 130], 0)).runs, 3);
});

test('a run that fails ends all', async () => {
  const failing = repeatUntilAgreed(
    () => Promise.reject(new Error('lost')),
    AGREEMENT,
    () => 0,
  );
  await assert.rejects(failing, /lost/);
});
