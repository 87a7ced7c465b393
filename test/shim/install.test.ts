/** The masquerade directory: the right names, atomically, and again without harm. */
import assert from 'node:assert/strict';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  buildShim,
  CLI_SIDECAR,
  findCompiler,
  type InstalledShims,
  installShims,
} from '../../src/shim/index.ts';
import { BUILD_CACHE, run } from './fixture.ts';

interface Place {
  readonly root: string;
  readonly bin: string;
  readonly shims: string;
  readonly env: NodeJS.ProcessEnv;
  addCompiler(name: string): void;
  install(): Promise<InstalledShims>;
}

function makePlace(test: TestContext): Place {
  const root = mkdtempSync(join(tmpdir(), 'meshcc-install-'));
  test.after(() => rmSync(root, { recursive: true, force: true }));
  const [bin, shims] = [join(root, 'bin'), join(root, 'deep', 'shims')];
  mkdirSync(bin);
  const env = { PATH: `${shims}:${bin}:${join(root, 'missing')}` };
  return {
    root,
    bin,
    shims,
    env,
    addCompiler: (name) => writeFileSync(join(bin, name), '#!/bin/sh\n', { mode: 0o755 }),
    install: () => installShims(shims, { env, cliMain: '/opt/main.js', build: () => buildShim(BUILD_CACHE) }),
  };
}

test('every compiler of PATH gets a name, and nothing else', async (t) => {
  const place = makePlace(t);
  const compilers = ['aarch64-linux-gnu-g++-13', 'clang-15', 'gcc', 'gcc-12.2.0'];
  for (const name of [...compilers, 'gcc-ar', 'cpp', 'c99', 'ld']) place.addCompiler(name);
  mkdirSync(join(place.bin, 'g++'));
  writeFileSync(join(place.bin, 'clang++'), 'not executable');
  symlinkSync('nowhere', join(place.bin, 'c++'));
  symlinkSync('gcc', join(place.bin, 'cc'));
  const installed = await place.install();
  assert.equal(installed.kind, 'native');
  assert.equal(installed.changed, true);
  assert.deepEqual(installed.names, ['aarch64-linux-gnu-g++-13', 'cc', 'clang-15', 'gcc', 'gcc-12.2.0']);
  const expected = [...installed.names, 'meshcc', 'meshcc-shim', CLI_SIDECAR].sort();
  assert.deepEqual(readdirSync(place.shims).sort(), expected);
  for (const name of [...installed.names, 'meshcc']) {
    assert.equal(readlinkSync(join(place.shims, name)), 'meshcc-shim');
  }
  assert.equal(readFileSync(join(place.shims, CLI_SIDECAR), 'utf8'), `${process.execPath}\n/opt/main.js\n`);
  assert.equal(findCompiler('cc', place.env), join(place.bin, 'cc'));
});

test('a second time nothing changes; a new or lost compiler does', async (t) => {
  const place = makePlace(t);
  place.addCompiler('gcc');
  const { executable } = await place.install();
  const before = statSync(executable);
  assert.equal((await place.install()).changed, false);
  assert.equal(statSync(executable).ino, before.ino);

  place.addCompiler('clang');
  const more = await place.install();
  assert.deepEqual([more.changed, more.names], [true, ['clang', 'gcc']]);
  assert.equal(statSync(executable).ino, before.ino);

  rmSync(join(place.bin, 'gcc'));
  writeFileSync(join(place.shims, 'notes.txt'), 'mine');
  const fewer = await place.install();
  assert.deepEqual([fewer.changed, fewer.names], [true, ['clang']]);
  assert.deepEqual(
    readdirSync(place.shims).sort(),
    ['clang', 'meshcc', CLI_SIDECAR, 'meshcc-shim', 'notes.txt'].sort(),
  );
});

test('a damaged installation is repaired, and a running shim is not disturbed', async (t) => {
  const place = makePlace(t);
  place.addCompiler('gcc');
  const { executable } = await place.install();
  const good = readFileSync(executable);
  rmSync(join(place.shims, 'gcc'));
  writeFileSync(join(place.shims, 'gcc'), 'something else');
  rmSync(executable);
  writeFileSync(executable, 'damaged', { mode: 0o644 });
  assert.equal((await place.install()).changed, true);
  assert.deepEqual(readFileSync(executable), good);
  assert.equal(statSync(executable).mode & 0o777, 0o755);
  assert.ok(lstatSync(join(place.shims, 'gcc')).isSymbolicLink());
  assert.equal(
    (await run(join(place.shims, 'gcc'), ['--version'], place.root, { env: place.env })).status,
    0,
  );
});

test('a directory that cannot be made is an error that says so', async (t) => {
  const place = makePlace(t);
  writeFileSync(join(place.root, 'deep'), 'a file');
  await assert.rejects(place.install(), { code: 'MESHCC_BAD_CONFIG', message: /cannot install.*deep/ });
});
