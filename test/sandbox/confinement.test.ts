/** What a job cannot reach, and what is left over when it tries. */
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { constants } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Cell, CellExit, CellJob } from '../../src/sandbox/index.ts';
import { CELL_TEMPORARY_DIRECTORY, openPlainRunner, probeConfinement } from '../../src/sandbox/index.ts';
import { HOSTILE_SOURCE } from './hostile-fixture.ts';
import {
  ENDLESS_SOURCE,
  GCC,
  jobOf,
  openWorkshop,
  processesWith,
  until,
  type Workshop,
} from './toolchain-tree.ts';

let workshop: Workshop;
let hostile: string;
let cell: Cell;

before(async () => {
  workshop = await openWorkshop(true);
  hostile = workshop.addFixture('hostile', HOSTILE_SOURCE);
  cell = await workshop.open();
});
after(() => workshop.close());

async function exited(job: CellJob): Promise<CellExit> {
  const result = await cell.run(job);
  if (result.kind === 'fault') assert.fail(`${result.cause}: ${result.detail}`);
  result.release();
  return result;
}

const hostileJob = (...args: string[]): CellJob => jobOf([hostile, ...args], workshop.submitter);

describe('the view of a job', () => {
  for (const secret of [
    '/etc/hostname',
    '/etc/passwd',
    '/proc/self/status',
    '/proc/version',
    '/home',
    '/root',
  ]) {
    it(`does not hold ${secret}`, async () => {
      const source = workshop.addSource('secret.c', `__asm__(".incbin \\"${secret}\\"");\n`);
      const result = await exited(jobOf([GCC, '-c', source, '-o', 'secret.o'], workshop.submitter));
      assert.equal(result.exitStatus, 1);
      assert.match(result.stderr.toString(), /No such file or directory|file not found/);
    });
  }

  it('holds what the tree holds, so that the test above can fail', async () => {
    const there = workshop.addSource('there.bin', 'secret');
    const source = workshop.addSource('there.c', `__asm__(".incbin \\"${there}\\"");\n`);
    const result = await exited(jobOf([GCC, '-c', source, '-o', 'there.o'], workshop.submitter));
    assert.equal(result.exitStatus, 0);
  });

  it('has no network, not even to this machine', async () => {
    const server = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null);
    const result = await exited(hostileJob('connect', String(address.port)));
    server.close();
    assert.equal(result.exitStatus, constants.errno.ENETUNREACH);
  });

  it('passes the self-check, and the self-check fails outside', async () => {
    const found = await probeConfinement(workshop.runnerPath, workshop.directory);
    assert.deepEqual([found.rung, found.advice], ['namespaces', undefined]);
    const plain = await openPlainRunner(workshop.runnerPath);
    const result = await plain.run(jobOf([workshop.runnerPath, 'check'], '/'));
    await plain.close();
    assert.ok(result.kind === 'exited' && result.exitStatus === 1);
    assert.match(result.stdout.toString(), /sees \/proc/);
  });

  it('cannot make a user namespace, in which it would have every capability', async () => {
    assert.equal(cell.namespaces, 'user');
    const result = await exited(hostileJob('user-namespace'));
    assert.equal(result.exitStatus, constants.errno.ENOSPC);
  });

  it('has a temporary directory of its own that is no output', async () => {
    const result = await exited({ ...hostileJob('temporary'), environment: ['TMPDIR=/tmp', 'TMP=/tmp'] });
    assert.equal(result.stdout.toString().trim(), CELL_TEMPORARY_DIRECTORY);
    assert.deepEqual(result.outputs, []);
  });
});

describe('what a job leaves', () => {
  it('is listed as irregular if it is not a plain file of its own', async () => {
    const victim = workshop.addSource('victim', 'of the tree');
    const result = await cell.run(hostileJob('irregular', victim));
    assert.ok(result.kind === 'exited' && result.exitStatus === 0);
    assert.deepEqual(
      result.outputs.map((output) => output.path),
      [join(workshop.submitter, 'plain')],
    );
    const irregular = result.irregular.map(({ path, type }) => `${path.split('/').at(-1)}: ${type}`).sort();
    assert.deepEqual(irregular, [
      'fifo: fifo',
      'link: symlink',
      'linked: hard-linked',
      'second-name: hard-linked',
      'socket: socket',
      'victim: whiteout',
    ]);
    result.release();
  });

  it('is refused if there is too much of it, and removed at any depth', async () => {
    const many = await cell.run(hostileJob('many', '300'));
    assert.ok(many.kind === 'fault' && many.cause === 'too-many-outputs');
    const flat = await cell.run(hostileJob('deep', '3'));
    assert.ok(flat.kind === 'exited' && flat.exitStatus === 0 && flat.outputs.length === 3);
    flat.release();
    const deep = await cell.run(hostileJob('deep', '3000'));
    assert.ok(deep.kind === 'fault' && deep.cause === 'too-many-outputs', JSON.stringify(deep));
    assert.equal((await exited(hostileJob('temporary'))).exitStatus, 0);
  });

  it('is no process, even one that left the session', async () => {
    const marker = `daemon-${process.pid}`;
    const result = await exited(hostileJob('daemon', marker));
    assert.equal(result.exitStatus, 0);
    assert.deepEqual(processesWith(marker), []);
  });
});

describe('the end of a job', () => {
  it('comes with its status or signal and what it printed', async () => {
    const result = await exited(hostileJob('print', '3'));
    assert.deepEqual([result.exitStatus, result.signal], [0, 0]);
    assert.deepEqual([result.stdout.length, result.stderr.length], [3 * 4096, 3 * 4096]);
    assert.equal((await exited(hostileJob('unknown'))).exitStatus, 96);
    const crash = await exited(hostileJob('crash'));
    assert.deepEqual([crash.exitStatus, crash.signal], [0, constants.signals.SIGILL]);
  });

  it('leaves no process when it is aborted in the middle of a compile', async () => {
    const source = workshop.addSource('endless.c', ENDLESS_SOURCE);
    const marker = `MESHCC_MARKER_${process.pid}`;
    const abort = new AbortController();
    const running = cell.run(jobOf([GCC, `-D${marker}`, '-c', source], workshop.submitter), abort.signal);
    await until(() => processesWith(marker).length >= 2);
    abort.abort();
    const result = await running;
    assert.ok(result.kind === 'fault' && result.cause === 'killed');
    assert.deepEqual(processesWith(marker), []);
    const again = await cell.run(hostileJob('temporary'), abort.signal);
    assert.ok(again.kind === 'fault' && again.cause === 'killed');
  });
});
