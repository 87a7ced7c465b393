import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RunQueue } from '../../src/worker/run-queue.ts';

const NEVER = new AbortController().signal;
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Tasks that run until they are told to end. */
class Tasks {
  readonly started: string[] = [];
  readonly #ends = new Map<string, () => void>();

  task(name: string): () => Promise<string> {
    return () =>
      new Promise((resolve) => {
        this.started.push(name);
        this.#ends.set(name, () => resolve(name));
      });
  }

  async end(name: string): Promise<void> {
    this.#ends.get(name)?.();
    await settled();
  }
}

test('as many tasks as slots run, and parties take turns at the others', async () => {
  const queue = new RunQueue<string>(2);
  const tasks = new Tasks();
  for (const name of ['a1', 'a2', 'a3', 'a4', 'b1', 'b2']) {
    void queue.run(name.charAt(0), NEVER, tasks.task(name));
  }
  await settled();
  assert.deepEqual(tasks.started, ['a1', 'a2']);
  assert.deepEqual([queue.running, queue.waiting], [2, 4]);
  for (const name of ['a2', 'a1', 'a3', 'b1']) await tasks.end(name);
  assert.deepEqual(tasks.started, ['a1', 'a2', 'a3', 'b1', 'a4', 'b2']);
  for (const name of ['a4', 'b2']) await tasks.end(name);
  assert.deepEqual([queue.running, queue.waiting], [0, 0]);
});

test('a task that is given up before its turn never starts, and its place in the line is free', async () => {
  const queue = new RunQueue<string>(1);
  const tasks = new Tasks();
  const first = queue.run('a', NEVER, tasks.task('a1'));
  const control = new AbortController();
  const second = queue.run('a', control.signal, tasks.task('a2'));
  const third = queue.run('a', NEVER, tasks.task('a3'));
  await settled();
  control.abort();
  assert.equal(await second, undefined);
  assert.equal(await queue.run('a', AbortSignal.abort(), tasks.task('never')), undefined);
  await tasks.end('a1');
  await tasks.end('a3');
  assert.deepEqual([await first, await third], ['a1', 'a3']);
  assert.deepEqual(tasks.started, ['a1', 'a3']);
});

test('a task that is given up while it runs keeps its slot until it has ended', async () => {
  const queue = new RunQueue<string>(1);
  const tasks = new Tasks();
  const control = new AbortController();
  const running = queue.run('a', control.signal, tasks.task('a1'));
  const next = queue.run('b', NEVER, tasks.task('b1'));
  await settled();
  control.abort();
  await settled();
  assert.deepEqual(tasks.started, ['a1']);
  await tasks.end('a1');
  assert.equal(await running, 'a1');
  await tasks.end('b1');
  assert.equal(await next, 'b1');
});

test('a task that fails frees its slot', async () => {
  const queue = new RunQueue<string>(1);
  await assert.rejects(
    queue.run('a', NEVER, () => Promise.reject(new Error('broken'))),
    /broken/,
  );
  assert.equal(queue.running, 0);
  assert.equal(await queue.run('a', NEVER, () => Promise.resolve(7)), 7);
});

test('a party whose tasks do not end does not keep another one waiting for ever', async () => {
  const queue = new RunQueue<string>(2, 20);
  const tasks = new Tasks();
  for (const name of ['a1', 'a2', 'a3', 'a4']) void queue.run('a', NEVER, tasks.task(name));
  for (const name of ['b1', 'b2']) void queue.run('b', NEVER, tasks.task(name));
  await settled();
  assert.deepEqual(tasks.started, ['a1', 'a2']);
  while (tasks.started.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
  // One slot more for the other, and no more than one however long it takes.
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.deepEqual(tasks.started, ['a1', 'a2', 'b1']);
  await tasks.end('b1');
  while (tasks.started.length < 4) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(tasks.started, ['a1', 'a2', 'b1', 'b2']);
  for (const name of ['b2', 'a1', 'a2', 'a3', 'a4']) await tasks.end(name);
  assert.deepEqual([queue.running, queue.waiting], [0, 0]);
});
