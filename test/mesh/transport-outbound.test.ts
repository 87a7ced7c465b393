/** Backpressure: a sender waits for a slow receiver, and never for one that has gone. */
import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { type BlobChunk, CHUNK_BYTES, Outbound } from '../../src/mesh/index.ts';
import { dial, listen, nodeWarnings, until } from './transport-peers.ts';

const chunk = (index: number): BlobChunk => {
  const data = Buffer.alloc(CHUNK_BYTES, index);
  return { sha256: Buffer.alloc(32, index), sizeBytes: data.length, data, last: true };
};

/** A stream that takes `room` messages and then no more until it is told. */
class SlowStream extends Duplex {
  readonly taken: unknown[] = [];
  readonly #held: (() => void)[] = [];

  constructor() {
    super({ objectMode: true, writableHighWaterMark: 2, read: () => {} });
  }

  override _write(message: unknown, _encoding: string, done: () => void): void {
    this.taken.push(message);
    this.#held.push(done);
  }

  /** Takes one more message. */
  letOne(): void {
    this.#held.shift()?.();
  }
}

test('a sender that heeds ready() is held while the stream is full, and goes on in order', async () => {
  const stream = new SlowStream();
  const out = new Outbound<number>(stream);
  let sent = 0;
  const sending = (async () => {
    for (let index = 0; index < 10; index++) {
      await out.sendWhenReady(index);
      sent++;
    }
  })();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(sent, 2, 'as many as the stream may queue');
  while (sent < 10) {
    stream.letOne();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await sending;
  for (let index = 0; index < 10; index++) {
    stream.letOne();
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.deepEqual(stream.taken, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

for (const [what, finish] of [
  ['end() of its own side', (out: Outbound<number>) => out.end()],
  ['the end of the stream', (_out: Outbound<number>, stream: SlowStream) => stream.destroy()],
  [
    'an error of the stream',
    (_out: Outbound<number>, stream: SlowStream) => stream.destroy(new Error('cut')),
  ],
] as const) {
  test(`a sender that waits for room is set free by ${what}, and what it sends then is dropped`, async () => {
    const stream = new SlowStream();
    stream.on('error', () => {});
    const out = new Outbound<number>(stream);
    for (let index = 0; index < 3; index++) out.send(index);
    const waiting = out.sendWhenReady(99);
    finish(out, stream);
    await waiting;
    await out.ready();
    out.send(100);
    assert.ok(!stream.taken.includes(99) && !stream.taken.includes(100));
  });
}

test('100 pauses leave no listeners behind', async (t) => {
  const seen = nodeWarnings(t);
  const stream = new SlowStream();
  const out = new Outbound<number>(stream);
  const before = stream.listenerCount('close') + stream.listenerCount('error');
  for (let index = 0; index < 100; index++) {
    while (stream.writableNeedDrain) {
      stream.letOne();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await out.sendWhenReady(index);
  }
  assert.equal(stream.listenerCount('close') + stream.listenerCount('error'), before);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(seen, []);
});

test('a receiver that holds back holds the sender, whose queue stays bounded', async (t) => {
  const seen = nodeWarnings(t);
  let open: () => void = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const listener = await listen(t, { onBlobChunk: () => gate });
  const link = await dial(t, listener.address);
  const session = await listener.session();
  const total = 600;
  let sent = 0;
  const sending = (async () => {
    for (let index = 0; index < total; index++) {
      await link.blobs.sendWhenReady(chunk(index));
      sent++;
    }
  })();
  await until(() => session.chunks.length === 1, 'the first piece is being taken');
  let before = -1;
  while (before !== sent) {
    before = sent;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  // Windows of both HTTP/2 ends, socket buffers and the 16 objects of each stream: 75 MB were asked for.
  assert.ok(sent * CHUNK_BYTES < 24 * 1024 * 1024, `${sent} pieces of ${CHUNK_BYTES} bytes left the sender`);
  assert.equal(session.chunks.length, 1, 'one piece is in the hands of the receiver');
  open();
  await sending;
  await until(() => session.chunks.length === total, 'all pieces');
  assert.ok(
    session.chunks.every(({ sha256 }, index) => sha256[0] === index % 256),
    'in order',
  );
  assert.deepEqual(seen, []);
});

test('a sender of outputs is set free when its submitter vanishes', async (t) => {
  const listener = await listen(t);
  const link = await dial(t, listener.address);
  const session = await listener.session();
  const data = Buffer.alloc(CHUNK_BYTES);
  let ended = false;
  const closed = session.closed.then(() => {
    ended = true;
  });
  const sending = (async () => {
    while (!ended) {
      await session.out.sendWhenReady({ outputChunk: { jobId: 1, index: 0, path: '', sizeBytes: 0, data } });
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  await new Promise((resolve) => setTimeout(resolve, 100));
  link.close();
  await closed;
  await sending;
});
