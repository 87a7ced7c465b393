/** A submitter that lies: nothing it announces reaches out of its tree, or into the worker's own part of it. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { MeshError } from '../../src/base/errors.ts';
import type { WireEntry } from '../../src/mesh/index.ts';
import { listing, mirrorBench, stateOf } from './mirror-bench.ts';

const isProtocolError = (error: unknown): boolean =>
  error instanceof MeshError && error.code === 'MESHCC_PROTOCOL';

const IMPOSSIBLE_PATHS: Record<string, string> = {
  relative: 'src/a.h',
  empty: '',
  'dot-dot': '/src/../etc/passwd',
  'dot-dot at the end': '/src/..',
  dot: '/src/./a.h',
  'double slash': '//src',
  'slash at the end': '/src/',
  NUL: '/src/a\0.h',
  'overlong component': `/src/${'n'.repeat(256)}`,
  'overlong component in bytes': `/src/${'ü'.repeat(128)}`,
  overlong: `/${'d/'.repeat(2048)}x`,
};

for (const [what, path] of Object.entries(IMPOSSIBLE_PATHS)) {
  test(`an impossible path is refused: ${what}`, async (t) => {
    const bench = await mirrorBench(t);
    assert.throws(() => bench.directories(path), isProtocolError);
    assert.throws(() => bench.link(path, 'x'), isProtocolError);
    assert.throws(() => bench.undelivered(path, 'x'), isProtocolError);
  });
}

test('paths at the limits are possible', async (t) => {
  const bench = await mirrorBench(t);
  const long = `/${'n'.repeat(255)}`;
  await bench.job(...bench.directories(long), await bench.file(`${long}/${'ü'.repeat(127)}`, 'x'));
});

test('an entry that says nothing, a link to nowhere and a damaged digest are refused', async (t) => {
  const bench = await mirrorBench(t);
  const file = { sizeBytes: 1, mtimeSeconds: 0 };
  const nodes: Omit<WireEntry, 'id' | 'path'>[] = [
    {},
    { symlink: { target: '' } },
    { symlink: { target: 'a\0b' } },
    { file: { ...file, sha256: Buffer.alloc(31) } },
    { file: { ...file, sha256: Buffer.alloc(0) } },
  ];
  for (const node of nodes) {
    assert.throws(
      () => bench.mirror.announce(bench.entry('/x', node)),
      isProtocolError,
      JSON.stringify(node),
    );
  }
});

test('nothing is put below a link, below a file or below nothing', async (t) => {
  const bench = await mirrorBench(t);
  const link = bench.link('/out', bench.outside);
  const below = [
    await bench.file('/out/a.h', 'escaped'),
    ...bench.directories('/out/dir'),
    bench.link('/out/l', 'x'),
    await bench.file('/nowhere/a.h', 'x'),
  ];
  const plain = await bench.file('/plain', 'a file');
  below.push(await bench.file('/plain/a.h', 'x'));
  for (const id of below) {
    const hold = bench.mirror.hold([link, plain, id]);
    await assert.rejects(hold.ready, isProtocolError);
    hold.release();
  }
  await bench.job(link, plain);
  assert.deepEqual(listing(bench.outside), {});
  assert.deepEqual(bench.tree, { '/out': `@${bench.outside}`, '/plain': 'a file' });
});

test('a pending change below a directory that becomes a link deletes and writes nothing outside', async (t) => {
  const bench = await mirrorBench(t);
  mkdirSync(join(bench.outside, 'precious'));
  writeFileSync(join(bench.outside, 'precious', 'thesis'), 'of years');
  const [dir] = bench.directories('/dir') as [number];
  // Only the file is listed, so that nobody reads the directory when it is replaced.
  (await bench.job(dir)).release();
  const reader = await bench.job(await bench.file('/dir/precious', 'one'));
  const next = bench.mirror.hold([await bench.file('/dir/precious', 'two')]);
  await bench.job(bench.link('/dir', bench.outside));
  assert.equal(await stateOf(next.ready), 'pending');
  reader.release();
  await assert.rejects(next.ready, isProtocolError);
  assert.deepEqual(listing(bench.outside), { '/precious': '/', '/precious/thesis': 'of years' });
});

test('a removal below a directory that becomes a link deletes nothing outside', async (t) => {
  const bench = await mirrorBench(t);
  writeFileSync(join(bench.outside, 'thesis'), 'of years');
  const [dir] = bench.directories('/dir') as [number];
  (await bench.job(dir)).release();
  const reader = await bench.job(await bench.file('/dir/thesis', 'decoy'));
  bench.mirror.remove(['/dir/thesis']);
  const link = bench.mirror.hold([bench.link('/dir', bench.outside)]);
  assert.equal(await stateOf(link.ready), 'pending');
  reader.release();
  await link.ready;
  assert.deepEqual(listing(bench.outside), { '/thesis': 'of years' });
});

test('content that comes late does not follow a link that came meanwhile', async (t) => {
  const bench = await mirrorBench(t);
  const [dir, deep] = bench.directories('/dir', '/dir/deep') as [number, number];
  mkdirSync(join(bench.outside, 'deep'));
  (await bench.job(dir, deep)).release();
  const late = bench.mirror.hold([bench.undelivered('/dir/deep/a.h', 'late')]);
  await bench.job(bench.link('/dir', bench.outside));
  await bench.deliver('late');
  await assert.rejects(late.ready, isProtocolError);
  assert.ok(!existsSync(join(bench.outside, 'deep', 'a.h')));
});

test('an entry cannot take the place of anything that belongs to the toolchain', async (t) => {
  const bench = await mirrorBench(t);
  bench.mirror.addBase('/usr', { kind: 'directory' });
  bench.mirror.addBase('/usr/gcc', { kind: 'file' });
  bench.mirror.addBase('/bin', { kind: 'symlink', target: 'usr/bin' });
  await bench.job(...bench.directories('/usr'), bench.link('/bin', 'usr/bin'));
  const attempts = [
    () => bench.link('/usr', '/elsewhere'),
    () => bench.undelivered('/usr', 'x'),
    () => bench.undelivered('/usr/gcc', 'x'),
    () => bench.directories('/usr/gcc'),
    () => bench.link('/usr/gcc', 'cc'),
    () => bench.link('/bin', 'usr/evil'),
    () => bench.directories('/bin'),
  ];
  for (const attempt of attempts) assert.throws(attempt, isProtocolError);
});

test('removing what belongs to the toolchain, or a directory above it, leaves it alone', async (t) => {
  const bench = await mirrorBench(t);
  const tree = bench.mirror.directory;
  for (const path of ['/usr', '/usr/lib']) {
    bench.mirror.addBase(path, { kind: 'directory' });
    mkdirSync(join(tree, path));
  }
  bench.mirror.addBase('/usr/lib/cc1', { kind: 'file' });
  writeFileSync(join(tree, 'usr/lib/cc1'), 'compiler');
  const ids = bench.directories('/usr', '/usr/lib', '/usr/include');
  (await bench.job(...ids, await bench.file('/usr/include/a.h', 'a'))).release();
  bench.mirror.remove(['/usr', '/usr/lib/cc1']);
  (await bench.job()).release();
  assert.deepEqual(bench.tree, { '/usr': '/', '/usr/lib': '/', '/usr/lib/cc1': 'compiler' });
});

test('a link of the toolchain that the submitter announces again stays', async (t) => {
  const bench = await mirrorBench(t);
  bench.mirror.addBase('/lib', { kind: 'symlink', target: 'usr/lib' });
  symlinkSync('usr/lib', join(bench.mirror.directory, 'lib'));
  for (let round = 0; round < 3; round++) {
    (await bench.job(bench.link('/lib', 'usr/lib'))).release();
    assert.deepEqual(bench.tree, { '/lib': '@usr/lib' });
  }
});

test('a toolchain does not settle where the submitter has, or will have, something else', async (t) => {
  const bench = await mirrorBench(t);
  const [src] = bench.directories('/src') as [number];
  const refused = (path: string): void =>
    assert.throws(
      () => bench.mirror.addBase(path, { kind: 'file' }),
      (error: unknown) => error instanceof MeshError && error.code === 'MESHCC_COMPILER',
      path,
    );
  bench.undelivered('/src/announced', 'x');
  refused('/src/announced');
  await bench.job(src, await bench.file('/src/there', 'x'));
  bench.mirror.remove(['/src/there']);
  refused('/src/there');
  // The most dangerous: removed, but its content is still on the way to this path.
  const coming = bench.mirror.hold([src, bench.undelivered('/src/coming', 'not the compiler')]);
  bench.mirror.remove(['/src/coming']);
  refused('/src/coming');
  bench.directories('/src/coming');
  assert.throws(() => bench.mirror.addBase('/src/coming', { kind: 'directory' }), MeshError);
  bench.refuse('not the compiler');
  await assert.rejects(coming.ready);
});
