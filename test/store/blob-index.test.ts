/** The bookkeeping of a store takes no more memory than its bound on blobs allows, however small they are. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Digest, digestOf } from '../../src/base/digest.ts';
import { BlobIndex } from '../../src/store/blob-index.ts';

const ENTRY = { sizeBytes: 0, verified: true, usedAtMs: 0, recordedAtMs: 0 };
const digests = Array.from({ length: 10 }, (_, index) => digestOf(`blob ${index}`));

test('of more blobs than are allowed, those unused for longest go, pinned ones aside', () => {
  const evicted: Digest[] = [];
  const index = new BlobIndex(1_000_000, (digest) => evicted.push(digest), 4);
  index.pin(digests[0]!);
  for (const digest of digests.slice(0, 4)) index.add(digest, ENTRY);
  assert.deepEqual(evicted, []);
  index.use(digests[1]!, 1);
  index.add(digests[4]!, ENTRY);
  assert.deepEqual(evicted, [digests[2]]);
  for (const digest of digests.slice(5)) index.add(digest, ENTRY);
  assert.equal(index.count, 4);
  assert.ok(index.has(digests[0]!));
  for (const digest of digests.slice(7)) assert.ok(index.has(digest));
});

test('blobs of an earlier run count too, when they are trimmed', () => {
  const evicted: Digest[] = [];
  const index = new BlobIndex(1_000_000, (digest) => evicted.push(digest), 4);
  index.adopt(digests.map((digest) => [digest, ENTRY]));
  assert.ok(index.trim(2), 'it stopped because it had done enough for one turn');
  assert.equal(index.trim(), false);
  assert.deepEqual(evicted, digests.slice(0, 6));
});
