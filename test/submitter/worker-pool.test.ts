/** Connections to the nodes that were sighted: one each, kept, and made again when they are lost. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Dispatcher } from '../../src/submitter/dispatcher.ts';
import { EntryTable } from '../../src/submitter/entry-table.ts';
import { WorkerPool } from '../../src/submitter/worker-pool.ts';
import { INSECURE, listen, until } from '../mesh/transport-peers.ts';

function openPool(
  t: TestContext,
  options: { longestPauseMs?: number; speedOf?: (nodeId: string) => number | undefined } = {},
): { pool: WorkerPool; dispatcher: Dispatcher; lines: string[] } {
  const dispatcher = new Dispatcher();
  const lines: string[] = [];
  const pool = new WorkerPool({
    dispatcher,
    entries: new EntryTable(),
    security: INSECURE,
    hello: { nodeId: 'self', nodeName: 'self-name', agentVersion: '0' },
    log: (line) => lines.push(line),
    ...options,
  });
  t.after(() => pool.stop());
  return { pool, dispatcher, lines };
}

const node = (nodeId: string, ...addresses: string[]) => ({ nodeId, name: `${nodeId}-name`, addresses });

test('a node is connected to once, however often it is sighted; this node itself never', async (t) => {
  const { pool, dispatcher } = openPool(t);
  const listener = await listen(t, { nodeId: 'a' });
  for (let sighting = 0; sighting < 3; sighting++) pool.sighted(node('a', listener.address));
  pool.sighted(node('self', listener.address));
  await until(() => dispatcher.workers.length === 1, 'connected');
  pool.sighted(node('a', listener.address));
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(listener.sessions.length, 1);
  assert.deepEqual(
    pool.nodes.map(({ node: { nodeId }, lastError }) => [nodeId, lastError]),
    [['a', undefined]],
  );
});

test('the next address is tried where one does not answer or is somebody else', async (t) => {
  const { pool, dispatcher } = openPool(t);
  const other = await listen(t, { nodeId: 'other' });
  const right = await listen(t, { nodeId: 'a' });
  pool.sighted(node('a', '127.0.0.1:1', other.address, right.address));
  await until(() => dispatcher.workers.length === 1, 'connected');
  assert.equal(dispatcher.workers[0]?.address, right.address);
});

test('a lost connection is made again', async (t) => {
  const { pool, dispatcher, lines } = openPool(t);
  const listener = await listen(t, { nodeId: 'a' });
  pool.sighted(node('a', listener.address));
  await until(() => dispatcher.workers.length === 1, 'connected');
  (await listener.session()).hangUp('for the test');
  await until(() => listener.sessions.length === 2 && dispatcher.workers.length === 1, 'connected again');
  assert.ok(
    lines.some((line) => line.includes('lost') && line.includes('for the test')),
    lines.join('\n'),
  );
});

test('a job that comes right after the connection was lost goes to the new one', async (t) => {
  const { pool, dispatcher } = openPool(t);
  const toolchains = [{ id: 'compiler', dialect: 'gcc', driver: 'c', version: '', targetTriple: '' }];
  const listener = await listen(t, { nodeId: 'a', welcome: { toolchains } });
  pool.sighted(node('a', listener.address));
  (await listener.session()).hangUp('for the test');
  await until(() => pool.nodes[0]?.lastError !== undefined, 'the connection is lost');
  const placed = dispatcher.place(
    { toolchainId: 'compiler' },
    new Set(),
    60_000,
    new AbortController().signal,
    (worker) => ({
      kind: 'placed' as const,
      worker,
    }),
  );
  await until(() => listener.sessions.length === 2, 'connected again');
  listener.sessions[1]?.out.send({ credits: { grantedTotal: 1 } });
  const end = await placed;
  assert.equal(end.kind, 'placed', JSON.stringify(end));
});

test('a node that was withdrawn and then lost is forgotten when it does not come back', async (t) => {
  const { pool, dispatcher } = openPool(t, { longestPauseMs: 20 });
  const listener = await listen(t, { nodeId: 'a' });
  pool.sighted(node('a', listener.address));
  await until(() => dispatcher.workers.length === 1, 'connected');
  pool.forgotten('a');
  listener.server.stop();
  await until(() => pool.nodes.length === 0, 'forgotten');
});

test('a node that cannot be reached says why, and a new address is tried soon', async (t) => {
  const { pool, dispatcher } = openPool(t);
  pool.sighted(node('a', '127.0.0.1:1'));
  await until(() => pool.nodes[0]?.lastError !== undefined, 'the first attempt has failed');
  assert.match(pool.nodes[0]?.lastError ?? '', /^nothing listens there/);
  const listener = await listen(t, { nodeId: 'a' });
  pool.sighted(node('a', listener.address));
  await until(() => dispatcher.workers.length === 1, 'connected at the new address');
});

test('a node that is no longer announced keeps a live connection, and is forgotten without one', async (t) => {
  const { pool, dispatcher } = openPool(t);
  const listener = await listen(t, { nodeId: 'a' });
  pool.sighted(node('a', listener.address));
  pool.sighted(node('b', '127.0.0.1:1'));
  await until(() => dispatcher.workers.length === 1, 'connected');
  await until(() => pool.nodes.some(({ lastError }) => lastError !== undefined), 'b has failed');
  pool.forgotten('a');
  pool.forgotten('b');
  assert.deepEqual(
    pool.nodes.map(({ node: { nodeId } }) => nodeId),
    ['a'],
  );
});

test('a connection that stands when its node has been forgotten, or the pool has stopped, is dropped', async (t) => {
  const { pool, dispatcher } = openPool(t);
  const listener = await listen(t, { nodeId: 'a' });
  pool.sighted(node('a', listener.address));
  pool.forgotten('a');
  const session = await listener.session();
  await session.closed;
  assert.deepEqual([dispatcher.workers, pool.nodes], [[], []]);
  const late = openPool(t);
  late.pool.sighted(node('a', listener.address));
  late.pool.stop();
  await (await listener.session()).closed;
  late.pool.sighted(node('a', listener.address));
  assert.deepEqual([late.dispatcher.workers, late.pool.nodes], [[], []]);
});

test('while a node is connected to for the first time jobs may wait; if it does not answer, they are not held up', async (t) => {
  const { pool, dispatcher } = openPool(t);
  const refusal = () => dispatcher.refusal({ toolchainId: 'some compiler' }, new Set())?.reason;
  pool.sighted(node('a', '127.0.0.1:1'));
  assert.equal(refusal(), undefined);
  await until(() => pool.nodes[0]?.lastError !== undefined, 'the first attempt has failed');
  assert.equal(refusal(), 'no-peer');
  pool.sighted(node('b', '127.0.0.1:1'));
  assert.equal(refusal(), undefined);
  pool.forgotten('b');
  assert.equal(refusal(), 'no-peer');
});

test('stopping ends the connections', async (t) => {
  const { pool, dispatcher } = openPool(t);
  const listener = await listen(t, { nodeId: 'a' });
  pool.sighted(node('a', listener.address));
  await until(() => dispatcher.workers.length === 1, 'connected');
  pool.stop();
  await (await listener.session()).closed;
  await until(() => dispatcher.workers.length === 0, 'the worker is gone');
  await new Promise((resolve) => setTimeout(resolve, 400));
  assert.equal(listener.sessions.length, 1, 'no new attempt');
});

test('a node that was measured is connected to with its speed, one that was not without', async (t) => {
  const { pool, dispatcher } = openPool(t, { speedOf: (nodeId) => (nodeId === 'fast' ? 4000 : undefined) });
  for (const nodeId of ['fast', 'new']) pool.sighted(node(nodeId, (await listen(t, { nodeId })).address));
  await until(() => dispatcher.workers.length === 2, 'both connected');
  const speeds = new Map(dispatcher.workers.map(({ nodeId, speed }) => [nodeId, speed]));
  assert.deepEqual([speeds.get('fast'), speeds.get('new')], [4000, undefined]);
});
