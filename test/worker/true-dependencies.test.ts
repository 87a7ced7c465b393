/**
 * A file that a job did not list is noticed even if the user's own dependency file leaves it out, and the user's files
 * show nothing of that.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { IdSet } from '../../src/base/id-set.ts';
import { mayFindSystemHeaders } from '../../src/compiler/index.ts';
import { GCC } from './real-toolchains.ts';
import {
  compileHere,
  sinkFor,
  type WorkingSubmitter,
  workingSubmitter,
  workingWorker,
} from './working-pair.ts';

async function submitterFor(t: TestContext): Promise<WorkingSubmitter | undefined> {
  const working = await workingWorker(t);
  return working && workingSubmitter(t, working.address);
}

/** Compiles x.c so that the worker has all of its files, then again without listing one of them. */
async function compileWithout(
  { tree, run, prepare }: Bound,
  missing: string,
  args: readonly string[],
): Promise<unknown> {
  const whole = await prepare(GCC, '-c', 'x.c');
  const first = await run(whole);
  assert.ok(first.kind === 'compiled' && first.exitStatus === 0, JSON.stringify(first));
  const job = await prepare(GCC, ...args, '-c', 'x.c');
  const left = [...job.inputs.entryIds].filter((id) => tree.entries.entry(id).path !== missing);
  assert.equal(left.length, job.inputs.entryIds.size - 1);
  return run({ ...job, inputs: { ...job.inputs, entryIds: IdSet.of(left) } });
}

type Bound = Pick<WorkingSubmitter, 'tree' | 'run' | 'prepare'>;

function bound(submitter: WorkingSubmitter): Bound {
  return {
    tree: submitter.tree,
    run: submitter.run.bind(submitter),
    prepare: submitter.prepare.bind(submitter),
  };
}

/** How a header becomes one that -MMD leaves out, and what is in it. */
const WAYS: Record<string, { args: string[]; files: Record<string, string>; missing: string }> = {
  '-isystem': {
    args: ['-isystem', 'sys', '-MMD'],
    files: { 'x.c': '#include <far.h>\n', 'sys/far.h': 'int far;\n' },
    missing: 'sys/far.h',
  },
  '-isystem, into a list for the preprocessor': {
    args: ['-isystem', 'sys', '-Wp,-MMD,x.d'],
    files: { 'x.c': '#include <far.h>\n', 'sys/far.h': 'int far;\n' },
    missing: 'sys/far.h',
  },
  'a pragma, without system directories': {
    args: ['-nostdinc', '-MMD'],
    files: {
      'x.c': '#include "a.h"\n',
      'a.h': '#pragma GCC system_header\n#include "far.h"\n',
      'far.h': 'int far;\n',
    },
    missing: 'far.h',
  },
};

for (const [way, { args, files, missing }] of Object.entries(WAYS)) {
  test(`-MMD and a header that was not listed: ${way}`, async (t) => {
    const submitter = await submitterFor(t);
    if (submitter === undefined) return;
    const { tree } = submitter;
    for (const [name, text] of Object.entries(files)) tree.write(name, text);
    const searched = args.filter((arg) => !arg.includes('-MMD'));
    const prepare: Bound['prepare'] = (compiler, ...more) =>
      submitter.prepare(compiler, ...searched, ...more.filter((arg) => !searched.includes(arg)));
    const outcome = await compileWithout({ ...bound(submitter), prepare }, tree.path(missing), args);
    assert.deepEqual(outcome, { kind: 'input-incomplete', paths: [tree.path(missing)] });
  });
}

test('-MMD and a header of the system that was not listed', async (t) => {
  const submitter = await submitterFor(t);
  if (submitter === undefined) return;
  submitter.tree.write('x.c', '#include <stdint.h>\nint32_t x;\n');
  const outcome = await compileWithout(bound(submitter), '/usr/include/stdint.h', ['-MMD']);
  assert.deepEqual(outcome, { kind: 'input-incomplete', paths: ['/usr/include/stdint.h'] });
});

test('outputs, dependency file and text are those of the compiler, whichever way it is asked', async (t) => {
  const submitter = await submitterFor(t);
  if (submitter === undefined) return;
  const { tree } = submitter;
  tree.write('sys/far.h', '#define FAR(x) ((x) + 1)\n');
  tree.write('near.h', 'static int unused(void) { return 1; }\n');
  tree.write(
    'x.c',
    '#include <far.h>\n#include <stdio.h>\n#include "near.h"\nint f(void) { return FAR(2); }\n',
  );
  tree.write('free.c', '#include "near.h"\nint f(void) { return 3; }\n');
  const calls = [
    ['-g', '-Wall', '-isystem', 'sys', '-MMD', '-MP', '-c', 'x.c'],
    ['-g', '-Wall', '-isystem', 'sys', '-Wp,-MMD,.x.o.d', '-fstack-usage', '-c', 'x.c', '-o', 'x.o'],
    ['-g', '-Wall', '-nostdinc', '-MMD', '-gsplit-dwarf', '-c', 'free.c'],
  ];
  for (const args of calls) {
    await tree.refresh();
    const job = await submitter.prepare(GCC, ...args);
    const sink = sinkFor(job);
    const outcome = await submitter.run(job, sink);
    assert.ok(outcome.kind === 'compiled', JSON.stringify(outcome));
    const here = compileHere(tree.directory, GCC, job, args);
    assert.deepEqual([outcome.exitStatus, outcome.stdout.length], [here.status, 0]);
    assert.equal(outcome.stderr.toString(), here.stderr.toString());
    assert.match(outcome.stderr.toString(), /unused/);
    assert.deepEqual([...sink.files.keys()].sort(), [...here.outputs.keys()].sort());
    for (const [path, content] of here.outputs) assert.deepEqual(sink.content(path), content, path);
  }
  assert.equal(
    mayFindSystemHeaders(tree.invocation(...(calls[2] ?? []))),
    false,
    'this one is not asked twice',
  );
});
