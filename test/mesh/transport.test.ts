/** Who may connect to whom, and what a connection does when one side ends it. */
import assert from 'node:assert/strict';
import { createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import * as grpc from '@grpc/grpc-js';
import { MeshError } from '../../src/base/errors.ts';
import { type ConnectOptions, type FromWorker, PROTOCOL_VERSION, serveMesh } from '../../src/mesh/index.ts';
import { MeshService, SESSION_METADATA_KEY } from '../../src/mesh/transport/service.ts';
import { dial, INSECURE, listen, twoMembers, until } from './transport-peers.ts';

function peerError(...parts: string[]) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof MeshError, String(error));
    assert.equal(error.code, 'MESHCC_PEER');
    for (const part of parts) assert.ok(error.message.includes(part), `"${error.message}" lacks "${part}"`);
    return true;
  };
}

const hello = (nodeId: string): Pick<ConnectOptions, 'hello'> => ({
  hello: { nodeId, nodeName: `${nodeId.slice(0, 8)}-name`, agentVersion: '0' },
});

test('two members of a mesh connect, and each knows the other by its certificate', async (t) => {
  const [worker, submitter] = await twoMembers(t);
  const listener = await listen(t, worker);
  for (const expectedNodeId of [worker.nodeId, undefined]) {
    const link = await dial(t, listener.address, {
      security: submitter.security,
      expectedNodeId,
      ...hello(submitter.nodeId),
    });
    assert.equal(link.welcome.nodeId, worker.nodeId);
    const session = await listener.session();
    assert.equal(session.peer.nodeId, submitter.nodeId);
  }
});

test('no session for a client without TLS, without a certificate, or with one of another mesh', async (t) => {
  const [worker] = await twoMembers(t);
  const [stranger] = await twoMembers(t);
  const listener = await listen(t, worker);
  const trusting = { ...stranger.security, caPem: worker.security.caPem };
  for (const security of [INSECURE, stranger.security, trusting]) {
    await assert.rejects(
      dial(t, listener.address, { security, expectedNodeId: worker.nodeId, ...hello(stranger.nodeId) }),
      peerError(worker.nodeId),
    );
  }
  const bare = new MeshService(
    listener.address,
    grpc.credentials.createSsl(Buffer.from(worker.security.caPem)),
    {
      'grpc.ssl_target_name_override': `${worker.nodeId}.node.meshcc`,
    },
  );
  t.after(() => bare.close());
  const call = (bare as unknown as { Work(): grpc.ClientDuplexStream<unknown, FromWorker> }).Work();
  const answers: FromWorker[] = [];
  call.on('data', (message: FromWorker) => answers.push(message));
  const status = await new Promise<grpc.ServiceError>((resolve) => {
    call.on('error', resolve);
    call.write({ hello: { protocolVersion: PROTOCOL_VERSION, ...hello(worker.nodeId).hello } });
  });
  assert.equal(status.code, grpc.status.UNAVAILABLE, 'the handshake fails, no method is ever called');
  assert.deepEqual([answers, listener.sessions], [[], []]);
});

test('a member that claims to be another node in its Hello is refused', async (t) => {
  const [worker, submitter] = await twoMembers(t);
  const listener = await listen(t, worker);
  await assert.rejects(
    dial(t, listener.address, {
      security: submitter.security,
      expectedNodeId: worker.nodeId,
      ...hello(worker.nodeId),
    }),
    peerError('certificate belongs to another node'),
  );
  assert.equal(listener.sessions.length, 0);
});

test('a member in the place of the expected node is refused before a word is said', async (t) => {
  const [worker, submitter] = await twoMembers(t);
  const listener = await listen(t, worker);
  await assert.rejects(
    dial(t, listener.address, {
      security: submitter.security,
      expectedNodeId: submitter.nodeId,
      ...hello(submitter.nodeId),
    }),
    peerError(submitter.nodeId),
  );
  assert.equal(listener.sessions.length, 0);
});

test('a worker that gives another id than its certificate, or than was announced, is refused', async (t) => {
  const [worker, submitter] = await twoMembers(t);
  const liar = await listen(t, { security: worker.security, nodeId: submitter.nodeId });
  await assert.rejects(
    dial(t, liar.address, {
      security: submitter.security,
      expectedNodeId: undefined,
      ...hello(submitter.nodeId),
    }),
    peerError('it says that it is node'),
  );
  const open = await listen(t, { nodeId: 'somebody-else' });
  await assert.rejects(dial(t, open.address), peerError('somebody-else', 'worker'));
  await until(() => open.sessions.length === 1, 'the session came and went');
  await open.sessions[0]!.closed;
});

test('a submitter of another protocol version is told which one would do, and gets no session', async (t) => {
  const listener = await listen(t);
  const client = new MeshService(listener.address, grpc.credentials.createInsecure());
  t.after(() => client.close());
  const call = (client as unknown as { Work(): grpc.ClientDuplexStream<unknown, FromWorker> }).Work();
  const versions: (number | undefined)[] = [];
  call.on('data', (message: FromWorker) => versions.push(message.welcome?.protocolVersion));
  const status = await new Promise<grpc.ServiceError>((resolve) => {
    call.on('error', resolve);
    call.write({ hello: { ...hello('future').hello, protocolVersion: PROTOCOL_VERSION + 1 } });
  });
  assert.equal(status.code, grpc.status.FAILED_PRECONDITION);
  assert.match(status.details, new RegExp(`speaks protocol ${PROTOCOL_VERSION}`));
  assert.deepEqual(versions, [PROTOCOL_VERSION]);
  assert.equal(listener.sessions.length, 0);
});

test('a worker of another protocol version is not used, and the error says what to do', async (t) => {
  const server = new grpc.Server();
  server.addService(MeshService.service, {
    Work: (call: grpc.ServerDuplexStream<unknown, unknown>) =>
      call.once('data', () => {
        call.write({ welcome: { protocolVersion: PROTOCOL_VERSION + 1, nodeId: 'worker', sessionId: 's' } });
      }),
    Blobs: () => {},
  });
  t.after(() => server.forceShutdown());
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  await assert.rejects(
    dial(t, `127.0.0.1:${port}`),
    peerError(`protocol ${PROTOCOL_VERSION + 1}`, 'same meshcc version on both'),
  );
});

test('the first message must be Hello', async (t) => {
  const listener = await listen(t);
  const client = new MeshService(listener.address, grpc.credentials.createInsecure());
  t.after(() => client.close());
  const call = (client as unknown as { Work(): grpc.ClientDuplexStream<unknown, unknown> }).Work();
  call.on('data', () => {});
  const status = await new Promise<grpc.ServiceError>((resolve) => {
    call.on('error', resolve);
    call.write({ cancel: { jobId: 1 } });
  });
  assert.equal(status.code, grpc.status.INVALID_ARGUMENT);
  assert.equal(listener.sessions.length, 0);
});

test('nobody there, and somebody who never answers, are errors with the address', async (t) => {
  const held: Socket[] = [];
  const silent = createServer((socket) => held.push(socket));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of held) socket.destroy();
    silent.close();
  });
  const { port } = silent.address() as { port: number };
  const options = { connectTimeoutMs: 300 };
  await assert.rejects(
    dial(t, `127.0.0.1:${port}`, options),
    peerError(`127.0.0.1:${port}`, 'it does not answer'),
  );
  const free = createServer();
  await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve));
  const { port: freePort } = free.address() as { port: number };
  await new Promise((resolve) => free.close(resolve));
  await assert.rejects(dial(t, `127.0.0.1:${freePort}`), peerError(`127.0.0.1:${freePort}`));
});

test('a port that is taken is an error that names the way out', async (t) => {
  const listener = await listen(t);
  await assert.rejects(
    serveMesh({
      security: INSECURE,
      host: '127.0.0.1',
      port: listener.server.port,
      welcome: () => ({ nodeId: 'x', nodeName: 'x', agentVersion: '0', slots: 1, toolchains: [] }),
      accept: () => assert.fail('nobody connects'),
      log: () => {},
    }),
    peerError(String(listener.server.port), '--port'),
  );
});

test('what the worker says right after Welcome is not lost before somebody listens', async (t) => {
  const listener = await listen(t);
  const dialled = dial(t, listener.address);
  const session = await listener.session();
  for (let total = 1; total <= 5; total++) session.out.send({ credits: { grantedTotal: total } });
  const link = await dialled;
  await new Promise((resolve) => setTimeout(resolve, 50));
  const totals: (number | undefined)[] = [];
  link.receive((message) => totals.push(message.credits?.grantedTotal));
  session.out.send({ credits: { grantedTotal: 6 } });
  await until(() => totals.length === 6, 'six messages');
  assert.deepEqual(totals, [1, 2, 3, 4, 5, 6]);
});

test('each side learns that the other hung up', async (t) => {
  const listener = await listen(t);
  const first = await dial(t, listener.address);
  const served = await listener.session();
  first.close();
  assert.ok(await served.closed, 'the worker is told a reason');
  assert.ok(await first.closed);
  const second = await dial(t, listener.address);
  const session = await listener.session();
  session.hangUp('a protocol error for the test');
  assert.match(await second.closed, /a protocol error for the test/);
  await session.closed;
  const third = await dial(t, listener.address);
  listener.server.stop();
  assert.ok(await third.closed);
});

test('a blob stream belongs to its session: an unknown one, and one of another node, are refused', async (t) => {
  const [worker, submitter] = await twoMembers(t);
  const listener = await listen(t, worker);
  const link = await dial(t, listener.address, {
    security: submitter.security,
    expectedNodeId: worker.nodeId,
    ...hello(submitter.nodeId),
  });
  const { security } = worker;
  const credentials = grpc.credentials.createSsl(
    Buffer.from(security.caPem),
    Buffer.from(security.keyPem),
    Buffer.from(security.certificatePem),
  );
  const intruder = new MeshService(listener.address, credentials, {
    'grpc.ssl_target_name_override': `${worker.nodeId}.node.meshcc`,
  });
  t.after(() => intruder.close());
  const blobsStatus = (sessionId: string): Promise<grpc.ServiceError> => {
    const metadata = new grpc.Metadata();
    metadata.set(SESSION_METADATA_KEY, sessionId);
    const client = intruder as unknown as {
      Blobs(metadata: grpc.Metadata): grpc.ClientDuplexStream<unknown, unknown>;
    };
    const call = client.Blobs(metadata);
    call.on('data', () => {});
    return new Promise((resolve) => {
      call.on('error', resolve);
      call.write({ sha256: Buffer.alloc(32), sizeBytes: 1, data: Buffer.alloc(1), last: true });
    });
  };
  assert.equal((await blobsStatus('no-such-session')).code, grpc.status.NOT_FOUND);
  assert.equal((await blobsStatus(link.welcome.sessionId)).code, grpc.status.NOT_FOUND);
  const session = await listener.session();
  link.blobs.send({ sha256: Buffer.alloc(32, 1), sizeBytes: 1, data: Buffer.alloc(1), last: true });
  await until(() => session.chunks.length === 1, 'the rightful stream delivers');
  assert.deepEqual(Buffer.from(session.chunks[0]!.sha256), Buffer.alloc(32, 1));
});
