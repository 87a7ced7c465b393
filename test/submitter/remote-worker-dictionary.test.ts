/** What a worker is told about the submitter's files: each thing once, every change, and what is gone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IdSet } from '../../src/base/id-set.ts';
import { decodeAscending } from '../../src/base/varint.ts';
import { EntryTable } from '../../src/submitter/entry-table.ts';
import { until } from '../mesh/transport-peers.ts';
import { GCC, GXX, toolchainOf } from '../worker/real-toolchains.ts';
import { CollectingSink, preparedJob, type ScriptedWorker, scriptedWorker } from './scripted-worker.ts';
import { sourceFile } from './source-tree.ts';

/** Runs a job with these inputs; resolves when the worker has it. */
async function tell(script: ScriptedWorker, entryIds: number[], absentPaths: string[] = []): Promise<void> {
  const before = script.jobs.length;
  const inputs = { entryIds: IdSet.of(entryIds), absentPaths, generation: script.entries.generation };
  void script.remote.run(await preparedJob({ inputs }), new CollectingSink(), AbortSignal.timeout(500));
  await until(() => script.jobs.length > before, 'the job has arrived');
  assert.deepEqual(decodeAscending(script.jobs.at(-1)!.inputs), entryIds);
}

test('an entry is told once, before the first job that lists it, and again when something else is there', async (t) => {
  const entries = new EntryTable();
  const script = await scriptedWorker(t, { entries, credits: 100 });
  const src = entries.directoryId('/src');
  const old = entries.fileId(sourceFile('/src/a.h', 'one'));
  await tell(script, [src, old]);
  await tell(script, [src, old]);
  assert.deepEqual(script.announced, ['/src', '/src/a.h']);
  const changed = entries.fileId(sourceFile('/src/a.h', 'two'));
  await tell(script, [src, changed]);
  const touched = entries.fileId(sourceFile('/src/a.h', 'two', 2));
  await tell(script, [src, touched]);
  assert.equal(new Set([old, changed, touched]).size, 3);
  assert.deepEqual(script.announced.slice(2), ['/src/a.h', '/src/a.h']);
  // Back to what it was: the worker has forgotten that.
  await tell(script, [src, old]);
  assert.equal(script.announced.length, 5);
  const order = script.session.messages.map((message) => Object.keys(message).find((key) => key !== 'body'));
  assert.ok(order.lastIndexOf('entries') < order.lastIndexOf('job'));
});

test('what is gone is told once, and with a directory everything in it is forgotten', async (t) => {
  const entries = new EntryTable();
  const script = await scriptedWorker(t, { entries, credits: 100 });
  const ids = [
    entries.directoryId('/gen'),
    entries.directoryId('/gen/deep'),
    entries.fileId(sourceFile('/gen/deep/a.h', 'a')),
    entries.symlinkId('/gen/l', 'deep'),
    entries.fileId(sourceFile('/gen-other.h', 'o')),
  ];
  await tell(script, ids);
  await tell(script, [ids[4]!], ['/gen', '/never-listed']);
  await tell(script, [ids[4]!], ['/gen']);
  assert.deepEqual(script.removed, ['/gen']);
  // It comes back just as it was (moved away and back again): the worker must be told all of it.
  const before = script.announced.length;
  await tell(script, ids);
  assert.deepEqual(script.announced.slice(before), ['/gen', '/gen/deep', '/gen/deep/a.h', '/gen/l']);
});

test('what is gone is told before what is there now at the same path', async (t) => {
  const entries = new EntryTable();
  const script = await scriptedWorker(t, { entries });
  await tell(script, [entries.directoryId('/x'), entries.fileId(sourceFile('/x/a.h', 'a'))]);
  await tell(script, [entries.symlinkId('/x', 'y')], ['/x', '/x/a.h']);
  const kinds = script.session.messages.flatMap((message) =>
    message.removed ? 'removed' : message.entries ? 'entries' : [],
  );
  assert.deepEqual(kinds, ['entries', 'removed', 'entries']);
  assert.deepEqual(script.removed, ['/x', '/x/a.h']);
});

test('a job with thousands of inputs announces them in small messages', async (t) => {
  const entries = new EntryTable();
  const script = await scriptedWorker(t, { entries });
  const ids = Array.from({ length: 3_000 }, (_, index) =>
    entries.fileId(sourceFile(`/src/f${index}.h`, `${index}`)),
  );
  await tell(script, ids);
  assert.equal(script.announced.length, 3_000);
  const sizes = script.session.messages.flatMap((message) => message.entries?.entries.length ?? []);
  assert.ok(sizes.every((size) => size <= 256) && sizes.length === 12, String(sizes));
});

test('a compiler is described once per path at which the submitter has it', async (t) => {
  const [gcc, gxx] = [await toolchainOf(GCC), await toolchainOf(GXX)];
  const script = await scriptedWorker(t, { toolchainIds: [gcc.id, gxx.id] });
  const elsewhere = { ...gcc, compilerPath: '/opt/gcc' };
  for (const toolchain of [gcc, gxx, gcc, elsewhere, gxx]) {
    const before = script.jobs.length;
    void script.remote.run(await preparedJob({ toolchain }), new CollectingSink(), AbortSignal.timeout(500));
    await until(() => script.jobs.length > before, 'the job has arrived');
  }
  const uses = script.session.messages.flatMap(({ toolchainUse }) => toolchainUse ?? []);
  assert.deepEqual(
    uses.map(({ ref, compilerPath }) => [ref, compilerPath]),
    [
      [1, GCC],
      [2, GXX],
      [3, '/opt/gcc'],
    ],
  );
  assert.deepEqual(
    script.jobs.map(({ toolchainRef }) => toolchainRef),
    [1, 2, 1, 3, 2],
  );
});

test('a worker that asks for it is told to forget everything, and then what jobs need', async (t) => {
  const entries = new EntryTable();
  const script = await scriptedWorker(t, { entries, credits: 100 });
  const ids = [entries.directoryId('/src'), entries.fileId(sourceFile('/src/a.h', 'a'))];
  await tell(script, ids);
  script.send({ renewDictionary: {} });
  await until(() => script.removed.length > 0, 'the answer has come');
  assert.deepEqual(script.removed, ['/']);
  await tell(script, [ids[0]!]);
  assert.deepEqual(script.announced, ['/src', '/src/a.h', '/src']);
  await tell(script, ids);
  assert.deepEqual(script.announced.slice(3), ['/src/a.h']);
});

test('a dictionary that begins anew is told anew, behind a word that everything is gone', async (t) => {
  const entries = new EntryTable(1);
  const script = await scriptedWorker(t, { entries, credits: 100 });
  await tell(script, [entries.directoryId('/src'), entries.directoryId('/old')]);
  entries.limit();
  assert.equal(entries.generation, 1);
  await tell(script, [entries.directoryId('/src')]);
  assert.deepEqual([script.removed, script.announced], [['/'], ['/src', '/old', '/src']]);
  const kinds = script.session.messages.map((message) => Object.keys(message).find((key) => key !== 'body'));
  assert.deepEqual(kinds.slice(kinds.indexOf('removed')), ['removed', 'entries', 'job']);
});

test('many entries and many removals go in small messages', async (t) => {
  const entries = new EntryTable();
  const script = await scriptedWorker(t, { entries, credits: 100 });
  const paths = Array.from({ length: 1_000 }, (_, index) => `/d${index}`);
  await tell(
    script,
    paths.map((path) => entries.directoryId(path)),
  );
  await tell(script, [entries.directoryId('/left')], paths);
  assert.deepEqual(script.removed, paths);
  for (const { entries: told, removed } of script.session.messages)
    assert.ok((told?.entries.length ?? 0) <= 256 && (removed?.paths.length ?? 0) <= 256);
});
