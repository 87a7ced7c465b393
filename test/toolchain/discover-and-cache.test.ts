/** Finding compilers in PATH, and remembering them between starts. */
import assert from 'node:assert/strict';
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  discoverToolchains,
  type IsCompilerName,
  openToolchainCache,
  probeToolchain,
} from '../../src/toolchain/index.ts';
import { copyGcc, SYSTEM_ENV, scratch } from './compiler-fixtures.ts';

const env = SYSTEM_ENV;
const GCC = '/usr/bin/gcc';

const isCompilerName: IsCompilerName = (name) => {
  if (/^(.*-)?(gcc|cc)$/.test(name)) return { dialect: 'gcc', driver: 'c' };
  if (/^(.*-)?(g\+\+|c\+\+)$/.test(name)) return { dialect: 'gcc', driver: 'c++' };
  return undefined;
};

test('discovery finds each compiler once with all its names, and tells what it cannot use', async (t) => {
  const directory = scratch(t);
  const [masquerade, tools, link] = ['masquerade', 'tools', 'link'].map((name) => join(directory, name));
  assert.ok(masquerade && tools && link);
  mkdirSync(masquerade);
  mkdirSync(tools);
  symlinkSync(tools, link);
  writeFileSync(join(masquerade, 'meshcc-shim'), '#!/bin/sh\n', { mode: 0o755 });
  for (const name of ['gcc', 'g++', 'cc']) symlinkSync('meshcc-shim', join(masquerade, name));
  writeFileSync(join(tools, 'fake-gcc'), '#!/bin/sh\n', { mode: 0o755 });
  symlinkSync('/nowhere', join(tools, 'dangling-gcc'));
  symlinkSync(GCC, join(tools, 'my-gcc'));
  const found = await discoverToolchains({
    env: { PATH: `${masquerade}:relative:/does/not/exist:${tools}:${link}/:${env.PATH}` },
    isCompilerName,
  });
  const gcc = found.toolchains.filter(({ names }) => names.includes(GCC));
  // One for each set of languages; the same driver with the same names.
  assert.deepEqual(
    gcc.map(({ toolchain }) => toolchain.scope),
    gcc[0]?.toolchain.scopes,
  );
  assert.ok(gcc.some(({ toolchain }) => toolchain.languages.includes('c++')));
  for (const { toolchain, names } of gcc) {
    assert.equal(toolchain.compilerPath, join(tools, 'my-gcc'));
    assert.ok(names.includes('/usr/bin/cc'));
    assert.deepEqual(names, gcc[0]?.names);
  }
  assert.ok(
    found.toolchains.some(
      ({ names, toolchain }) => names.includes('/usr/bin/g++') && toolchain.driver === 'c++',
    ),
  );
  const own = found.toolchains.filter(({ toolchain }) => toolchain.scope === toolchain.scopes[0]);
  const names = own.flatMap((toolchain) => toolchain.names);
  assert.equal(new Set(names).size, names.length);
  assert.deepEqual(
    names.filter((name) => name.startsWith(masquerade)),
    [],
  );
  const fake = found.unusable.filter(({ compilerPath }) => compilerPath.startsWith(directory));
  assert.deepEqual(
    fake.map(({ compilerPath }) => compilerPath),
    [join(tools, 'fake-gcc')],
  );
  assert.match(fake[0]?.reason ?? '', /fake-gcc is a script/);
});

test('the second start asks no compiler', async (t) => {
  const cacheDirectory = join(scratch(t), 'cache');
  const first = await openToolchainCache({ cacheDirectory });
  const [one, same] = await Promise.all([first.probe(GCC, { env }), first.probe(GCC, { env })]);
  assert.equal(first.probes, 1, 'concurrent questions share an answer');
  assert.equal(same, one);
  await first.save();
  assert.deepEqual(readdirSync(cacheDirectory), ['toolchains.json']);
  assert.equal(statSync(join(cacheDirectory, 'toolchains.json')).mode & 0o777, 0o600);
  const second = await openToolchainCache({ cacheDirectory });
  assert.deepEqual(await second.probe(GCC, { env }), one);
  assert.equal(second.probes, 0);
  assert.deepEqual(one, await probeToolchain(GCC, { env }));
});

test('a scope is remembered beside what the name stands for', async (t) => {
  const cacheDirectory = scratch(t);
  const first = await openToolchainCache({ cacheDirectory });
  const own = await first.probe(GCC, { env });
  const cxx = await first.probe(GCC, { env, scope: 'c++' });
  assert.deepEqual([own.scope, cxx.scope, first.probes], ['c', 'c++', 2]);
  assert.equal(await first.probe(GCC, { env, scope: 'c' }), own);
  await first.save();
  const second = await openToolchainCache({ cacheDirectory });
  assert.deepEqual(await second.probe(GCC, { env, scope: 'c++' }), cxx);
  assert.deepEqual(await second.probe(GCC, { env }), own);
  assert.equal(second.probes, 0);
});

test('a damaged, foreign or edited cache file is an empty cache', async (t) => {
  const cacheDirectory = scratch(t);
  const path = join(cacheDirectory, 'toolchains.json');
  const first = await openToolchainCache({ cacheDirectory });
  const gcc = await first.probe(GCC, { env });
  await first.save();
  const good = readFileSync(path, 'utf8');
  const edited = good.replace('"version":"', '"version":"9');
  const damaged = [
    '',
    good.slice(0, -20),
    'null',
    '{"format":4}',
    good.replace('"format":4', '"format":3'),
    edited,
  ];
  for (const text of damaged) {
    writeFileSync(path, text);
    const cache = await openToolchainCache({ cacheDirectory });
    assert.equal((await cache.probe(GCC, { env })).id, gcc.id);
    assert.equal(cache.probes, 1, `believed ${text.slice(0, 30)}`);
  }
});

test('a change of what the answer rests on leads to a new question', async (t) => {
  const directory = scratch(t);
  const cacheDirectory = join(directory, 'cache');
  const gcc = await probeToolchain(GCC, { env });
  const copy = copyGcc(gcc, directory);
  const reopened = async (searchPath = env.PATH) => {
    const cache = await openToolchainCache({ cacheDirectory });
    const toolchain = await cache.probe(copy.compilerPath, { env: { PATH: searchPath } });
    await cache.save();
    return { id: toolchain.id, probes: cache.probes };
  };
  const original = { id: gcc.id, probes: 1 };
  const remembered = { id: gcc.id, probes: 0 };
  assert.deepEqual(await reopened(), original);
  assert.deepEqual(await reopened(), remembered);

  utimesSync(copy.compilerPath, 1, 1);
  assert.deepEqual(await reopened(), original, 'touched: asked again, the same id');
  assert.deepEqual(await reopened(), remembered);

  const tools = join(directory, 'tools');
  mkdirSync(tools);
  copyFileSync(realpathSync('/usr/bin/as'), join(tools, 'as'));
  assert.deepEqual(await reopened(`${tools}:${env.PATH}`), original, 'the same assembler elsewhere');
  appendFileSync(join(tools, 'as'), 'patched');
  const patched = await reopened(`${tools}:${env.PATH}`);
  assert.equal(patched.probes, 1);
  assert.notEqual(patched.id, gcc.id);
  assert.deepEqual(await reopened(), original, 'back to the other PATH');

  writeFileSync(join(copy.internalsDirectory, 'specs'), '*cc1:\n+ -fno-inline\n\n');
  const withSpecs = await reopened();
  assert.equal(withSpecs.probes, 1, 'a specs file appeared');
  assert.notEqual(withSpecs.id, gcc.id);
});

test('discovery takes its answers from a cache', async (t) => {
  const cacheDirectory = scratch(t);
  const search = async () => {
    const cache = await openToolchainCache({ cacheDirectory });
    const found = await discoverToolchains({ env, isCompilerName, probe: cache.probe });
    await cache.save();
    return { found, probes: cache.probes };
  };
  const cold = await search();
  assert.ok(cold.probes >= 2);
  const warm = await search();
  assert.deepEqual(warm.found, cold.found);
  assert.equal(warm.probes, cold.found.unusable.length);
});
