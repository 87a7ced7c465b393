/** Bit sets against the sets of the language, over seeded random operations. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IdSet } from '../../src/base/id-set.ts';
import { type SeededRandom, seededRandom } from './seeded-random.ts';

/** Numbers near zero, near word borders and far up. */
function someId(random: SeededRandom): number {
  return random.below(random.pick([4, 70, 3_000, 200_000]));
}

function ascending(ids: Iterable<number>): number[] {
  return [...ids].sort((a, b) => a - b);
}

test('adding, deleting, joining and comparing give what Set gives', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = seededRandom(seed);
    const pairs = [0, 1].map(() => {
      const [bits, plain] = [new IdSet(), new Set<number>()];
      for (let count = random.below(60); count > 0; count--) {
        const id = someId(random);
        if (random.oneIn(5)) {
          bits.delete(id);
          plain.delete(id);
        } else {
          bits.add(id);
          plain.add(id);
        }
      }
      return { bits, plain };
    });
    const [one, other] = pairs as [(typeof pairs)[0], (typeof pairs)[0]];
    for (const { bits, plain } of pairs) {
      assert.deepEqual([...bits], ascending(plain), `seed ${seed}`);
      assert.equal(bits.size, plain.size);
      assert.equal(bits.isEmpty, plain.size === 0);
      for (let count = 0; count < 50; count++) {
        const id = someId(random);
        assert.equal(bits.has(id), plain.has(id), `seed ${seed}, ${id}`);
      }
      const compact = bits.compact();
      assert.deepEqual([...compact], ascending(plain));
      assert.ok(compact.wordCount <= bits.wordCount);
      compact.add(77);
      assert.deepEqual([...compact], ascending(new Set([...plain, 77])));
    }
    const missing: number[] = [];
    one.bits.forEachMissingIn(other.bits, (id) => missing.push(id));
    assert.deepEqual(missing, ascending([...one.plain].filter((id) => !other.plain.has(id))), `seed ${seed}`);
    const joined = one.bits.compact();
    joined.addAll(other.bits);
    assert.deepEqual([...joined], ascending(new Set([...one.plain, ...other.plain])), `seed ${seed}`);
    joined.addAll(joined);
    assert.deepEqual([...joined], ascending(new Set([...one.plain, ...other.plain])), `seed ${seed}`);
  }
});

test('a small set of high numbers is small', () => {
  const set = IdSet.of([1_000_000, 1_000_031]);
  assert.ok(set.compact().wordCount <= 2);
  assert.deepEqual([...set], [1_000_000, 1_000_031]);
});
