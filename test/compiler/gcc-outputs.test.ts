/** The outputs that an invocation announces are the files that the machine's real compilers write. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { Invocation } from '../../src/compiler/index.ts';
import { classify, isCompilerName, isDumpOf } from '../../src/compiler/index.ts';
import { installedClang, Scratch } from './gcc.ts';

function invocationOf(compilerName: string, args: readonly string[]): Invocation {
  const dialect = isCompilerName(compilerName)?.dialect ?? 'gcc';
  const result = classify({ compilerName, dialect, args, environment: {} });
  assert.ok(result.kind === 'distributable', `${args.join(' ')}: ${JSON.stringify(result)}`);
  return result.invocation;
}

const EVERYTHING = [
  '-g',
  '-gsplit-dwarf',
  '-fstack-usage',
  '-fcallgraph-info',
  '--coverage',
  '-frandom-seed=x',
];

/** Where the object may go; the empty list means no -o. */
const OUTPUTS: readonly (readonly string[])[] = [
  [],
  ['-o', 'out/y.o'],
  ['-o', 'out/x.obj'],
  ['-o', 'out/noext'],
  ['-o', 'out/a.b.o'],
  ['-o', 'out/x.c.o'],
  ['-o', 'out/a.'],
  ['-o', 'out/.hidden'],
  ['-o', './y.o'],
  ['-oout/y.o'],
  ['-o', 'a.out'],
  ['-o', 'x.c'],
  ['-o', 'out.d/noext'],
];

const DEPFILES: readonly (readonly string[])[] = [
  [],
  ['-MD'],
  ['-MMD', '-MP'],
  ['-MD', '-MF', 'out/some.dep', '-MT', 'target'],
  ['-MMD', '-MFout/some.dep', '-MQ', 'a b'],
  ['-Wp,-MD,out/.x.d'],
  ['-Wp,-MMD,out/.x.d,-MT,target', '-Wp,-MP'],
  ['-Wp,-MD,out/.x.d', '-MT', 'target'],
];

/** Compiles for real, and holds the new files against the announced ones. */
function check(t: TestContext, driver: string, args: string[], files: Record<string, string>): void {
  const scratch = new Scratch(t);
  scratch.write('out/keep', '');
  scratch.write('out.d/keep', '');
  for (const [path, text] of Object.entries(files)) scratch.write(path, text);
  const before = new Set(scratch.files());
  const { outputs } = invocationOf(driver, args);
  const run = scratch.run(driver, args);
  assert.equal(run.status, 0, run.stderr);
  const written = scratch.files().filter((path) => !before.has(path));
  const announced = outputs.map(({ kind, path }) => ({ kind, path: path.replace(/^\.\//, '') }));
  // Of a dump only the beginning of its name is known; it stands for those that begin so.
  const named = announced.flatMap(({ kind, path }) =>
    kind === 'dump' ? written.filter((file) => isDumpOf(path, file)) : [path],
  );
  assert.deepEqual(written, named.sort(), args.join(' '));
}

const SOURCE = { 'dir/x.c': '#include <stddef.h>\nint f(void) { return 1; }\n' };

test('every side output has the name that GCC gives it', (t) => {
  for (const output of OUTPUTS) {
    check(t, 'gcc', ['-c', 'dir/x.c', ...output, ...EVERYTHING, '-MD'], SOURCE);
    check(t, 'gcc', ['-S', 'dir/x.c', ...output, ...EVERYTHING, '-MD'], SOURCE);
  }
});

test('dumps and kept temporary files have the names that GCC gives them', (t) => {
  const dumps = ['-O1', '-fdump-tree-optimized', '-fdump-tree-original-raw'];
  for (const output of OUTPUTS) {
    check(t, 'gcc', ['-c', 'dir/x.c', ...output, ...dumps], SOURCE);
    if (output[1]?.startsWith('out') !== true) continue;
    for (const action of ['-c', '-S'])
      for (const temporaries of ['-save-temps', '-save-temps=obj', '-save-temps=cwd'])
        check(t, 'gcc', [action, 'dir/x.c', ...output, temporaries, ...EVERYTHING], SOURCE);
  }
  check(t, 'gcc', ['-c', 'dir/x.c', '-save-temps', ...dumps], SOURCE);
  check(t, 'g++', ['-c', 'dir/x.cc', '-save-temps', ...dumps], { 'dir/x.cc': 'int f() { return 1; }\n' });
  check(t, 'gcc', ['-c', 'dir/x.S', '-save-temps', '-o', 'out/y.o'], { 'dir/x.S': 'f: ret\n' });
  check(t, 'gcc', ['-c', 'dir/x.s', '-save-temps', '-o', 'out/y.o'], { 'dir/x.s': 'f: ret\n' });
});

test('-dumpdir, -dumpbase and -dumpbase-ext move what they move in GCC', (t) => {
  const dumps = ['-O1', '-fdump-tree-optimized', ...EVERYTHING];
  for (const naming of [
    ['-dumpdir', 'out.d/'],
    ['-dumpdir', 'out.d/pre-'],
    ['-dumpbase', 'q'],
    ['-dumpbase', 'q.c'],
    ['-dumpbase', 'out.d/q.c'],
    ['-dumpbase', 'q.r', '-dumpbase-ext', '.r'],
    ['-dumpbase', 'q.r', '-dumpbase-ext', '.s'],
    ['-dumpdir', 'out.d/', '-dumpbase', 'q.r', '-dumpbase-ext', '.r'],
    ['-dumpdir', 'out.d/', '-dumpbase', 'out/q.r'],
  ])
    for (const output of ['out/y.o', 'y.o', 'out/noext', 'out/.hidden'])
      check(t, 'gcc', ['-c', 'dir/x.c', '-o', output, '-MD', ...naming, ...dumps], SOURCE);
});

test('files that options name are where they say', (t) => {
  check(t, 'gcc', ['-c', 'dir/x.c', '-aux-info', 'out/x.aux'], SOURCE);
  check(t, 'gcc', ['-c', 'dir/x.c', '-aux-info=out/x.aux', '-o', 'out/y.o'], SOURCE);
});

test('assembler sources leave what is announced', (t) => {
  const files = { 'dir/x.S': '#include "x.s"\n', 'dir/x.s': 'f: ret\n' };
  for (const source of Object.keys(files))
    for (const output of [[], ['-o', 'out/y.o']])
      check(t, 'gcc', ['-c', source, ...output, '-g', '-gsplit-dwarf', '-MD'], files);
});

test('every side output has the name that Clang gives it', (t) => {
  const clang = installedClang();
  if (clang === undefined) return t.skip('no clang is installed');
  const everything = ['-g', '-gsplit-dwarf', '-fstack-usage', '--coverage', '-MD'];
  for (const output of OUTPUTS)
    for (const action of ['-c', '-S']) check(t, clang, [action, 'dir/x.c', ...output, ...everything], SOURCE);
  for (const depfile of DEPFILES.filter((each) => each.length < 2 || each[0]?.startsWith('-M')))
    check(t, clang, ['-c', 'dir/x.c', '-o', 'out/x.o', ...depfile], SOURCE);
});

test('every way to ask for a dependency file leads to the announced path', (t) => {
  for (const depfile of DEPFILES) {
    check(t, 'gcc', ['-c', 'dir/x.c', '-o', 'out/x.o', ...depfile], SOURCE);
    check(t, 'gcc', ['-c', 'dir/x.c', ...depfile], SOURCE);
  }
});

test('a depfile omits system headers exactly when the invocation says so', (t) => {
  for (const depfile of DEPFILES.slice(1)) {
    const scratch = new Scratch(t);
    scratch.write('dir/x.c', SOURCE['dir/x.c']);
    scratch.write('out/keep', '');
    const args = ['-c', 'dir/x.c', ...depfile];
    const request = invocationOf('gcc', args).depfile;
    assert.ok(request !== undefined);
    assert.equal(scratch.run('gcc', args).status, 0);
    assert.equal(scratch.run('cat', [request.path]).stdout.includes('stddef.h'), !request.omitsSystemHeaders);
  }
});

test('unusual names of sources', (t) => {
  const text = 'int f(void) { return 1; }\n';
  const flags = ['-MD', '-fstack-usage'];
  check(t, 'gcc', ['-c', 'x.b.c', ...flags], { 'x.b.c': text });
  check(t, 'gcc', ['-x', 'c', '-c', 'd/x.inc', ...flags], { 'd/x.inc': text });
  check(t, 'gcc', ['-xc', '-c', 'd/noext', ...flags], { 'd/noext': text });
  check(t, 'gcc', ['-c', 'd e/x y.c', ...flags, '-o', 'out/x y.o'], { 'd e/x y.c': text });
  check(t, 'g++', ['-c', 'x.c++', ...flags], { 'x.c++': text });
});

test('the language is the one that the drivers choose', (t) => {
  const scratch = new Scratch(t);
  const text = '#ifdef __cplusplus\n#error c++\n#else\n#error c\n#endif\n';
  for (const name of ['l.c', 'l.cc', 'l.cp', 'l.cxx', 'l.cpp', 'l.c++', 'l.C', 'l.CPP', 'l.inc']) {
    scratch.write(name, text);
  }
  const calls = ['l.c', 'l.cc', 'l.cp', 'l.cxx', 'l.cpp', 'l.c++', 'l.C', 'l.CPP']
    .flatMap((name) => [[name], ['-x', 'none', name], ['-xc', name], ['-x', 'c++', '-x', 'none', name]])
    .concat([
      ['-x', 'c++', 'l.inc'],
      ['-xc', 'l.inc'],
      ['l.c', '-x', 'c++'],
    ]);
  for (const driver of ['gcc', 'g++']) {
    for (const call of calls) {
      const args = ['-c', ...call];
      const { language } = invocationOf(driver, args);
      const said = /#error (c\+\+|c)$/m.exec(scratch.run(driver, args).stderr)?.[1];
      assert.equal(language, said, `${driver} ${args.join(' ')}`);
    }
  }
});
