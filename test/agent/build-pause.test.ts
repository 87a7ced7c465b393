/** A measurement of nodes and a build at the same time: the build goes first, and nothing it came into counts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BuildPause } from '../../src/agent/build-pause.ts';

function measurement(signal = new AbortController().signal) {
  const calls = { open: 0, taken: 7 };
  const pauses: string[] = [];
  const onPause = (): void => {
    pauses.push(`${calls.open} open`);
  };
  const pause = new BuildPause({ calls: () => ({ ...calls }), onPause, signal, quietMs: 20 });
  return { calls, pauses, pause };
}

test('without a build nothing waits, and every run counts', async () => {
  const { pause, pauses } = measurement();
  await pause.over();
  assert.equal(await pause.undisturbed(() => Promise.resolve(5)), 5);
  assert.deepEqual(pauses, []);
  assert.equal(pause.pausedMs, 0);
});

test('while a call is open everything waits, in one pause', async () => {
  const { calls, pause, pauses } = measurement();
  calls.open = 1;
  calls.taken++;
  let isOver = false;
  const waiting = Promise.all([pause.over(), pause.over(), pause.over()]).then(() => {
    isOver = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(isOver, false);
  calls.open = 0;
  await waiting;
  assert.deepEqual(pauses, ['1 open']);
  assert.ok(pause.pausedMs > 0);
});

test('a run that a call came into is repeated, though the call is over at its end', async () => {
  const { calls, pause, pauses } = measurement();
  let runs = 0;
  const value = await pause.undisturbed(() => {
    if (runs < 2) calls.taken++;
    return Promise.resolve(++runs);
  });
  assert.equal(value, 3);
  assert.deepEqual(pauses, ['0 open', '0 open']);
});

test('who waits no more ends the pause', async () => {
  const control = new AbortController();
  const { calls, pause } = measurement(control.signal);
  calls.open = 1;
  const waiting = pause.undisturbed(() => Promise.resolve(1));
  control.abort();
  await assert.rejects(waiting, { name: 'AbortError' });
});
