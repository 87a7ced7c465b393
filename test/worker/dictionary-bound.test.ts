/** The memory of what one submitter has told is bounded: it is asked to begin anew, and must. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import type { FromWorker, WireEntry } from '../../src/mesh/index.ts';
import { dial, until } from '../mesh/transport-peers.ts';
import { GCC } from './real-toolchains.ts';
import { compileHere, sinkFor, workingSubmitter, workingWorker } from './working-pair.ts';

/** Room for some fifty files. */
const SMALL_BYTES = 60_000;
const HEADERS = 20;

test('a build of many more headers than there is room for: every object is right, and old files go', async (t) => {
  const working = await workingWorker(t, { dictionaryMaxBytes: SMALL_BYTES });
  if (working === undefined) return;
  const submitter = await workingSubmitter(t, working.address);
  const { tree } = submitter;
  const kept: number[] = [];
  for (let unit = 0; unit < 12; unit++) {
    const names = Array.from({ length: HEADERS }, (_, index) => `inc${unit}/h${index}.h`);
    for (const [index, name] of names.entries()) tree.write(name, `enum { e${index} = ${unit + index} };\n`);
    const includes = names.map((name) => `#include "${name}"\n`).join('');
    tree.write('unit.c', `${includes}int f(void) { return e0 + e${HEADERS - 1}; }\n`);
    await tree.refresh();
    const args = ['-c', 'unit.c', '-o', 'unit.o'];
    const job = await submitter.prepare(GCC, ...args);
    const sink = sinkFor(job);
    const outcome = await submitter.run(job, sink);
    assert.ok(outcome.kind === 'compiled' && outcome.exitStatus === 0, JSON.stringify(outcome));
    assert.deepEqual(
      sink.content('unit.o'),
      compileHere(tree.directory, GCC, job, args).outputs.get('unit.o'),
    );
    kept.push(headersIn(working.sessionsDirectory));
  }
  const most = Math.max(...kept);
  assert.ok(most < 6 * HEADERS, `of ${12 * HEADERS} headers ${most} lay in the tree at once`);
  assert.ok(
    kept.some((count, index) => count < (kept[index - 1] ?? 0)),
    kept.join(' '),
  );
});

function headersIn(directory: string): number {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => /\/inc\d+\/h\d+\.h$/.test(name)).length;
}

test('a submitter that does not begin anew is hung up on at twice the bound', async (t) => {
  const working = await workingWorker(t, { dictionaryMaxBytes: SMALL_BYTES });
  if (working === undefined) return;
  const link = await dial(t, working.address);
  const heard: FromWorker[] = [];
  link.receive((message) => heard.push(message));
  let told = 0;
  let isOpen = true;
  void link.closed.then(() => {
    isOpen = false;
  });
  const sha256 = Buffer.alloc(32, 1);
  while (isOpen) {
    const entries = Array.from({ length: 10 }, (): WireEntry => {
      const id = told++;
      return { id, path: `/f${id}`, file: { sha256, sizeBytes: 1, mtimeSeconds: 1 } };
    });
    link.work.send({ entries: { entries } });
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.match(await link.closed, /the dictionary takes \d+ bytes of memory, and 60000 are allowed/);
  assert.equal(heard.filter(({ renewDictionary }) => renewDictionary).length, 1, 'it was asked once');
});

test('a stream without end of changes of one file takes no more memory than one of them', async (t) => {
  const working = await workingWorker(t, { dictionaryMaxBytes: SMALL_BYTES });
  if (working === undefined) return;
  const link = await dial(t, working.address);
  const heard: FromWorker[] = [];
  link.receive((message) => heard.push(message));
  for (let id = 0; id < 2_000; id++) {
    const sha256 = Buffer.alloc(32);
    sha256.writeUInt32LE(id);
    link.work.send({
      entries: { entries: [{ id, path: '/f', file: { sha256, sizeBytes: 1, mtimeSeconds: 1 } }] },
    });
  }
  link.work.send({ job: { ...LAST_JOB } });
  await until(() => heard.some(({ result }) => result), 'an answer behind all of it');
  assert.ok(!heard.some(({ renewDictionary }) => renewDictionary));
});

/** Of a toolchain that was never announced: answered at once. */
const LAST_JOB = {
  jobId: 1,
  toolchainRef: 99,
  workingDirectory: '/',
  arguments: [],
  argumentNumbers: Buffer.alloc(0),
  inputs: Buffer.alloc(0),
  environment: [],
  umask: 0o022,
  outputs: [],
  processor: [],
};
