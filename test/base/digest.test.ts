import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  digestFromBytes,
  digestOf,
  digestToBytes,
  finishDigest,
  isDigest,
  startDigest,
} from '../../src/base/digest.ts';

/** SHA-256 of "abc", FIPS 180-2 appendix B.1. */
const ABC = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';

test('a digest is SHA-256, in one piece or in many', () => {
  assert.equal(digestOf('abc'), ABC);
  assert.equal(digestOf(Buffer.from('abc')), ABC);
  const hash = startDigest();
  hash.update('a').update('bc');
  assert.equal(finishDigest(hash), ABC);
});

test('32 bytes and 64 digits stand for each other, also within a larger buffer', () => {
  const digest = digestOf('abc');
  const bytes = digestToBytes(digest);
  assert.equal(bytes.length, 32);
  assert.equal(digestFromBytes(bytes), ABC);
  const message = Buffer.concat([Buffer.alloc(7, 1), bytes, Buffer.alloc(9, 2)]);
  assert.equal(digestFromBytes(message.subarray(7, 39)), ABC);
  assert.equal(digestFromBytes(new Uint8Array(message).subarray(7, 39)), ABC);
});

test('anything else is no digest', () => {
  for (const length of [0, 31, 33]) assert.equal(digestFromBytes(Buffer.alloc(length)), undefined);
  assert.ok(isDigest(ABC));
  for (const text of ['', ABC.slice(1), `${ABC}0`, ABC.toUpperCase(), `${ABC}\n`, ` ${ABC}`])
    assert.ok(!isDigest(text), text);
});
