import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeAscending, encodeAscending } from '../../src/base/varint.ts';
import { seededRandom } from './seeded-random.ts';

const LARGEST = 2 ** 31 - 1;

test('ids come back as they were sent, whatever their distances', () => {
  const random = seededRandom(20260101);
  const edges = [0, 1, 0x7f, 0x80, 0x3fff, 0x4000, 0x1fffff, 0x200000, 0xfffffff, 0x10000000, LARGEST];
  const lists: number[][] = [[], [0], [LARGEST], [0, LARGEST], edges];
  for (let round = 0; round < 300; round++) {
    const ids = new Set<number>();
    const spread = 2 ** (1 + random.below(31));
    for (let count = random.below(200); count > 0; count--) ids.add(random.below(spread));
    lists.push([...ids].filter((id) => id <= LARGEST).sort((a, b) => a - b));
  }
  for (const ids of lists) assert.deepEqual(decodeAscending(encodeAscending(ids)), ids);
});

test('neighbours take one byte each', () => {
  const ids = Array.from({ length: 600 }, (_, index) => 5000 + index * 3);
  assert.equal(encodeAscending(ids).length, 2 + 599);
});

test('bytes that end within a number are no list', () => {
  const whole = encodeAscending([5, 300, 70_000, LARGEST]);
  const ends = new Set([0]);
  for (let length = 1; length <= 4; length++) {
    ends.add(encodeAscending([5, 300, 70_000, LARGEST].slice(0, length)).length);
  }
  for (let length = 0; length < whole.length; length++) {
    const decoded = decodeAscending(whole.subarray(0, length));
    if (ends.has(length)) assert.ok(decoded, `${length} bytes hold whole numbers`);
    else assert.equal(decoded, undefined, `${length} bytes end within a number`);
  }
});

test('a number above 31 bits is no list, neither alone nor as a sum', () => {
  assert.equal(decodeAscending(Buffer.from([0x80, 0x80, 0x80, 0x80, 0x08])), undefined, '2^31');
  assert.equal(decodeAscending(Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0x01])), undefined, 'six bytes');
  assert.equal(decodeAscending(Buffer.concat([encodeAscending([LARGEST]), Buffer.from([1])])), undefined);
  assert.equal(decodeAscending(Buffer.alloc(64, 0x80)), undefined);
});

test('random bytes give a list of numbers in range or none, and nothing else happens', () => {
  const random = seededRandom(7);
  let lists = 0;
  for (let round = 0; round < 2000; round++) {
    const bytes = Buffer.from(Array.from({ length: random.below(40) }, () => random.below(256)));
    const ids = decodeAscending(bytes);
    if (ids === undefined) continue;
    lists++;
    for (const id of ids) assert.ok(Number.isInteger(id) && id >= 0 && id <= LARGEST);
    assert.deepEqual(
      [...ids].sort((a, b) => a - b),
      ids,
      'ascending',
    );
  }
  assert.ok(lists > 50, 'some of the inputs were lists');
});
