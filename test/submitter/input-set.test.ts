/** From a closure to what travels: every directory and link on the way, what is absent, and nothing stale. */
import assert from 'node:assert/strict';
import { mkdirSync, realpathSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { test } from 'node:test';
import { digestOf, digestToBytes } from '../../src/base/digest.ts';
import { walkPath } from '../../src/base/path-walk.ts';
import type { JobInputs } from '../../src/submitter/input-set.ts';
import { type SourceTree, sourceTree } from './source-tree.ts';

/** Every spelled path must lead, in what the worker gets, to the file that it leads to here. */
function checkView(tree: SourceTree, inputs: JobInputs, spelled: readonly string[]): void {
  const view = tree.view(inputs);
  for (const path of spelled) {
    const walk = walkPath(path, (at) => view.get(at));
    assert.equal(walk.node?.kind, 'file', `${path} is no file in the view`);
    assert.equal(walk.canonicalPath, realpathSync.native(path), path);
  }
}

const pathsOf = (tree: SourceTree, inputs: JobInputs): string[] =>
  tree.listedEntries(inputs).map(({ path }) => path);

test('files travel under their canonical paths, with all directories', async (t) => {
  const tree = sourceTree(t);
  tree.write('inc/a.h', 'int a;\n');
  tree.write('src/x.c', '#include <a.h>\n');
  mkdirSync(tree.path('out'));
  utimesSync(tree.path('inc/a.h'), 1_600_000_000, 1_600_000_000.9);
  const inputs = await tree.listed('-Iinc', '-c', 'src/x.c', '-o', 'out/x.o');
  const paths = pathsOf(tree, inputs);
  for (const name of ['inc', 'inc/a.h', 'src', 'src/x.c', 'out'])
    assert.ok(paths.includes(tree.path(name)), name);
  assert.ok(!paths.includes('/'));
  const header = tree.listedEntries(inputs).find(({ path }) => path === tree.path('inc/a.h'));
  assert.deepEqual(header?.file, {
    sha256: digestToBytes(digestOf('int a;\n')),
    sizeBytes: 7,
    mtimeSeconds: 1_600_000_000,
  });
  checkView(tree, inputs, [tree.path('inc/a.h'), tree.path('src/x.c')]);
});

test('links and dot-dot on the way travel too', async (t) => {
  const tree = sourceTree(t);
  tree.write('real/deep/a.h', '#include "../b.h"\n');
  tree.write('real/b.h', 'int b;\n');
  tree.write('b.h', 'int wrong;\n');
  tree.link('inc', 'alias');
  tree.link('alias', `${tree.directory}/real/deep`);
  tree.link('linked.h', 'inc/../b.h');
  tree.write('x.c', '#include "inc/a.h"\n#include "linked.h"\n');
  const invocation = tree.invocation('-Iinc/..', '-c', './x.c', '-o', 'inc/../x.o');
  const closure = await tree.closure(invocation);
  const outcome = tree.collect(invocation, closure);
  assert.ok(outcome.kind === 'inputs', JSON.stringify(outcome));
  checkView(tree, outcome.inputs, closure.files);
  const paths = pathsOf(tree, outcome.inputs);
  for (const name of ['inc', 'alias', 'linked.h', 'real/b.h', 'real/deep', 'real/deep/a.h'])
    assert.ok(paths.includes(tree.path(name)), name);
  assert.ok(!paths.includes(tree.path('b.h')), 'dot-dot after a link is not the directory of the link');
});

test('a file of the compiler does not travel, and one of another compiler keeps the call here', async (t) => {
  const tree = sourceTree(t);
  tree.write('lists/ignored.txt', 'fun:f\n');
  tree.write('x.c', '#include "lists/ignored.txt"\n');
  tree.ofCompilers.add(tree.path('lists/ignored.txt'));
  const invocation = tree.invocation('-c', 'x.c');
  const foreign = tree.collect(invocation, await tree.closure(invocation));
  assert.ok(foreign.kind === 'local', JSON.stringify(foreign));
  assert.deepEqual([foreign.reason, foreign.detail], ['compiler-file', tree.path('lists/ignored.txt')]);
  tree.ofThisCompiler.add(tree.path('lists/ignored.txt'));
  const own = tree.collect(invocation, await tree.closure(invocation));
  assert.ok(own.kind === 'inputs', JSON.stringify(own));
  const paths = pathsOf(tree, own.inputs);
  assert.ok(paths.includes(tree.path('x.c')) && paths.includes(tree.path('lists')));
  assert.ok(!paths.includes(tree.path('lists/ignored.txt')));
});

test('counts and lists that options name travel if they are there', async (t) => {
  const tree = sourceTree(t);
  tree.write('x.c', 'int x;\n');
  tree.write('out/x.gcda', 'counts');
  tree.write('counts/other.gcda', 'counts of another unit');
  const mangled = `counts/${tree.path('out/x').replaceAll('/', '#')}.gcda`;
  tree.write(mangled, 'counts');
  const listed = async (...args: string[]): Promise<string[]> => {
    const invocation = tree.invocation(...args, '-c', 'x.c', '-o', 'out/x.o');
    const outcome = tree.collect(invocation, await tree.closure(invocation));
    assert.ok(outcome.kind === 'inputs', JSON.stringify(outcome));
    return pathsOf(tree, outcome.inputs).filter((path) => /\.(gcda|afdo)$/.test(path));
  };
  assert.deepEqual(await listed('-fprofile-use'), [tree.path('out/x.gcda')]);
  assert.deepEqual(await listed('-fprofile-use=counts'), [tree.path(mangled)]);
  assert.deepEqual(await listed('-fprofile-use=none'), []);
  assert.deepEqual(await listed('-fauto-profile'), []);
  tree.write('fbdata.afdo', 'samples');
  assert.deepEqual(await listed('-fauto-profile'), [tree.path('fbdata.afdo')]);
  assert.deepEqual(await listed('-O2'), []);
});

test('the directory that PWD names travels beside the one that it leads to', async (t) => {
  const tree = sourceTree(t);
  tree.write('real/x.c', 'int x;\n');
  tree.link('pwd', 'real');
  const invocation = tree.invocation('-c', 'x.c');
  const closure = await tree.closure(invocation, tree.path('real'));
  const options = { workingDirectory: tree.path('real'), logicalDirectory: tree.path('pwd') };
  const outcome = tree.collect(invocation, closure, options);
  assert.ok(outcome.kind === 'inputs', JSON.stringify(outcome));
  assert.deepEqual(tree.view(outcome.inputs).get(tree.path('pwd')), { kind: 'symlink', target: 'real' });
});

test('a header that is rewritten within the same second with the same size is seen', async (t) => {
  const tree = sourceTree(t);
  tree.write('x.c', '#include "a.h"\n');
  const stamp = new Date();
  const ids = new Set<string>();
  for (const text of ['int one;\n', 'int two;\n', 'int six;\n']) {
    tree.write('a.h', text);
    utimesSync(tree.path('a.h'), stamp, stamp);
    const inputs = await tree.listed('-c', 'x.c');
    const header = tree.listedEntries(inputs).find(({ path }) => path === tree.path('a.h'));
    assert.deepEqual(header?.file?.sha256, digestToBytes(digestOf(text)));
    ids.add([...inputs.entryIds].join());
  }
  assert.equal(ids.size, 3);
});

test('what __has_include asks about travels if it exists, and is not there if it does not', async (t) => {
  const tree = sourceTree(t);
  const questions = '__has_include(<there.h>) || __has_include("sub/deep.h") || __has_include("none/x.h")';
  tree.write('inc/there.h', '');
  tree.write('inc/sub/deep.h', '');
  tree.write('x.c', `#if ${questions}\n#endif\n`);
  const before = await tree.listed('-Iinc', '-c', 'x.c');
  const view = tree.view(before);
  for (const name of ['inc/there.h', 'inc/sub', 'inc/sub/deep.h']) assert.ok(view.has(tree.path(name)), name);
  assert.deepEqual(before.absentPaths, [], 'no worker can have what was never told');
  rmSync(tree.path('inc/there.h'));
  renameSync(tree.path('inc/sub'), tree.path('inc/away'));
  const after = await tree.listed('-Iinc', '-c', 'x.c');
  for (const name of ['inc/there.h', 'inc/sub']) {
    assert.ok(after.absentPaths.includes(tree.path(name)), `${name} is taken back`);
    assert.ok(!tree.view(after).has(tree.path(name)), name);
  }
});

test('asking for something below a file does not take the file away', async (t) => {
  const tree = sourceTree(t);
  tree.write('a.h', '');
  const questions = '__has_include("a.h/b.h") || __has_include("a.h/") || __has_include("x.c/..")';
  tree.write('x.c', `#include "a.h"\n#if ${questions}\n#endif\n`);
  await tree.listed('-c', 'x.c');
  const inputs = await tree.listed('-c', 'x.c');
  assert.deepEqual(inputs.absentPaths, []);
  assert.ok(tree.view(inputs).has(tree.path('a.h')));
});

test('what vanishes is named for every later job, until it is back', async (t) => {
  const tree = sourceTree(t);
  tree.write('inc/gone.h', '');
  tree.write('inc/deep/down.h', '');
  tree.write('x.c', '#include <gone.h>\n#include <deep/down.h>\n');
  tree.write('y.c', 'int y;\n');
  const [x, y] = [
    ['-Iinc', '-c', 'x.c'],
    ['-Iinc', '-c', 'y.c'],
  ] as const;
  const first = await tree.listed(...x);
  assert.deepEqual((await tree.listed(...y)).absentPaths, []);
  rmSync(tree.path('inc/gone.h'));
  assert.deepEqual((await tree.listed(...y)).absentPaths, [tree.path('inc/gone.h')]);
  renameSync(tree.path('inc/deep'), tree.path('inc/moved'));
  const without = [...(await tree.listed(...y)).absentPaths].sort();
  assert.deepEqual(without, [tree.path('inc/deep'), tree.path('inc/deep/down.h'), tree.path('inc/gone.h')]);
  renameSync(tree.path('inc/moved'), tree.path('inc/deep'));
  tree.write('inc/gone.h', 'int back;\n');
  assert.deepEqual((await tree.listed(...y)).absentPaths, []);
  const again = await tree.listed(...x);
  assert.deepEqual(again.absentPaths, []);
  assert.deepEqual([...tree.view(again).keys()].sort(), [...tree.view(first).keys()].sort());
});

test('a directory that becomes a link is named as gone, and listed as what it is now', async (t) => {
  const tree = sourceTree(t);
  tree.write('real/a.h', 'int in_real;\n');
  tree.write('dir/a.h', 'int in_dir;\n');
  tree.write('x.c', '#include "dir/a.h"\n');
  await tree.listed('-c', 'x.c');
  rmSync(tree.path('dir'), { recursive: true });
  tree.link('dir', 'real');
  const after = await tree.listed('-c', 'x.c');
  assert.deepEqual(tree.view(after).get(tree.path('dir')), { kind: 'symlink', target: 'real' });
  assert.ok(after.absentPaths.includes(tree.path('dir/a.h')), 'nothing is left below the link');
  checkView(tree, after, [tree.path('dir/a.h'), tree.path('x.c')]);
  // Another job, so that nothing of the change is taken back for ever.
  const later = await tree.listed('-c', 'x.c');
  assert.ok(!later.absentPaths.includes(tree.path('dir')));
});

test('a closure made by the compiler: a file that is gone or no file keeps the unit here', async (t) => {
  const tree = sourceTree(t);
  tree.write('a.h', '');
  tree.write('x.c', '#include "a.h"\n');
  const invocation = tree.invocation('-c', 'x.c');
  const reason = async (): Promise<string> => {
    await tree.refresh();
    const files = [tree.path('x.c'), tree.path('a.h')];
    const outcome = tree.collect(invocation, {
      files,
      directories: [],
      searchPath: { quote: [], angle: [] },
    });
    return outcome.kind === 'local' ? outcome.reason : outcome.kind;
  };
  assert.equal(await reason(), 'inputs');
  rmSync(tree.path('a.h'));
  assert.equal(await reason(), 'input-changed');
  mkdirSync(tree.path('a.h'));
  assert.equal(await reason(), 'input-changed');
  rmSync(tree.path('a.h'), { recursive: true });
  tree.link('a.h', 'nowhere');
  assert.equal(await reason(), 'input-changed');
});

/** Texts whose meaning a list of headers does not show, with the reason. */
const TROUBLE: Record<string, string> = {
  'const char *d = __DATE__;': 'time-macro',
  'asm(".incbin \\"blob\\"");': 'incbin',
  '#if __has_include(NAME)\n#endif': 'computed-has-include',
};

for (const [text, reason] of Object.entries(TROUBLE)) {
  test(`a closure made by the compiler: ${text.split('\n')[0]} keeps the unit here`, async (t) => {
    const tree = sourceTree(t);
    tree.write('a.h', `#define NAME <stdio.h>\n${text}\n`);
    tree.write('x.c', '#include "a.h"\n');
    await tree.refresh();
    const files = [tree.path('x.c'), tree.path('a.h')];
    const closure = { files, directories: [], searchPath: { quote: [], angle: [] } };
    const outcome = tree.collect(tree.invocation('-c', 'x.c'), closure);
    assert.ok(outcome.kind === 'local' && outcome.reason === reason, JSON.stringify(outcome));
    assert.equal(outcome.detail, tree.path('a.h'));
  });
}

test('large and empty files are identified like all others', async (t) => {
  const tree = sourceTree(t);
  const large = `int large[] = {\n${'1234567890,\n'.repeat(150_000)}};\n`;
  tree.write('large.h', large);
  tree.write('empty.h', '');
  tree.write('x.c', '#include "empty.h"\n#include "large.h"\n');
  const inputs = await tree.listed('-c', 'x.c');
  const file = (name: string) =>
    tree.listedEntries(inputs).find(({ path }) => path === tree.path(name))?.file;
  assert.deepEqual(file('large.h')?.sha256, digestToBytes(digestOf(large)));
  assert.equal(file('large.h')?.sizeBytes, statSync(tree.path('large.h')).size);
  assert.deepEqual(file('empty.h')?.sha256, digestToBytes(digestOf('')));
});
