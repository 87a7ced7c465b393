/** Contents on their way from a submitter: only what was asked for, only if it is right, and nothing half is kept. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { digestOf, digestToBytes } from '../../src/base/digest.ts';
import { MeshError } from '../../src/base/errors.ts';
import { type BlobChunk, type FromWorker, Outbound } from '../../src/mesh/index.ts';
import { type BlobStore, openBlobStore } from '../../src/store/index.ts';
import { BlobInbox } from '../../src/worker/blob-inbox.ts';
import { stateOf } from './mirror-bench.ts';

interface Bench {
  readonly inbox: BlobInbox;
  readonly store: BlobStore;
  /** Digests that were asked for, one list per message. */
  readonly asked: () => string[][];
  /** Bytes below the store's directory beyond those of an empty store. */
  readonly bytesOnDisk: () => number;
}

async function open(t: TestContext): Promise<Bench> {
  const directory = mkdtempSync(join(tmpdir(), 'meshcc-inbox-'));
  const store = await openBlobStore({
    directory,
    maxBytes: 8 << 20,
    log: { info: () => {}, warn: () => {} },
  });
  t.after(async () => {
    await store.close();
    rmSync(directory, { recursive: true, force: true });
  });
  const bytes = (): number =>
    readdirSync(directory, { recursive: true, encoding: 'utf8' })
      .map((name) => statSync(join(directory, name)))
      .reduce((sum, stat) => sum + (stat.isFile() ? stat.size : 0), 0);
  const emptyBytes = bytes();
  const stream = new PassThrough({ objectMode: true, highWaterMark: 1000 });
  const inbox = new BlobInbox(store, new Outbound<FromWorker>(stream));
  const messages: FromWorker[] = [];
  stream.on('data', (message: FromWorker) => messages.push(message));
  return {
    inbox,
    store,
    asked: () =>
      messages.map((message) =>
        (message.needBlobs?.sha256 ?? []).map((bytes) => Buffer.from(bytes).toString('hex')),
      ),
    bytesOnDisk: () => bytes() - emptyBytes,
  };
}

function chunks(content: Buffer, pieceBytes: number, claim: Buffer = content): BlobChunk[] {
  const sha256 = digestToBytes(digestOf(claim));
  const pieces: BlobChunk[] = [];
  for (let offset = 0; offset === 0 || offset < content.length; offset += pieceBytes) {
    const data = content.subarray(offset, offset + pieceBytes);
    pieces.push({ sha256, sizeBytes: claim.length, data, last: offset + pieceBytes >= content.length });
  }
  return pieces;
}

const SMALL = Buffer.from('int x;\n');
const LARGE = Buffer.alloc(1_500_000, 'large content ');

test('what is missing is asked for once and in one message, whoever needs it', async (t) => {
  const { inbox, store, asked } = await open(t);
  await store.put(digestOf('there'), Buffer.from('there'));
  await inbox.need(digestOf('there'));
  const waiting = [SMALL, LARGE, SMALL].map((content) => inbox.need(digestOf(content)));
  assert.equal(await stateOf(Promise.race(waiting)), 'pending');
  assert.deepEqual(asked(), [[digestOf(SMALL), digestOf(LARGE)]]);
  for (const content of [SMALL, LARGE]) {
    for (const chunk of chunks(content, 128 * 1024)) await inbox.accept(chunk);
  }
  await Promise.all(waiting);
  assert.deepEqual(await store.read(digestOf(LARGE)), LARGE);
  await inbox.need(digestOf(SMALL));
  assert.equal(asked().length, 1);
});

test('an empty content is content', async (t) => {
  const { inbox, store } = await open(t);
  const needed = inbox.need(digestOf(''));
  for (const chunk of chunks(Buffer.alloc(0), 1)) await inbox.accept(chunk);
  await needed;
  assert.equal(store.sizeBytes(digestOf('')), 0);
});

test('content that nobody asked for is dropped', async (t) => {
  const { inbox, store, bytesOnDisk } = await open(t);
  for (const chunk of chunks(LARGE, 128 * 1024)) await inbox.accept(chunk);
  await inbox.accept({ sha256: Buffer.alloc(7), sizeBytes: 1, data: SMALL, last: true });
  assert.equal(store.has(digestOf(LARGE)), false);
  assert.deepEqual([bytesOnDisk(), store.stats().reservedBytes], [0, 0]);
});

/** Deliveries that must not be stored. */
const WRONG: Record<string, BlobChunk[]> = {
  'other content of the same length': chunks(Buffer.alloc(LARGE.length, 'x'), 128 * 1024, LARGE),
  'too short': chunks(LARGE.subarray(0, 1_000_000), 128 * 1024, LARGE),
  'too long': chunks(Buffer.concat([LARGE, SMALL]), 128 * 1024, LARGE),
  'larger than the store': [{ ...chunks(LARGE, 100)[0]!, sizeBytes: 9 << 20 }],
  'of an impossible size': [{ ...chunks(LARGE, 100)[0]!, sizeBytes: -1 }],
};

for (const [what, pieces] of Object.entries(WRONG)) {
  test(`wrong content fails who waits for it and leaves nothing: ${what}`, async (t) => {
    const { inbox, store, bytesOnDisk, asked } = await open(t);
    const needed = inbox.need(digestOf(LARGE));
    for (const chunk of pieces) await inbox.accept(chunk);
    // Not a fault of this node's store: another node would not fare better.
    await assert.rejects(
      needed,
      (error: unknown) => error instanceof MeshError && error.code === 'MESHCC_PROTOCOL',
    );
    assert.deepEqual([bytesOnDisk(), store.stats().reservedBytes, store.stats().blobs], [0, 0, 0]);
    const again = inbox.need(digestOf(LARGE));
    for (const chunk of chunks(LARGE, 128 * 1024)) await inbox.accept(chunk);
    await again;
    assert.equal(asked().length, 2);
  });
}

test('what the submitter cannot deliver fails who waits for it, also in the middle', async (t) => {
  const { inbox, bytesOnDisk, store } = await open(t);
  const needed = inbox.need(digestOf(LARGE));
  for (const chunk of chunks(LARGE, 128 * 1024).slice(0, 5)) await inbox.accept(chunk);
  assert.ok(bytesOnDisk() > 0, 'a part is on disk');
  inbox.unavailable([digestToBytes(digestOf(LARGE)), Buffer.alloc(3), digestToBytes(digestOf('unheard of'))]);
  await assert.rejects(needed, /no longer has/);
  await stateOf(Promise.resolve());
  assert.deepEqual([bytesOnDisk(), store.stats().reservedBytes], [0, 0]);
});

test('a connection that goes takes half contents with it, and fails who waits, also afterwards', async (t) => {
  const { inbox, bytesOnDisk, store } = await open(t);
  const needed = inbox.need(digestOf(LARGE));
  const other = inbox.need(digestOf(SMALL));
  const pieces = chunks(LARGE, 128 * 1024);
  for (const chunk of pieces.slice(0, 4)) await inbox.accept(chunk);
  const writing = inbox.accept(pieces[4]!);
  await inbox.close();
  await writing;
  await inbox.accept(pieces[5]!);
  for (const promise of [needed, other, inbox.need(digestOf(SMALL))]) {
    await assert.rejects(promise, /submitter is gone/);
  }
  assert.deepEqual([bytesOnDisk(), store.stats().reservedBytes], [0, 0]);
});
