/** Real jobs on a real worker: what comes back is what the compiler makes here, and nobody starves or deadlocks. */
import assert from 'node:assert/strict';
import { mkdirSync, utimesSync } from 'node:fs';
import { test } from 'node:test';
import { IdSet } from '../../src/base/id-set.ts';
import type { RunnerVariant } from '../../src/sandbox/rungs.ts';
import { Dispatcher } from '../../src/submitter/dispatcher.ts';
import type { RemoteOutcome } from '../../src/submitter/outcome.ts';
import { nodeWarnings, twoMembers, until } from '../mesh/transport-peers.ts';
import { VARIANTS } from '../sandbox/toolchain-tree.ts';
import { type CollectingSink, unaborted } from '../submitter/scripted-worker.ts';
import { GCC, GXX, toolchainOf } from './real-toolchains.ts';
import {
  compileHere,
  sinkFor,
  type WorkingSubmitter,
  workingSubmitter,
  workingWorker,
} from './working-pair.ts';

type Compiled = RemoteOutcome & { kind: 'compiled' };

function assertCompiled(outcome: RemoteOutcome): asserts outcome is Compiled {
  assert.ok(outcome.kind === 'compiled', JSON.stringify(outcome));
}

/** Compiles there and here, and compares everything. */
async function compareWithHere(
  submitter: WorkingSubmitter,
  compilerPath: string,
  ...args: string[]
): Promise<{ outcome: Compiled; sink: CollectingSink }> {
  const job = await submitter.prepare(compilerPath, ...args);
  const sink = sinkFor(job);
  const outcome = await submitter.run(job, sink);
  assertCompiled(outcome);
  const here = compileHere(submitter.tree.directory, compilerPath, job, args);
  assert.equal(outcome.exitStatus, here.status);
  assert.equal(outcome.stderr.toString(), here.stderr.toString());
  assert.deepEqual([...sink.files.keys()].sort(), [...here.outputs.keys()].sort());
  for (const [path, content] of here.outputs)
    assert.ok(sink.content(path).equals(content), `${path} is the same`);
  return { outcome, sink };
}

for (const rung of VARIANTS) sameAsHere(rung);

function sameAsHere(rung: RunnerVariant): void {
  test(`objects, depfiles and side outputs are those of the compiler here, over mutual TLS: ${rung}`, async (t) => {
    const [workerNode, submitterNode] = await twoMembers(t);
    const working = await workingWorker(t, { ...workerNode, rung, trustedNodes: [submitterNode.nodeId] });
    if (working === undefined) return;
    const submitter = await workingSubmitter(t, working.address, {
      security: submitterNode.security,
      expectedNodeId: workerNode.nodeId,
      hello: { nodeId: submitterNode.nodeId, nodeName: 'laptop', agentVersion: '0' },
    });
    const { tree } = submitter;
    tree.write('inc/a.h', 'static inline int twice(int n) { return 2 * n; }\n');
    tree.write(
      'src/x.c',
      '#include <stdio.h>\n#include "a.h"\nint f(int n) { int unused; return puts("x") + twice(n); }\n',
    );
    tree.write('src/y.cc', '#include <vector>\nint g() { return std::vector<int>(3).size(); }\n');
    mkdirSync(tree.path('out'));
    await compareWithHere(
      submitter,
      GCC,
      '-Wall',
      '-g',
      '-O2',
      '-Iinc',
      '-MD',
      '-c',
      'src/x.c',
      '-o',
      'out/x.o',
    );
    const sides = ['-gsplit-dwarf', '-g', '-fstack-usage', '--coverage', '-frandom-seed=1'];
    const { sink } = await compareWithHere(
      submitter,
      GCC,
      ...sides,
      '-Iinc',
      '-c',
      'src/x.c',
      '-o',
      'out/x.o',
    );
    assert.deepEqual([...sink.files.keys()].sort(), ['out/x.dwo', 'out/x.gcno', 'out/x.o', 'out/x.su']);
    await compareWithHere(
      submitter,
      GXX,
      '-std=c++17',
      '-g',
      '-MMD',
      '-MF',
      'out/y.d',
      '-c',
      'src/y.cc',
      '-o',
      'out/y.o',
    );
    await compareWithHere(submitter, GCC, '-S', '-Iinc', 'src/x.c', '-o', 'out/x.s');
    assert.ok(working.worker.load.submitters.some(({ name }) => name === 'laptop'));
  });

  test(`paths through links, dot-dot after a link, spaces and letters beyond ASCII: ${rung}`, async (t) => {
    const working = await workingWorker(t, { rung, trustedNodes: ['submitter'] });
    if (working === undefined) return;
    const submitter = await workingSubmitter(t, working.address);
    const { tree } = submitter;
    tree.write('real/deep/ä b.h', '#include "../c.h"\n');
    tree.write('real/c.h', 'int c = 1;\n');
    tree.write('c.h', 'int c = 2;\n');
    tree.link('inc', 'real/deep');
    tree.write('größe ü.c', '#include "ä b.h"\n');
    await compareWithHere(submitter, GCC, '-g', '-Iinc', '-MD', '-c', 'größe ü.c', '-o', 'größe ü.o');
    // The compiler writes beside the directory that the link leads to.
    await compareWithHere(submitter, GCC, '-g', '-Iinc', '-MD', '-c', './größe ü.c', '-o', 'inc/../x.o');
  });
}

test('a compile error comes back with its text, and nothing else', async (t) => {
  const working = await workingWorker(t);
  if (working === undefined) return;
  const submitter = await workingSubmitter(t, working.address);
  submitter.tree.write('bad.c', 'int f( { return 1 }\n#error no\n');
  const { outcome, sink } = await compareWithHere(submitter, GCC, '-c', 'bad.c');
  assert.equal(outcome.exitStatus, 1);
  assert.match(outcome.stderr.toString(), /bad\.c:1:8: error/);
  assert.equal(sink.files.size, 0);
});

test('a header that changes while jobs are in flight: every object has the version of its own job', async (t) => {
  const working = await workingWorker(t);
  if (working === undefined) return;
  const submitter = await workingSubmitter(t, working.address);
  const { tree } = submitter;
  const stamp = new Date();
  tree.write('unit.c', '#include "version.h"\nint version = VERSION;\n');
  tree.write('version.h', '#define VERSION 9\n');
  assertCompiled(await submitter.run(await submitter.prepare(GCC, '-c', 'unit.c')));
  const running: Promise<void>[] = [];
  for (let version = 10; version < 22; version++) {
    tree.write('version.h', `#define VERSION ${version}\n`);
    // Nothing but the content tells the versions apart.
    utimesSync(tree.path('version.h'), stamp, stamp);
    const job = await submitter.prepare(GCC, '-c', 'unit.c', '-o', `o${version}.o`);
    const here = compileHere(tree.directory, GCC, job, ['-c', 'unit.c', '-o', `o${version}.o`]);
    const sink = sinkFor(job);
    await until(() => submitter.remote.credits > 0, 'a credit');
    const { sentBytes } = submitter.remote;
    running.push(
      submitter.run(job, sink).then((outcome) => {
        assertCompiled(outcome);
        assert.ok(
          sink.content(`o${version}.o`).equals(here.outputs.get(`o${version}.o`)!),
          `version ${version}`,
        );
      }),
    );
    // A header that changes before it has been sent is another story: its job is done here.
    await until(() => submitter.remote.sentBytes > sentBytes, 'the header is on its way');
  }
  await Promise.all(running);
});

test('a file that the job does not list is no input, also if an earlier job brought it', async (t) => {
  const working = await workingWorker(t);
  if (working === undefined) return;
  const submitter = await workingSubmitter(t, working.address);
  const { tree } = submitter;
  tree.write('a.h', 'int a;\n');
  tree.write('x.c', '#include "a.h"\n');
  const job = await submitter.prepare(GCC, '-c', 'x.c');
  assertCompiled(await submitter.run(job));
  const header = [...job.inputs.entryIds].find((id) => tree.entries.entry(id).path === tree.path('a.h'));
  const entryIds = IdSet.of([...job.inputs.entryIds].filter((id) => id !== header));
  for (const args of [[], ['-MD']]) {
    const again = {
      ...(await submitter.prepare(GCC, ...args, '-c', 'x.c')),
      inputs: { ...job.inputs, entryIds },
    };
    assert.deepEqual(await submitter.run(again), { kind: 'input-incomplete', paths: [tree.path('a.h')] });
  }
});

/** A source whose object has about `megabytes` of data. */
const largeObject = (megabytes: number): string =>
  `__asm__(".data\\n.rept ${megabytes * 131_072}\\n.quad 0x0123456789abcdef\\n.endr\\n.text\\n");\nint x;\n`;

test('a 5 MB object to a slow receiver: it comes whole, within the window', async (t) => {
  const working = await workingWorker(t);
  if (working === undefined) return;
  const submitter = await workingSubmitter(t, working.address);
  submitter.tree.write('large.c', largeObject(5));
  const job = await submitter.prepare(GCC, '-c', 'large.c');
  // The submitter gives up on a worker that sends more than the window before this has taken it.
  const sink = sinkFor(job, () => new Promise((resolve) => setTimeout(resolve, 10)));
  assertCompiled(await submitter.run(job, sink));
  const here = compileHere(submitter.tree.directory, GCC, job, ['-c', 'large.c']);
  assert.ok(sink.content('large.o').equals(here.outputs.get('large.o')!));
  assert.ok(sink.receivedBytes > 5 << 20);
});

test('several outputs of 600 KB each from several jobs at once to slow receivers: no deadlock', async (t) => {
  const working = await workingWorker(t);
  if (working === undefined) return;
  const submitter = await workingSubmitter(t, working.address);
  const warnings = nodeWarnings(t);
  const functions = Array.from({ length: 900 }, (_, index) => {
    const name = `f${index}_${'long_name_'.repeat(60)}`;
    return `int ${name}(int n) { return n + ${index}; }`;
  });
  submitter.tree.write('many.c', `${functions.join('\n')}\n`);
  const flags = ['-g', '-gsplit-dwarf', '-fstack-usage', '--coverage', '-frandom-seed=1'];
  const jobs = ['a.o', 'b.o', 'c.o'].map(async (object) => {
    const args = [...flags, '-c', 'many.c', '-o', object];
    const job = await submitter.prepare(GCC, ...args);
    const sink = sinkFor(job, () => new Promise((resolve) => setTimeout(resolve, 1)));
    assertCompiled(await submitter.run(job, sink));
    const large = [...sink.files.keys()].filter((path) => sink.content(path).length > 500_000);
    assert.ok(large.length >= 3, `${large.length} outputs are large`);
    return { args, job, sink };
  });
  for (const { args, job, sink } of await Promise.all(jobs)) {
    const here = compileHere(submitter.tree.directory, GCC, job, args);
    for (const [path, content] of here.outputs) assert.ok(sink.content(path).equals(content), path);
  }
  assert.deepEqual(warnings, []);
});

test('two submitters at one worker take turns, and no credit is overdrawn', async (t) => {
  const working = await workingWorker(t, { slots: 1 });
  if (working === undefined) return;
  const finished: string[] = [];
  const { id } = await toolchainOf(GCC);
  const submit = async (name: string): Promise<void> => {
    const submitter = await workingSubmitter(t, working.address, {
      hello: { nodeId: name, nodeName: name, agentVersion: '0' },
    });
    submitter.tree.write('x.c', largeObject(1));
    const dispatcher = new Dispatcher();
    dispatcher.addWorker(submitter.remote);
    const job = await submitter.prepare(GCC, '-c', 'x.c');
    const runs = Array.from({ length: 8 }, async () => {
      const placed = await dispatcher.place({ toolchainId: id }, new Set(), 60_000, unaborted(), () => ({
        kind: 'running' as const,
        outcome: submitter.run(job),
      }));
      assert.ok(placed.kind === 'running', JSON.stringify(placed));
      assertCompiled(await placed.outcome);
      finished.push(name);
    });
    await Promise.all(runs);
  };
  await Promise.all([submit('one'), submit('two')]);
  assert.equal(finished.length, 16);
  const fromBothStarted = finished.slice(finished.indexOf(finished.find((name) => name !== finished[0])!));
  const untilOneIsDone = fromBothStarted.slice(0, Math.max(0, fromBothStarted.length - 8));
  assert.ok(!/(one){4}|(two){4}/.test(untilOneIsDone.join('')), finished.join(' '));
  assert.deepEqual([working.worker.load.running, working.worker.load.waiting], [0, 0]);
});

test('a worker that drains finishes what it has, takes nothing new and says so', async (t) => {
  const working = await workingWorker(t);
  if (working === undefined) return;
  const submitter = await workingSubmitter(t, working.address);
  submitter.tree.write('x.c', largeObject(3));
  const job = await submitter.prepare(GCC, '-c', 'x.c');
  const running = submitter.run(job);
  await until(() => working.worker.load.running === 1, 'it compiles');
  const drained = working.worker.drain(30_000);
  await until(() => submitter.remote.draining, 'the submitter knows');
  assert.equal(submitter.remote.credits, 0);
  const late = await submitter.run(job);
  assert.equal(late.kind, 'busy');
  assertCompiled(await running);
  await drained;
  assert.equal(working.worker.load.running, 0);
  const latecomer = await workingSubmitter(t, working.address, {
    hello: { nodeId: 'late', nodeName: 'late', agentVersion: '0' },
  });
  await until(() => latecomer.remote.draining, 'one that comes now is told at once');
});
