/** The comparison that says whether a mesh build is equal to a local one: it must see every kind of difference. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { PreparedTree, ReferenceOptions } from '../../bench/workloads/index.ts';
import { buildReference, compareWithReference, runCommand } from '../../bench/workloads/index.ts';
import { listFiles, removeFiles } from '../../bench/workloads/source-tree.ts';

interface Fixture {
  readonly tree: PreparedTree;
  readonly options: ReferenceOptions;
  rebuild(): Promise<void>;
}

async function withTree(script: string, body: (fixture: Fixture) => Promise<void>): Promise<void> {
  const cacheDirectory = mkdtempSync(join(tmpdir(), 'meshcc-reference-'));
  try {
    const directory = join(cacheDirectory, 'tree');
    await runCommand(['mkdir', directory], { cwd: cacheDirectory, logFile: join(cacheDirectory, 'log') });
    writeFileSync(join(directory, 'shared.h'), '#define VALUE 1\n');
    writeFileSync(join(directory, 'one.c'), '#include "shared.h"\nint one(void) { return VALUE; }\n');
    writeFileSync(join(directory, 'two.c'), 'int two(void) { return 2; }\n');
    const tree: PreparedTree = {
      name: 'fixture',
      directory,
      recipe: '1',
      build: () => ['sh', '-c', script],
      clean: () => removeFiles(directory, (path) => /\.[od]$/.test(path)),
      objects: () => listFiles(directory, (path) => /\.[od]$/.test(path)),
    };
    const rebuild = async (): Promise<void> => {
      await runCommand(tree.build(1), { cwd: directory, logFile: join(cacheDirectory, 'log') });
    };
    await body({ tree, options: { cacheDirectory, jobs: 1, log: () => undefined }, rebuild });
  } finally {
    rmSync(cacheDirectory, { recursive: true, force: true });
  }
}

const BUILD = 'gcc -MMD -c one.c -o one.o && gcc -MMD -c two.c -o two.o';

test('an equal rebuild is identical, and the tree is clean after the reference', async () => {
  await withTree(BUILD, async ({ tree, options, rebuild }) => {
    const reference = await buildReference(tree, options);
    assert.deepEqual(await tree.objects(), []);
    assert.deepEqual([...reference.digests.keys()], ['one.d', 'one.o', 'two.d', 'two.o']);
    await rebuild();
    const result = await compareWithReference(tree, reference);
    assert.deepEqual(result, { identical: 4, different: [], missing: [], unexpected: [] });
  });
});

test('a changed, a missing and an additional output are told apart', async () => {
  await withTree(BUILD, async ({ tree, options, rebuild }) => {
    const reference = await buildReference(tree, options);
    writeFileSync(join(tree.directory, 'shared.h'), '#define VALUE 3\n');
    await rebuild();
    rmSync(join(tree.directory, 'two.d'));
    writeFileSync(join(tree.directory, 'three.o'), '');
    const result = await compareWithReference(tree, reference);
    assert.deepEqual(result, {
      identical: 2,
      different: ['one.o'],
      missing: ['two.d'],
      unexpected: ['three.o'],
    });
  });
});

test('a reference is kept only when asked, and only for the same recipe', async () => {
  await withTree(BUILD, async ({ tree, options }) => {
    assert.equal((await buildReference(tree, options)).isFresh, true);
    const kept = await buildReference(tree, { ...options, reuse: true });
    assert.equal(kept.isFresh, false);
    assert.equal(kept.digests.size, 4);
    assert.equal((await buildReference({ ...tree, recipe: '2' }, { ...options, reuse: true })).isFresh, true);
    assert.equal((await buildReference(tree, options)).isFresh, true);
  });
});

test('a failing build says where its log is and how it ends', async () => {
  await withTree('echo no such compiler; exit 3', async ({ tree, options }) => {
    await assert.rejects(
      buildReference(tree, options),
      /ended with exit 3[\s\S]*fixture\.log[\s\S]*no such compiler/,
    );
  });
});

test('a build without outputs is an error, not an empty comparison', async () => {
  await withTree('true', async ({ tree, options }) => {
    await assert.rejects(buildReference(tree, options), /left no object/);
  });
});
