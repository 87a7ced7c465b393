/** A result of the agent becomes files, text and an exit status, exactly and only when it is whole. */
import assert from 'node:assert/strict';
import { linkSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  encodeAccepted,
  encodeCommit,
  encodeDiscard,
  encodeOutputBegin,
  encodeOutputData,
  encodeOutputDataHeader,
  encodeStderr,
  encodeStdout,
} from '../../src/shim/index.ts';
import { Fixture, NATIVE_KINDS, REAL_GCC, run, SHIM_KINDS } from './fixture.ts';

const BINARY = Buffer.from(Array.from({ length: 70_000 }, (_, index) => (index * 31) % 256));

for (const kind of SHIM_KINDS) {
  test(`${kind}: outputs, text and status of a committed result`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    await fixture.startAgent((call) =>
      call.send(
        encodeAccepted(),
        ...fixture.output(0, 'a.d', Buffer.from('a.o: a.c\n')),
        ...fixture.output(1, 'a.o', BINARY),
        encodeStderr(BINARY.subarray(0, 300)),
        encodeStdout(Buffer.from([0, 1, 255, 10])),
        encodeStderr(Buffer.from('tail')),
        encodeCommit(0),
      ),
    );
    const masked = ['-c', 'umask 027; exec gcc "$@"', 'sh', '-c', 'a.c', '-o', 'a.o'];
    const startMs = Date.now();
    const ended = await run('/bin/sh', masked, fixture.work, { env: fixture.env });
    assert.equal(ended.status, 0);
    assert.deepEqual(ended.stdout, Buffer.from([0, 1, 255, 10]));
    assert.deepEqual(ended.stderr, Buffer.concat([BINARY.subarray(0, 300), Buffer.from('tail')]));
    assert.deepEqual(readFileSync(fixture.path('a.o')), BINARY);
    assert.equal(readFileSync(fixture.path('a.d'), 'utf8'), 'a.o: a.c\n');
    assert.deepEqual(fixture.files(), ['a.c', 'a.d', 'a.o']);
    const stat = statSync(fixture.path('a.o'));
    assert.equal(stat.mode & 0o777, 0o640);
    assert.ok(stat.mtimeMs >= startMs - 1000, 'an object is as new as its compile');
    await fixture.agent.call.closed;
    assert.deepEqual(
      fixture.agent.call.frames.map((frame) => frame.name),
      ['COMMITTED'],
    );
  });

  test(`${kind}: the request tells the call`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    await fixture.startAgent((call) => call.send(encodeCommit(0)));
    const args = ['-c', 'a.c', '-DX=a b\n"', '', '-DÜ=1'];
    await fixture.call('x86_64-linux-gnu-gcc', args, { env: { LANG: 'C.UTF-8', CPATH: '', SECRET: 'no' } });
    const { request } = fixture.agent.call;
    assert.equal(request.compiler, '/usr/bin/x86_64-linux-gnu-gcc');
    assert.equal(request.name, 'x86_64-linux-gnu-gcc');
    assert.equal(request.cwd, fixture.work);
    assert.deepEqual(request.args, args);
    assert.equal(request.env.LANG, 'C.UTF-8');
    assert.equal(request.env.CPATH, '');
    assert.equal(request.env.SECRET, undefined);
    assert.equal(request.umask, process.umask());
    assert.equal(request.isFaithful, true);
    assert.deepEqual(
      [request.stderrIsTerminal, request.stdoutIsTerminal, request.stdinIsTerminal, request.columns],
      [false, false, false, 0],
    );
  });

  test(`${kind}: the exit status is the agent's, without any output`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    await fixture.startAgent((call) => call.send(encodeStderr(Buffer.from('no\n')), encodeCommit(73)));
    const ended = await fixture.compile();
    assert.equal(ended.status, 73);
    assert.equal(ended.stderr.toString(), 'no\n');
    assert.deepEqual(fixture.files(), ['a.c']);
  });

  test(`${kind}: a discarded attempt leaves nothing; the next one counts from 0`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    await fixture.startAgent((call) =>
      call.send(
        ...fixture.output(0, 'first.o', Buffer.from('first')),
        encodeStderr(Buffer.from('first\n')),
        encodeDiscard(),
        ...fixture.output(0, 'a.o', Buffer.from('second')),
        encodeStderr(Buffer.from('second\n')),
        encodeCommit(0),
      ),
    );
    const ended = await fixture.compile();
    assert.equal(ended.stderr.toString(), 'second\n');
    assert.equal(readFileSync(fixture.path('a.o'), 'utf8'), 'second');
    assert.deepEqual(fixture.files(), ['a.c', 'a.o']);
  });

  test(`${kind}: data in many pieces, of two outputs in turn`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    await fixture.startAgent((call) => {
      const [beginFirst, beginSecond] = ['a.o', 'a.dwo'].map((name, index) =>
        encodeOutputBegin({
          index,
          sizeBytes: BINARY.length,
          finalPath: fixture.path(name),
          temporaryPath: fixture.path(`.${name}`),
        }),
      );
      call.send(beginFirst ?? Buffer.alloc(0), beginSecond ?? Buffer.alloc(0));
      for (let at = 0; at < BINARY.length; at += 9_000) {
        const piece = BINARY.subarray(at, at + 9_000);
        call.send(encodeOutputData(0, piece), encodeOutputDataHeader(1, piece.length), piece);
      }
      call.send(encodeCommit(0));
    });
    assert.equal((await fixture.compile()).status, 0);
    assert.deepEqual(readFileSync(fixture.path('a.o')), BINARY);
    assert.deepEqual(readFileSync(fixture.path('a.dwo')), BINARY);
  });

  test(`${kind}: an old object is replaced, an empty output is a file`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    writeFileSync(fixture.path('a.o'), 'old');
    await fixture.startAgent((call) =>
      call.send(...fixture.output(0, 'a.o', Buffer.alloc(0)), encodeCommit(0)),
    );
    assert.equal((await fixture.compile()).status, 0);
    assert.equal(statSync(fixture.path('a.o')).size, 0);
  });
}

for (const kind of NATIVE_KINDS) {
  test(`${kind}: an output that is no plain file is left to the real compiler`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    await fixture.startAgent((call) =>
      call.send(...fixture.output(0, 'a.o', Buffer.from('remote')), encodeCommit(0)),
    );
    const reference = fixture.path('reference');
    const object = await run(REAL_GCC, ['-c', 'a.c', '-o', reference], fixture.work);
    assert.equal(object.status, 0);

    writeFileSync(fixture.path('target'), 'kept');
    symlinkSync('target', fixture.path('a.o'));
    const ended = await fixture.compile({ env: { MESHCC_EXPLAIN: '1' } });
    assert.equal(ended.status, 0);
    assert.match(ended.stderr.toString(), /^\[meshcc\] gcc a\.c: local: output-not-regular: \/.*\/a\.o\n$/);
    assert.deepEqual(readFileSync(fixture.path('a.o')), readFileSync(reference));
    assert.equal(readFileSync(fixture.path('target'), 'utf8'), 'kept');

    linkSync(reference, fixture.path('linked.o'));
    symlinkSync('/dev/null', fixture.path('null.o'));
    for (const name of ['linked.o', 'null.o', 'missing/a.o']) {
      fixture.agent.close();
      await fixture.startAgent((call) =>
        call.send(...fixture.output(0, name, Buffer.from('remote')), encodeCommit(0)),
      );
      const args = ['-S', 'a.c', '-o', '-'];
      assert.match((await fixture.call('gcc', args)).stdout.toString(), /answer/, name);
      await fixture.agent.call.closed;
      assert.deepEqual(
        fixture.agent.call.frames.map((frame) => [frame.name, frame.payload.readUInt32LE(0)]),
        [['LOCAL', 1]],
        name,
      );
    }
    assert.equal(readlinkSync(fixture.path('null.o')), '/dev/null');
    assert.deepEqual(
      fixture.files().filter((name) => name.endsWith('.tmp')),
      [],
    );
  });
}
