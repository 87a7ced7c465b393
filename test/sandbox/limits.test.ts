/** Every limit of a job and of a cell holds on each rung, and the cell works on afterwards. */
import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { after, before, describe, it } from 'node:test';
import type { Cell, CellJob, CellResult } from '../../src/sandbox/index.ts';
import {
  ENDLESS_SOURCE,
  GCC,
  jobOf,
  openWorkshop,
  processesWith,
  VARIANTS,
  type Workshop,
} from './toolchain-tree.ts';

const SCRATCH_BYTES = 8 << 20;

function faultOf(result: CellResult): string {
  return result.kind === 'fault' ? result.cause : `exited ${result.exitStatus}`;
}

for (const variant of VARIANTS) {
  describe(`limits in a cell of the kind ${variant}`, () => {
    let workshop: Workshop;
    let hostile: string;
    let cell: Cell;

    before(async () => {
      workshop = await openWorkshop(true);
      hostile = workshop.addFixture('hostile', 'test/sandbox/hostile.c');
      cell = await workshop.open({ scratchBytes: SCRATCH_BYTES, variant });
    });
    after(() => workshop.close());

    const hostileJob = (args: string[], changes: Partial<CellJob> = {}): CellJob =>
      jobOf([hostile, ...args], workshop.submitter, changes);
    const hasTmpfs = variant.startsWith('namespaces');

    it('end an endless compile at its wall limit, with every process of it', async () => {
      const source = workshop.addSource('endless.c', ENDLESS_SOURCE);
      const marker = `MESHCC_WALL_${process.pid}_${variant}`;
      const result = await cell.run(
        jobOf([GCC, `-D${marker}`, '-c', source], workshop.submitter, { wallLimitMs: 300 }),
      );
      assert.equal(faultOf(result), 'wall-limit');
      assert.deepEqual(processesWith(marker), []);
    });

    it('end an endless compile at its CPU limit', async () => {
      const source = workshop.addSource('endless.c', ENDLESS_SOURCE);
      const result = await cell.run(jobOf([GCC, '-c', source], workshop.submitter, { cpuLimitSeconds: 1 }));
      assert.ok(result.kind === 'exited' && result.exitStatus !== 0);
      assert.match(result.stderr.toString(), /CPU time limit exceeded/);
      result.release();
    });

    it('stop a process that wants more memory', async () => {
      const result = await cell.run(hostileJob(['memory'], { maxMemoryBytes: 64 << 20 }));
      assert.ok(result.kind === 'exited' && result.exitStatus === 0, JSON.stringify(result));
      const eaten = Number(/ate (\d+) MiB/.exec(result.stdout.toString())?.[1]);
      assert.ok(eaten > 32 && eaten < 64, `${eaten} MiB`);
      result.release();
    });

    // The kernel does not count root's own processes; a cell of root has another user.
    it('stop a fork bomb, whose processes are gone with it', async () => {
      const marker = `MESHCC_BOMB_${process.pid}_${variant}`;
      const result = await cell.run(hostileJob(['fork-bomb', marker], { maxProcesses: 24 }));
      assert.ok(result.kind === 'exited' && result.exitStatus === 0, JSON.stringify(result));
      const forked = Number(/forked (\d+)/.exec(result.stdout.toString())?.[1]);
      assert.ok(forked > 4 && forked < 24, `${forked} processes`);
      result.release();
      assert.deepEqual(processesWith(marker), []);
    });

    it('stop a flood of diagnostics', async () => {
      const flood = `#warning ${'w'.repeat(200)}\n`.repeat(40) + ENDLESS_SOURCE;
      const source = workshop.addSource('flood.c', flood);
      const changes = { maxDiagnosticBytes: 1 << 20 };
      const result = await cell.run(jobOf([GCC, '-c', source], workshop.submitter, changes));
      assert.equal(faultOf(result), 'diagnostics-too-large');
      const tty = { ...changes, stderrTty: { columns: 80, rows: 24 } };
      assert.equal(
        faultOf(await cell.run(jobOf([GCC, '-c', source], workshop.submitter, tty))),
        'diagnostics-too-large',
      );
    });

    it('count stdout and stderr together, to the byte', async () => {
      const fits = await cell.run(hostileJob(['print', '64'], { maxDiagnosticBytes: 2 * 64 * 4096 }));
      assert.ok(
        fits.kind === 'exited' && fits.stdout.length === 64 * 4096 && fits.stderr.length === 64 * 4096,
      );
      const over = await cell.run(hostileJob(['print', '64'], { maxDiagnosticBytes: 2 * 64 * 4096 - 1 }));
      assert.equal(faultOf(over), 'diagnostics-too-large');
    });

    it('keep a 300 MB object from being written', async () => {
      const source = workshop.addSource('huge.c', 'char huge[300000000] = {1};\n');
      const result = await cell.run(
        jobOf([GCC, '-c', source, '-o', 'huge.o'], workshop.submitter, { maxFileBytes: 4 << 20 }),
      );
      assert.ok(result.kind === 'exited' && result.exitStatus !== 0);
      assert.ok(result.outputs.every((output) => output.sizeBytes <= 4 << 20));
      result.release();
    });

    it('list a larger output than allowed as irregular', async () => {
      const result = await cell.run(hostileJob(['fill', '2'], { maxOutputBytes: (2 << 20) - 1 }));
      assert.ok(result.kind === 'exited');
      assert.deepEqual(result.outputs, []);
      assert.deepEqual(
        result.irregular.map((entry) => entry.type),
        ['too-large'],
      );
      const fits = await cell.run(hostileJob(['fill', '2'], { maxOutputBytes: 2 << 20 }));
      assert.ok(fits.kind === 'exited' && fits.outputs.length === 1);
      fits.release();
    });

    it('refuse what cannot be started, and say what failed', async () => {
      const cases: [CellJob, RegExp][] = [
        [jobOf(['/usr/bin/absent'], workshop.submitter), /executing the compiler: No such file/],
        [jobOf([hostile], '/absent'), /working directory: No such file/],
        [jobOf(['hostile'], workshop.submitter), /absolute/],
        [hostileJob(['a\0b']), /NUL/],
        [hostileJob(['x'.repeat(2 << 20)]), /at most/],
        [hostileJob([], { wallLimitMs: -1 }), /whole number/],
        [hostileJob([], { maxMemoryBytes: 0.5 }), /whole number/],
      ];
      for (const [job, detail] of cases) {
        const result = await cell.run(job);
        assert.equal(faultOf(result), 'setup-failed');
        assert.match(result.kind === 'fault' ? result.detail : '', detail);
      }
    });

    it('bound the scratch, and a release gives it back', async () => {
      const oneFile = await cell.run(hostileJob(['fill', '9']));
      assert.ok(oneFile.kind === 'exited');
      if (hasTmpfs) assert.equal(oneFile.exitStatus, constants.errno.ENOSPC);
      else assert.equal(oneFile.signal, constants.signals.SIGXFSZ);
      oneFile.release();
      // A job that waits is seen by the clock, a job that is quicker than that at its end.
      for (const attack of ['fill-and-wait', 'fill-in-parts']) {
        const full = await cell.run(hostileJob([attack, '9']));
        if (full.kind === 'exited') full.release();
        assert.equal(faultOf(full), hasTmpfs ? `exited ${constants.errno.ENOSPC}` : 'scratch-full');
      }
      const fits = await cell.run(hostileJob(['fill', '7']));
      assert.ok(fits.kind === 'exited' && fits.exitStatus === 0);
      fits.release();
    });

    it('let 100 jobs write 30 times what the scratch holds', async () => {
      for (let count = 0; count < 100; count++) {
        const result = await cell.run(hostileJob(['fill', '3']));
        assert.ok(result.kind === 'exited' && result.exitStatus === 0, `job ${count}`);
        result.release();
      }
    });

    it('hold at most 256 jobs', async () => {
      const results = await Promise.all(
        Array.from({ length: 260 }, () => cell.run(hostileJob(['many', '1']))),
      );
      const held = results.filter((result) => result.kind === 'exited');
      const refused = results.filter((result) => faultOf(result) === 'too-many-jobs');
      assert.deepEqual([held.length, refused.length], [256, 4]);
      for (const result of held) result.release();
      const result = await cell.run(hostileJob(['many', '1']));
      assert.ok(result.kind === 'exited');
      result.release();
    });
  });
}
