/** An agent starts, stops, is found, and outlives whatever is thrown at its doors. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import type { StatusView } from '../../src/agent/index.ts';
import { agentPaths } from '../../src/base/paths.ts';
import { killQuietly } from '../support/process-end.ts';
import { writeFiles } from './support/file-tree.ts';
import { assertRemote } from './support/same-as-plain.ts';
import { TestMesh } from './support/test-mesh.ts';
import { settlesWithin, untilTrue } from './support/until.ts';

/** sysexits.h: EX_UNAVAILABLE and EX_TEMPFAIL. */
const UNAVAILABLE = 69;
const TRY_AGAIN = 75;

const ANSWER_LIMIT_MS = 60_000;

let mesh: TestMesh;

before(async () => {
  mesh = await TestMesh.start();
  writeFiles(mesh.work, {
    'unit.c': 'int f(void) { return 1; }\n',
    Makefile: 'all: unit.o\nunit.o: unit.c\n\tgcc -c unit.c -o unit.o\n',
  });
});
after(() => mesh?.close());

async function assertServes(): Promise<void> {
  const { status, job } = await mesh.compile(['-c', 'unit.c', '-o', 'served.o']);
  assert.equal(status, 0);
  assertRemote(job);
}

test('a second agent of the same user gives way and says so', () =>
  mesh.explaining(async () => {
    const { pid } = await mesh.laptop.status();
    const second = await mesh.laptop.cli(['agent']);
    assert.equal(second.status, TRY_AGAIN);
    assert.match(second.stderr.toString('utf8'), /^meshcc: an agent already listens on .*\n$/);
    assert.equal((await mesh.laptop.status()).pid, pid);
    await assertServes();
  }));

test('an agent that was killed leaves nothing in the way of the next', () =>
  mesh.explaining(async () => {
    await mesh.laptop.kill();
    const { shimSocket, controlSocket, scratchDirectory } = agentPaths(mesh.laptop.env);
    assert.ok(existsSync(shimSocket) && existsSync(controlSocket), 'the sockets of the dead agent lie about');
    const left = readdirSync(scratchDirectory);
    assert.notDeepEqual(left, []);
    await mesh.laptop.start();
    assert.ok(!readdirSync(scratchDirectory).some((name) => left.includes(name)), 'its scratch lies about');
    await mesh.connected(1);
    await assertServes();
  }));

test('stop ends an agent; then nobody answers, and compilers still work', () =>
  mesh.explaining(async () => {
    const stopped = await mesh.laptop.cli(['stop']);
    assert.equal(stopped.status, 0, stopped.stderr.toString('utf8'));
    assert.deepEqual(await mesh.laptop.exited, { code: 0, signal: null });
    const { shimSocket, controlSocket } = agentPaths(mesh.laptop.env);
    assert.ok(!existsSync(shimSocket) && !existsSync(controlSocket), 'a socket is left');
    const status = await mesh.laptop.cli(['status']);
    assert.equal(status.status, UNAVAILABLE);
    assert.match(status.stderr.toString('utf8'), /no agent answers.*meshcc agent/);
    assert.equal((await mesh.run(['gcc', '-c', 'unit.c'])).status, 0);
    await mesh.laptop.start();
    await mesh.connected(1);
    await assertServes();
  }));

test('run starts an agent if there is none, and passes the exit status on', () =>
  mesh.explaining(async () => {
    await mesh.laptop.kill();
    const summary = join(mesh.root, 'summary.json');
    const run = ['run', '--json-summary', summary, '--'];
    let started: StatusView | undefined;
    try {
      const built = await mesh.laptop.cli([...run, 'make', '-B'], { cwd: mesh.work });
      started = await mesh.laptop.status();
      assert.equal(built.status, 0, built.stderr.toString('utf8'));
      const { remoteJobs, localJobs, exitStatus } = JSON.parse(readFileSync(summary, 'utf8'));
      assert.deepEqual({ remoteJobs, localJobs, exitStatus }, { remoteJobs: 1, localJobs: 0, exitStatus: 0 });
      const failed = await mesh.laptop.cli([...run, 'sh', '-c', 'exit 7'], { cwd: mesh.work });
      assert.equal(failed.status, 7);
      const missing = await mesh.laptop.cli([...run, 'no-such-program'], { cwd: mesh.work });
      assert.notEqual(missing.status, 0);
      assert.match(missing.stderr.toString('utf8'), /no-such-program/);
      assert.equal((await mesh.laptop.cli(['stop'])).status, 0);
      const { pid } = started;
      await untilTrue(
        'the agent that run started has ended',
        ANSWER_LIMIT_MS,
        () => !existsSync(`/proc/${pid}`),
      );
    } finally {
      if (started !== undefined && existsSync(`/proc/${started.pid}`)) killQuietly(started.pid);
    }
    await mesh.laptop.start();
    await mesh.connected(1);
  }));

/** Says something to a socket, and waits until it is closed, from whichever side. */
async function throwAt(socket: Socket, bytes: Uint8Array): Promise<void> {
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => {});
  socket.on('data', () => {});
  socket.write(bytes);
  // A server may rightly wait for more of what looks like the beginning of something.
  if (!(await settlesWithin(closed, 500))) socket.destroy();
  await closed;
}

/** Reproducible noise. */
function noise(sizeBytes: number, seed: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  for (let index = 0, state = seed; index < sizeBytes; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}

function frame(type: number, length: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(type, 0);
  head.writeUInt32LE(length, 4);
  return Buffer.concat([head, payload]);
}

test('garbage on the shim socket harms nobody', () =>
  mesh.explaining(async () => {
    const { pid } = await mesh.laptop.status();
    const { shimSocket } = agentPaths(mesh.laptop.env);
    const pieces = [
      noise(1, 1),
      noise(64, 2),
      noise(100_000, 3),
      Buffer.from('GET / HTTP/1.1\r\nHost: agent\r\n\r\n'),
      frame(1, 0, Buffer.alloc(0)),
      frame(1, 200, noise(200, 4)),
      frame(1, 0xffffffff, noise(64, 5)),
      frame(1, 64 * 1024 * 1024, noise(1000, 6)),
      frame(23, 4, Buffer.alloc(4)),
    ];
    await Promise.all(pieces.map((bytes) => throwAt(connect(shimSocket), bytes)));
    assert.equal((await mesh.laptop.status()).pid, pid);
    await untilTrue('no call is open', ANSWER_LIMIT_MS, async () => {
      return (await mesh.laptop.status()).submitter?.openCalls === 0;
    });
    await assertServes();
  }));

test('garbage on the control socket harms nobody', () =>
  mesh.explaining(async () => {
    const { pid } = await mesh.laptop.status();
    const { controlSocket } = agentPaths(mesh.laptop.env);
    const post = (body: string): Buffer =>
      Buffer.from(`POST /v1/invite HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    const pieces = [
      noise(5_000, 7),
      post('{'),
      post('[1]'),
      post('{"validityMs":"soon"}'),
      post('x'.repeat(100_000)),
    ];
    for (const bytes of pieces) await throwAt(connect(controlSocket), bytes);
    assert.equal((await mesh.laptop.status()).pid, pid);
  }));

test('garbage on the port for other nodes harms nobody', () =>
  mesh.explaining(async () => {
    const board = mesh.boards[0];
    const { pid, port = 0 } = (await board?.status()) ?? {};
    const plain = (): Socket => connect({ host: '127.0.0.1', port });
    await throwAt(plain(), noise(100_000, 8));
    await throwAt(plain(), Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'));
    await throwAt(plain(), Buffer.from([0x16, 0x03, 0x01, 0xff, 0xff, ...noise(300, 9)]));
    await assert.rejects(askOverHttp2(`http://127.0.0.1:${port}`), 'cleartext HTTP/2');
    await assert.rejects(askOverHttp2(`https://127.0.0.1:${port}`), 'a client without a certificate');
    assert.equal((await board?.status())?.pid, pid);
    await assertServes();
  }));

test('a TLS client without a certificate of the mesh gets no answer', () =>
  mesh.explaining(async () => {
    const { port = 0 } = (await mesh.boards[0]?.status()) ?? {};
    const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false, ALPNProtocols: ['h2'] });
    let received = 0;
    socket.on('data', (piece: Buffer) => {
      received += piece.length;
    });
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.on('error', () => {});
    socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0');
    assert.ok(await settlesWithin(closed, ANSWER_LIMIT_MS), 'the connection stays open');
    assert.equal(received, 0);
  }));

/** Resolves if the server answers a gRPC call in any way; rejects if it does not let the client in. */
function askOverHttp2(origin: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const session = connectHttp2(origin, { rejectUnauthorized: false });
    const fail = (error: Error): void => {
      session.destroy();
      reject(error);
    };
    session.once('error', fail);
    session.once('close', () => fail(new Error('closed')));
    const stream = session.request({
      ':method': 'POST',
      ':path': '/meshcc.v1.Mesh/Work',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.once('error', fail);
    stream.once('response', () => {
      session.destroy();
      resolve();
    });
    stream.end(noise(100, 10));
  });
}
