/** Arguments under numbers: both sides of a stream mean the same, and what they keep is bounded. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ArgumentDecoder, ArgumentEncoder, type WireArgument } from '../../src/mesh/index.ts';
import { seededRandom } from '../base/seeded-random.ts';

const flag = (name: string): WireArgument => ({ name, form: 'flag', value: '', list: [] });

/** Sends a list as a submitter would. @returns what the worker makes of it */
function pass(encoder: ArgumentEncoder, decoder: ArgumentDecoder, args: readonly WireArgument[]) {
  const { news, numbers, own } = encoder.encode(args);
  assert.ok(decoder.learn(news));
  return { decoded: decoder.decode(numbers, own), own: own.length, news: news.length };
}

test('any lists come back as they were sent', () => {
  const random = seededRandom(7);
  const all = Array.from({ length: 400 }, (_, index) => flag(`-f${index}`));
  const [encoder, decoder] = [new ArgumentEncoder(), new ArgumentDecoder()];
  for (let round = 0; round < 300; round++) {
    const args = Array.from({ length: random.below(120) }, () => random.pick(all));
    assert.deepEqual(pass(encoder, decoder, args).decoded, args);
  }
});

test('an argument is announced with the second job that has it, and is a number from then on', () => {
  const [encoder, decoder] = [new ArgumentEncoder(), new ArgumentDecoder()];
  const shared = [flag('-O2'), flag('-c')];
  const counts = ['a.c', 'b.c', 'c.c'].map((name) => {
    const args = [...shared, { name: '', form: 'source', value: name, list: [] }];
    const { decoded, own, news } = pass(encoder, decoder, args);
    assert.deepEqual(decoded, args);
    return { own, news };
  });
  assert.deepEqual(counts, [
    { own: 3, news: 0 },
    { own: 1, news: 2 },
    { own: 1, news: 0 },
  ]);
});

test('neither side keeps more than the bound, and a long argument is never kept', () => {
  const [encoder, decoder] = [new ArgumentEncoder(), new ArgumentDecoder()];
  const many = Array.from({ length: 20_000 }, (_, index) => flag(`-f${index}`));
  pass(encoder, decoder, many);
  const { decoded, own } = pass(encoder, decoder, many);
  assert.deepEqual(decoded, many);
  assert.ok(own > 0);
  assert.equal(decoder.learn(many), false);
  const long = [flag(`-D${'x'.repeat(4096)}`)];
  const fresh = new ArgumentEncoder();
  for (let round = 0; round < 3; round++) assert.equal(fresh.encode(long).own.length, 1);
});
