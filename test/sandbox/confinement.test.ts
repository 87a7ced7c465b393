/** What a job cannot reach on each rung, and what is left over when it tries. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { constants } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Cell, CellExit, CellJob } from '../../src/sandbox/index.ts';
import { CELL_TEMPORARY_DIRECTORY, openPlainRunner, probeConfinement } from '../../src/sandbox/index.ts';
import { isRefusedRightly } from './refused-attempts.ts';
import {
  ENDLESS_SOURCE,
  GCC,
  jobOf,
  openWorkshop,
  processesWith,
  until,
  untilCompiling,
  VARIANTS,
  type Workshop,
} from './toolchain-tree.ts';

const HOSTILE = 'test/sandbox/hostile.c';

for (const variant of VARIANTS) {
  describe(`a job in a cell of the kind ${variant}`, () => {
    let workshop: Workshop;
    let hostile: string;
    let cell: Cell;

    before(async () => {
      workshop = await openWorkshop(true);
      hostile = workshop.addFixture('hostile', HOSTILE);
      cell = await workshop.open({ variant });
    });
    after(() => workshop.close());

    const exited = async (job: CellJob): Promise<CellExit> => {
      const result = await cell.run(job);
      if (result.kind === 'fault') assert.fail(`${result.cause}: ${result.detail}`);
      result.release();
      return result;
    };
    const hostileJob = (...args: string[]): CellJob => jobOf([hostile, ...args], workshop.submitter);

    for (const secret of ['/etc/hostname', '/etc/passwd', '/proc/self/status', '/home', '/root', '/sys']) {
      it(`does not see ${secret}`, async () => {
        const source = workshop.addSource('secret.c', `__asm__(".incbin \\"${secret}\\"");\n`);
        const result = await exited(jobOf([GCC, '-c', source, '-o', 'secret.o'], workshop.submitter));
        assert.equal(result.exitStatus, 1);
        assert.match(result.stderr.toString(), /No such file or directory|file not found/);
      });
    }

    it('sees what the tree holds, so that the tests above can fail', async () => {
      const there = workshop.addSource('there.bin', 'secret');
      const source = workshop.addSource('there.c', `__asm__(".incbin \\"${there}\\"");\n`);
      const result = await exited(jobOf([GCC, '-c', source, '-o', 'there.o'], workshop.submitter));
      assert.equal(result.exitStatus, 0);
    });

    it('makes no call that a compiler does not need', async () => {
      const result = await exited(hostileJob('everything'));
      assert.equal(result.exitStatus, 0, result.stderr.toString());
      const lines = result.stdout.toString().trim().split('\n');
      const wrong = lines.filter((line) => {
        const [name = '', got] = line.split(' ');
        return !isRefusedRightly(name, Number(got), cell.rung);
      });
      assert.deepEqual(wrong, []);
      assert.ok(lines.length > 70, `${lines.length} attempts`);
    });

    it('does not reach a server of this machine', async () => {
      const server = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
      await new Promise((resolve) => server.once('listening', resolve));
      const address = server.address();
      assert.ok(typeof address === 'object' && address !== null);
      const result = await exited(hostileJob('connect', String(address.port)));
      server.close();
      // Without a filter, and without namespaces, only Landlock (from its version 4 on) stands in the way.
      const { ENOSYS, EACCES } = constants.errno;
      assert.equal(result.exitStatus, cell.rung === 'uid' ? EACCES : ENOSYS);
    });

    it('cannot write what it was given to read', async () => {
      const input = workshop.addSource('input.h', 'of the tree');
      assert.equal((await exited(hostileJob('write-input', input))).exitStatus, constants.errno.EACCES);
      assert.equal(readFileSync(join(workshop.tree, input), 'utf8'), 'of the tree');
    });

    it('has a temporary directory of its own that is no output', async () => {
      const result = await exited({ ...hostileJob('temporary'), environment: ['TMPDIR=/tmp', 'TMP=/tmp'] });
      assert.equal(result.stdout.toString().trim(), CELL_TEMPORARY_DIRECTORY);
      assert.deepEqual(result.outputs, []);
    });

    it('kills nobody but itself', async () => {
      const source = workshop.addSource('endless.c', ENDLESS_SOURCE);
      const marker = `MESHCC_VICTIM_${process.pid}_${variant}`;
      const abort = new AbortController();
      const victim = cell.run(jobOf([GCC, `-D${marker}`, '-c', source], workshop.submitter), abort.signal);
      const before = await untilCompiling(marker, victim);
      await exited(hostileJob('kill-all'));
      assert.deepEqual(processesWith(marker), before);
      abort.abort();
      await victim;
    });

    it('leaves no process, even one that left the session', async () => {
      const marker = `MESHCC_DAEMON_${process.pid}_${variant}`;
      const result = await exited(hostileJob('daemon', marker));
      assert.equal(result.exitStatus, 0);
      await until(() => processesWith(marker).length === 0);
    });

    it('is gone with all its processes when it is taken back', async () => {
      const source = workshop.addSource('endless.c', ENDLESS_SOURCE);
      const marker = `MESHCC_ABORT_${process.pid}_${variant}`;
      const abort = new AbortController();
      const running = cell.run(jobOf([GCC, `-D${marker}`, '-c', source], workshop.submitter), abort.signal);
      await untilCompiling(marker, running);
      abort.abort();
      const result = await running;
      assert.ok(result.kind === 'fault' && result.cause === 'killed');
      assert.deepEqual(processesWith(marker), []);
    });

    it('ends when it is taken back at any moment of its start', async () => {
      const source = workshop.addSource('endless.c', ENDLESS_SOURCE);
      for (let attempt = 0; attempt < 100; attempt++) {
        const abort = new AbortController();
        const running = cell.run(jobOf([GCC, '-c', source], workshop.submitter), abort.signal);
        // Timers are too coarse for the moments of a start.
        const at = performance.now() + attempt / 25;
        while (performance.now() < at);
        abort.abort();
        const result = await running;
        assert.ok(result.kind === 'fault' && result.cause === 'killed', JSON.stringify(result));
      }
    });

    it('leaves files of no other kind than plain ones of its own, or they are listed as irregular', async () => {
      const victim = workshop.addSource('victim', 'of the tree');
      const result = await cell.run(hostileJob('irregular', victim));
      assert.ok(result.kind === 'exited' && result.exitStatus === 0);
      const names = result.outputs.map((output) => output.path.split('/').at(-1)).sort();
      const irregular = result.irregular.map(({ path, type }) => `${path.split('/').at(-1)}: ${type}`).sort();
      const isFiltered = cell.rung !== 'uid';
      assert.deepEqual(names, isFiltered ? ['linked', 'plain'] : ['plain']);
      // Landlock, where it is, forbids links, pipes and sockets without a filter too; hard links are no harm.
      const own = isFiltered ? [] : ['linked: hard-linked', 'second-name: hard-linked'];
      const removal = cell.rung === 'namespaces' ? ['victim: whiteout'] : [];
      assert.deepEqual(
        irregular.filter((line) => !/^(fifo|link|socket): (fifo|symlink|socket)$/.test(line)),
        [...own, ...removal],
      );
      result.release();
      assert.equal(readFileSync(join(workshop.tree, victim), 'utf8'), 'of the tree');
    });

    it('is refused if it leaves too much, and that is removed at any depth', async () => {
      const many = await cell.run(hostileJob('many', '300'));
      assert.ok(many.kind === 'fault' && many.cause === 'too-many-outputs');
      const flat = await cell.run(hostileJob('deep', '3'));
      assert.ok(flat.kind === 'exited' && flat.exitStatus === 0 && flat.outputs.length === 3);
      flat.release();
      const deep = await cell.run(hostileJob('deep', '1000'));
      assert.ok(deep.kind === 'fault' && deep.cause === 'too-many-outputs', JSON.stringify(deep));
      assert.equal((await exited(hostileJob('temporary'))).exitStatus, 0);
    });
  });
}

describe('the self-check', () => {
  it('passes on every rung, and fails outside', async () => {
    const workshop = await openWorkshop(false);
    const found = await probeConfinement(workshop.runnerPath, workshop.directory, 'uid');
    assert.deepEqual([found.sandbox?.rung, found.missed], ['namespaces', []]);
    for (const variant of VARIANTS) {
      const cell = await workshop.open({ variant });
      workshop.addProgram(workshop.runnerPath);
      const result = await cell.run(jobOf([workshop.runnerPath, 'check', cell.rung], '/'));
      assert.ok(result.kind === 'exited', JSON.stringify(result));
      assert.equal(result.stdout.toString(), 'confined\n', variant);
      result.release();
    }
    const plain = await openPlainRunner(workshop.runnerPath);
    const result = await plain.run(jobOf([workshop.runnerPath, 'check', 'namespaces'], '/'));
    await plain.close();
    assert.ok(result.kind === 'exited' && result.exitStatus === 1);
    assert.match(result.stdout.toString(), /sees \/proc/);
    await workshop.close();
  });
});
