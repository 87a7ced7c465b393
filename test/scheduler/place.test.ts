import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Candidate, placeJob } from '../../src/scheduler/index.ts';
import { seededRandom } from '../base/seeded-random.ts';

const worker = (nodeId: string, slots: number, inFlight: number, credits = 1, speed?: number): Candidate => ({
  nodeId,
  slots,
  inFlight,
  credits,
  speed,
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

test('of nodes with a free slot the faster one is taken, until its slots are full', () => {
  const fast = (inFlight: number): Candidate => worker('fast', 4, inFlight, 9, 3000);
  const slow = worker('slow', 4, 0, 9, 1000);
  assert.equal(placeJob([slow, fast(0)])?.nodeId, 'fast');
  assert.equal(placeJob([slow, fast(3)])?.nodeId, 'fast');
  assert.equal(placeJob([worker('slower', 4, 0, 9, 2500), fast(6)])?.nodeId, 'slower');
  assert.equal(placeJob([slow, fast(6)])?.nodeId, 'fast', 'a third of the speed is no gain yet');
});

test('a node that was never measured counts as fast as the middle one of the others', () => {
  const others = [worker('a', 4, 4, 9, 1000), worker('b', 4, 4, 9, 2000), worker('c', 4, 4, 9, 4000)];
  assert.equal(placeJob([...others, worker('new', 4, 0)])?.nodeId, 'c');
  assert.equal(placeJob([...others.slice(0, 2), worker('new', 4, 0)])?.nodeId, 'new');
});

test('speeds that are all the same change nothing', () => {
  const random = seededRandom(12);
  for (let round = 0; round < 1000; round++) {
    const workers = Array.from({ length: 1 + random.below(6) }, (_, index) =>
      worker(`node-${index}`, 1 + random.below(8), random.below(10), 1),
    );
    const measured = workers.map((each) => ({ ...each, speed: 1234.5 }));
    assert.equal(placeJob(measured)?.nodeId, placeJob(workers)?.nodeId, JSON.stringify(workers));
  }
});

test('random meshes of several speeds: the order of asking does not matter', () => {
  const random = seededRandom(13);
  for (let round = 0; round < 1000; round++) {
    const workers = Array.from({ length: 1 + random.below(6) }, (_, index) => {
      const speed = random.below(3) === 0 ? undefined : 1000 * (1 + random.below(3));
      return worker(`node-${index}`, 1 + random.below(4), random.below(8), random.below(3), speed);
    });
    const shuffled = [...workers].sort(() => random.below(3) - 1);
    assert.equal(placeJob(shuffled), placeJob(workers), JSON.stringify(workers));
  }
});
