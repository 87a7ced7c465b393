import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf, digestToBytes } from '../../src/base/digest.ts';
import { EntryTable } from '../../src/submitter/entry-table.ts';
import { sourceFile } from './source-tree.ts';

test('an id stands for one path and what is there, and is given out once', () => {
  const table = new EntryTable();
  const file = sourceFile('/a', 'text', 5);
  const ids = [
    table.fileId(file),
    table.fileId(sourceFile('/a', 'text', 6)),
    table.fileId(sourceFile('/a', 'other', 5)),
    table.fileId(sourceFile('/b', 'text', 5)),
    table.directoryId('/a'),
    table.symlinkId('/a', 'text'),
    table.symlinkId('/a', 'other'),
  ];
  assert.equal(new Set(ids).size, ids.length);
  const again = [
    table.fileId(file),
    table.fileId(sourceFile('/a', 'text', 5)),
    table.directoryId('/a'),
    table.symlinkId('/a', 'other'),
  ];
  assert.deepEqual(again, [ids[0], ids[0], ids[4], ids[6]]);
  assert.deepEqual(table.entry(ids[0]!), {
    id: ids[0],
    path: '/a',
    file: { sha256: digestToBytes(file.digest), sizeBytes: 4, mtimeSeconds: 5 },
  });
  assert.deepEqual(table.entry(ids[6]!).symlink, { target: 'other' });
  assert.throws(() => table.entry(99), RangeError);
});

test('one path has one number, whatever was at it', () => {
  const table = new EntryTable();
  const file = table.fileId(sourceFile('/a', 'x'));
  const directory = table.directoryId('/a');
  const other = table.directoryId('/b');
  assert.equal(table.pathNumber(file), table.pathNumber(directory));
  assert.notEqual(table.pathNumber(file), table.pathNumber(other));
  assert.equal(table.knownPathNumber('/b'), table.pathNumber(other));
  assert.equal(table.knownPathNumber('/c'), undefined);
  assert.deepEqual(
    [...table.latestKinds()],
    [
      ['/a', 'directory'],
      ['/b', 'directory'],
    ],
  );
});

test('a change of kind is counted, a change of content is not', () => {
  const table = new EntryTable();
  table.directoryId('/a');
  table.fileId(sourceFile('/b', 'one'));
  const before = table.kindVersion;
  table.fileId(sourceFile('/b', 'two'));
  table.directoryId('/a');
  table.directoryId('/new');
  assert.equal(table.kindVersion, before);
  table.symlinkId('/a', 'b');
  assert.notEqual(table.kindVersion, before);
  assert.equal(new Map(table.latestKinds()).get('/a'), 'symlink');
  const changed = table.kindVersion;
  table.directoryId('/a');
  assert.notEqual(table.kindVersion, changed, 'back to what it was is a change too');
});

test('names that could be taken for one another are kept apart', () => {
  const table = new EntryTable();
  assert.notEqual(table.symlinkId('/a', 'b'), table.symlinkId('/ab', ''));
  assert.notEqual(table.directoryId('/a'), table.symlinkId('/a', ''));
});

test('content can be taken from every file that had it: a twin may have been deleted or changed', () => {
  const table = new EntryTable();
  const kept = sourceFile('/kept.h', '');
  const twin = sourceFile('/twin.h', '');
  table.fileId(kept);
  table.fileId(twin);
  table.fileId(sourceFile('/kept.h', ''));
  assert.deepEqual(table.sourcesOf(kept.digest), [
    { path: '/twin.h', sizeBytes: 0, mtimeSeconds: 1 },
    { path: '/kept.h', sizeBytes: 0, mtimeSeconds: 1 },
  ]);
  assert.deepEqual(table.sourcesOf(digestOf('unheard of')), []);
});

test('a table that takes too much memory begins anew, and gives no id twice', () => {
  const table = new EntryTable(10_000);
  const old = table.fileId(sourceFile('/old.h', 'text'));
  table.limit();
  assert.equal(table.generation, 0, 'it has room');
  const ids = new Set<number>([old]);
  for (let version = 0; version < 100; version++) {
    const file = sourceFile('/a.h', `version ${version}`);
    const id = table.fileId(file);
    assert.ok(!ids.has(id));
    ids.add(id);
    const generation: number = table.generation;
    const kindVersion: number = table.kindVersion;
    table.limit();
    if (table.generation === generation) continue;
    assert.throws(() => table.entry(id), RangeError);
    assert.throws(() => table.entry(old), RangeError);
    assert.deepEqual([table.pathNumber(id), table.knownPathNumber('/a.h')], [-1, undefined]);
    assert.deepEqual([...table.latestKinds()], []);
    assert.deepEqual(table.sourcesOf(file.digest)[0]?.path, '/a.h', 'a worker may still ask for it');
    assert.ok(table.kindVersion > kindVersion, 'what was concluded from it is concluded anew');
    const again = table.fileId(file);
    assert.ok(!ids.has(again));
    ids.add(again);
    assert.equal(table.entry(again).path, '/a.h');
  }
  assert.ok(table.generation > 2);
});
