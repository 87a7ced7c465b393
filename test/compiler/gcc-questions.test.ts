/** The questions put to a real GCC: dependencies and search path, for the forms that builds use. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MeshError } from '../../src/base/errors.ts';
import type { Invocation } from '../../src/compiler/index.ts';
import {
  classify,
  dependencyArguments,
  parseDepfile,
  parseSearchPath,
  searchPathArguments,
} from '../../src/compiler/index.ts';
import { readCorpus } from './corpus.ts';
import { Scratch } from './gcc.ts';

function invocationOf(args: readonly string[]): Invocation {
  const result = classify({ compilerName: 'gcc', dialect: 'gcc', args, environment: {} });
  assert.ok(result.kind === 'distributable', JSON.stringify(result));
  return result.invocation;
}

function project(t: ConstructorParameters<typeof Scratch>[0]): Scratch {
  const scratch = new Scratch(t);
  scratch.write(
    'src/x y.c',
    '#include "own.h"\n#include <sys.h>\n#include <stddef.h>\nint x = OWN + SYS + PRE + MAC;\n',
  );
  scratch.write('quoted dir/own.h', '#include "deep/a#b.h"\n#define OWN 1\n');
  scratch.write('quoted dir/deep/a#b.h', '#include "c$d.h"\n');
  scratch.write('quoted dir/deep/c$d.h', '#include "e\\f.h"\n');
  scratch.write('quoted dir/deep/e\\f.h', '#include "g\\ h.h"\n');
  scratch.write('quoted dir/deep/g\\ h.h', '#include "i:j.h"\n');
  scratch.write('quoted dir/deep/i:j.h', '');
  scratch.write('sys/sys.h', '#warning "not to be seen"\n#define SYS 1\n');
  scratch.write('pre/config.h', '#define PRE 1\n');
  scratch.write('pre/macros.h', '#define MAC 1\n');
  scratch.write('out/keep', '');
  return scratch;
}

const COMMON = [
  '-iquote',
  'quoted dir',
  '-isystem',
  'sys',
  '-include',
  'pre/config.h',
  '-imacros',
  'pre/macros.h',
];

const EXPECTED = [
  'src/x y.c',
  'pre/macros.h',
  'pre/config.h',
  'quoted dir/own.h',
  'quoted dir/deep/a#b.h',
  'quoted dir/deep/c$d.h',
  'quoted dir/deep/e\\f.h',
  'quoted dir/deep/g\\ h.h',
  'quoted dir/deep/i:j.h',
  'sys/sys.h',
];

const REQUESTS: readonly (readonly string[])[] = [
  ['-c', '-o', 'out/x.o'],
  ['-c', '-o', 'out/x.o', '-Wp,-MMD,out/.x.o.d'],
  ['-c', '-o', 'out/x.o', '-Wp,-D,A=1,-MMD,out/.x.o.d,-MT,y', '-Wp,-MP'],
  ['-c', '-o', 'out/x.o', '-MMD', '-MP', '-MT', 'y', '-MF', 'out/x.d'],
  ['-S', '-oout/x.s', '-MD', '-MQ', 'y'],
  ['-c', '-o', 'out/x.o', '-g', '-gsplit-dwarf', '-fstack-usage', '--coverage', '-frandom-seed=x'],
  ['-xc', '-c', '-Werror', '-Wall', '-pipe', '-g3', '-std=gnu11'],
];

test('the dependency question lists everything the compile reads, on standard output only', (t) => {
  for (const request of REQUESTS) {
    const scratch = project(t);
    const before = scratch.files();
    const run = scratch.run('gcc', dependencyArguments(invocationOf([...request, ...COMMON, 'src/x y.c'])));
    assert.equal(run.status, 0, run.stderr);
    assert.equal(run.stderr, '');
    const listed = parseDepfile(run.stdout);
    assert.deepEqual(
      listed.filter((path) => !path.startsWith('/')).sort(),
      [...EXPECTED].sort(),
      request.join(' '),
    );
    assert.ok(listed.some((path) => path.endsWith('/stddef.h')));
    assert.deepEqual(scratch.files(), before, request.join(' '));
  }
});

test('the dependency question of every real build line is free of outputs', () => {
  for (const { text, call } of readCorpus('distributable')) {
    const result = classify(call);
    assert.ok(result.kind === 'distributable');
    const args = dependencyArguments(result.invocation, call.dialect).slice(4);
    const paths = result.invocation.outputs.map((output) => output.path);
    const bare = args.filter(
      (arg) => paths.includes(arg) || /^-(?:c|S|o.*|MM?D|M[FTQP].*|Wp,.*-M.*)$/.test(arg),
    );
    assert.deepEqual(bare, [], text);
    assert.ok(args.includes(result.invocation.sourcePath), text);
  }
});

test('the search path is the one that GCC uses', (t) => {
  const scratch = project(t);
  scratch.write('first/keep', '');
  scratch.write('after/keep', '');
  const args = [...COMMON, '-Ifirst', '-I', 'absent', '-idirafter', 'after', '-O2', '-DX', '-c', 'src/x y.c'];
  const question = searchPathArguments(invocationOf(args));
  assert.ok(!question.includes('-DX') && !question.includes('-O2'), 'only what shapes the search path');
  const run = scratch.run('gcc', question);
  assert.equal(run.status, 0, run.stderr);
  const { quote, angle } = parseSearchPath(run.stderr);
  assert.deepEqual(quote, ['quoted dir']);
  assert.deepEqual(angle.slice(0, 2), ['first', 'sys']);
  assert.equal(angle.at(-1), 'after');
  assert.ok(angle.includes('/usr/include'));
});

test('-nostdinc and the language shape the search path', (t) => {
  const scratch = new Scratch(t);
  const bare = scratch.run('gcc', searchPathArguments(invocationOf(['-nostdinc', '-I.', '-c', 'x.c'])));
  assert.deepEqual(parseSearchPath(bare.stderr), { quote: [], angle: ['.'] });
  const cxx = scratch.run('gcc', searchPathArguments(invocationOf(['-c', 'x.cc'])));
  assert.ok(
    parseSearchPath(cxx.stderr).angle.some((path) => path.includes('c++')),
    cxx.stderr,
  );
});

test('an answer without a search path is an error that says so', () => {
  assert.throws(
    () => parseSearchPath('gcc: fatal error: cannot execute cc1\n'),
    (error) => error instanceof MeshError && error.code === 'MESHCC_COMPILER',
  );
});
