/** In which language the compiler speaks: decided with the machine's own `locale`, checked with its own gcc. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { MessageLocales } from '../../src/submitter/message-locale.ts';
import { GCC } from '../worker/real-toolchains.ts';
import { runCommand } from './run-command.ts';

const INSTALLED = new Set(execFileSync('locale', ['-a'], { encoding: 'utf8' }).split('\n'));

test('C in any spelling needs no question', async () => {
  const locales = new MessageLocales(() => assert.fail('nobody is asked'));
  for (const env of [
    {},
    { LANG: 'C' },
    { LC_ALL: 'POSIX' },
    { LANG: 'de_DE.UTF-8', LC_ALL: 'C' },
    { LC_ALL: '', LANG: '' },
  ]) {
    assert.deepEqual(await locales.of(env), { environment: [], isReproducible: true, description: 'C' });
  }
});

test('UTF-8 without a translation is C.UTF-8 on the worker', async () => {
  const locales = new MessageLocales(runCommand);
  const environments = [{ LC_ALL: 'C.UTF-8' }, { LANG: 'C.UTF-8' }, { LC_CTYPE: 'C.UTF-8', LANG: 'C' }];
  for (const env of environments) {
    const locale = await locales.of(env);
    assert.deepEqual(locale.environment, ['LC_ALL=C.UTF-8'], JSON.stringify(env));
    assert.ok(locale.isReproducible);
  }
});

test('a locale that is named and not installed counts as C, as for the compiler', async () => {
  const locales = new MessageLocales(runCommand);
  const name = ['en_US.UTF-8', 'en_GB.UTF-8', 'en_AG.UTF-8'].find(
    (candidate) => !INSTALLED.has(candidate.replace('UTF-8', 'utf8')),
  );
  if (name === undefined) return;
  const locale = await locales.of({ LANG: name });
  assert.deepEqual([locale.environment, locale.isReproducible], [[], true]);
});

test('what may be translated is not reproduced elsewhere', async () => {
  const locales = new MessageLocales(runCommand);
  const environments: Record<string, string>[] = [
    { LANG: 'de_DE.UTF-8' },
    { LC_ALL: 'fr_FR' },
    { LANG: 'C', LC_MESSAGES: 'ja_JP.UTF-8' },
    { LANG: 'C.UTF-8', LANGUAGE: 'de' },
    { LANG: 'en_US.UTF-8', LANGUAGE: 'en:de' },
    { LANG: 'english' },
  ];
  for (const env of environments) {
    const locale = await locales.of(env);
    assert.equal(locale.isReproducible, false, JSON.stringify(env));
    assert.ok(
      Object.values(env).every((value) => locale.description.includes(value)),
      locale.description,
    );
  }
});

test('the question is asked once per combination', async () => {
  let asked = 0;
  const locales = new MessageLocales((...call) => {
    asked++;
    return runCommand(...call);
  });
  await Promise.all([locales.of({ LANG: 'C.UTF-8' }), locales.of({ LANG: 'C.UTF-8', PATH: '/x' })]);
  await locales.of({ LANG: 'C.UTF-8' });
  assert.equal(asked, 1);
  await locales.of({ LC_ALL: 'C.UTF-8' });
  assert.equal(asked, 2);
});

test('a machine that cannot say is not guessed at', async () => {
  const failing = new MessageLocales(async () => ({
    exitStatus: 1,
    stdout: Buffer.alloc(0),
    stderr: Buffer.alloc(0),
  }));
  const broken = new MessageLocales(() => Promise.reject(new Error('no such program')));
  for (const locales of [failing, broken]) {
    assert.equal((await locales.of({ LANG: 'en_US.UTF-8' })).isReproducible, false);
  }
});

test('exactly the variables that the answer replaces are left out of what travels', () => {
  const locales = new MessageLocales(runCommand);
  for (const name of ['LC_ALL', 'LC_MESSAGES', 'LC_CTYPE', 'LANG', 'LANGUAGE'])
    assert.ok(locales.decides(`${name}=x`));
  for (const entry of ['TERM=LANG', 'LANGUAGES=x', 'TZ=UTC', 'SOURCE_DATE_EPOCH=1'])
    assert.ok(!locales.decides(entry));
});

test('gcc prints the same bytes in the user’s locale and in the one that stands for it', async () => {
  const locales = new MessageLocales(runCommand);
  const print = (env: Record<string, string>): string => {
    const options = {
      input: 'int f(void) { return “x”; }\nint g;;\n',
      env: { PATH: '/usr/bin:/bin', ...env },
    };
    return spawnSync(GCC, ['-pedantic', '-fsyntax-only', '-x', 'c', '-'], options).stderr.toString('hex');
  };
  const environments: Record<string, string>[] = [
    {},
    { LANG: 'C.UTF-8' },
    { LC_ALL: 'C.UTF-8' },
    { LC_CTYPE: 'C.UTF-8' },
    { LANG: 'en_US.UTF-8' },
    { LANG: 'en_XX' },
    { LC_ALL: 'POSIX', LANG: 'C.UTF-8' },
  ];
  const texts = new Set<string>();
  for (const env of environments) {
    const { environment, isReproducible } = await locales.of(env);
    assert.ok(isReproducible, JSON.stringify(env));
    const stand = Object.fromEntries(environment.map((entry) => entry.split('=') as [string, string]));
    assert.equal(print(stand), print(env), JSON.stringify(env));
    texts.add(print(env));
  }
  assert.ok(texts.size > 1, 'the quotation marks differ between C and UTF-8');
});
