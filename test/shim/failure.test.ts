/** Whatever the agent does wrong, the real compiler runs, and nothing half-written is left. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  decodeLocal,
  encodeAccepted,
  encodeCommit,
  encodeOutputBegin,
  encodeOutputData,
  encodeRunLocal,
  encodeStderr,
} from '../../src/shim/index.ts';
import { Fixture, NATIVE_KINDS, REAL_GCC, run, SHIM_KINDS } from './fixture.ts';
import type { AgentCall } from './scripted-agent.ts';

const IS_ROOT = process.getuid?.() === 0;

/** Compiles through the shim and checks that the real compiler did it, alone and for the given reason. */
async function expectLocal(fixture: Fixture, reason: RegExp, env: NodeJS.ProcessEnv = {}): Promise<void> {
  const reference = join(fixture.root, 'reference.o');
  await run(REAL_GCC, ['-c', 'a.c', '-o', reference], fixture.work);
  const ended = await fixture.compile({ env: { MESHCC_EXPLAIN: '1', ...env } });
  assert.equal(ended.status, 0, ended.stderr.toString());
  assert.match(ended.stderr.toString(), /^\[meshcc\] gcc a\.c: local: .+\n$/);
  assert.match(ended.stderr.toString(), reason);
  assert.deepEqual(fixture.files(), ['a.c', 'a.o']);
  assert.deepEqual(readFileSync(fixture.path('a.o')), readFileSync(reference));
}

function frame(type: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(type, 0);
  head.writeUInt32LE(payload.length, 4);
  return Buffer.concat([head, payload]);
}

/** What an agent does, and the reason that the shim must give. */
type Scene = readonly [title: string, reason: RegExp, script: (call: AgentCall, fixture: Fixture) => void];

const HALF = Buffer.from('half of it');

function wholeResult(fixture: Fixture): Buffer {
  const parts = [encodeAccepted(), ...fixture.output(0, 'a.o', Buffer.from('whole')), encodeStderr(HALF)];
  return Buffer.concat([...parts, encodeCommit(0)]);
}

const SCENES: readonly Scene[] = [
  ['hangs up at once', /agent-lost/, (call) => call.socket.end()],
  [
    'says to run locally',
    /local: busy: all of it\n/,
    (call) => call.send(encodeRunLocal('busy', 'all of it')),
  ],
  [
    'says so in the middle of a result',
    /local: why: \S/,
    (call, fixture) =>
      call.send(...fixture.output(0, 'a.o', HALF), encodeStderr(HALF), encodeRunLocal('why', 'so')),
  ],
  ['sends a frame of unknown type', /agent-protocol/, (call) => call.send(frame(99, HALF))],
  ['sends a frame of the other direction', /agent-protocol/, (call) => call.send(frame(2, Buffer.alloc(0)))],
  [
    'sends a text that is too long',
    /agent-protocol/,
    (call) => call.send(frame(17, Buffer.alloc(70_000, 'x'))),
  ],
  ['sends an exit status that is none', /agent-protocol/, (call) => call.send(encodeCommit(256))],
  [
    'numbers outputs wrongly',
    /agent-protocol/,
    (call, fixture) => call.send(...fixture.output(1, 'a.o', HALF)),
  ],
  ['sends data of no output', /agent-protocol/, (call) => call.send(encodeOutputData(0, HALF))],
  [
    'sends too much data',
    /agent-protocol/,
    (call, fixture) =>
      call.send(...fixture.output(0, 'a.o', HALF), encodeOutputData(0, HALF), encodeCommit(0)),
  ],
  [
    'sends too little data',
    /agent-protocol/,
    (call, fixture) => {
      const [begin = HALF] = fixture.output(0, 'a.o', HALF);
      call.send(begin, encodeOutputData(0, HALF.subarray(1)), encodeCommit(0));
    },
  ],
  [
    'names a relative path',
    /agent-protocol/,
    (call) =>
      call.send(encodeOutputBegin({ index: 0, sizeBytes: 0, finalPath: 'a.o', temporaryPath: '/tmp/none' })),
  ],
  [
    'names a directory that is missing',
    /output-write-failed/,
    (call, fixture) => call.send(...fixture.output(0, 'missing/a.o', HALF)),
  ],
];

for (const kind of SHIM_KINDS) {
  for (const [title, reason, script] of SCENES) {
    test(`${kind}: an agent that ${title}`, async (t) => {
      const fixture = await Fixture.make(t, kind);
      await fixture.startAgent((call) => script(call, fixture));
      await expectLocal(fixture, reason);
    });
  }

  test(`${kind}: an agent that falls silent in the middle`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    await fixture.startAgent((call) => call.send(encodeAccepted(), ...fixture.output(0, 'a.o', HALF)));
    await expectLocal(fixture, /agent-stalled/, { MESHCC_STALL_MS: '300' });
    const [said] = fixture.agent.call.frames;
    assert.equal(said && decodeLocal(said.payload).cause, 'STALLED');
  });

  test(`${kind}: no agent`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    await expectLocal(fixture, /no-agent/);
  });

  test(`${kind}: a socket directory that others may enter, and one that is missing`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    await fixture.startAgent((call) => call.send(encodeCommit(0)));
    chmodSync(join(fixture.root, 'run'), 0o750);
    await expectLocal(fixture, /agent-unsafe/);
    assert.equal(fixture.agent.calls.length, 0);
    await expectLocal(fixture, /no-agent/, { MESHCC_SOCKET: join(fixture.root, 'missing', 'agent.sock') });
  });
}

for (const kind of NATIVE_KINDS) {
  test(`${kind}: an agent that hangs up after each byte of a result`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    const whole = wholeResult(fixture);
    let length = 0;
    await fixture.startAgent((call) => call.socket.end(whole.subarray(0, length)));
    for (length = 0; length < whole.length; length += 7) await expectLocal(fixture, /agent-lost/);
    length = whole.length;
    assert.equal((await fixture.compile()).stderr.toString(), HALF.toString());
    assert.equal(readFileSync(fixture.path('a.o'), 'utf8'), 'whole');
  });

  test(`${kind}: a heartbeat keeps a slow job alive beyond the stall time`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    await fixture.startAgent((call) => {
      let beats = 0;
      const timer = setInterval(() => {
        call.send(beats++ < 8 ? encodeAccepted() : wholeResult(fixture));
        if (beats > 8) clearInterval(timer);
      }, 100);
    });
    assert.equal((await fixture.compile({ env: { MESHCC_STALL_MS: '500' } })).status, 0);
    assert.equal(readFileSync(fixture.path('a.o'), 'utf8'), 'whole');
  });

  test(`${kind}: an agent that hangs up without having read the request`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    const server = createServer({ pauseOnConnect: true }, (socket) => {
      setTimeout(() => socket.destroy(), 20);
    });
    await new Promise<void>((resolve) => {
      server.listen(fixture.socketPath, resolve);
    });
    t.after(() => server.close());
    await expectLocal(fixture, /agent-lost/);
  });

  test(`${kind}: a socket file without a listener`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    const listen = `require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', listen, fixture.socketPath]);
    assert.ok(statSync(fixture.socketPath).isSocket());
    await expectLocal(fixture, /no-agent: Connection refused/);
  });

  test(`${kind}: a socket at a path that is longer than sun_path`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    const deep = join(fixture.root, 'x'.repeat(200));
    mkdirSync(deep, { mode: 0o700 });
    await fixture.startAgent((call) => call.send(encodeCommit(9)));
    renameSync(fixture.socketPath, join(deep, 'agent.sock'));
    const ended = await fixture.compile({ env: { MESHCC_SOCKET: join(deep, 'agent.sock') } });
    assert.equal(ended.status, 9);
  });

  test(`${kind}: a socket directory of another user`, {
    skip: !IS_ROOT && 'needs root to give files away',
  }, async (t) => {
    const fixture = await Fixture.make(t, kind);
    await fixture.startAgent((call) => call.send(encodeCommit(0)));
    chownSync(join(fixture.root, 'run'), 65534, 65534);
    await expectLocal(fixture, /agent-unsafe: the socket's directory/);
  });

  test(`${kind}: an agent of another user`, {
    skip: !IS_ROOT && 'needs root to change the user',
  }, async (t) => {
    const fixture = await Fixture.make(t, kind);
    const elsewhere = join(fixture.root, 'other');
    mkdirSync(elsewhere);
    chownSync(elsewhere, 65534, 65534);
    chmodSync(fixture.root, 0o755);
    await fixture.startAgent((call) => call.send(encodeCommit(0)));
    fixture.agent.close();
    // listen() itself fixes the credentials that SO_PEERCRED shows
    const seteuid = process.seteuid?.bind(process);
    assert.ok(seteuid);
    seteuid(65534);
    const foreign = createServer((socket) => socket.on('error', () => {}).write(encodeCommit(0)));
    await new Promise<void>((resolve) => {
      foreign.listen(join(elsewhere, 'agent.sock'), resolve);
    });
    seteuid(0);
    t.after(() => foreign.close());
    renameSync(join(elsewhere, 'agent.sock'), fixture.socketPath);
    await expectLocal(fixture, /agent-unsafe: another user listens/);
  });

  test(`${kind}: the connection counts the local compiler until it ends`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    const slow = fixture.program('slow', 'gcc', '#!/bin/sh\necho ready; read line; echo "$line"\n');
    await fixture.startAgent((call) => call.send(encodeRunLocal('slow', 'test')));
    const env = { ...fixture.env, PATH: `${fixture.shims}:${slow}:/usr/bin:/bin` };
    const child = spawn(join(fixture.shims, 'gcc'), ['-c', 'a.c'], { env, cwd: fixture.work });
    let text = '';
    let wasOpen: boolean | undefined;
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk;
      // a round trip through the kernel lies between: had exec closed the socket, the end would be here
      if (text === 'ready\n') {
        setTimeout(() => {
          wasOpen = !fixture.agent.call.isClosed;
          child.stdin.end('done\n');
        }, 50);
      }
    });
    await once(child, 'close');
    assert.equal(text, 'ready\ndone\n');
    assert.equal(wasOpen, true);
    await fixture.agent.call.closed;
  });
}

/** Starts many compiles whose compiler notes how many of it run, and returns the highest number. */
async function mostAtOnce(fixture: Fixture, count: number): Promise<number> {
  const notes = join(fixture.root, 'notes');
  mkdirSync(join(notes, 'running'), { recursive: true });
  const compiler = fixture.program(
    'counting',
    'gcc',
    `#!/bin/sh\nmkdir ${notes}/running/$$; ls ${notes}/running | wc -l >> ${notes}/counts; sleep 0.2; rmdir ${notes}/running/$$\n`,
  );
  const env = { PATH: `${fixture.shims}:${compiler}:/usr/bin:/bin` };
  const calls = Array.from({ length: count }, () => fixture.call('gcc', ['-c', 'a.c'], { env }));
  for (const ended of await Promise.all(calls)) assert.equal(ended.status, 0);
  const counts = readFileSync(join(notes, 'counts'), 'utf8').trim().split('\n').map(Number);
  assert.equal(counts.length, count);
  return Math.max(...counts);
}

for (const kind of NATIVE_KINDS) {
  test(`${kind}: when the agent is lost, no more compilers run at once than there are processors`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    await fixture.startAgent((call) => call.socket.destroy());
    const processors = availableParallelism();
    assert.ok((await mostAtOnce(fixture, 3 * processors)) <= processors);
  });

  test(`${kind}: a call of two megabytes`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    await fixture.startAgent((call) => call.send(encodeCommit(0)));
    const args = Array.from({ length: 19 }, (_, index) => `-D${'x'.repeat(100_000)}${index}`);
    const ended = await fixture.call('gcc', ['-c', 'a.c', ...args]);
    assert.equal(ended.status, 0);
    assert.deepEqual(fixture.agent.call.request.args, ['-c', 'a.c', ...args]);
  });
}

/** Mounts a small tmpfs below the working directory, or skips the test. */
function smallFilesystem(test: TestContext, fixture: Fixture): string | undefined {
  const where = fixture.path('small');
  mkdirSync(where);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'meshcc-test', where]);
  if (mounted.status !== 0) {
    test.skip(`cannot mount a tmpfs: ${mounted.stderr}`);
    return undefined;
  }
  fixture.beforeRemoval(() => spawnSync('umount', [where]));
  return where;
}

for (const kind of NATIVE_KINDS) {
  test(`${kind}: a full filesystem: the real compiler gets to try, with the room that the result took`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    const small = smallFilesystem(t, fixture);
    if (small === undefined) return;
    await fixture.startAgent((call) =>
      call.send(...fixture.output(0, 'small/a.o', Buffer.alloc(200_000)), encodeCommit(0)),
    );
    const args = ['-c', 'a.c', '-o', 'small/a.o'];
    const ended = await fixture.call('gcc', args, { env: { MESHCC_EXPLAIN: '1' } });
    assert.match(ended.stderr.toString(), /output-write-failed: No space left on device\n$/);
    assert.equal(ended.status, 0);
    assert.deepEqual(readdirSync(small), ['a.o']);
  });

  test(`${kind}: a read-only filesystem: the real compiler prints its own error`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    const small = smallFilesystem(t, fixture);
    if (small === undefined) return;
    assert.equal(spawnSync('mount', ['-o', 'remount,ro', small]).status, 0);
    await fixture.startAgent((call) =>
      call.send(...fixture.output(0, 'small/a.o', Buffer.alloc(2_000)), encodeCommit(0)),
    );
    const args = ['-c', 'a.c', '-o', 'small/a.o'];
    const ended = await fixture.call('gcc', args);
    const reference = await run(REAL_GCC, args, fixture.work);
    const withoutTemporaryName = (text: Buffer) => text.toString().replace(/cc\w{6}/g, 'ccXXXXXX');
    assert.equal(ended.status, reference.status);
    assert.notEqual(ended.status, 0);
    assert.equal(withoutTemporaryName(ended.stderr), withoutTemporaryName(reference.stderr));
  });
}
