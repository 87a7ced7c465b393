/** The agent tells how long its event loop was held up, of the time in which it had work. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { LoopDelay } from '../../src/observe/index.ts';
import { until } from '../mesh/transport-peers.ts';

function hold(durationMs: number): void {
  const endMs = performance.now() + durationMs;
  while (performance.now() < endMs);
}

test('what holds the loop up is seen, what nobody measures is not', async () => {
  const delay = new LoopDelay(() => false, 20);
  assert.deepEqual(delay.figures, { p50Ms: 0, p99Ms: 0, maxMs: 0, samples: 0 });
  delay.begin();
  delay.begin();
  await until(() => delay.figures.samples > 3, 'some looks');
  const before = delay.figures.samples;
  hold(300);
  await until(() => delay.figures.samples > before, 'a look behind it');
  // The look before may have been up to one interval earlier, so that its delay is shorter than what held it up.
  assert.ok(delay.figures.maxMs >= 250, JSON.stringify(delay.figures));
  delay.pause();
  const { samples } = delay.figures;
  hold(2_000);
  delay.begin();
  await until(() => delay.figures.samples > samples + 2, 'looks after the pause');
  delay.pause();
  const { p50Ms, p99Ms, maxMs } = delay.figures;
  assert.ok(maxMs < 1_900, 'the pause is no delay');
  assert.ok(p50Ms <= p99Ms && p99Ms <= maxMs);
});

test('when there is nothing to do any more the measuring ends by itself', async () => {
  let isIdle = false;
  const delay = new LoopDelay(() => isIdle, 20);
  delay.begin();
  await until(() => delay.figures.samples > 20, 'it goes on while there is work');
  isIdle = true;
  for (let samples = -1; samples !== delay.figures.samples; ) {
    assert.ok(samples < 1_000, 'it goes on for ever');
    samples = delay.figures.samples;
    await sleep(200);
  }
});
