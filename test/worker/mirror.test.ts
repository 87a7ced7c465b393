/** The submitter's tree on a worker: what is announced is there, versions never mix, and what is gone is gone. */
import assert from 'node:assert/strict';
import { lstatSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Mirror } from '../../src/worker/mirror.ts';
import { mirrorBench, stateOf } from './mirror-bench.ts';

test('a job finds what it lists, with content, time and mode, and nothing else is made', async (t) => {
  const bench = await mirrorBench(t);
  const listed = [
    ...bench.directories('/src', '/src/inc'),
    bench.link('/src/link', 'inc/./a.h'),
    await bench.file('/src/inc/a.h', 'int a;\n', 1_600_000_001),
    await bench.file('/src/empty.h', '', 0),
  ];
  await bench.file('/src/unlisted.h', 'int u;\n');
  const hold = await bench.job(...listed);
  assert.deepEqual(bench.tree, {
    '/src': '/',
    '/src/empty.h': '',
    '/src/inc': '/',
    '/src/inc/a.h': 'int a;\n',
    '/src/link': '@inc/./a.h',
  });
  const stat = statSync(join(bench.mirror.directory, 'src/inc/a.h'));
  assert.deepEqual([stat.mtimeMs, stat.mode & 0o7777], [1_600_000_001_000, 0o444]);
  for (const path of ['/src/inc/a.h', '/src/empty.h', '/src/inc', '/src/link'])
    assert.ok(hold.lists(path), path);
  for (const path of ['/src/unlisted.h', '/src/inc/b.h', '/']) assert.ok(!hold.lists(path), path);
  assert.equal(bench.mirror.resolve('/src/../src/link'), '/src/inc/a.h');
});

test('a header that changes is replaced only when no job reads the old one, and the order of three is kept', async (t) => {
  const bench = await mirrorBench(t);
  const [src] = bench.directories('/src') as [number];
  const first = await bench.job(src, await bench.file('/src/a.h', 'one'));
  const alsoFirst = await bench.job(src, 1);
  const second = bench.mirror.hold([src, await bench.file('/src/a.h', 'two')]);
  const third = bench.mirror.hold([src, await bench.file('/src/a.h', 'three')]);
  first.release();
  first.release();
  assert.equal(await stateOf(second.ready), 'pending', 'another job still reads the first version');
  assert.equal(bench.read('/src/a.h'), 'one');
  alsoFirst.release();
  await second.ready;
  assert.equal(bench.read('/src/a.h'), 'two');
  assert.ok(second.lists('/src/a.h') && !third.lists('/src/a.h'));
  assert.equal(await stateOf(third.ready), 'pending');
  second.release();
  await third.ready;
  assert.equal(bench.read('/src/a.h'), 'three');
});

test('a job that does not read the changed header is not held up by its readers', async (t) => {
  const bench = await mirrorBench(t);
  const [src] = bench.directories('/src') as [number];
  await bench.job(src, await bench.file('/src/a.h', 'one'));
  const other = await bench.file('/src/b.h', 'b');
  bench.mirror.hold([src, await bench.file('/src/a.h', 'two')]);
  await bench.job(src, other);
  assert.equal(bench.read('/src/b.h'), 'b');
});

test('going back to an earlier content is a change like any other', async (t) => {
  const bench = await mirrorBench(t);
  const [src] = bench.directories('/src') as [number];
  const contents = ['one', 'two', 'one', 'three', 'one'];
  for (const content of contents) {
    const hold = await bench.job(src, await bench.file('/src/a.h', content));
    assert.equal(bench.read('/src/a.h'), content);
    hold.release();
  }
});

test('crossing changes of two headers cannot make two jobs wait for each other', async (t) => {
  const bench = await mirrorBench(t);
  const [src] = bench.directories('/src') as [number];
  const [a1, b1] = [await bench.file('/src/a.h', 'a1'), await bench.file('/src/b.h', 'b1')];
  const running = await bench.job(src, a1, b1);
  // One job saw the new b and the old a, the next one the other way round.
  const b2 = await bench.file('/src/b.h', 'b2');
  const first = bench.mirror.hold([src, a1, b2]);
  const b1Again = await bench.file('/src/b.h', 'b1');
  const a2 = await bench.file('/src/a.h', 'a2');
  const second = bench.mirror.hold([src, a2, b1Again]);
  running.release();
  await first.ready;
  assert.deepEqual([bench.read('/src/a.h'), bench.read('/src/b.h')], ['a1', 'b2']);
  first.release();
  await second.ready;
  assert.deepEqual([bench.read('/src/a.h'), bench.read('/src/b.h')], ['a2', 'b1']);
});

test('a job may list only what is announced now', async (t) => {
  const bench = await mirrorBench(t);
  const [src] = bench.directories('/src') as [number];
  const old = await bench.file('/src/a.h', 'one');
  const current = await bench.file('/src/a.h', 'two');
  const gone = await bench.file('/src/gone/b.h', 'b');
  bench.mirror.remove(['/src/gone']);
  for (const id of [old, gone, 999]) {
    assert.throws(() => bench.mirror.hold([src, id]), /not announced/, `entry ${id}`);
  }
  await bench.job(src, current);
  assert.equal(bench.read('/src/a.h'), 'two');
});

test('what is removed is gone for later jobs, with all below it, but not before its readers are done', async (t) => {
  const bench = await mirrorBench(t);
  const [src, gen] = bench.directories('/src', '/src/gen', '/src/gen/deep') as [number, number];
  const reader = await bench.job(
    src,
    gen,
    gen + 1,
    await bench.file('/src/gen/deep/a.h', 'a'),
    await bench.file('/src/gen-kept.h', 'kept'),
  );
  bench.mirror.remove(['/src/gen', '/src/never-seen']);
  const later = bench.mirror.hold([src]);
  assert.equal(await stateOf(later.ready), 'pending');
  assert.equal(bench.read('/src/gen/deep/a.h'), 'a');
  reader.release();
  await later.ready;
  assert.deepEqual(bench.tree, { '/src': '/', '/src/gen-kept.h': 'kept' });
  assert.equal(bench.mirror.resolve('/src/gen/deep/a.h'), '/src/gen');
});

test('a directory that comes back after its removal is filled again', async (t) => {
  const bench = await mirrorBench(t);
  const fill = async (text: string): Promise<void> => {
    const ids = bench.directories('/src', '/src/gen', '/src/gen/deep');
    ids.push(await bench.file('/src/gen/deep/a.h', text), bench.link('/src/gen/l', 'deep'));
    (await bench.job(...ids)).release();
    assert.equal(bench.read('/src/gen/l/a.h'), text);
  };
  await fill('one');
  bench.mirror.remove(['/src/gen']);
  await fill('two');
  bench.mirror.remove(['/src/gen/l', '/src/gen/deep/a.h', '/src/gen/deep', '/src/gen']);
  await fill('one');
});

test('a directory becomes a link, then a directory again', async (t) => {
  const bench = await mirrorBench(t);
  const [src, real] = bench.directories('/src', '/src/real') as [number, number];
  const inReal = await bench.file('/src/real/a.h', 'real');
  const asDirectory = async (): Promise<void> => {
    const [dir] = bench.directories('/src/x') as [number];
    const hold = await bench.job(src, dir, await bench.file('/src/x/a.h', 'in x'));
    assert.equal(bench.read('/src/x/a.h'), 'in x');
    assert.equal(bench.mirror.resolve('/src/x/a.h'), '/src/x/a.h');
    hold.release();
  };
  const asLink = async (): Promise<void> => {
    const hold = await bench.job(src, real, inReal, bench.link('/src/x', 'real'));
    assert.equal(bench.read('/src/x/a.h'), 'real');
    assert.equal(bench.mirror.resolve('/src/x/a.h'), '/src/real/a.h');
    hold.release();
  };
  await asDirectory();
  await asLink();
  await asDirectory();
  await asLink();
  assert.deepEqual(bench.tree, { '/src': '/', '/src/real': '/', '/src/real/a.h': 'real', '/src/x': '@real' });
});

test('a file becomes a directory, and a directory a file', async (t) => {
  const bench = await mirrorBench(t);
  const [src] = bench.directories('/src') as [number];
  (await bench.job(src, await bench.file('/src/x', 'file'))).release();
  const [x] = bench.directories('/src/x') as [number];
  (await bench.job(src, x, await bench.file('/src/x/a.h', 'a'))).release();
  assert.equal(bench.read('/src/x/a.h'), 'a');
  (await bench.job(src, await bench.file('/src/x', 'file again'))).release();
  assert.deepEqual(bench.tree, { '/src': '/', '/src/x': 'file again' });
});

test('where a path leads is not answered from before a link changed', async (t) => {
  const bench = await mirrorBench(t);
  const [src, a, b] = bench.directories('/src', '/src/a', '/src/b') as [number, number, number];
  const reader = await bench.job(src, a, b, bench.link('/src/l', 'a'));
  assert.equal(bench.mirror.resolve('/src/l/x.h'), '/src/a/x.h');
  const next = bench.mirror.hold([src, a, b, bench.link('/src/l', 'b')]);
  assert.equal(bench.mirror.resolve('/src/l/x.h'), '/src/a/x.h', 'announced, and not yet so on disk');
  reader.release();
  await next.ready;
  assert.equal(bench.mirror.resolve('/src/l/x.h'), '/src/b/x.h');
});

test('content that cannot be had fails the jobs that list it, and only those; later it may come', async (t) => {
  const bench = await mirrorBench(t);
  const [src] = bench.directories('/src') as [number];
  const missing = bench.undelivered('/src/a.h', 'missing');
  const other = await bench.file('/src/b.h', 'b');
  const first = bench.mirror.hold([src, missing]);
  const second = bench.mirror.hold([src, missing, other]);
  assert.equal(await stateOf(first.ready), 'pending');
  bench.refuse('missing');
  await assert.rejects(first.ready, /no longer has/);
  await assert.rejects(second.ready, /no longer has/);
  first.release();
  second.release();
  await bench.job(src, other);
  const again = bench.mirror.hold([src, missing]);
  await bench.deliver('missing');
  await again.ready;
  assert.equal(bench.read('/src/a.h'), 'missing');
});

test('a failed replacement leaves nothing of the old version for later jobs', async (t) => {
  const bench = await mirrorBench(t);
  const [src] = bench.directories('/src') as [number];
  (await bench.job(src, await bench.file('/src/a.h', 'old'))).release();
  const job = bench.mirror.hold([src, bench.undelivered('/src/a.h', 'new')]);
  bench.refuse('new');
  await assert.rejects(job.ready);
  assert.ok(!job.lists('/src/a.h'));
  job.release();
  (await bench.job(src, await bench.file('/src/a.h', 'newest'))).release();
  assert.equal(bench.read('/src/a.h'), 'newest');
});

test('5,000 entries are put in place, and listed again without a change on disk', async (t) => {
  const bench = await mirrorBench(t);
  const ids: number[] = [];
  for (let directory = 0; directory < 50; directory++) {
    ids.push(...bench.directories(`/d${directory}`, `/d${directory}/sub`));
    for (let file = 0; file < 97; file++) {
      // A third of the contents is shared, as empty and generated headers are.
      const text = file % 3 === 0 ? `shared ${file}` : `own ${directory} ${file}`;
      ids.push(await bench.file(`/d${directory}/sub/f${file}.h`, text));
    }
    ids.push(bench.link(`/d${directory}/link`, 'sub'));
  }
  assert.equal(ids.length, 5_000);
  const hold = await bench.job(...ids);
  assert.equal(Object.keys(bench.tree).length, 5_000);
  assert.equal(bench.read('/d49/link/f96.h'), 'shared 96');
  assert.equal(bench.read('/d0/sub/f1.h'), 'own 0 1');
  const before = lstatSync(join(bench.mirror.directory, 'd7/sub/f5.h'), { bigint: true });
  await bench.job(...ids);
  const after = lstatSync(join(bench.mirror.directory, 'd7/sub/f5.h'), { bigint: true });
  assert.deepEqual([after.ino, after.ctimeNs], [before.ino, before.ctimeNs]);
  hold.release();
});

test('what is removed takes no memory, however often paths come, change and go', async (t) => {
  const bench = await mirrorBench(t);
  assert.equal(bench.mirror.heldBytes, 0);
  const sizes: number[] = [];
  for (let round = 0; round < 5; round++) {
    const [src] = bench.directories('/src') as [number];
    for (const content of ['one', 'two', 'three']) {
      const hold = await bench.job(src, await bench.file('/src/a.h', content), bench.link('/src/l', content));
      hold.release();
    }
    await bench.job(src).then((hold) => hold.release());
    sizes.push(bench.mirror.heldBytes);
    bench.mirror.remove(round % 2 === 0 ? ['/'] : ['/src']);
    await bench.mirror.removed();
    assert.deepEqual([bench.mirror.heldBytes, bench.tree], [0, {}]);
  }
  assert.ok(sizes[0]! > 1_000);
  assert.deepEqual(new Set(sizes).size, 1, sizes.join(' '));
});

test('when everything is removed, jobs that read it end first, and what is told anew comes behind', async (t) => {
  const bench = await mirrorBench(t);
  const [src] = bench.directories('/src') as [number];
  const file = await bench.file('/src/a.h', 'one');
  const reader = await bench.job(src, file);
  bench.mirror.addBase('/usr', { kind: 'directory' });
  bench.mirror.remove(['/']);
  assert.throws(() => bench.mirror.hold([file]), /not announced/);
  const [again] = bench.directories('/src') as [number];
  const next = bench.mirror.hold([again, await bench.file('/src/b.h', 'two')]);
  assert.equal(await stateOf(next.ready), 'pending');
  assert.equal(bench.read('/src/a.h'), 'one', 'it is still read');
  reader.release();
  await next.ready;
  assert.deepEqual(bench.tree, { '/src': '/', '/src/b.h': 'two' });
  assert.deepEqual(bench.mirror.baseAt('/usr'), { kind: 'directory' });
});

test('a file on its way arrives in the directory of its own job, whatever becomes of that later', async (t) => {
  const bench = await mirrorBench(t);
  const [src, gen] = bench.directories('/src', '/src/gen') as [number, number];
  const slow = bench.mirror.hold([src, gen, bench.undelivered('/src/gen/a.h', 'one')]);
  for (const paths of [['/src/gen'], ['/']]) {
    bench.mirror.remove(paths);
    assert.equal(await stateOf(slow.ready), 'pending');
  }
  const again = bench.directories('/src', '/src/gen');
  const later = bench.mirror.hold([...again, await bench.file('/src/gen/b.h', 'two')]);
  await bench.deliver('one');
  await slow.ready;
  assert.deepEqual(bench.tree, { '/src': '/', '/src/gen': '/', '/src/gen/a.h': 'one' });
  assert.equal(await stateOf(later.ready), 'pending');
  slow.release();
  await later.ready;
  assert.deepEqual(bench.tree, { '/src': '/', '/src/gen': '/', '/src/gen/b.h': 'two' });
});

test('nothing is written before the directory of the tree is there', async (t) => {
  const bench = await mirrorBench(t);
  let letGo: () => void = () => {};
  const made = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const directory = join(bench.directory, 'later');
  const mirror = new Mirror(directory, { need: async () => {}, materialise: async () => {} }, made);
  mirror.announce(bench.entry('/src', { directory: {} }));
  const hold = mirror.hold([0]);
  assert.equal(await stateOf(hold.ready), 'pending');
  mkdirSync(directory);
  letGo();
  await hold.ready;
  assert.ok(lstatSync(join(directory, 'src')).isDirectory());
});
