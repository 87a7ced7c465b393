import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Release, Slots } from '../../src/scheduler/index.ts';
import { seededRandom } from '../base/seeded-random.ts';

const NEVER = new AbortController().signal;

/** Lets everything that is ready to run have its turn. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('places are handed out in the order of asking', async () => {
  const slots = new Slots(2);
  const order: number[] = [];
  const releases: Release[] = [];
  for (let index = 0; index < 5; index++) {
    void slots.acquire(NEVER).then((release) => {
      order.push(index);
      releases.push(release!);
    });
  }
  await settled();
  assert.deepEqual(order, [0, 1]);
  assert.deepEqual([slots.taken, slots.waiting], [2, 3]);
  releases[1]!();
  await settled();
  assert.deepEqual(order, [0, 1, 2]);
  releases[0]!();
  releases[2]!();
  await settled();
  assert.deepEqual(order, [0, 1, 2, 3, 4]);
  for (const release of releases) release();
  assert.deepEqual([slots.taken, slots.waiting], [0, 0]);
});

test('giving a place back twice gives back one', async () => {
  const slots = new Slots(1);
  const first = await slots.acquire(NEVER);
  first!();
  first!();
  assert.equal(slots.taken, 0);
  const second = await slots.acquire(NEVER);
  first!();
  assert.equal(slots.taken, 1, 'an old release does not free the place of another');
  second!();
});

test('who gives up waiting gets nothing and keeps nobody waiting', async () => {
  const slots = new Slots(1);
  const held = await slots.acquire(NEVER);
  const quitter = new AbortController();
  const given = slots.acquire(quitter.signal);
  const behind = slots.acquire(NEVER);
  quitter.abort();
  assert.equal(await given, undefined);
  assert.equal(slots.waiting, 1);
  held!();
  const release = await behind;
  assert.ok(release);
  release();
  assert.equal(
    await slots.acquire(AbortSignal.abort()),
    undefined,
    'a signal that has fired asks for nothing',
  );
  assert.equal(slots.taken, 0);
});

test('a signal that fires after the place was given changes nothing', async () => {
  const slots = new Slots(1);
  const held = await slots.acquire(NEVER);
  const late = new AbortController();
  const given = slots.acquire(late.signal);
  held!();
  late.abort();
  const release = await given;
  assert.ok(release, 'it was granted before the signal fired');
  assert.equal(slots.taken, 1);
  release();
  assert.equal(slots.taken, 0);
});

test('200 takers that come, give up and go: never more than the places, none lost', async () => {
  const random = seededRandom(3);
  const slots = new Slots(3);
  let inside = 0;
  let served = 0;
  const takers = Array.from({ length: 200 }, async () => {
    const control = new AbortController();
    for (let wait = random.below(5); wait > 0; wait--) await settled();
    const acquired = slots.acquire(control.signal);
    if (random.oneIn(4)) control.abort();
    const release = await acquired;
    if (release === undefined) return;
    inside++;
    served++;
    assert.ok(inside <= 3 && slots.taken <= 3);
    for (let wait = random.below(3); wait > 0; wait--) await settled();
    inside--;
    release();
  });
  await Promise.all(takers);
  assert.ok(served >= 150, `${served} were served`);
  assert.deepEqual([slots.taken, slots.waiting], [0, 0]);
});
