/** Contents on their way to a worker: read in pieces, never faster than the link, and given up when they are gone. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Digest, digestOf, digestToBytes } from '../../src/base/digest.ts';
import { type BlobChunk, CHUNK_BYTES } from '../../src/mesh/index.ts';
import { type BlobSource, BlobUploader } from '../../src/submitter/blob-uploader.ts';
import { dial, listen, type ServedSession, until } from '../mesh/transport-peers.ts';

interface Bench {
  readonly directory: string;
  readonly session: ServedSession;
  readonly uploader: BlobUploader;
  readonly unavailable: Digest[];
  /** Where the uploader finds a content. */
  readonly sources: Map<Digest, BlobSource[]>;
  /** Writes a file and makes it the source of its content. */
  add(name: string, content: Buffer): Digest;
}

async function open(t: TestContext, hold: () => Promise<void> = async () => {}): Promise<Bench> {
  const directory = mkdtempSync(join(tmpdir(), 'meshcc-upload-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const listener = await listen(t, { onBlobChunk: hold });
  const link = await dial(t, listener.address);
  const sources = new Map<Digest, BlobSource[]>();
  const unavailable: Digest[] = [];
  const uploader = new BlobUploader(
    link.blobs,
    (digest) => sources.get(digest) ?? [],
    (digests) => unavailable.push(...digests),
  );
  return {
    directory,
    session: await listener.session(),
    uploader,
    unavailable,
    sources,
    add: (name, content) => {
      const digest = digestOf(content);
      writeFileSync(join(directory, name), content);
      sources.set(digest, [...(sources.get(digest) ?? []), sourceAt(join(directory, name))]);
      return digest;
    },
  };
}

function sourceAt(path: string): BlobSource {
  const { size: sizeBytes, mtimeMs } = statSync(path);
  return { path, sizeBytes, mtimeSeconds: Math.floor(mtimeMs / 1000) };
}

/** What arrived, by digest. */
function received(chunks: readonly BlobChunk[]): Map<string, Buffer> {
  const contents = new Map<string, Buffer>();
  for (const { sha256, data } of chunks) {
    const digest = Buffer.from(sha256).toString('hex');
    contents.set(digest, Buffer.concat([contents.get(digest) ?? Buffer.alloc(0), data]));
  }
  return contents;
}

const ended = (session: ServedSession): number => session.chunks.filter(({ last }) => last).length;

test('files of all sizes arrive whole, in pieces, one after the other', async (t) => {
  const bench = await open(t);
  const contents = [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 5 * CHUNK_BYTES].map((size, index) =>
    Buffer.alloc(size, `content ${index} `),
  );
  const digests = contents.map((content, index) => bench.add(`f${index}`, content));
  bench.uploader.request(digests.map(digestToBytes));
  await until(() => ended(bench.session) === contents.length, 'all files');
  const arrived = received(bench.session.chunks);
  for (const [index, content] of contents.entries()) assert.deepEqual(arrived.get(digests[index]!), content);
  assert.ok(bench.session.chunks.every(({ data }) => data.length <= CHUNK_BYTES));
  const order = bench.session.chunks.map(({ sha256 }) => Buffer.from(sha256).toString('hex'));
  assert.deepEqual([...new Set(order)], digests);
  assert.deepEqual(bench.unavailable, []);
  assert.equal(
    bench.uploader.sentBytes,
    contents.reduce((sum, { length }) => sum + length, 0),
  );
});

test('what is gone, no file or unheard of is reported, and the rest is sent', async (t) => {
  const bench = await open(t);
  const gone = bench.add('gone', Buffer.from('gone'));
  const kept = bench.add('kept', Buffer.from('kept'));
  const directory = digestOf('directory');
  mkdirSync(join(bench.directory, 'directory'));
  bench.sources.set(directory, [sourceAt(join(bench.directory, 'directory'))]);
  const unheard = digestOf('unheard of');
  rmSync(join(bench.directory, 'gone'));
  bench.uploader.request([...[gone, directory, unheard, kept].map(digestToBytes), Buffer.alloc(5)]);
  await until(() => ended(bench.session) === 1, 'the file that is there');
  assert.deepEqual(bench.unavailable, [unheard, gone, directory]);
  assert.deepEqual(received(bench.session.chunks).get(kept), Buffer.from('kept'));
});

test('of several files with one content, one that still has it is sent', async (t) => {
  const bench = await open(t);
  const digest = bench.add('gone', Buffer.from('same'));
  for (const name of ['grown', 'touched', 'kept']) bench.add(name, Buffer.from('same'));
  rmSync(join(bench.directory, 'gone'));
  writeFileSync(join(bench.directory, 'grown'), 'not the same');
  utimesSync(join(bench.directory, 'touched'), 1, 1);
  bench.uploader.request([digestToBytes(digest)]);
  await until(() => ended(bench.session) === 1, 'the content');
  assert.deepEqual(received(bench.session.chunks).get(digest), Buffer.from('same'));
  assert.equal(bench.uploader.sentBytes, 4);
  assert.deepEqual(bench.unavailable, []);
});

test('a file that shrinks while it is sent is reported', async (t) => {
  let letGo: () => void = () => {};
  const gate = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const bench = await open(t, () => gate);
  // More than the link takes while the worker reads nothing.
  const digest = bench.add('large', Buffer.alloc(40 * 1024 * 1024, 'x'));
  bench.uploader.request([digestToBytes(digest)]);
  await until(() => bench.session.chunks.length === 1, 'the first piece');
  writeFileSync(join(bench.directory, 'large'), 'short');
  letGo();
  await until(() => bench.unavailable.length === 1, 'it is reported');
  assert.deepEqual(bench.unavailable, [digest]);
  assert.equal(ended(bench.session), 0);
});

test('requests that come while others are being served are served too', async (t) => {
  const bench = await open(t);
  const digests = Array.from({ length: 50 }, (_, index) =>
    bench.add(`f${index}`, Buffer.alloc(5_000, `${index} `)),
  );
  for (const digest of digests) {
    bench.uploader.request([digestToBytes(digest)]);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await until(() => ended(bench.session) === 50, 'all of them');
  const last = bench.add('last', Buffer.from('after a pause'));
  bench.uploader.request([digestToBytes(last)]);
  await until(() => ended(bench.session) === 51, 'one more after a pause');
});

test('what is asked for twice while it waits is sent once, and again when it was asked for after that', async (t) => {
  const bench = await open(t);
  const first = bench.add('first', Buffer.alloc(1_000_000, '1'));
  const second = bench.add('second', Buffer.from('second'));
  bench.uploader.request([first, second, second, second].map(digestToBytes));
  bench.uploader.request([digestToBytes(second)]);
  await until(() => ended(bench.session) === 2, 'both');
  bench.uploader.request([digestToBytes(second)]);
  await until(() => ended(bench.session) === 3, 'one of them again');
  assert.equal(bench.uploader.sentBytes, 1_000_012);
});

test('nothing is sent or reported after the connection is given up', async (t) => {
  const bench = await open(t);
  const digest = bench.add('f', Buffer.from('f'));
  bench.uploader.stop();
  bench.uploader.request([digestToBytes(digest), digestToBytes(digestOf('unheard of'))]);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual(
    [bench.session.chunks.length, bench.unavailable.length, bench.uploader.sentBytes],
    [0, 0, 0],
  );
});
