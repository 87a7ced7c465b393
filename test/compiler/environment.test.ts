/** What happens to environment variables, and that a real GCC treats empty ones as the table says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  classify,
  ENVIRONMENT_TABLE,
  environmentObstacle,
  forwardedEnvironment,
  validateForwarded,
} from '../../src/compiler/index.ts';
import { Scratch } from './gcc.ts';

function judge(environment: Record<string, string>) {
  return classify({ compilerName: 'gcc', dialect: 'gcc', args: ['-c', 'x.c'], environment });
}

test('names are unique, and every forwarded variable has a pattern', () => {
  const names = ENVIRONMENT_TABLE.map((row) => row.name);
  assert.equal(new Set(names).size, names.length);
  for (const row of ENVIRONMENT_TABLE)
    assert.equal(row.effect === 'forward', row.pattern !== undefined, row.name);
});

test('a variable that keeps jobs local does so, empty or not, as the table says', () => {
  for (const row of ENVIRONMENT_TABLE.filter((each) => each.effect === 'local-if-set')) {
    const set = judge({ [row.name]: ':/x' });
    assert.ok(set.kind === 'local', row.name);
    assert.equal(set.reason, 'environment-variable');
    assert.ok(set.detail.startsWith(`${row.name} `));
    assert.equal(judge({ [row.name]: '' }).kind, row.emptyIsUnset ? 'distributable' : 'local', row.name);
  }
});

test('what does not matter does not matter', () => {
  const environment = { PATH: '/x', HOME: '/y', TMPDIR: '/z', MAKEFLAGS: '-j9', MESHCC_BUILD: 'b', FOO: '@' };
  assert.equal(judge(environment).kind, 'distributable');
  assert.deepEqual(forwardedEnvironment(environment), []);
});

test('forwarded variables survive validation, and only they', () => {
  const environment = {
    LANG: 'de_DE.UTF-8',
    TZ: ':/etc/localtime',
    PWD: '/a b/c',
    GCC_COLORS: '',
    COLUMNS: '80',
  };
  assert.equal(environmentObstacle(environment), undefined);
  const entries = forwardedEnvironment(environment);
  assert.equal(entries.length, 5);
  assert.deepEqual(validateForwarded(entries), { ok: true });
  const wrong = [
    ['LD_PRELOAD=/x.so'],
    ['PATH=/x'],
    ['MESHCC_DISABLE=1'],
    ['LANG'],
    ['LANG=C', 'LANG=C'],
    ['LANG=../x'],
    ['TZ=../../etc/passwd'],
    ['SOURCE_DATE_EPOCH=x'],
    ['SOURCE_DATE_EPOCH='],
    ['PWD=relative'],
    ['PWD=/a\nb'],
    ['COLUMNS=-1'],
    ['GCC_EXTRA_DIAGNOSTIC_OUTPUT=x'],
  ];
  for (const entry of wrong) assert.equal(validateForwarded(entry).ok, false, entry.join(' '));
});

test('a value outside its pattern keeps the job local', () => {
  for (const environment of [{ SOURCE_DATE_EPOCH: 'soon' }, { LANG: '/x' }, { PWD: 'x' }]) {
    assert.equal(judge(environment).kind, 'local', JSON.stringify(environment));
  }
});

test('GCC takes an empty CPATH for none, and an empty element for the working directory', (t) => {
  const scratch = new Scratch(t);
  scratch.write('src/x.c', '#include <here.h>\n');
  scratch.write('here.h', '');
  for (const name of ['CPATH', 'C_INCLUDE_PATH']) {
    assert.equal(scratch.run('gcc', ['-M', 'src/x.c'], { [name]: '' }).status, 1, name);
    assert.equal(scratch.run('gcc', ['-M', 'src/x.c'], { [name]: ':/absent' }).status, 0, name);
  }
});

test('GCC does not take an empty DEPENDENCIES_OUTPUT or GCC_EXEC_PREFIX for none', (t) => {
  const scratch = new Scratch(t);
  scratch.write('x.c', 'int x;\n');
  assert.equal(scratch.run('gcc', ['-c', 'x.c']).status, 0);
  for (const name of ['DEPENDENCIES_OUTPUT', 'SUNPRO_DEPENDENCIES', 'GCC_EXEC_PREFIX']) {
    assert.notEqual(scratch.run('gcc', ['-c', 'x.c'], { [name]: '' }).status, 0, name);
  }
});
