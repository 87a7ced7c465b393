/** What people read about connections that fail: words for each trouble, made by the trouble itself. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { MeshError } from '../../src/base/errors.ts';
import { type ConnectOptions, connectWorker } from '../../src/mesh/index.ts';
import { troubleInWords } from '../../src/mesh/transport/connection-trouble.ts';
import { dial, INSECURE, listen, twoMembers } from './transport-peers.ts';

/** The message of an attempt that must fail; nothing of gRPC or the system may show in it. */
async function troubleWith(address: string, options: Partial<ConnectOptions> = {}): Promise<string> {
  const hello = { nodeId: 'self', nodeName: 'self', agentVersion: '0' };
  const connecting = connectWorker({
    address,
    expectedNodeId: undefined,
    security: INSECURE,
    hello,
    connectTimeoutMs: 4_000,
    ...options,
  });
  const error = await connecting.then(
    () => assert.fail('it connected'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof MeshError);
  const before = `connecting to ${options.expectedNodeId ?? 'a node'} at ${address}: `;
  assert.ok(error.message.startsWith(before), error.message);
  const words = error.message.slice(before.length);
  assert.doesNotMatch(words, /\d [A-Z]{4}|UNAVAILABLE|Resolution|Error|\bE[A-Z]{5}/, words);
  return words;
}

/** A server that is no node. */
async function stranger(t: TestContext, serve: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    serve(socket);
  });
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('nobody, a mute, a stranger, and one that hangs up', async (t) => {
  assert.match(await troubleWith('127.0.0.1:1'), /^nothing listens there/);
  assert.match(await troubleWith('no-such-host.invalid:9310'), /^its host name is not known/);
  const mute = await stranger(t, () => {});
  assert.match(await troubleWith(mute, { connectTimeoutMs: 200 }), /^it does not answer/);
  const web = await stranger(t, (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  assert.match(await troubleWith(web), /^something other than meshcc/);
  assert.match(
    await troubleWith(await stranger(t, (socket) => socket.destroy())),
    /^it ended the connection/,
  );
});

test('a node of another mesh, another node, and one without encryption', async (t) => {
  const [ours, other] = await twoMembers(t);
  const [foreign] = await twoMembers(t);
  const listener = await listen(t, { nodeId: other.nodeId, security: other.security });
  const { security } = ours;
  assert.equal(
    await troubleWith(listener.address, { security: foreign.security }),
    'it belongs to another mesh',
  );
  assert.match(
    await troubleWith(listener.address, { security, expectedNodeId: ours.nodeId }),
    new RegExp(`^another node answers there \\(${other.nodeId}\\)`),
  );
  assert.match(await troubleWith(listener.address), /^it ended the connection/);
  const open = await listen(t);
  assert.match(await troubleWith(open.address, { security }), /^it speaks without encryption/);
});

test('what the other node says is told as it says it', async (t) => {
  const listener = await listen(t);
  const link = await dial(t, listener.address);
  (await listener.session()).hangUp('a job without a credit');
  assert.equal(await link.closed, 'a job without a credit');
});

test('what nobody foresaw loses its wrapping only', () => {
  const wrapped =
    '14 UNAVAILABLE: No connection established. Last error: Error: no luck\n today. Resolution note: ';
  assert.equal(troubleInWords(wrapped), 'no luck today');
  assert.equal(troubleInWords('plain words.'), 'plain words.');
});
