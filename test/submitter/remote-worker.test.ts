/** What a submitter makes of a worker's words: a result is used only if it is whole, right and asked for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../../src/base/digest.ts';
import { OUTPUT_WINDOW_BYTES, type WireResult } from '../../src/mesh/index.ts';
import type { RemoteOutcome } from '../../src/submitter/outcome.ts';
import { until } from '../mesh/transport-peers.ts';
import {
  CollectingSink,
  outputDigest,
  preparedJob,
  type ScriptedWorker,
  SUCCESS,
  scriptedWorker,
  unaborted,
} from './scripted-worker.ts';

const OBJECT = Buffer.alloc(250_000, 'object ');

test('outputs that match their digests are passed on whole, whatever their number and size', async (t) => {
  const contents = { 'x.d': Buffer.from('x.o: x.c\n'), 'x.dwo': Buffer.alloc(0), 'x.o': OBJECT };
  const script = await scriptedWorker(t, {
    onJob: ({ jobId }, worker) => {
      for (const [index, [path, content]] of Object.entries(contents).entries())
        worker.output(jobId, index, path, content);
      worker.succeed(jobId, ...Object.values(contents));
    },
  });
  const outputs = Object.keys(contents).map((path) => ({ kind: 'object', path, required: true }));
  const sink = new CollectingSink(Object.keys(contents));
  const outcome = await script.remote.run(await preparedJob({ outputs }), sink, unaborted());
  assert.ok(outcome.kind === 'compiled', JSON.stringify(outcome));
  assert.deepEqual(
    outcome.outputs,
    Object.entries(contents).map(([path, content]) => ({ path, digest: digestOf(content) })),
  );
  for (const [path, content] of Object.entries(contents)) assert.deepEqual(sink.content(path), content, path);
  assert.deepEqual([script.remote.inFlight, script.remote.credits], [0, 9]);
});

interface Case {
  readonly script: (jobId: number, worker: ScriptedWorker) => void;
  readonly kind: RemoteOutcome['kind'];
  readonly detail?: RegExp;
  /** The job is taken back, since the worker does not know that it failed. */
  readonly cancels?: boolean;
}

const CASES: Record<string, Case> = {
  'a wrong digest': {
    script: (jobId, worker) => {
      worker.output(jobId, 0, 'x.o', OBJECT);
      worker.succeed(jobId, Buffer.alloc(OBJECT.length, 'other'));
    },
    kind: 'bad-result',
    detail: /x\.o does not match its digest/,
  },
  'a digest of 31 bytes': {
    script: (jobId, worker) => {
      worker.output(jobId, 0, 'x.o', OBJECT);
      const output = { ...outputDigest(0, OBJECT), sha256: Buffer.alloc(31) };
      worker.send({ result: { jobId, compiled: { ...SUCCESS, outputs: [output] } } });
    },
    kind: 'bad-result',
  },
  'a length in the result that is not what came': {
    script: (jobId, worker) => {
      worker.output(jobId, 0, 'x.o', OBJECT.subarray(1), OBJECT.length);
      worker.succeed(jobId, OBJECT);
    },
    kind: 'bad-result',
    detail: /249999 bytes instead of 250000/,
  },
  'a length that was announced otherwise': {
    script: (jobId, worker) => {
      worker.output(jobId, 0, 'x.o', OBJECT, OBJECT.length + 1);
      worker.succeed(jobId, OBJECT);
    },
    kind: 'bad-result',
  },
  'more bytes than were announced, and no end of them': {
    script: (jobId, worker) => worker.output(jobId, 0, 'x.o', OBJECT, 150_000),
    kind: 'bad-result',
    detail: /longer than the 150000 bytes/,
    cancels: true,
  },
  'more bytes than the window allows': {
    script: (jobId, worker) => {
      const content = Buffer.alloc(OUTPUT_WINDOW_BYTES + 1);
      worker.output(jobId, 0, 'slow.o', content);
    },
    kind: 'bad-result',
    detail: /window/,
    cancels: true,
  },
  'an output that was not asked for': {
    script: (jobId, worker) => worker.output(jobId, 0, '/etc/passwd', OBJECT),
    kind: 'unexpected-output',
    detail: /\/etc\/passwd/,
    cancels: true,
  },
  'one output twice': {
    script: (jobId, worker) => {
      worker.output(jobId, 0, 'x.o', OBJECT);
      worker.output(jobId, 1, 'x.o', OBJECT);
    },
    kind: 'unexpected-output',
    cancels: true,
  },
  'an output that never came': {
    script: (jobId, worker) => worker.succeed(jobId, OBJECT),
    kind: 'bad-result',
    detail: /names 1 outputs, 0 arrived/,
  },
  'an output that the result does not name': {
    script: (jobId, worker) => {
      worker.output(jobId, 0, 'x.o', OBJECT);
      worker.succeed(jobId);
    },
    kind: 'bad-result',
  },
  'an output under another number': {
    script: (jobId, worker) => {
      worker.output(jobId, 5, 'x.o', OBJECT);
      worker.succeed(jobId, OBJECT);
    },
    kind: 'bad-result',
    detail: /never arrived/,
  },
  'an output named twice in place of another': {
    script: (jobId, worker) => {
      worker.output(jobId, 0, 'x.o', OBJECT);
      worker.output(jobId, 1, 'x.d', OBJECT);
      const outputs = [outputDigest(0, OBJECT), outputDigest(0, OBJECT)];
      worker.send({ result: { jobId, compiled: { ...SUCCESS, outputs } } });
    },
    kind: 'bad-result',
    detail: /twice/,
  },
  'success without the object': {
    script: (jobId, worker) => worker.succeed(jobId),
    kind: 'bad-result',
    detail: /success without x\.o/,
  },
  'success with another output only': {
    script: (jobId, worker) => {
      worker.output(jobId, 0, 'x.d', OBJECT);
      worker.succeed(jobId, OBJECT);
    },
    kind: 'bad-result',
    detail: /success without x\.o/,
  },
  'a result of no known kind': {
    script: (jobId, worker) => worker.send({ result: { jobId } }),
    kind: 'bad-result',
    detail: /unknown/,
  },
  'a result twice': {
    script: (jobId, worker) => {
      worker.output(jobId, 0, 'x.o', OBJECT);
      worker.succeed(jobId, OBJECT);
      worker.succeed(jobId, OBJECT);
    },
    kind: 'compiled',
  },
  'output after the result': {
    script: (jobId, worker) => {
      worker.output(jobId, 0, 'x.o', OBJECT);
      worker.succeed(jobId, OBJECT);
      worker.output(jobId, 0, 'x.o', OBJECT);
      worker.output(jobId, 1, 'x.d', OBJECT);
    },
    kind: 'compiled',
  },
  'a result and outputs of jobs that do not exist': {
    script: (jobId, worker) => {
      worker.output(jobId + 1, 0, 'x.o', OBJECT);
      worker.succeed(jobId + 1, OBJECT);
      worker.succeed(0);
      worker.output(jobId, 0, 'x.o', OBJECT);
      worker.succeed(jobId, OBJECT);
    },
    kind: 'compiled',
  },
  'a compile error': {
    script: (jobId, worker) => {
      const stderr = Buffer.from('x.c:1:1: error: \u2026\n');
      worker.send({ result: { jobId, compiled: { ...SUCCESS, exitStatus: 1, stderr, outputs: [] } } });
    },
    kind: 'compiled',
  },
  'a refusal': {
    script: (jobId, worker) => worker.send({ result: { jobId, refused: { reason: 'not here' } } }),
    kind: 'refused',
  },
  'a busy worker': {
    script: (jobId, worker) => worker.send({ result: { jobId, busy: { reason: 'draining' } } }),
    kind: 'busy',
  },
  'inputs that were not listed': {
    script: (jobId, worker) => worker.send({ result: { jobId, inputIncomplete: { paths: ['/a.h'] } } }),
    kind: 'input-incomplete',
  },
  'a fault of the node': {
    script: (jobId, worker) =>
      worker.send({ result: { jobId, nodeFault: { cause: 'disk', detail: 'full' } } }),
    kind: 'node-fault',
  },
};

for (const [what, { script: play, kind, detail, cancels }] of Object.entries(CASES)) {
  test(`${what}: ${kind}`, async (t) => {
    const script = await scriptedWorker(t, { onJob: ({ jobId }, worker) => play(jobId, worker) });
    const slow = detail?.source === 'window';
    const sink = new CollectingSink(['x.o', 'x.d', 'slow.o'], slow ? () => new Promise(() => {}) : undefined);
    const outcome = await script.remote.run(await preparedJob(), sink, unaborted());
    assert.equal(outcome.kind, kind, JSON.stringify(outcome));
    if (detail !== undefined) assert.match('detail' in outcome ? outcome.detail : '', detail);
    if (cancels) await until(() => script.cancelled.length === 1, 'the job was taken back');
    // Whatever it said, the connection serves the next job.
    const next = script.remote.run(await preparedJob(), new CollectingSink(), AbortSignal.timeout(100));
    assert.ok((await next).kind.length > 0);
    assert.equal(script.remote.inFlight, 0);
  });
}

test('what a worker says reaches a terminal as plain text', async (t) => {
  const text = 'red \x1b[31m\nsecond line \u2028';
  const results: readonly Omit<WireResult, 'jobId'>[] = [
    { refused: { reason: text } },
    { busy: { reason: text } },
    { inputIncomplete: { paths: [text] } },
    { nodeFault: { cause: text, detail: text } },
  ];
  for (const result of results) {
    const onJob: Parameters<typeof scriptedWorker>[1] = {
      onJob: ({ jobId }, worker) => worker.send({ result: { jobId, ...result } }),
    };
    const script = await scriptedWorker(t, onJob);
    const outcome = await script.remote.run(await preparedJob(), new CollectingSink(), unaborted());
    const { kind, ...said } = outcome;
    assert.match(JSON.stringify(said), /red +\[31m second line/, kind);
    // JSON writes control characters, and others beyond ASCII, with a backslash or as they are.
    assert.match(JSON.stringify(said), /^[\x20-\x5b\x5d-\x7e]*$/, kind);
  }
});

test('a user who interrupts, and a job that takes too long, take the job back', async (t) => {
  const script = await scriptedWorker(t);
  const control = new AbortController();
  const interrupted = script.remote.run(await preparedJob(), new CollectingSink(), control.signal);
  await until(() => script.jobs.length === 1, 'the job has arrived');
  control.abort();
  assert.deepEqual(await interrupted, { kind: 'cancelled' });
  const late = await script.remote.run(
    await preparedJob({ timeoutMs: 30 }),
    new CollectingSink(),
    unaborted(),
  );
  assert.equal(late.kind, 'timeout');
  await until(() => script.cancelled.length === 2, 'both were taken back');
  assert.deepEqual(
    script.cancelled,
    script.jobs.map(({ jobId }) => jobId),
  );
  assert.deepEqual(await script.remote.run(await preparedJob(), new CollectingSink(), AbortSignal.abort()), {
    kind: 'cancelled',
  });
  assert.equal(script.remote.credits, 8, 'a job that never left used no credit');
});

test('a connection that ends in the middle of an output is a loss, and nothing is passed on afterwards', async (t) => {
  let next: () => void = () => {};
  const sink = new CollectingSink(
    ['x.o'],
    () =>
      new Promise((resolve) => {
        next = resolve;
      }),
  );
  const script = await scriptedWorker(t, {
    onJob: ({ jobId }, worker) => worker.output(jobId, 0, 'x.o', OBJECT, OBJECT.length + 7),
  });
  const running = script.remote.run(await preparedJob(), sink, unaborted());
  await until(() => sink.receivedBytes === 100_000, 'the first piece is being passed on');
  await new Promise((resolve) => setTimeout(resolve, 50));
  script.session.hangUp('cut for the test');
  const outcome = await running;
  assert.equal(outcome.kind, 'lost');
  // The rest of that attempt would land in the files of the next one.
  next();
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(sink.receivedBytes, 100_000);
  assert.equal(script.remote.credits, 0);
  const after = await script.remote.run(await preparedJob(), new CollectingSink(), unaborted());
  assert.equal(after.kind, 'lost');
});

test('a worker that ends its stream in good order without a result has lost the job', async (t) => {
  const script = await scriptedWorker(t, {
    onJob: ({ jobId }, worker) => {
      worker.output(jobId, 0, 'x.o', OBJECT);
      worker.session.out.end();
    },
  });
  const outcome = await script.remote.run(await preparedJob(), new CollectingSink(), unaborted());
  assert.equal(outcome.kind, 'lost');
});

test('a sink that fails gives the attempt up, and the job is taken back', async (t) => {
  const script = await scriptedWorker(t, {
    onJob: ({ jobId }, worker) => {
      worker.output(jobId, 0, 'x.o', OBJECT);
      worker.succeed(jobId, OBJECT);
    },
  });
  const sink = new CollectingSink(['x.o'], () => Promise.reject(new Error('the shim is confused')));
  const outcome = await script.remote.run(await preparedJob(), sink, unaborted());
  assert.ok(outcome.kind === 'lost' && outcome.detail.includes('confused'), JSON.stringify(outcome));
  await until(() => script.cancelled.length === 1, 'the job was taken back');
});

test('a worker that falls silent with a job in its hands is lost; one that reports progress is not', async (t) => {
  const silent = await scriptedWorker(t, { nodeId: 'silent' });
  const slow = await scriptedWorker(t, { nodeId: 'slow' });
  const beat = setInterval(() => slow.send({ progress: { running: [1] } }), 1_000);
  t.after(() => clearInterval(beat));
  let slowEnded = false;
  void slow.remote.run(await preparedJob(), new CollectingSink(), unaborted()).then(() => {
    slowEnded = true;
  });
  const outcome = await silent.remote.run(await preparedJob(), new CollectingSink(), unaborted());
  assert.ok(outcome.kind === 'lost' && /silent for \d+ s/.test(outcome.detail), JSON.stringify(outcome));
  assert.ok(await silent.remote.closed);
  assert.ok(!slowEnded && slow.remote.inFlight === 1);
  assert.equal(silent.remote.credits, 0);
});

test('a worker that drains gets no further jobs, and finishes the ones that it has', async (t) => {
  const script = await scriptedWorker(t);
  const running = script.remote.run(await preparedJob(), new CollectingSink(), unaborted());
  await until(() => script.jobs.length === 1, 'the job has arrived');
  script.send({ drain: {} });
  await until(() => script.remote.draining, 'the submitter knows');
  assert.equal(script.remote.credits, 0);
  const { jobId } = script.jobs[0]!;
  script.output(jobId, 0, 'x.o', OBJECT);
  script.succeed(jobId, OBJECT);
  assert.equal((await running).kind, 'compiled');
});
