/** What a compile reads or means beyond its includes: the job says it, and the worker holds the compiler to it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync } from 'node:fs';
import { test } from 'node:test';
import type { RemoteOutcome } from '../../src/submitter/outcome.ts';
import { GCC } from './real-toolchains.ts';
import { sinkFor, type WorkingSubmitter, workingSubmitter, workingWorker } from './working-pair.ts';

const SOURCE = 'int f(const int *v, int n) { int s = 0; while (n--) s += v[n]; return s; }\n';

/** A processor that no machine of a test is likely to have. */
const HASWELL = ['-march=haswell', '-mavx2', '-mno-avx512f', '--param', 'l1-cache-size=48', '-mtune=haswell'];

function assertCompiled(outcome: RemoteOutcome): void {
  assert.ok(outcome.kind === 'compiled' && outcome.exitStatus === 0, JSON.stringify(outcome));
}

/** The object of a call here. */
function objectHere(submitter: WorkingSubmitter, ...args: string[]): Buffer {
  const { directory } = submitter.tree;
  execFileSync(GCC, [...args, '-o', 'here.o'], { cwd: directory, env: { LC_ALL: 'C', PWD: directory } });
  return readFileSync(submitter.tree.path('here.o'));
}

test('a native option means the processor that the job names, not the worker’s', async (t) => {
  const working = await workingWorker(t);
  if (working === undefined) return;
  const submitter = await workingSubmitter(t, working.address);
  submitter.tree.write('x.c', SOURCE);
  const job = {
    ...(await submitter.prepare(GCC, '-O3', '-march=native', '-c', 'x.c')),
    processor: HASWELL,
  };
  const sink = sinkFor(job);
  assertCompiled(await submitter.run(job, sink));
  assert.ok(sink.content('x.o').equals(objectHere(submitter, '-O3', ...HASWELL, '-c', 'x.c')));
});

test('what is recorded of a native option are the words of the job, in their order', async (t) => {
  const working = await workingWorker(t);
  if (working === undefined) return;
  const submitter = await workingSubmitter(t, working.address);
  submitter.tree.write('x.c', SOURCE);
  const call = ['-march=native', '-O2', '-frecord-gcc-switches', '-c', 'x.c'];
  const job = { ...(await submitter.prepare(GCC, ...call)), processor: HASWELL };
  const sink = sinkFor(job);
  assertCompiled(await submitter.run(job, sink));
  const recorded = /-march=haswell[^\0]*/.exec(sink.content('x.o').toString('latin1'))?.[0];
  assert.match(
    recorded ?? '',
    /^-march=haswell -mavx2 -mno-avx512f --param=l1-cache-size=48 -mtune=haswell -O2/,
  );
});

test('two processors of one submitter do not get in each other’s way', async (t) => {
  const working = await workingWorker(t);
  if (working === undefined) return;
  const submitter = await workingSubmitter(t, working.address);
  submitter.tree.write('x.c', SOURCE);
  const base = await submitter.prepare(GCC, '-O2', '-march=native', '-frecord-gcc-switches', '-c', 'x.c');
  const names = ['haswell', 'znver2', 'skylake'];
  await Promise.all(
    names.map(async (name) => {
      const job = { ...base, processor: [`-march=${name}`, `-mtune=${name}`] };
      const sink = sinkFor(job);
      assertCompiled(await submitter.run(job, sink));
      assert.match(sink.content('x.o').toString('latin1'), new RegExp(`-march=${name} -mtune=${name}`));
    }),
  );
});

/** Compiles a program that counts, runs it, and leaves its counts at `out/x.gcda`. */
function train({ tree }: WorkingSubmitter): void {
  tree.write('x.c', `${SOURCE}int main(int n, char **v) { int a[3] = {1, n, 2}; return f(a, 3) > 9; }\n`);
  mkdirSync(tree.path('out'), { recursive: true });
  const run = (program: string, ...args: string[]): Buffer =>
    execFileSync(program, args, { cwd: tree.directory });
  run(GCC, '-O2', '-fprofile-generate', '-c', 'x.c', '-o', 'out/x.o');
  run(GCC, '-fprofile-generate', 'out/x.o', '-o', 'program');
  run(tree.path('program'));
}

test('counts that the job lists are used; counts that only lie in the tree are not trusted', async (t) => {
  const working = await workingWorker(t);
  if (working === undefined) return;
  const submitter = await workingSubmitter(t, working.address);
  train(submitter);
  const args = ['-O2', '-fprofile-use', '-c', 'x.c', '-o', 'out/x.o'];
  const job = await submitter.prepare(GCC, ...args);
  const sink = sinkFor(job);
  assertCompiled(await submitter.run(job, sink));
  const naming = ['-dumpdir', 'out/', '-dumpbase', 'x.c', '-dumpbase-ext', '.c'];
  assert.ok(sink.content('out/x.o').equals(objectHere(submitter, ...args.slice(0, 4), ...naming)));
  // The same call without the counts among its inputs: what an earlier job brought lies in the tree all the same.
  const unlisted = { ...job, inputs: await submitter.tree.listed('-O2', '-c', 'x.c', '-o', 'out/x.o') };
  const outcome = await submitter.run(unlisted, sinkFor(job));
  assert.ok(outcome.kind === 'input-incomplete', JSON.stringify(outcome));
  assert.deepEqual(outcome.paths, [submitter.tree.path('out/x.gcda')]);
});

test('without counts the compile says so, as here', async (t) => {
  const working = await workingWorker(t);
  if (working === undefined) return;
  const submitter = await workingSubmitter(t, working.address);
  train(submitter);
  renameSync(submitter.tree.path('out/x.gcda'), submitter.tree.path('out/other.gcda'));
  const outcome = await submitter.run(
    await submitter.prepare(GCC, '-O2', '-fprofile-use', '-c', 'x.c', '-o', 'out/x.o'),
  );
  assert.ok(outcome.kind === 'compiled');
  assert.match(outcome.stderr.toString('utf8'), /out\/x\.gcda.* profile count data file not found/);
});

test('an embedded file that the job does not list is found out', async (t) => {
  const working = await workingWorker(t);
  if (working === undefined) return;
  const submitter = await workingSubmitter(t, working.address);
  const { tree } = submitter;
  tree.write('data.bin', 'bytes\n');
  tree.write('open.S', '.incbin "data.bin"\n');
  // Pasted by the assembler's own macros, which no scan of the text can see.
  tree.write('hidden.s', '.macro m a\n.inc\\a "data.bin"\n.endm\nm bin\n');
  assertCompiled(await submitter.run(await submitter.prepare(GCC, '-c', 'open.S')));
  const outcome = await submitter.run(await submitter.prepare(GCC, '-c', 'hidden.s'));
  assert.ok(outcome.kind === 'input-incomplete', JSON.stringify(outcome));
  assert.deepEqual(outcome.paths, [tree.path('data.bin')]);
});
