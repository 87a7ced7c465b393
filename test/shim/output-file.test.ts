/** How an output comes into being: whole, at its final path, and without a trace where it does not. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { decodeLocal, encodeCommit, encodeOutputData } from '../../src/shim/index.ts';
import { Fixture, NATIVE_KINDS, outputBegun, REAL_GCC, run } from './fixture.ts';

const DATA = Buffer.from('an object');
const OLD = 'the object of before';

/** Where a file without a name cannot be given one: the shim then writes under a temporary name. */
const WITHOUT_PROC = [
  'unshare',
  '--map-root-user',
  '--mount',
  'sh',
  '-c',
  'mount -t tmpfs none /proc && exec "$@"',
  'sh',
];
const CAN_UNSHARE = spawnSync('unshare', [...WITHOUT_PROC.slice(1), 'true']).status === 0;

/** Which files the shim works with, and what is in the directory while it writes. */
const PLACES = [
  { place: 'without a name', launcher: [], visible: ['a.c'] },
  { place: 'under a temporary name', launcher: WITHOUT_PROC, visible: ['.a.o.tmp', 'a.c'] },
] as const;

function start(fixture: Fixture, launcher: readonly string[]): ChildProcess {
  const [program = '', ...args] = [...launcher, join(fixture.shims, 'gcc'), '-c', 'a.c', '-o', 'a.o'];
  return spawn(program, args, { cwd: fixture.work, env: fixture.env, stdio: 'ignore' });
}

for (const kind of NATIVE_KINDS) {
  for (const { place, launcher, visible } of PLACES) {
    const skip = launcher.length > 0 && !CAN_UNSHARE && 'no mount namespaces here';

    test(`${kind}: an output ${place} appears whole`, { skip }, async (t) => {
      const fixture = await Fixture.make(t, kind);
      const [begin = DATA, data = DATA] = fixture.output(0, 'a.o', DATA);
      await fixture.startAgent((call) => call.send(begin, encodeOutputData(0, data.subarray(12, 14))));
      const child = start(fixture, launcher);
      const ended = once(child, 'close');
      await outputBegun(child, fixture);
      assert.deepEqual(fixture.files(), visible);
      fixture.agent.call.send(encodeOutputData(0, data.subarray(14)), encodeCommit(0));
      assert.deepEqual(await ended, [0, null]);
      assert.deepEqual(fixture.files(), ['a.c', 'a.o']);
      assert.deepEqual(readFileSync(fixture.path('a.o')), DATA);
      assert.equal(statSync(fixture.path('a.o')).mode & 0o777, 0o666 & ~process.umask());
    });

    test(`${kind}: an output ${place} takes the place of an older one`, { skip }, async (t) => {
      const fixture = await Fixture.make(t, kind);
      writeFileSync(fixture.path('a.o'), OLD);
      const older = statSync(fixture.path('a.o'));
      await fixture.startAgent((call) => call.send(...fixture.output(0, 'a.o', DATA)));
      const child = start(fixture, launcher);
      const ended = once(child, 'close');
      await outputBegun(child, fixture);
      assert.equal(readFileSync(fixture.path('a.o'), 'utf8'), OLD);
      fixture.agent.call.send(encodeCommit(0));
      assert.deepEqual(await ended, [0, null]);
      assert.deepEqual(fixture.files(), ['a.c', 'a.o']);
      assert.deepEqual(readFileSync(fixture.path('a.o')), DATA);
      assert.notEqual(statSync(fixture.path('a.o')).ino, older.ino);
    });

    test(`${kind}: a temporary name that is taken, for an output ${place}`, { skip }, async (t) => {
      const fixture = await Fixture.make(t, kind);
      writeFileSync(fixture.path('a.o'), OLD);
      writeFileSync(fixture.path('.a.o.tmp'), 'of somebody else');
      await fixture.startAgent((call) => call.send(...fixture.output(0, 'a.o', DATA), encodeCommit(0)));
      assert.deepEqual(await once(start(fixture, launcher), 'close'), [0, null]);
      assert.equal(readFileSync(fixture.path('.a.o.tmp'), 'utf8'), 'of somebody else');
      await run(REAL_GCC, ['-c', 'a.c', '-o', 'reference.o'], fixture.work);
      assert.deepEqual(readFileSync(fixture.path('a.o')), readFileSync(fixture.path('reference.o')));
      const [said] = fixture.agent.call.frames;
      assert.equal(said && decodeLocal(said.payload).cause, 'OUTPUT');
    });

    test(`${kind}: an interrupted call leaves nothing of an output ${place}`, { skip }, async (t) => {
      const fixture = await Fixture.make(t, kind);
      await fixture.startAgent((call) => call.send(...fixture.output(0, 'a.o', DATA)));
      const child = start(fixture, launcher);
      const ended = once(child, 'close');
      await outputBegun(child, fixture);
      child.kill('SIGTERM');
      assert.deepEqual(await ended, [null, 'SIGTERM']);
      assert.deepEqual(fixture.files(), ['a.c']);
    });
  }

  test(`${kind}: a shim that is killed outright leaves nothing of an output`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    await fixture.startAgent((call) => call.send(...fixture.output(0, 'a.o', DATA)));
    const child = start(fixture, []);
    const ended = once(child, 'close');
    await outputBegun(child, fixture);
    child.kill('SIGKILL');
    assert.deepEqual(await ended, [null, 'SIGKILL']);
    assert.deepEqual(fixture.files(), ['a.c']);
  });
}
