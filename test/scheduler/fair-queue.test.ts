import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FairQueue } from '../../src/scheduler/index.ts';
import { seededRandom } from '../base/seeded-random.ts';

function drain<Party, Item>(queue: FairQueue<Party, Item>): Item[] {
  const items: Item[] = [];
  for (let item = queue.shift(); item !== undefined; item = queue.shift()) items.push(item);
  return items;
}

test('parties take turns, and each keeps its own order', () => {
  const queue = new FairQueue<string, string>();
  for (const item of ['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1']) queue.push(item.charAt(0), item);
  assert.equal(queue.size, 7);
  assert.deepEqual(drain(queue), ['a1', 'b1', 'c1', 'a2', 'b2', 'a3', 'a4']);
  assert.equal(queue.size, 0);
  assert.equal(queue.shift(), undefined);
});

test('one item of a late party does not wait behind a thousand of another', () => {
  const queue = new FairQueue<string, string>();
  for (let index = 0; index < 1000; index++) queue.push('crowd', `crowd ${index}`);
  queue.shift();
  queue.push('late', 'late');
  assert.deepEqual([queue.shift(), queue.shift()], ['crowd 1', 'late']);
});

test('a party that was served goes behind those that wait, also if it comes back at once', () => {
  const queue = new FairQueue<string, string>();
  queue.push('a', 'a1');
  queue.push('b', 'b1');
  assert.equal(queue.shift(), 'a1');
  queue.push('a', 'a2');
  assert.deepEqual(drain(queue), ['b1', 'a2']);
});

test('an item of one party can be taken out of turn', () => {
  const queue = new FairQueue<string, string>();
  for (const item of ['a1', 'b1', 'b2', 'c1']) queue.push(item.charAt(0), item);
  assert.equal(queue.shiftOf('b'), 'b1');
  assert.deepEqual([queue.has('b'), queue.has('d'), queue.shiftOf('d')], [true, false, undefined]);
  assert.equal(queue.shiftOf('b'), 'b2');
  assert.equal(queue.has('b'), false);
  assert.deepEqual(drain(queue), ['a1', 'c1']);
});

test('an item can leave from anywhere, once', () => {
  const queue = new FairQueue<string, string>();
  for (const item of ['a1', 'a2', 'a3', 'b1']) queue.push(item.charAt(0), item);
  assert.equal(queue.remove('a', 'a2'), true);
  assert.equal(queue.remove('a', 'a2'), false);
  assert.equal(queue.remove('b', 'b1'), true);
  assert.equal(queue.remove('nobody', 'a1'), false);
  assert.equal(queue.size, 2);
  assert.deepEqual(drain(queue), ['a1', 'a3']);
});

test('random pushes, shifts and removals: nothing is lost or doubled, and nobody waits longer than one round', () => {
  const random = seededRandom(5);
  const parties = ['a', 'b', 'c', 'd', 'e'];
  const queue = new FairQueue<string, string>();
  const waiting = new Map<string, string[]>(parties.map((party) => [party, []]));
  const servedWhileWaiting = new Map<string, Map<string, number>>();
  for (let step = 0; step < 20_000; step++) {
    const party = random.pick(parties);
    const line = waiting.get(party)!;
    if (random.below(5) < 2) {
      if (line.length === 0) servedWhileWaiting.set(party, new Map());
      line.push(`${party}${step}`);
      queue.push(party, `${party}${step}`);
    } else if (random.oneIn(10) && line.length > 0) {
      const [item = ''] = line.splice(random.below(line.length), 1);
      assert.ok(queue.remove(party, item));
      if (line.length === 0) servedWhileWaiting.delete(party);
    } else {
      const item = queue.shift();
      if (item === undefined) {
        assert.ok([...waiting.values()].every(({ length }) => length === 0));
        continue;
      }
      const owner = item.charAt(0);
      assert.equal(waiting.get(owner)?.shift(), item, 'the oldest of its party');
      for (const [other, counts] of servedWhileWaiting) {
        if (other === owner) continue;
        counts.set(owner, (counts.get(owner) ?? 0) + 1);
        assert.equal(counts.get(owner), 1, `${owner} came twice while ${other} waited`);
      }
      if (waiting.get(owner)?.length === 0) servedWhileWaiting.delete(owner);
      else servedWhileWaiting.set(owner, new Map());
    }
    const expected = [...waiting.values()].reduce((sum, { length }) => sum + length, 0);
    assert.equal(queue.size, expected);
  }
});
