/** The runner's end takes everything with it; the plain mode; and what a damaged request does. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openCell, openPlainRunner, probeConfinement } from '../../src/sandbox/index.ts';
import type { RunnerVariant } from '../../src/sandbox/rungs.ts';
import {
  ENDLESS_SOURCE,
  GCC,
  jobOf,
  openWorkshop,
  processesWith,
  sandboxOf,
  until,
  untilCompiling,
  VARIANTS,
  type Workshop,
} from './toolchain-tree.ts';

let workshop: Workshop;

before(async () => {
  workshop = await openWorkshop(true);
});
after(() => workshop.close());

function endsWithItsCompilers(variant: RunnerVariant): void {
  it(`ends the compilers when it is killed, and the outputs are lost with a word: ${variant}`, async () => {
    const cell = await workshop.open({ variant });
    const source = workshop.addSource('endless.c', ENDLESS_SOURCE);
    const small = workshop.addSource('small.c', 'int small;\n');
    const done = await cell.run(jobOf([GCC, '-c', small], workshop.submitter));
    assert.ok(done.kind === 'exited' && done.outputs[0]);
    const marker = `MESHCC_KILL_${process.pid}_${variant}`;
    const running = cell.run(jobOf([GCC, `-D${marker}`, '-c', source], workshop.submitter));
    await untilCompiling(marker, running);
    process.kill(cell.processId, 'SIGKILL');
    const result = await running;
    assert.ok(result.kind === 'fault' && result.cause === 'runner-lost');
    await cell.closed;
    await until(() => processesWith(marker).length === 0);
    await assert.rejects(done.outputs[0].read(0, 1), { code: 'MESHCC_SANDBOX' });
    done.release();
    const late = await cell.run(jobOf([GCC, '--version'], workshop.submitter));
    assert.ok(late.kind === 'fault' && late.cause === 'runner-lost');
  });

  it(`ends the compilers when the cell is closed: ${variant}`, async () => {
    const cell = await workshop.open({ variant });
    const source = workshop.addSource('endless.c', ENDLESS_SOURCE);
    const marker = `MESHCC_CLOSE_${process.pid}_${variant}`;
    const running = cell.run(jobOf([GCC, `-D${marker}`, '-c', source], workshop.submitter));
    await untilCompiling(marker, running);
    await cell.close();
    assert.deepEqual(processesWith(marker), []);
    const result = await running;
    assert.ok(result.kind === 'fault' && result.cause === 'runner-lost');
    await cell.close();
  });
}

describe('the end of a runner', () => {
  for (const variant of VARIANTS) endsWithItsCompilers(variant);

  for (const [name, bytes, message] of [
    ['an unknown type', [0, 0, 0, 0, 99, 0, 0, 0], /type 99/],
    ['a length beyond the bound', [255, 255, 255, 255, 1, 0, 0, 0], /4294967295 bytes/],
    ['a body that ends too early', [4, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0], /ends too early/],
    ['a body that is too long', [5, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0], /too long/],
    ['a release of nothing', [4, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0], /RELEASE/],
  ] as const) {
    it(`comes with a message after ${name}`, async () => {
      const child = spawn(workshop.runnerPath, [
        'confined',
        'namespaces-user',
        workshop.tree,
        '/',
        '1000000',
        '0',
      ]);
      let stderr = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        stderr += text;
      });
      child.stdin.on('error', () => {});
      child.stdout.resume();
      child.stdin.write(Buffer.from(bytes));
      const status = await new Promise((resolve) => child.on('close', resolve));
      assert.equal(status, 2);
      assert.match(stderr, message);
    });
  }
});

describe('a cell that cannot be opened', () => {
  it('says so in words', async () => {
    const options = {
      runnerPath: workshop.runnerPath,
      sandbox: sandboxOf('namespaces-user'),
      jobsDirectory: join(workshop.directory, 'jobs'),
      scratchBytes: 1 << 20,
    };
    await assert.rejects(openCell({ ...options, treeDirectory: '/absent' }), {
      code: 'MESHCC_SANDBOX',
      message: /entering the tree: No such file/,
    });
    await assert.rejects(openCell({ ...options, treeDirectory: '/', runnerPath: '/absent' }), /ENOENT/);
    const missing = await probeConfinement('/absent', workshop.directory, 'uid');
    assert.equal(missing.sandbox, undefined);
  });
});

describe('a plain runner', () => {
  it('runs a command in the view of the host', async () => {
    const runner = await openPlainRunner(workshop.runnerPath);
    const source = workshop.addSource('lists.c', '#include <stddef.h>\n');
    const result = await runner.run(jobOf([GCC, '-M', source], workshop.submitter));
    assert.ok(result.kind === 'exited' && result.exitStatus === 0);
    assert.match(result.stdout.toString(), /lists\.c.*stddef\.h/s);
    const shell = await runner.run(
      jobOf(
        ['/bin/sh', '-c', 'pwd; umask; echo $TMPDIR $0; echo oops >&2; exit 3', 'name'],
        workshop.submitter,
        {
          umask: 0o027,
          environment: ['TMPDIR=/elsewhere'],
        },
      ),
    );
    assert.ok(shell.kind === 'exited' && shell.exitStatus === 3);
    assert.equal(shell.stdout.toString(), `${workshop.submitter}\n0027\n/elsewhere name\n`);
    assert.equal(shell.stderr.toString(), 'oops\n');
    await runner.close();
  });

  it('writes where it is told and collects nothing', async () => {
    const runner = await openPlainRunner(workshop.runnerPath);
    const source = workshop.addSource('kept.c', 'int kept;\n');
    const result = await runner.run(jobOf([GCC, '-c', source, '-o', 'kept.o'], workshop.submitter));
    assert.ok(result.kind === 'exited' && result.outputs.length === 0);
    assert.ok(existsSync(join(workshop.submitter, 'kept.o')));
    await runner.close();
  });

  it('kills the process group of an aborted job', async () => {
    const runner = await openPlainRunner(workshop.runnerPath);
    const source = workshop.addSource('endless.c', ENDLESS_SOURCE);
    const marker = `MESHCC_PLAIN_${process.pid}`;
    const abort = new AbortController();
    const running = runner.run(jobOf([GCC, `-D${marker}`, '-c', source], workshop.submitter), abort.signal);
    await untilCompiling(marker, running);
    abort.abort();
    const result = await running;
    assert.ok(result.kind === 'fault' && result.cause === 'killed');
    await until(() => processesWith(marker).length === 0);
    await runner.close();
  });

  it('gives a job a terminal too', async () => {
    const runner = await openPlainRunner(workshop.runnerPath);
    const result = await runner.run(
      jobOf(['/bin/sh', '-c', 'test -t 2 && ! test -t 1 && stty size <&2'], '/', {
        stderrTty: { columns: 91, rows: 17 },
      }),
    );
    assert.ok(result.kind === 'exited' && result.exitStatus === 0);
    assert.equal(result.stdout.toString(), '17 91\n');
    await runner.close();
  });
});
