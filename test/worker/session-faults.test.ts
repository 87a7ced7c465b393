/** What a real worker does when a submitter vanishes, takes back, lies or overdraws: nothing is left, nobody waits. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf, digestToBytes } from '../../src/base/digest.ts';
import { encodeAscending } from '../../src/base/varint.ts';
import type { FromSubmitter, WireJob, WireResult } from '../../src/mesh/index.ts';
import { until } from '../mesh/transport-peers.ts';
import { announce, assertCompiled, deliver, file, job, rawSubmitter, SOURCE } from './raw-submitter.ts';
import { GCC } from './real-toolchains.ts';
import { processesWith, sinkFor, workingSubmitter, workingWorker } from './working-pair.ts';

test('the worker compiles what a submitter spells out on the wire', async (t) => {
  const working = await workingWorker(t);
  if (working === undefined) return;
  const submitter = await rawSubmitter(t, working);
  announce(submitter);
  submitter.send({ job: job(7) });
  await until(() => submitter.asked.length === 1, 'the worker asks for the source');
  assert.deepEqual(submitter.asked, [digestOf(SOURCE)]);
  deliver(submitter, SOURCE);
  const { compiled } = await submitter.result(7);
  assert.deepEqual([compiled?.exitStatus, compiled?.outputs.length], [0, 1]);
  const [object] = compiled!.outputs;
  assert.equal(object!.path, 'x.o', 'a small output travels with the result');
  assert.equal(digestOf(object!.data!), Buffer.from(object!.sha256).toString('hex'));
  assert.ok(submitter.heard.every(({ outputChunk }) => !outputChunk));
});

test('a large output comes in chunks before the result', async (t) => {
  const working = await workingWorker(t);
  if (working === undefined) return;
  const submitter = await rawSubmitter(t, working);
  const source = 'char large[300000] = {1};\n';
  announce(submitter, source);
  submitter.send({ job: job(7) });
  await until(() => submitter.asked.length === 1, 'the worker asks for the source');
  deliver(submitter, source);
  const result = await submitter.result(7);
  assertCompiled(result);
  const [object] = result.compiled!.outputs;
  assert.equal(object!.path, '');
  const chunks = submitter.heard.flatMap(({ outputChunk }) => outputChunk ?? []);
  assert.equal(chunks[0]?.path, 'x.o');
  assert.equal(
    digestOf(Buffer.concat(chunks.map(({ data }) => data))),
    Buffer.from(object!.sha256).toString('hex'),
  );
});

test('arguments can be announced once and named by their numbers', async (t) => {
  const working = await workingWorker(t);
  if (working === undefined) return;
  const submitter = await rawSubmitter(t, working);
  announce(submitter);
  const { arguments: args } = job(1);
  submitter.send({ knownArguments: { arguments: args.slice(0, 1) } });
  // The known one, then the next of the job's own.
  submitter.send({ job: job(1, { arguments: args.slice(1), argumentNumbers: Buffer.from([1, 0]) }) });
  await until(() => submitter.asked.length === 1, 'the worker asks for the source');
  deliver(submitter, SOURCE);
  assertCompiled(await submitter.result(1));
  for (const [jobId, numbers] of [[1], [1, 0, 0], [1, 2], [2, 0], [1, 0, 0x80]].entries()) {
    const damaged = { arguments: args.slice(1), argumentNumbers: Buffer.from(numbers) };
    submitter.send({ job: job(2 + jobId, damaged) });
    assert.ok((await submitter.result(2 + jobId)).refused, String(numbers));
  }
});

test('a submitter that vanishes in the middle of an upload leaves no half blob and no tree', async (t) => {
  const working = await workingWorker(t);
  if (working === undefined) return;
  const submitter = await rawSubmitter(t, working);
  const large = Buffer.alloc(3_000_000, 'int x; ');
  announce(submitter, large);
  submitter.send({ job: job(1) });
  await until(() => submitter.asked.length === 1, 'the worker asks for the source');
  const { sha256, sizeBytes } = file(large);
  for (let index = 0; index < 10; index++)
    submitter.link.blobs.send({
      sha256,
      sizeBytes,
      data: large.subarray(index * 100_000, (index + 1) * 100_000),
      last: false,
    });
  await until(() => working.halfBlobs().length === 1, 'a part of the source is on disk');
  assert.equal(working.sessions().length, 1);
  submitter.link.close();
  await until(() => working.halfBlobs().length === 0, 'the half blob is removed');
  await until(() => working.sessions().length === 0, 'the tree is removed');
  assert.deepEqual(working.worker.load, { running: 0, waiting: 0, submitters: [] });
});

test('a submitter that vanishes in the middle of a compile, or of an output, takes its compiler with it', async (t) => {
  const working = await workingWorker(t);
  if (working === undefined) return;
  const submitter = await workingSubmitter(t, working.address);
  // About a minute of work, if nobody ends it.
  submitter.tree.write(
    'slow.cc',
    'template <int N, int M> struct S { static constexpr long v = S<N - 1, M>::v + S<N - 1, M + (1 << N)>::v; };\n' +
      'template <int M> struct S<0, M> { static constexpr long v = M; };\nlong x = S<21, 0>::v;\n',
  );
  submitter.tree.write('large.c', '__asm__(".data\\n.rept 1000000\\n.quad 1\\n.endr\\n.text\\n");\nint x;\n');
  const slow = await submitter.prepare('/usr/bin/g++', '-ftemplate-depth=5000', '-c', 'slow.cc');
  const large = await submitter.prepare(GCC, '-c', 'large.c');
  const stuck = sinkFor(large, () => new Promise(() => {}));
  const outcomes = [submitter.run(slow), submitter.run(large, stuck)];
  await until(() => stuck.receivedBytes > 0, 'an output is under way');
  await until(() => processesWith('slow.cc').some((line) => line.includes('cc1plus')), 'the compiler runs');
  submitter.remote.close();
  for (const outcome of await Promise.all(outcomes)) assert.equal(outcome.kind, 'lost');
  await until(
    () => !processesWith('slow.cc').some((line) => line.includes('cc1plus')),
    'the compiler is gone',
  );
  await until(() => working.sessions().length === 0, 'the tree is removed');
  assert.deepEqual(working.worker.load, { running: 0, waiting: 0, submitters: [] });
});

test('a job that is taken back while its inputs are on the way ends, and gives its credit back', async (t) => {
  const working = await workingWorker(t);
  if (working === undefined) return;
  const submitter = await rawSubmitter(t, working);
  announce(submitter);
  const granted = submitter.granted;
  submitter.send({ job: job(1) });
  await until(() => submitter.asked.length === 1, 'the worker waits for the source');
  submitter.send({ cancel: { jobId: 1 } }, { cancel: { jobId: 99 } });
  assert.ok((await submitter.result(1)).busy);
  await until(() => submitter.granted === granted + 1, 'the credit is back');
  // What it held is free again: a new version of its file does not wait for it, only for the old content's end.
  submitter.send({ blobUnavailable: { sha256: [digestToBytes(digestOf(SOURCE))] } });
  submitter.send({ entries: { entries: [{ id: 3, path: '/w/x.c', file: file('int other;\n') }] } });
  submitter.send({ job: job(2, { inputs: encodeAscending([1, 3]) }) });
  await until(() => submitter.asked.length === 2, 'the worker asks for the new version');
  deliver(submitter, 'int other;\n');
  assertCompiled(await submitter.result(2));
});

test('content that the submitter cannot deliver, or delivers wrong, is its own trouble; the next job is served', async (t) => {
  const working = await workingWorker(t);
  if (working === undefined) return;
  const submitter = await rawSubmitter(t, working);
  announce(submitter);
  submitter.send({ job: job(1) });
  await until(() => submitter.asked.length === 1, 'the worker asks');
  submitter.send({ blobUnavailable: { sha256: [digestToBytes(digestOf(SOURCE))] } });
  assert.ok((await submitter.result(1)).inputIncomplete);
  submitter.send({ job: job(2) });
  await until(() => submitter.asked.length === 2, 'the worker asks again');
  const { sha256, sizeBytes } = file(SOURCE);
  submitter.link.blobs.send({ sha256, sizeBytes, data: Buffer.from('int y;\n'), last: true });
  assert.ok((await submitter.result(2)).inputIncomplete);
  submitter.send({ job: job(3) });
  await until(() => submitter.asked.length === 3, 'the worker asks once more');
  deliver(submitter, SOURCE);
  assertCompiled(await submitter.result(3));
});

/** Jobs that are answered and not done, with the kind of the answer. */
const BAD_JOBS: Record<string, [Partial<WireJob>, keyof WireResult]> = {
  'a toolchain that was never announced': [{ toolchainRef: 9 }, 'refused'],
  'a damaged list of inputs': [{ inputs: Buffer.from([0x80]) }, 'refused'],
  'an input that was never announced': [{ inputs: encodeAscending([1, 2, 77]) }, 'nodeFault'],
  'outputs that do not follow': [{ outputs: [] }, 'refused'],
  'a working directory that nobody announced': [{ workingDirectory: '/nowhere' }, 'nodeFault'],
};

test('jobs that make no sense are answered one by one, and the stream goes on', async (t) => {
  const working = await workingWorker(t, { slots: 8 });
  if (working === undefined) return;
  const submitter = await rawSubmitter(t, working);
  announce(submitter);
  submitter.send({ job: job(100) });
  await until(() => submitter.asked.length === 1, 'the worker asks');
  deliver(submitter, SOURCE);
  await submitter.result(100);
  let jobId = 0;
  for (const [what, [change, kind]] of Object.entries(BAD_JOBS)) {
    submitter.send({ job: job(++jobId, change) });
    const result = await submitter.result(jobId);
    assert.ok(result[kind], `${what}: ${JSON.stringify(result)}`);
  }
  submitter.send({ job: job(++jobId) });
  assertCompiled(await submitter.result(jobId));
});

/** Messages after which a worker wants no more of a submitter. */
const LAST_WORDS: Record<string, FromSubmitter[]> = {
  'an entry outside of any tree': [
    { entries: { entries: [{ id: 1, path: '/../etc/passwd', file: file('x') }] } },
  ],
  'an entry that says nothing': [{ entries: { entries: [{ id: 1, path: '/x' }] } }],
  // Their source never comes, so that none is answered and gives its credit back.
  'more jobs than credits': Array.from({ length: 50 }, (_, index) => ({ job: job(index + 1) })),
};

for (const [what, messages] of Object.entries(LAST_WORDS)) {
  test(`a worker hangs up on ${what}, and serves the others`, async (t) => {
    const working = await workingWorker(t);
    if (working === undefined) return;
    const submitter = await rawSubmitter(t, working);
    const witness = await rawSubmitter(t, working);
    announce(submitter);
    submitter.send(...messages);
    assert.ok((await submitter.link.closed).length > 10);
    announce(witness);
    witness.send({ job: job(1) });
    await until(() => witness.asked.length === 1, 'the worker asks');
    deliver(witness, SOURCE);
    assertCompiled(await witness.result(1));
    await until(() => working.sessions().length === 1, 'only the tree of the other one is left');
  });
}

test('a worker that is stopped leaves no tree behind', async (t) => {
  const working = await workingWorker(t);
  if (working === undefined) return;
  const submitter = await rawSubmitter(t, working);
  announce(submitter);
  submitter.send({ job: job(1) });
  await until(() => submitter.asked.length === 1, 'a job waits for its source');
  working.server.stop();
  await working.worker.stop();
  assert.deepEqual(working.sessions(), []);
});
