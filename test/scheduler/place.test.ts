import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Candidate, placeJob } from '../../src/scheduler/index.ts';
import { seededRandom } from '../base/seeded-random.ts';

const worker = (nodeId: string, slots: number, inFlight: number, credits = 1): Candidate => ({
  nodeId,
  slots,
  inFlight,
  credits,
});

test('nobody is chosen if nobody has a credit', () => {
  assert.equal(placeJob([]), undefined);
  assert.equal(placeJob([worker('a', 4, 0, 0), worker('b', 4, 0, -1)]), undefined);
});

test('the lowest load per slot wins, not the fewest jobs', () => {
  assert.equal(placeJob([worker('small', 2, 1), worker('large', 16, 4)])?.nodeId, 'large');
  assert.equal(placeJob([worker('small', 2, 0), worker('large', 16, 1)])?.nodeId, 'small');
});

test('equal loads go to the node with more slots, then to the lower id', () => {
  assert.equal(placeJob([worker('a', 2, 1), worker('b', 8, 4)])?.nodeId, 'b');
  assert.equal(placeJob([worker('b', 4, 2), worker('a', 4, 2)])?.nodeId, 'a');
});

test('1,000 random meshes: the choice has a credit, none is better, and the order of asking does not matter', () => {
  const random = seededRandom(11);
  for (let round = 0; round < 1000; round++) {
    const workers = Array.from({ length: random.below(7) }, (_, index) =>
      worker(`node-${index}`, 1 + random.below(8), random.below(10), random.below(4) - 1),
    );
    const chosen = placeJob(workers);
    const able = workers.filter(({ credits }) => credits > 0);
    if (chosen === undefined) {
      assert.equal(able.length, 0);
      continue;
    }
    assert.ok(chosen.credits > 0);
    for (const other of able) {
      assert.ok(
        chosen.inFlight / chosen.slots <= other.inFlight / other.slots + 1e-9,
        JSON.stringify(workers),
      );
    }
    const shuffled = [...workers].sort(() => random.below(3) - 1);
    assert.equal(placeJob(shuffled), chosen);
  }
});

test('a mesh that fills up ends with every node loaded in proportion to its slots', () => {
  const nodes = [worker('a', 1, 0), worker('b', 4, 0), worker('c', 16, 0)].map((node) => ({
    ...node,
    credits: 99,
  }));
  for (let job = 0; job < 42; job++) {
    const chosen = placeJob(nodes);
    assert.ok(chosen);
    chosen.inFlight++;
  }
  assert.deepEqual(
    nodes.map(({ inFlight }) => inFlight),
    [2, 8, 32],
  );
});
