/** The compiler of the benchmarks that records, replays, or stands behind a tool: with the real one behind it. */
import assert from 'node:assert/strict';
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { buildNativeProgram } from '../../src/base/native-program.ts';

const root = mkdtempSync(join(tmpdir(), 'meshcc-stand-in-'));
after(() => rmSync(root, { recursive: true, force: true }));
const program = await buildNativeProgram({ name: 'bench-stand-in', source: 'bench/stand-in.c' }, root);
const names = join(root, 'names');
mkdirSync(names);
symlinkSync(program, join(names, 'gcc'));

const COMPILE = ['-O1', '-Wp,-MMD,unit.d', '-include', 'first.h', '-c', '-o', 'unit.o', 'unit.c'];
let fixtures = 0;

/** A directory with a unit, and gcc as the stand-in in it. */
function fixture() {
  fixtures += 1;
  const directory = join(root, `fixture${fixtures}`);
  const recording = join(directory, 'recording');
  mkdirSync(recording, { recursive: true });
  writeFileSync(join(directory, 'first.h'), '#define VALUE 1\n');
  writeFileSync(join(directory, 'unit.c'), 'int value(void) { return VALUE; }\n');
  const gcc = (
    mode: string,
    args: readonly string[],
    more: NodeJS.ProcessEnv = {},
  ): SpawnSyncReturns<string> => {
    const variables = {
      PATH: `${names}:${process.env.PATH}`,
      BENCH_RECORDING: recording,
      BENCH_STAND_IN: mode,
    };
    return spawnSync('gcc', args, {
      cwd: directory,
      env: { ...process.env, ...variables, ...more },
      encoding: 'utf8',
    });
  };
  const read = (name: string): string => readFileSync(join(directory, name), 'latin1');
  return { directory, recording, gcc, read };
}

test('what was recorded is replayed without compiling: object and depfile', () => {
  const { directory, recording, gcc, read } = fixture();
  assert.equal(gcc('record', COMPILE).status, 0);
  const [object, depfile] = [read('unit.o'), read('unit.d')];
  const [key = ''] = readdirSync(recording);
  assert.deepEqual(readFileSync(join(recording, key, 'argv'), 'utf8').split('\0'), ['gcc', ...COMPILE, '']);
  assert.equal(readFileSync(join(recording, key, 'cwd'), 'utf8'), directory);
  rmSync(join(directory, 'unit.o'));
  rmSync(join(directory, 'unit.d'));
  // The real compiler would make another object now.
  writeFileSync(join(directory, 'first.h'), '#define VALUE 2\n');
  assert.equal(gcc('replay', COMPILE).status, 0);
  assert.deepEqual([read('unit.o'), read('unit.d')], [object, depfile]);
});

test('other arguments, and calls that compile no unit, go to the real compiler', () => {
  const { recording, gcc, read } = fixture();
  assert.equal(gcc('record', COMPILE).status, 0);
  const recorded = read('unit.o');
  assert.equal(gcc('replay', ['-DOTHER', '-g', ...COMPILE]).status, 0);
  assert.notEqual(read('unit.o'), recorded);
  const real = spawnSync('gcc', ['--version'], { encoding: 'utf8' }).stdout;
  assert.equal(gcc('replay', ['--version']).stdout, real);
  assert.equal(gcc('record', ['-S', '-o', 'unit.s', '-include', 'first.h', 'unit.c']).status, 0);
  assert.equal(readdirSync(recording).length, 1);
});

test('a compile that fails is not recorded, and its status and words are passed on', () => {
  const { recording, gcc, directory } = fixture();
  writeFileSync(join(directory, 'unit.c'), 'int value(void) { return NOWHERE; }\n');
  const { status, stderr } = gcc('record', COMPILE);
  assert.equal(status, 1);
  assert.match(stderr, /NOWHERE/);
  assert.deepEqual(readdirSync(recording), []);
});

test('a tool is put before the compiler, which it gets by its absolute path', () => {
  const { gcc } = fixture();
  const { stdout, status } = gcc('prefix', ['-c', 'a b.c'], { BENCH_PREFIX: '/bin/echo' });
  assert.equal(status, 0);
  const [compiler = '', ...words] = stdout.trim().split(' ');
  assert.ok(compiler.startsWith('/') && !compiler.startsWith(names) && existsSync(compiler), compiler);
  assert.deepEqual(words, ['-c', 'a', 'b.c']);
});
