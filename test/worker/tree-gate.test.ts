import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TreeGate } from '../../src/worker/tree-gate.ts';
import { seededRandom } from '../base/seeded-random.ts';

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('whoever must be alone is, many others are together, and all get their turn', async () => {
  const random = seededRandom(9);
  const gate = new TreeGate();
  let inside = 0;
  let aloneInside = 0;
  let mostTogether = 0;
  const work = (alone: boolean) => async (): Promise<void> => {
    inside++;
    if (alone) aloneInside++;
    mostTogether = Math.max(mostTogether, inside);
    assert.ok(aloneInside === 0 || inside === 1, `${inside} inside, ${aloneInside} of them want to be alone`);
    for (let turn = random.below(4); turn > 0; turn--) await settled();
    assert.ok(aloneInside === 0 || inside === 1);
    inside--;
    if (alone) aloneInside--;
  };
  const passes = Array.from({ length: 300 }, async (_, index) => {
    for (let turn = random.below(10); turn > 0; turn--) await settled();
    return index % 10 === 0 ? gate.alone(work(true)) : gate.shared(work(false));
  });
  await Promise.all(passes);
  assert.ok(mostTogether > 3);
  assert.equal(inside, 0);
});

test('one that waits to be alone is not passed by those who come later', async () => {
  const gate = new TreeGate();
  const order: string[] = [];
  let leave: () => void = () => {};
  const first = gate.shared(
    () =>
      new Promise<void>((resolve) => {
        leave = resolve;
      }),
  );
  const alone = gate.alone(async () => void order.push('alone'));
  const late = gate.shared(async () => void order.push('late'));
  await settled();
  assert.deepEqual(order, []);
  leave();
  await Promise.all([first, alone, late]);
  assert.deepEqual(order, ['alone', 'late']);
});

test('work that fails leaves the gate open', async () => {
  const gate = new TreeGate();
  await assert.rejects(
    gate.alone(() => Promise.reject(new Error('broken'))),
    /broken/,
  );
  await assert.rejects(
    gate.shared(() => Promise.reject(new Error('broken'))),
    /broken/,
  );
  assert.equal(await gate.alone(async () => 7), 7);
});
