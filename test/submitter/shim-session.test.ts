/** The agent's end of a shim's socket: what it writes, and what it leaves when the shim goes. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  decodeOutputBegin,
  encodeCommitted,
  encodeLocal,
  type ShimFrame,
  ShimFrameDecoder,
} from '../../src/shim/index.ts';
import { ShimSession } from '../../src/submitter/shim-session.ts';
import { nodeWarnings, until } from '../mesh/transport-peers.ts';

interface Bench {
  readonly directory: string;
  readonly session: ShimSession;
  /** The agent's end. */
  readonly served: Socket;
  /** The shim's end. */
  readonly shim: Socket;
  /** What the shim has been told, heartbeats left out. */
  readonly frames: ShimFrame[];
}

async function open(t: TestContext): Promise<Bench> {
  const directory = mkdtempSync(join(tmpdir(), 'mcs-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, 's');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const shim = connect(path);
  const served = await accepted;
  t.after(() => {
    shim.destroy();
    served.destroy();
    server.close();
  });
  const session = new ShimSession(served);
  const decoder = new ShimFrameDecoder();
  served.on('data', (chunk: Buffer) => {
    for (const frame of decoder.push(chunk)) session.receive(frame);
  });
  const frames: ShimFrame[] = [];
  const told = new ShimFrameDecoder();
  shim.on('data', (chunk: Buffer) => {
    for (const frame of told.push(chunk)) if (frame.name !== 'ACCEPTED') frames.push(frame);
  });
  return { directory, session, served, shim, frames };
}

const names = (frames: readonly ShimFrame[]): string[] => frames.map(({ name }) => name);

test('a result is offered whole, and the shim’s answer ends the call', async (t) => {
  const { session, shim, frames, directory } = await open(t);
  session.beginOutput(0, join(directory, 'x.o'), 5);
  void session.outputData(0, Buffer.from('bytes'));
  const commit = session.commit(0, Buffer.from('out'), Buffer.from('err'));
  await until(() => names(frames).includes('COMMIT'), 'the result is offered');
  assert.deepEqual(names(frames), ['OUTPUT_BEGIN', 'OUTPUT_DATA', 'STDOUT', 'STDERR', 'COMMIT']);
  const begin = decodeOutputBegin(frames[0]!.payload);
  assert.equal(begin.finalPath, join(directory, 'x.o'));
  assert.equal(join(begin.temporaryPath, '..'), directory, 'a temporary file in the same directory');
  shim.write(encodeCommitted());
  assert.deepEqual(await commit, { kind: 'committed' });
});

test('attempts do not share temporary files', async (t) => {
  const { session, frames, directory } = await open(t);
  const large = Buffer.alloc(1 << 20);
  for (let attempt = 0; attempt < 2; attempt++) {
    session.beginOutput(0, join(directory, 'x.o'), large.length);
    await session.outputData(0, large);
    session.discard();
  }
  await until(() => frames.length === 6, 'six frames');
  const once = ['OUTPUT_BEGIN', 'OUTPUT_DATA', 'DISCARD'];
  assert.deepEqual(names(frames), [...once, ...once]);
  assert.notEqual(
    decodeOutputBegin(frames[0]!.payload).temporaryPath,
    decodeOutputBegin(frames[3]!.payload).temporaryPath,
  );
});

test('a small result reaches the shim when it is whole; an attempt that comes to nothing before that does not', async (t) => {
  const { session, frames, directory } = await open(t);
  session.beginOutput(0, join(directory, 'x.o'), 5);
  void session.outputData(0, Buffer.from('wrong'));
  session.discard();
  session.beginOutput(0, join(directory, 'x.o'), 5);
  void session.outputData(0, Buffer.from('right'));
  void session.commit(0, Buffer.alloc(0), Buffer.alloc(0));
  await until(() => names(frames).includes('COMMIT'), 'the result is offered');
  assert.deepEqual(names(frames), ['OUTPUT_BEGIN', 'OUTPUT_DATA', 'COMMIT']);
  assert.equal(frames[1]!.payload.toString('latin1', 4), 'right');
});

test('a shim that dies before it commits leaves no temporary file; one that has committed keeps its files', async (t) => {
  for (const committed of [false, true]) {
    const { session, shim, frames, directory } = await open(t);
    session.beginOutput(0, join(directory, 'x.o'), 5);
    const commit = session.commit(0, Buffer.alloc(0), Buffer.alloc(0));
    await until(() => names(frames).includes('COMMIT'), 'the result is offered');
    const { temporaryPath } = decodeOutputBegin(frames[0]!.payload);
    writeFileSync(temporaryPath, 'half');
    if (committed) shim.write(encodeCommitted());
    shim.end();
    assert.equal((await commit).kind, committed ? 'committed' : 'local');
    assert.ok(session.gone.aborted || committed);
    if (committed) continue;
    await until(() => !existsSync(temporaryPath), 'the temporary file is removed');
  }
});

test('a shim that compiles by itself ends the call with its cause', async (t) => {
  const { session, shim } = await open(t);
  const commit = session.commit(0, Buffer.alloc(0), Buffer.alloc(0));
  shim.write(encodeLocal('OUTPUT', 'no space'));
  assert.deepEqual(await commit, { kind: 'local', cause: 'OUTPUT' });
  assert.ok(session.gone.aborted);
  assert.equal(session.localCause, 'OUTPUT');
});

test('a slow shim holds the sender back, over and over, without piling up listeners', async (t) => {
  const warnings = nodeWarnings(t);
  const { session, served, shim, frames, directory } = await open(t);
  const before = served.listenerCount('close');
  session.beginOutput(0, join(directory, 'x.o'), 1);
  shim.pause();
  let pauses = 0;
  const piece = Buffer.alloc(256 * 1024);
  for (let index = 0; index < 40; index++) {
    const room = session.outputData(0, piece);
    if (room === undefined) continue;
    pauses++;
    assert.ok(served.writableLength < 2 * piece.length, 'what waits here is bounded');
    shim.resume();
    await room;
    shim.pause();
  }
  assert.ok(pauses > 15, `${pauses} pauses`);
  assert.equal(served.listenerCount('close'), before);
  shim.resume();
  await until(() => frames.length === 41, 'all pieces');
  assert.deepEqual(warnings, []);
});

test('a sender that waits for a shim goes on when the shim is gone', async (t) => {
  const { session, shim, directory } = await open(t);
  session.beginOutput(0, join(directory, 'x.o'), 1);
  shim.pause();
  let waiting: Promise<void> | undefined;
  while (waiting === undefined) waiting = session.outputData(0, Buffer.alloc(1 << 20)) ?? undefined;
  shim.destroy();
  await waiting;
  assert.equal(session.outputData(0, Buffer.alloc(10)), undefined);
  session.discard();
  session.runLocal('no-peer', '');
});
