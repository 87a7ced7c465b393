/** A member may ask about a machine, but not keep it busy: one measurement at a time, none beside jobs, few in all. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MachineFigures } from '../../src/benchmark/index.ts';
import { MachineAnswers } from '../../src/worker/machine-answers.ts';

const FIGURES: MachineFigures = {
  processors: 4,
  clockMhz: 2000,
  busyClockMhz: 1900,
  latencies: [{ sizeBytes: 4096, ns: 1.5 }],
  caches: [],
};

function machine() {
  const log: string[] = [];
  const pending: { resolve: (figures: MachineFigures) => void; reject: (error: Error) => void }[] = [];
  const world = { jobs: 0, nowMs: 0, reads: 0, log, pending };
  const answers = new MachineAnswers({
    measure: (signal) =>
      new Promise((resolve, reject) => {
        pending.push({ resolve, reject });
        signal.addEventListener('abort', () => reject(new Error('ended')), { once: true });
      }),
    jobs: () => world.jobs,
    log: (line) => log.push(line),
    nowMs: () => world.nowMs,
    readState: () => ({ clockMhz: ++world.reads }),
  });
  return { world, answers };
}

test('figures come with the state, and for a minute the same ones', async () => {
  const { world, answers } = machine();
  const asked = answers.answer({ questionId: 1, measure: true });
  world.pending[0]?.resolve(FIGURES);
  assert.deepEqual(await asked, { questionId: 1, state: { clockMhz: 1 }, figures: FIGURES });
  world.nowMs = 59_000;
  assert.deepEqual((await answers.answer({ questionId: 2, measure: true })).figures, FIGURES);
  assert.equal(world.pending.length, 1);
  world.nowMs = 61_000;
  const again = answers.answer({ questionId: 3, measure: true });
  assert.equal(world.pending.length, 2, 'measured anew');
  world.pending[1]?.resolve(FIGURES);
  await again;
});

test('a second member does not get a second measurement beside the first', async () => {
  const { world, answers } = machine();
  const first = answers.answer({ questionId: 1, measure: true });
  const second = await answers.answer({ questionId: 1, measure: true });
  assert.match(second.notMeasured ?? '', /being measured for another node/);
  assert.equal(world.pending.length, 1);
  world.pending[0]?.resolve(FIGURES);
  assert.deepEqual((await first).figures, FIGURES);
});

test('nothing is measured while jobs run, and figures that jobs have disturbed are none', async () => {
  const { world, answers } = machine();
  world.jobs = 1;
  const refused = await answers.answer({ questionId: 1, measure: true });
  assert.match(refused.notMeasured ?? '', /jobs run there/);
  assert.equal(world.pending.length, 0);
  world.jobs = 0;
  const asked = answers.answer({ questionId: 2, measure: true });
  world.jobs = 1;
  world.pending[0]?.resolve(FIGURES);
  assert.match((await asked).notMeasured ?? '', /jobs came there/);
});

test('a failure is told without the words of this machine, and not repeated at once', async () => {
  const { world, answers } = machine();
  const asked = answers.answer({ questionId: 1, measure: true });
  world.pending[0]?.reject(new Error('no cc in /secret/place'));
  const { notMeasured = '' } = await asked;
  assert.match(notMeasured, /the log of its agent says why/);
  assert.doesNotMatch(notMeasured, /secret/);
  assert.match(world.log.join(), /secret/);
  const again = await answers.answer({ questionId: 2, measure: true });
  assert.match(again.notMeasured ?? '', /failed there less than a minute ago/);
  assert.equal(world.pending.length, 1);
});

test('the state is looked at a few times a second at most', async () => {
  const { world, answers } = machine();
  for (let questionId = 1; questionId <= 100; questionId++) {
    world.nowMs += 10;
    await answers.answer({ questionId, measure: false });
  }
  assert.ok(world.reads <= 5, `${world.reads} times in a second`);
});

test('an agent that stops ends the measurement', async () => {
  const { answers } = machine();
  const asked = answers.answer({ questionId: 1, measure: true });
  answers.stop();
  assert.ok((await asked).notMeasured !== undefined);
});
