/** Signals: an interrupted compile dies of the signal and leaves no file; the real compiler inherits nothing odd. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  decodeLocal,
  encodeAccepted,
  encodeCommit,
  encodeRunLocal,
  encodeStderr,
} from '../../src/shim/index.ts';
import { Fixture, NATIVE_KINDS, outputBegun, run, SHIM_KINDS } from './fixture.ts';

const DATA = Buffer.from('not the whole object');

for (const kind of SHIM_KINDS) {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) {
    test(`${kind}: ${signal} in the middle of a result`, async (t) => {
      const fixture = await Fixture.make(t, kind);
      await fixture.startAgent((call) => call.send(encodeAccepted(), ...fixture.output(0, 'a.o', DATA)));
      const { child, ended } = fixture.startCompile();
      await outputBegun(child, fixture);
      child.kill(signal);
      assert.equal((await ended).signal, signal);
      assert.deepEqual(fixture.files(), ['a.c']);
      await fixture.agent.call.closed;
      const [said] = fixture.agent.call.frames;
      assert.equal(said && decodeLocal(said.payload).cause, 'INTERRUPTED');
    });
  }
}

for (const kind of NATIVE_KINDS) {
  test(`${kind}: a signal that was ignored from the start stays ignored`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    await fixture.startAgent((call) => call.send(...fixture.output(0, 'a.o', DATA)));
    const command = 'trap "" INT; echo $$; exec gcc -c a.c -o a.o';
    const child = spawn('/bin/sh', ['-c', command], { cwd: fixture.work, env: fixture.env });
    const ended = once(child, 'close');
    await outputBegun(child, fixture);
    child.kill('SIGINT');
    fixture.agent.call.send(encodeAccepted());
    // the pending signal, if it counted, would be noticed before the commit that comes after it
    await new Promise((resolve) => setTimeout(resolve, 50));
    fixture.agent.call.send(encodeCommit(5));
    assert.deepEqual(await ended, [5, null]);
    assert.deepEqual(readFileSync(fixture.path('a.o')), DATA);
  });

  test(`${kind}: SIGINT while nobody takes what the compiler printed`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    const text = encodeStderr(Buffer.alloc(1_000_000, 'a warning\n'));
    await fixture.startAgent((call) => call.send(...fixture.output(0, 'a.o', DATA), text, encodeCommit(0)));
    const child = spawn('gcc', ['-c', 'a.c', '-o', 'a.o'], { cwd: fixture.work, env: fixture.env });
    const ended = once(child, 'exit');
    // What has come is the proof that the rest waits: nothing is read from here on.
    await once(child.stderr, 'readable');
    child.kill('SIGINT');
    assert.deepEqual(await ended, [null, 'SIGINT']);
    assert.deepEqual(fixture.files(), ['a.c']);
    child.stderr.destroy();
  });

  test(`${kind}: SIGINT before any output`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    let child: ChildProcess | undefined;
    await fixture.startAgent((call) => {
      call.send(encodeAccepted());
      child?.kill('SIGINT');
    });
    const ended = await fixture.compile({
      onStart: (started) => {
        child = started;
      },
    });
    assert.equal(ended.signal, 'SIGINT');
  });

  test(`${kind}: the real compiler gets the mask, the dispositions and the umask that the shim got`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    // grep as the compiler: a shell would clear the mask before it could be seen
    const compiler = join(fixture.root, 'telling');
    mkdirSync(compiler);
    symlinkSync('/usr/bin/grep', join(compiler, 'gcc'));
    const env = { ...fixture.env, PATH: `${fixture.shims}:${compiler}:/usr/bin:/bin` };
    const question = `-E '^(Sig|Shd|Umask)' /proc/self/status`;
    const tell = (program: string) =>
      run('/bin/sh', ['-c', `trap "" HUP; umask 026; exec ${program} ${question}`], fixture.work, { env });
    await fixture.startAgent((call) =>
      call.send(...fixture.output(0, 'a.o', DATA), encodeRunLocal('why', 'to see')),
    );
    const direct = await tell(join(compiler, 'gcc'));
    const through = await tell('gcc');
    assert.match(direct.stdout.toString(), /Umask:\t0026\n[\s\S]*SigBlk:\t0+\nSigIgn:\t\S*1\n/);
    assert.equal(through.stdout.toString(), direct.stdout.toString());
    assert.equal(fixture.agent.calls.length, 1);
    assert.deepEqual(fixture.files(), ['a.c']);
  });

  test(`${kind}: the shim and the compiler that it becomes are one process`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    const compiler = fixture.program('telling', 'gcc', '#!/bin/sh\necho $$\n');
    await fixture.startAgent((call) => call.send(encodeRunLocal('why', '')));
    let pid: number | undefined;
    const ended = await fixture.call('gcc', ['-c', 'a.c'], {
      env: { PATH: `${fixture.shims}:${compiler}:/usr/bin:/bin` },
      onStart: (child) => {
        pid = child.pid;
      },
    });
    assert.equal(ended.stdout.toString(), `${pid}\n`);
    assert.equal(fixture.agent.call.request.pid, pid);
  });
}

for (const kind of NATIVE_KINDS) {
  test(`${kind}: of two signals, the one that is ignored stays ignored and the other one counts`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    await fixture.startAgent((call) => call.send(...fixture.output(0, 'a.o', DATA)));
    const command = 'trap "" INT QUIT; exec gcc -c a.c -o a.o';
    const child = spawn('/bin/sh', ['-c', command], { cwd: fixture.work, env: fixture.env });
    const ended = once(child, 'close');
    await outputBegun(child, fixture);
    child.kill('SIGINT');
    await new Promise((resolve) => setTimeout(resolve, 50)); // else both could be told of at once
    child.kill('SIGTERM');
    assert.deepEqual(await ended, [null, 'SIGTERM']);
    assert.deepEqual(fixture.files(), ['a.c']);
  });
}
