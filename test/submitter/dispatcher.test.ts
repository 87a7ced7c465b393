/** Which job gets which worker: in order, only with a credit, and never for longer than it is worth waiting. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Dispatcher, type Placement } from '../../src/submitter/dispatcher.ts';
import type { RemoteOutcome } from '../../src/submitter/outcome.ts';
import type { RemoteWorker } from '../../src/submitter/remote-worker.ts';
import { seededRandom } from '../base/seeded-random.ts';
import { until } from '../mesh/transport-peers.ts';
import { GCC, toolchainOf } from '../worker/real-toolchains.ts';
import {
  CollectingSink,
  preparedJob,
  type ScriptedOptions,
  type ScriptedWorker,
  scriptedWorker,
  unaborted,
} from './scripted-worker.ts';

const NONE: ReadonlySet<string> = new Set();
const LONG_MS = 60_000;
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

const gccId = async (): Promise<string> => (await toolchainOf(GCC)).id;

interface Placed {
  readonly kind: 'placed';
  readonly worker: RemoteWorker;
  readonly outcome: Promise<RemoteOutcome>;
}

/** Places a job as the pipeline does: the credit is used in the same turn. */
async function placeJob(
  dispatcher: Dispatcher,
  options: {
    toolchainId?: string;
    excluded?: ReadonlySet<string>;
    waitMs?: number;
    signal?: AbortSignal;
  } = {},
): Promise<Placed | (Placement & { kind: 'none' })> {
  const job = await preparedJob();
  return dispatcher.place(
    { toolchainId: options.toolchainId ?? job.toolchain.id },
    options.excluded ?? NONE,
    options.waitMs ?? LONG_MS,
    options.signal ?? unaborted(),
    (worker): Placed => ({
      kind: 'placed',
      worker,
      outcome: worker.run(job, new CollectingSink(), unaborted()),
    }),
  );
}

async function workers(
  t: TestContext,
  dispatcher: Dispatcher,
  ...options: ScriptedOptions[]
): Promise<ScriptedWorker[]> {
  const scripts = await Promise.all(options.map((option) => scriptedWorker(t, option)));
  for (const { remote } of scripts) dispatcher.addWorker(remote);
  return scripts;
}

const refuse = (script: ScriptedWorker, jobId: number): void =>
  script.send({ result: { jobId, refused: { reason: 'enough' } } });

test('without a worker, or without one with this compiler, the reason comes at once', async (t) => {
  const dispatcher = new Dispatcher();
  const reasonOf = async (toolchainId: string): Promise<string> => {
    const placed = await placeJob(dispatcher, { toolchainId });
    assert.equal(
      dispatcher.refusal({ toolchainId }, NONE)?.reason,
      placed.kind === 'none' ? placed.reason : undefined,
    );
    return placed.kind === 'none' ? placed.reason : 'placed';
  };
  const id = await gccId();
  assert.equal(await reasonOf(id), 'no-peer');
  const [script] = await workers(t, dispatcher, { toolchainIds: ['another-compiler'] });
  assert.equal(await reasonOf(id), 'no-matching-toolchain');
  assert.equal(dispatcher.refusal({ toolchainId: 'another-compiler' }, NONE), undefined);
  script!.send({ drain: {} });
  await until(() => script!.remote.draining, 'the worker drains');
  assert.equal(await reasonOf('another-compiler'), 'no-peer');
  assert.equal(dispatcher.waiting, 0);
});

test('jobs get credits in the order in which they came, as the credits come', async (t) => {
  const dispatcher = new Dispatcher();
  const [script] = await workers(t, dispatcher, { credits: 0 });
  const order: number[] = [];
  for (let index = 0; index < 5; index++) {
    void placeJob(dispatcher).then((placed) => {
      assert.equal(placed.kind, 'placed');
      order.push(index);
    });
  }
  await until(() => dispatcher.waiting === 5, 'five jobs wait');
  for (const granted of [1, 3, 5]) {
    script!.grant(granted);
    await until(() => script!.jobs.length === granted, `${granted} jobs have arrived`);
    assert.deepEqual(order, [0, 1, 2, 3, 4].slice(0, granted));
  }
  assert.equal(dispatcher.waiting, 0);
});

test('a job that cannot use a worker does not hold up those behind it', async (t) => {
  const dispatcher = new Dispatcher();
  const id = await gccId();
  const [first] = await workers(
    t,
    dispatcher,
    { nodeId: 'first', credits: 0 },
    { nodeId: 'second', credits: 0 },
  );
  const picky = placeJob(dispatcher, { excluded: new Set(['first']) });
  const easy = placeJob(dispatcher);
  await until(() => dispatcher.waiting === 2, 'two jobs wait');
  first!.grant(1);
  const placed = await easy;
  assert.ok(placed.kind === 'placed' && placed.worker.nodeId === 'first');
  assert.equal(dispatcher.waiting, 1);
  assert.equal(dispatcher.refusal({ toolchainId: id }, new Set(['first'])), undefined);
  const [third] = await workers(t, dispatcher, { nodeId: 'third', credits: 1 });
  const other = await picky;
  assert.ok(other.kind === 'placed' && other.worker === third!.remote);
});

test('when all nodes have been tried the job is told so', async (t) => {
  const dispatcher = new Dispatcher();
  await workers(t, dispatcher, { nodeId: 'first' }, { nodeId: 'second', toolchainIds: ['other'] });
  const placed = await placeJob(dispatcher, { excluded: new Set(['first']) });
  assert.ok(placed.kind === 'none' && placed.reason === 'attempts-exhausted', JSON.stringify(placed));
});

test('a job waits no longer than it should, and one that is interrupted not at all', async (t) => {
  const dispatcher = new Dispatcher();
  const [script] = await workers(t, dispatcher, { credits: 0 });
  const late = await placeJob(dispatcher, { waitMs: 20 });
  assert.ok(late.kind === 'none' && late.reason === 'no-credit-in-time');
  const control = new AbortController();
  const interrupted = placeJob(dispatcher, { signal: control.signal });
  const behind = placeJob(dispatcher);
  await until(() => dispatcher.waiting === 2, 'two jobs wait');
  control.abort();
  const end = await interrupted;
  assert.ok(end.kind === 'none' && end.reason === 'interrupted');
  const never = await placeJob(dispatcher, { signal: AbortSignal.abort() });
  assert.ok(never.kind === 'none' && never.reason === 'interrupted');
  script!.grant(1);
  assert.equal((await behind).kind, 'placed');
  await settled();
  assert.equal(script!.jobs.length, 1, 'no credit went to a job that had gone');
});

test('jobs that wait for a worker that goes are told, or go to another one', async (t) => {
  const dispatcher = new Dispatcher(20);
  const [first] = await workers(t, dispatcher, { nodeId: 'first', credits: 0 });
  const alone = placeJob(dispatcher);
  await until(() => dispatcher.waiting === 1, 'a job waits');
  first!.session.hangUp('gone for the test');
  const end = await alone;
  assert.ok(end.kind === 'none' && end.reason === 'no-connection-in-time', JSON.stringify(end));
  assert.match(end.detail, /^first-name was lost and did not come back within 20 ms; no other node/);
  assert.deepEqual(dispatcher.workers, []);
  const later = await placeJob(dispatcher);
  assert.ok(later.kind === 'none' && later.reason === 'no-peer', 'once was enough');

  const [second, third] = await workers(
    t,
    dispatcher,
    { nodeId: 'second', credits: 0 },
    { nodeId: 'third', credits: 0 },
  );
  const lucky = placeJob(dispatcher);
  await until(() => dispatcher.waiting === 1, 'a job waits');
  second!.session.hangUp('gone for the test');
  await until(() => dispatcher.workers.length === 1, 'one worker is left');
  assert.equal(dispatcher.waiting, 1);
  third!.grant(1);
  assert.equal((await lucky).kind, 'placed');
});

test('a node that connects again is used again, and the end of its old connection takes nothing away', async (t) => {
  const dispatcher = new Dispatcher();
  const [old] = await workers(t, dispatcher, { nodeId: 'same', credits: 1 });
  const [fresh] = await workers(t, dispatcher, { nodeId: 'same', credits: 1 });
  assert.deepEqual(dispatcher.workers, [fresh!.remote]);
  old!.session.hangUp('the old connection');
  await old!.remote.closed;
  await settled();
  assert.deepEqual(dispatcher.workers, [fresh!.remote]);
  const placed = await placeJob(dispatcher);
  assert.ok(placed.kind === 'placed' && placed.worker === fresh!.remote);
});

test('a job waits for a node that was lost a moment ago, and goes to it when it is back', async (t) => {
  const dispatcher = new Dispatcher(LONG_MS);
  const id = await gccId();
  const [first] = await workers(t, dispatcher, { nodeId: 'same', credits: 1 });
  first!.session.hangUp('gone for the test');
  await until(() => dispatcher.workers.length === 0, 'the node is lost');
  assert.equal(dispatcher.refusal({ toolchainId: id }, NONE), undefined);
  assert.equal(
    dispatcher.refusal({ toolchainId: 'another compiler' }, NONE)?.reason,
    'no-peer',
    'it never had that one',
  );
  assert.equal(dispatcher.refusal({ toolchainId: id }, new Set(['same']))?.reason, 'attempts-exhausted');
  const waiting = placeJob(dispatcher);
  await until(() => dispatcher.waiting === 1, 'a job waits');
  const [again] = await workers(t, dispatcher, { nodeId: 'same', credits: 1 });
  const placed = await waiting;
  assert.ok(placed.kind === 'placed' && placed.worker === again!.remote);
});

test('a node that drained before it went is not waited for', async (t) => {
  const dispatcher = new Dispatcher(LONG_MS);
  const [script] = await workers(t, dispatcher, { nodeId: 'leaving' });
  script!.send({ drain: {} });
  await until(() => script!.remote.draining, 'the worker drains');
  script!.session.hangUp('it has left');
  await until(() => dispatcher.workers.length === 0, 'the worker is gone');
  const placed = await placeJob(dispatcher);
  assert.ok(placed.kind === 'none' && placed.reason === 'no-peer', JSON.stringify(placed));
});

test('a job waits for a node that is being connected to, whatever that offers, until it is given up', async (t) => {
  const dispatcher = new Dispatcher(LONG_MS);
  await workers(t, dispatcher, { nodeId: 'other', toolchainIds: ['another compiler'] });
  const id = await gccId();
  dispatcher.expect('young', 'young-name');
  assert.equal(dispatcher.refusal({ toolchainId: id }, NONE), undefined);
  const first = placeJob(dispatcher);
  await until(() => dispatcher.waiting === 1, 'a job waits');
  dispatcher.giveUp('young');
  const end = await first;
  assert.ok(end.kind === 'none' && end.reason === 'no-connection-in-time', JSON.stringify(end));
  dispatcher.expect('young', 'young-name');
  const second = placeJob(dispatcher);
  await until(() => dispatcher.waiting === 1, 'a job waits');
  await workers(t, dispatcher, { nodeId: 'young', credits: 1 });
  assert.equal((await second).kind, 'placed');
});

test('a draining worker gets nothing more, also of the jobs that wait', async (t) => {
  const dispatcher = new Dispatcher();
  const [script] = await workers(t, dispatcher, { credits: 0 });
  const waiting = placeJob(dispatcher);
  await until(() => dispatcher.waiting === 1, 'a job waits');
  script!.send({ drain: {} });
  script!.grant(10);
  const end = await waiting;
  assert.equal(end.kind, 'none');
  await settled();
  assert.equal(script!.jobs.length, 0);
});

test('60 jobs, 3 workers, grants and results in random order: no credit is overdrawn, every job runs once', async (t) => {
  const random = seededRandom(77);
  const dispatcher = new Dispatcher();
  const granted = new Map<string, number>();
  const overdrawn: string[] = [];
  const onJob: NonNullable<ScriptedOptions['onJob']> = (_job, script) => {
    const { nodeId } = script.remote;
    if (script.jobs.length > granted.get(nodeId)!) overdrawn.push(nodeId);
  };
  const nodeIds = ['a', 'b', 'c'];
  for (const nodeId of nodeIds) granted.set(nodeId, 0);
  const scripts = await workers(t, dispatcher, ...nodeIds.map((nodeId) => ({ nodeId, credits: 0, onJob })));
  let ended = 0;
  const jobs = Array.from({ length: 60 }, async () => {
    const placed = await placeJob(dispatcher);
    assert.ok(placed.kind === 'placed');
    assert.equal((await placed.outcome).kind, 'refused');
    ended++;
  });
  const open = new Map(scripts.map((script) => [script, 0]));
  while (ended < 60) {
    const script = random.pick(scripts);
    const { nodeId } = script.remote;
    const answered = open.get(script)!;
    if (random.oneIn(2) && answered < script.jobs.length) {
      refuse(script, script.jobs[answered]!.jobId);
      open.set(script, answered + 1);
    } else if (granted.get(nodeId)! - answered < 4) {
      granted.set(nodeId, granted.get(nodeId)! + 1);
      script.grant(granted.get(nodeId)!);
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(jobs);
  assert.deepEqual(overdrawn, []);
  assert.equal(
    scripts.reduce((sum, script) => sum + script.jobs.length, 0),
    60,
  );
  assert.ok(
    scripts.every((script) => script.jobs.length > 5),
    'all of them worked',
  );
});
