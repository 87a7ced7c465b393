/** Where the root of a job is made of links: it holds what the job lists and nothing else, whatever came before. */
import assert from 'node:assert/strict';
import { lstatSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Cell, CellExit, CellResult } from '../../src/sandbox/index.ts';
import { GCC, jobOf, openWorkshop, type Workshop } from './toolchain-tree.ts';

const notRoot = process.getuid?.() !== 0 && 'needs root';

describe('a root made of links', { skip: notRoot }, () => {
  let workshop: Workshop;
  let hostile: string;
  let cell: Cell;
  /** The compiler's own files. */
  let toolchain: string[];

  before(async () => {
    workshop = await openWorkshop(true);
    hostile = workshop.addFixture('hostile', 'test/sandbox/hostile.c');
    toolchain = workshop.view();
    cell = await workshop.open({ variant: 'chroot' });
  });
  after(() => workshop.close());

  /** Paths below the submitter's directory, as entries of a view. */
  const entriesOf = (names: readonly string[]): string[] =>
    names.map((name) => {
      const path = join(workshop.submitter, name);
      // Numbers of files are used again at once.
      const status = lstatSync(join(workshop.tree, path), { bigint: true });
      return `${status.isDirectory() ? 'd' : `${status.ino}x${status.mtimeNs}`} ${path}`;
    });

  const run = (names: readonly string[], argv: readonly [string, ...string[]]): Promise<CellResult> =>
    cell.run(jobOf(argv, workshop.submitter, { view: [...toolchain, ...entriesOf(names)] }));

  /** What the preprocessor makes of a source of one line. */
  async function preprocessed(line: string, names: readonly string[]): Promise<string> {
    workshop.addSource('probe.c', `${line}\n`);
    const result = await run(['probe.c', ...names], [GCC, '-E', '-P', 'probe.c']);
    assert.ok(result.kind === 'exited', JSON.stringify(result));
    assert.equal(result.exitStatus, 0, result.stderr.toString());
    return result.stdout.toString().trim();
  }

  const inTree = (name: string): string => join(workshop.tree, workshop.submitter, name);

  /** As the mirror puts a file in place: never into the file that is there. */
  function replace(name: string, text: string): void {
    mkdirSync(dirname(inTree(name)), { recursive: true });
    writeFileSync(`${inTree(name)}.new`, text);
    renameSync(`${inTree(name)}.new`, inTree(name));
  }

  it('does not hold what the tree has and the job does not list', async () => {
    replace('a.h', 'first');
    const question = '__has_include("a.h")';
    assert.equal(await preprocessed(`#if ${question}\nyes\n#else\nno\n#endif`, []), 'no');
    assert.equal(await preprocessed(`#if ${question}\nyes\n#else\nno\n#endif`, ['a.h']), 'yes');
    assert.equal(await preprocessed(`#if ${question}\nyes\n#else\nno\n#endif`, []), 'no');
  });

  it('holds the content that is listed now', async () => {
    for (const text of ['first', 'second', 'first']) {
      replace('a.h', text);
      assert.equal(await preprocessed('#include "a.h"', ['a.h']), text);
    }
  });

  it('follows a path that is a file, a directory, a link and a file again', async () => {
    replace('x', 'a file');
    assert.equal(await preprocessed('#include "x"', ['x']), 'a file');
    rmSync(inTree('x'));
    replace('x/deep/y', 'in a directory');
    assert.equal(await preprocessed('#include "x/deep/y"', ['x', 'x/deep', 'x/deep/y']), 'in a directory');
    rmSync(inTree('x'), { recursive: true });
    replace('real', 'behind a link');
    symlinkSync('real', inTree('x'));
    assert.equal(await preprocessed('#include "x"', ['x', 'real']), 'behind a link');
    rmSync(inTree('x'));
    replace('x', 'a file again');
    assert.equal(await preprocessed('#include "x"', ['x']), 'a file again');
  });

  it('is what it was after a job that wanted to change it', async () => {
    replace('a.h', 'kept');
    const vandal = await run(['a.h'], [hostile, 'vandal', 'a.h']);
    assert.ok(vandal.kind === 'exited' && vandal.exitStatus === 0, JSON.stringify(vandal));
    const attempts = vandal.stdout.toString().trim().split('\n');
    assert.ok(attempts.length >= 6);
    assert.deepEqual(
      attempts.filter((line) => / 0$/.test(line)),
      [],
    );
    // Its own files are its outputs, and gone for the next job.
    assert.deepEqual(
      vandal.outputs.map(({ path }) => path),
      [join(workshop.submitter, 'left-behind')],
    );
    vandal.release();
    const line =
      '#if __has_include("left-behind") || __has_include("d/left-behind")\nbad\n#endif\n#include "a.h"';
    assert.equal(await preprocessed(line, ['a.h']), 'kept');
  });

  it('takes nothing from behind a link that was put in the place of a directory', async () => {
    const secrets = join(workshop.directory, 'secrets');
    mkdirSync(secrets);
    for (const name of ['known', 'key']) writeFileSync(join(secrets, name), 'of the machine');
    replace('dir/known', 'of the submitter');
    assert.equal(await preprocessed('#include "dir/known"', ['dir', 'dir/known']), 'of the submitter');
    // The slot has the directory; what comes new into it is taken from the tree, where a link is now.
    replace('dir/key', 'of the submitter');
    const entries = entriesOf(['dir', 'dir/known', 'dir/key']);
    rmSync(inTree('dir'), { recursive: true });
    symlinkSync(secrets, inTree('dir'));
    const job = jobOf([GCC, '-E', '-P', '-x', 'c', 'dir/key'], workshop.submitter);
    const result = await cell.run({ ...job, view: [...toolchain, ...entries] });
    assert.ok(result.kind === 'fault' && result.cause === 'setup-failed', JSON.stringify(result));
    assert.match(result.detail, /linking what it lists/);
    rmSync(inTree('dir'));
    assert.equal(await preprocessed('#include "a.h"', ['a.h']), 'kept');
  });

  it('lets a job write only where its outputs are to be', async () => {
    replace('sub/a.h', 'x');
    workshop.addSource('probe.c', 'int x;\n');
    const compile = async (output: string, writable: string[]): Promise<CellExit> => {
      const job = jobOf([GCC, '-c', 'probe.c', '-o', output], workshop.submitter, {
        view: [...toolchain, ...entriesOf(['probe.c', 'sub', 'sub/a.h'])],
        writable: writable.map((name) => join(workshop.submitter, name)),
      });
      const result = await cell.run(job);
      assert.ok(result.kind === 'exited', JSON.stringify(result));
      result.release();
      return result;
    };
    assert.equal((await compile('sub/x.o', ['sub'])).outputs.length, 1);
    assert.notEqual((await compile('sub/x.o', ['.'])).exitStatus, 0);
    assert.notEqual((await compile('sub/x.o', [])).exitStatus, 0);
  });
});
