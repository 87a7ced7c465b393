/** Response files, by the rules and against a real GCC. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { classify, expandResponseFiles } from '../../src/compiler/index.ts';
import { splitResponseFile } from '../../src/compiler/response-file.ts';
import { Scratch } from './gcc.ts';

const CLEAR: readonly (readonly [string, readonly string[]])[] = [
  ['', []],
  [' \n\t ', []],
  ['-c  x.c\n-o\tx.o\n', ['-c', 'x.c', '-o', 'x.o']],
  ['"a b" \'c d\' e\\ f', ['a b', 'c d', 'e f']],
  ['-DA=\\"x\\" -DB="\\"y\\"" \'-DC="z"\'', ['-DA="x"', '-DB="y"', '-DC="z"']],
  ['a"b"c\'d\'', ['abcd']],
  ['"" x', ['', 'x']],
  ['a\\\\b "c\\\\d"', ['a\\b', 'c\\d']],
];

test('words are split by the rules of expandargv', () => {
  for (const [text, expected] of CLEAR)
    assert.deepEqual(splitResponseFile(text), expected, JSON.stringify(text));
});

test('what compilers read in different ways is left to the compiler', () => {
  for (const text of ["'a\\b'", '"a\\b"', '"open', "'open", 'end\\']) {
    assert.equal(splitResponseFile(text), undefined, text);
  }
});

test('GCC sees the same through a response file as through its expansion', (t) => {
  const scratch = new Scratch(t);
  scratch.write('x.c', 'A B C D E F\n');
  const text = '-DA=1 "-DB=2 3" \'-DC="c"\' -DD=\\"d\\"\n"-DE=\\"e\\"" @inner\n';
  const files: Record<string, string> = { outer: text, inner: '-DF=six\n' };
  for (const [path, content] of Object.entries(files)) scratch.write(path, content);
  const expanded = expandResponseFiles(['-E', '-P', '@outer', 'x.c'], (path) => files[path]);
  assert.ok(expanded.ok);
  const through = scratch.run('gcc', ['-E', '-P', '@outer', 'x.c']);
  assert.equal(through.status, 0, through.stderr);
  assert.equal(through.stdout.trim(), '1 2 3 "c" "d" "e" six');
  assert.equal(scratch.run('gcc', expanded.args).stdout, through.stdout);
});

test('a response file is expanded before a call is judged', () => {
  const files: Record<string, string> = {
    good: '-c x.c -o x.o',
    plugin: '-fplugin=x.so',
    loop: '@loop',
    nested: '@gone',
  };
  const judge = (args: string[]) =>
    classify({
      compilerName: 'gcc',
      dialect: 'gcc',
      args,
      environment: {},
      readResponseFile: (path) => files[path],
    });
  const good = judge(['@good']);
  assert.ok(good.kind === 'distributable');
  assert.equal(good.invocation.outputPath, 'x.o');
  for (const [args, reason] of [
    [['@good', '@plugin'], 'plugin'],
    [['@gone', '-c', 'x.c'], 'response-file-unreadable'],
    [['@loop', '-c', 'x.c'], 'response-file-unreadable'],
    [['@nested', '-c', 'x.c'], 'response-file-unreadable'],
  ] as const) {
    const result = judge([...args]);
    assert.ok(result.kind === 'local', args.join(' '));
    assert.equal(result.reason, reason);
  }
});
