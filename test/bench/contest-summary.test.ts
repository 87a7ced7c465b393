/** What runs come to: medians, the floor, the yardstick's correction, and who is left out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { foreignCores } from '../../bench/contest/companions.ts';
import { formatResult } from '../../bench/contest/markdown.ts';
import type { RunRecord } from '../../bench/contest/result.ts';
import { median } from '../../bench/contest/statistics.ts';
import { summarize } from '../../bench/contest/summary.ts';
import { madeUpResult, madeUpRun } from './contest-fixtures.ts';

const floor = madeUpRun({ leg: 'floor', laptopSeconds: 1 });
const local = madeUpRun({ leg: 'local', laptopSeconds: 20 });

function summaryOf(runs: Parameters<typeof summarize>[0], leg: string) {
  const legs = [...new Set(runs.map((run) => run.leg))].map((name) => ({ name, title: name }));
  return summarize(runs, legs).find((summary) => summary.leg === leg);
}

test('the median of an even number lies between the two in the middle', () => {
  assert.equal(median([9, 1, 4]), 4);
  assert.equal(median([9, 1, 4, 2]), 3);
  assert.ok(Number.isNaN(median([])));
});

test('CPU above the floor and beside local are worked out from the medians of those', () => {
  const tool = [3, 2, 7].map((laptopSeconds, index) =>
    madeUpRun({ leg: 'tool', laptopSeconds, boardSeconds: 20, round: index + 1 }),
  );
  const summary = summaryOf([floor, local, ...tool], 'tool');
  assert.deepEqual(summary?.raw?.submitterMsPerUnit, { median: 300, min: 200, max: 700 });
  assert.deepEqual(summary?.raw?.aboveFloorMsPerUnit, { median: 200, min: 100, max: 600 });
  assert.deepEqual(summary?.raw?.totalToLocal, { median: 23 / 20, min: 22 / 20, max: 27 / 20 });
  assert.equal(summary?.sentBytes?.median, 3_000_000);
  assert.equal(summary?.busiestBoardBytes?.median, 2_000_005);
});

test('a run in which the yardstick took twice as long counts half', () => {
  const slow = madeUpRun({ leg: 'tool', laptopSeconds: 6, yardstickMs: 200 });
  const summary = summaryOf([floor, local, slow], 'tool');
  assert.equal(summary?.raw?.submitterMsPerUnit.median, 600);
  assert.equal(summary?.corrected?.submitterMsPerUnit.median, 300);
  assert.equal(summary?.corrected?.wallSeconds.median, 5);
  assert.equal(summary?.corrected?.aboveFloorMsPerUnit?.median, 200);
});

test('a run too short for samples goes by those around it', () => {
  const calibration = { beforeMs: 100, duringMs: [1000], afterMs: 300 };
  const short = madeUpRun({ leg: 'tool', laptopSeconds: 4, calibration });
  assert.equal(summaryOf([floor, local, short], 'tool')?.corrected?.submitterMsPerUnit.median, 200);
});

test('failed runs are in no figure, and stand in the report', () => {
  const good = madeUpRun({ leg: 'tool', laptopSeconds: 3 });
  const bad = madeUpRun({ leg: 'tool', laptopSeconds: 99, round: 2, exitStatus: 2 });
  const missing = madeUpRun({
    leg: 'tool',
    laptopSeconds: 99,
    round: 3,
    objects: { total: 10, identical: 9, missing: 1, faults: ['a.o'] },
  });
  const summary = summaryOf([floor, local, good, bad, missing], 'tool');
  assert.equal(summary?.raw?.submitterMsPerUnit.max, 300);
  assert.equal(summary?.badRuns, 2);
  assert.match(formatResult(madeUpResult([floor, local, good, bad, missing])), /\*\*2 FAILED\*\*/);
});

test('objects that differ from local ones are a result, and stand in the report', () => {
  const objects = { total: 10, identical: 4, missing: 0, faults: ['a.o'] };
  const run = madeUpRun({ leg: 'tool', laptopSeconds: 3, objects });
  assert.equal(summaryOf([floor, local, run], 'tool')?.badRuns, 0);
  assert.match(formatResult(madeUpResult([floor, local, run])), /\| 4\/10 \|/);
});

test('without a floor or a local build there is no figure above or beside it', () => {
  const summary = summaryOf([madeUpRun({ leg: 'tool', laptopSeconds: 3 })], 'tool');
  assert.equal(summary?.raw?.aboveFloorMsPerUnit, undefined);
  assert.equal(summary?.raw?.totalToLocal, undefined);
});

test('the report names who could not take part, and what distorts', () => {
  const loaded = madeUpRun({ leg: 'tool', laptopSeconds: 3, outsideCores: 1.5, stealCores: 0.2 });
  const unavailable = [{ contestant: 'pump', reason: 'no package\nmore' }];
  const text = formatResult(madeUpResult([floor, local, loaded], { unavailable }));
  assert.match(text, /\*\*pump could not take part\*\*: no package\n/);
  assert.match(text, /other programs were running\*\* \(tool 1\)/);
  assert.match(text, /hypervisor took CPU away/);
  const bigger = madeUpResult([floor, local, loaded]);
  const shape = { ...bigger.settings.shape, boards: 9 };
  assert.match(
    formatResult({ ...bigger, settings: { ...bigger.settings, shape } }),
    /quotas sum to 3.45 cores/,
  );
});

test('the bound is the CPU of a local build over all cores', () => {
  assert.match(formatResult(madeUpResult([floor, local])), /20 CPU s.*1\.00 cores.*before 20 s\./);
});

test('what runs at the same time used is no load from outside, and is told', () => {
  const startedAt = '2021-01-01T00:00:00.000Z';
  const one = madeUpRun({ leg: 'one', laptopSeconds: 3, startedAt, outsideCores: 0.8 });
  const other = madeUpRun({ leg: 'other', laptopSeconds: 6, startedAt, wallSeconds: 20, outsideCores: 0.25 });
  assert.equal(
    foreignCores(one, [one, other]).toFixed(3),
    '0.500',
    '6 s in 20 of the other, in all of its time',
  );
  assert.equal(
    foreignCores(other, [one, other]).toFixed(3),
    '0.100',
    '3 s in 10 of the other, in half of its time',
  );
  assert.equal(foreignCores(one, [one]), 0.8);
  const text = formatResult(madeUpResult([one, other, floor]));
  assert.match(text, /\*\*other programs were running\*\* \(one 1\)/);
  assert.match(
    text,
    /^- 2 runs were made while others of the contest ran.*\(one 1, other 1\).*up to 1\.10 cores/m,
  );
  assert.match(text, /UTC: one 1, \(meanwhile\) other 1, floor 1$/m);
  assert.doesNotMatch(formatResult(madeUpResult([floor, local])), /meanwhile|others of the contest/);
});

test('a run is crowded if the quotas of its working hosts leave too little for what runs beside it', () => {
  const crowded = (run: RunRecord): boolean =>
    /were more than the 2 cores/.test(formatResult(madeUpResult([run])));
  assert.ok(!crowded(madeUpRun({ leg: 'laptop', laptopSeconds: 3, outsideCores: 1.6 })));
  assert.ok(crowded(madeUpRun({ leg: 'board', laptopSeconds: 3, boardSeconds: 3, outsideCores: 1.6 })));
});
