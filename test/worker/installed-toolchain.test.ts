/** A worker's own compiler in a submitter's tree: at the submitter's paths, and never anything else in its place. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { type Digest, digestOf, digestToBytes } from '../../src/base/digest.ts';
import { MeshError } from '../../src/base/errors.ts';
import { digestOfFile } from '../../src/base/file-digest.ts';
import type { WireToolchainUse } from '../../src/mesh/index.ts';
import { probeToolchain, type Toolchain } from '../../src/toolchain/index.ts';
import { type InstalledToolchain, installToolchain } from '../../src/worker/installed-toolchain.ts';
import { copyGcc } from '../toolchain/compiler-fixtures.ts';
import { listing, type MirrorBench, mirrorBench } from './mirror-bench.ts';
import { GCC, GXX, toolchainOf, useOf } from './real-toolchains.ts';

function install(
  bench: MirrorBench,
  toolchain: Toolchain,
  use: WireToolchainUse,
): Promise<InstalledToolchain> {
  return installToolchain(toolchain, use, bench.mirror, join(bench.directory, 'kept'));
}

const refusedWith =
  (code: string, ...parts: string[]) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof MeshError, String(error));
    assert.equal(error.code, code, error.message);
    for (const part of parts) assert.ok(error.message.includes(part), `"${error.message}" lacks "${part}"`);
    return true;
  };

async function digestInTree(bench: MirrorBench, path: string): Promise<Digest> {
  return digestOfFile(join(bench.mirror.directory, bench.mirror.resolve(path)));
}

test('every file of the toolchain lies where the submitter has it, with this machine’s content', async (t) => {
  const bench = await mirrorBench(t);
  const toolchain = await toolchainOf(GCC);
  const installed = await install(bench, toolchain, useOf(toolchain));
  assert.equal(installed.driverPath, GCC);
  assert.equal(installed.compilerName, 'gcc');
  for (const { path, digest } of toolchain.components)
    assert.equal(await digestInTree(bench, path), digest, path);
  for (const { path, realPath } of toolchain.libraries) {
    assert.equal(await digestInTree(bench, path), await digestOfFile(realPath), path);
  }
  const driver = join(bench.mirror.directory, bench.mirror.resolve(GCC));
  assert.ok(statSync(driver).mode & 0o111, 'the driver can be executed');
  assert.notEqual(
    statSync(driver).ino,
    statSync(realpathSync(GCC)).ino,
    'a copy, not the machine’s own file',
  );
  const searched = installed.searchPath.split(':');
  const byName = toolchain.components.filter(({ lookup }) => lookup === 'PATH');
  for (const { path } of byName) assert.ok(searched.includes(dirname(path)), path);
});

test('the C and the C++ compiler share a tree, and a second description changes nothing', async (t) => {
  const bench = await mirrorBench(t);
  const [gcc, gxx] = [await toolchainOf(GCC), await toolchainOf(GXX)];
  await Promise.all([install(bench, gcc, useOf(gcc)), install(bench, gxx, useOf(gxx, 2))]);
  const before = listing(bench.mirror.directory);
  await install(bench, gcc, useOf(gcc, 3));
  assert.deepEqual(listing(bench.mirror.directory), before);
  const installed = await install(bench, gxx, useOf(gxx, 4));
  assert.equal(installed.compilerName, 'g++');
});

test('submitters that come at the same moment all get the toolchain', async (t) => {
  const { components, ...rest } = await toolchainOf(GCC);
  // Without cc1 and the like it is small, and its copies are made in one moment.
  const toolchain = { ...rest, components: components.filter(({ role }) => role === 'driver') };
  const top = await mirrorBench(t);
  for (let round = 0; round < 6; round++) {
    const kept = join(top.directory, `kept-${round}`);
    const benches = await Promise.all(Array.from({ length: 6 }, () => mirrorBench(t)));
    await Promise.all(
      benches.map((bench) => installToolchain(toolchain, useOf(toolchain), bench.mirror, kept)),
    );
    assert.ok(!Object.keys(listing(kept)).some((name) => name.endsWith('.tmp')));
  }
});

test('a toolchain elsewhere at the submitter is shown there', async (t) => {
  const bench = await mirrorBench(t);
  const toolchain = await toolchainOf(GCC);
  const use = useOf(toolchain);
  const moved = (path: string): string => `/opt/cross${path}`;
  const installed = await install(bench, toolchain, {
    ...use,
    compilerPath: moved(use.compilerPath),
    directories: ['/opt', '/opt/cross', ...use.directories.map(moved)],
    links: use.links.map(({ path, target }) => ({
      path: moved(path),
      target: target.startsWith('/') ? moved(target) : target,
    })),
    files: use.files.map(({ sha256, path }) => ({ sha256, path: moved(path) })),
  });
  assert.equal(installed.driverPath, '/opt/cross/usr/bin/gcc');
  for (const { path, digest } of toolchain.components)
    assert.equal(await digestInTree(bench, moved(path)), digest);
});

/** Descriptions that no honest submitter sends, and what is said to them. */
const HOSTILE: Record<
  string,
  { change: (use: WireToolchainUse) => Partial<WireToolchainUse>; error: string[] }
> = {
  'a program that is no part of the toolchain': {
    change: ({ files }) => ({
      files: [...files, { sha256: digestToBytes(digestOf('rootkit')), path: '/usr/bin/as' }],
    }),
    error: ['MESHCC_PROTOCOL', 'no part'],
  },
  'a damaged digest': {
    change: () => ({ files: [{ sha256: Buffer.alloc(7), path: '/usr/bin/as' }] }),
    error: ['MESHCC_PROTOCOL'],
  },
  'a compiler path that leads nowhere': {
    change: () => ({ compilerPath: '/home/evil/gcc' }),
    error: ['MESHCC_PROTOCOL', 'driver'],
  },
  'a relative file': {
    change: ({ files }) => ({ files: files.map(({ sha256 }) => ({ sha256, path: 'usr/bin/as' })) }),
    error: ['MESHCC_PROTOCOL', 'impossible'],
  },
  'a directory with dot-dot': {
    change: ({ directories }) => ({ directories: [...directories, '/usr/../../etc'] }),
    error: ['MESHCC_PROTOCOL', 'impossible'],
  },
  'a link without a target': {
    change: ({ links }) => ({ links: [...links, { path: '/usr/l', target: '' }] }),
    error: ['MESHCC_PROTOCOL'],
  },
  'a colon in a program directory': {
    change: () => ({ programDirectories: ['/usr/bin:/home/evil'] }),
    error: ['MESHCC_PROTOCOL', 'impossible'],
  },
  'too much': {
    change: () => ({ directories: Array.from({ length: 5_000 }, (_, index) => `/d${index}`) }),
    error: ['MESHCC_PROTOCOL', 'too long'],
  },
  'a file without its directory': {
    change: ({ files: [file] }) => ({ files: [{ sha256: file!.sha256, path: '/nowhere/at/all/gcc' }] }),
    error: ['MESHCC_COMPILER', 'no place'],
  },
};

for (const [what, { change, error }] of Object.entries(HOSTILE)) {
  test(`a description is refused: ${what}`, async (t) => {
    const bench = await mirrorBench(t);
    const toolchain = await toolchainOf(GCC);
    const use = useOf(toolchain);
    const [code = '', ...parts] = error;
    await assert.rejects(install(bench, toolchain, { ...use, ...change(use) }), refusedWith(code, ...parts));
  });
}

test('the name of the compiler cannot be given to another program of the toolchain', async (t) => {
  const bench = await mirrorBench(t);
  const toolchain = await toolchainOf(GCC);
  const use = useOf(toolchain);
  const loader = toolchain.libraries.find(({ path }) => path.includes('ld-linux'))?.path;
  assert.ok(loader, 'the toolchain has a loader');
  const links = [...use.links, { path: '/usr/bin/x-y-gcc', target: loader }];
  await assert.rejects(
    install(bench, toolchain, { ...use, compilerPath: '/usr/bin/x-y-gcc', links }),
    refusedWith('MESHCC_PROTOCOL', '/usr/bin/x-y-gcc', 'driver'),
  );
});

test('a link of the submitter cannot carry the toolchain out of the tree', async (t) => {
  const bench = await mirrorBench(t);
  const toolchain = await toolchainOf(GCC);
  const use = useOf(toolchain);
  mkdirSync(join(bench.outside, 'home'));
  await bench.job(bench.link('/l', bench.outside));
  const attempts: Partial<WireToolchainUse>[] = [
    { links: [...use.links, { path: '/l/home/.profile', target: '/anything' }] },
    { directories: [...use.directories, '/l/home/made'] },
    { files: [{ sha256: use.files[0]!.sha256, path: '/l/home/gcc' }] },
  ];
  for (const attempt of attempts) {
    await assert.rejects(
      install(bench, toolchain, { ...use, ...attempt }),
      refusedWith('MESHCC_COMPILER', 'no place'),
    );
  }
  await assert.rejects(
    install(bench, toolchain, { ...use, directories: [...use.directories, '/l', '/l/home'] }),
    refusedWith('MESHCC_COMPILER', '/l'),
  );
  assert.deepEqual(listing(bench.outside), { '/home': '/' });
});

test('one part of the toolchain cannot be put in the place of another', async (t) => {
  const bench = await mirrorBench(t);
  const toolchain = await toolchainOf(GCC);
  const use = useOf(toolchain);
  const library = toolchain.libraries.find(({ path }) => path.includes('libc.so'));
  assert.ok(library);
  const files = [...use.files, { sha256: use.files[0]!.sha256, path: library.path }];
  await assert.rejects(
    install(bench, toolchain, { ...use, files }),
    refusedWith('MESHCC_COMPILER', 'libc.so'),
  );
});

test('two toolchains that differ at one path cannot share a tree', async (t) => {
  const bench = await mirrorBench(t);
  const original = await toolchainOf(GCC);
  const copy = copyGcc(original, join(bench.directory, 'prefix'));
  // Bytes after an ELF file's end change its digest and nothing else.
  appendFileSync(copy.compilerPath, 'other');
  const other = await probeToolchain(copy.compilerPath, { env: { PATH: '/usr/bin:/bin' } });
  assert.notEqual(other.id, original.id);
  await install(bench, original, useOf(original));
  const driver = other.components.find(({ role }) => role === 'driver');
  assert.ok(driver);
  const use = useOf(original);
  const files = use.files.map((file) =>
    file.path === GCC ? { path: file.path, sha256: digestToBytes(driver.digest) } : file,
  );
  await assert.rejects(
    install(bench, other, { ...use, toolchainId: other.id, files }),
    refusedWith('MESHCC_COMPILER', 'gcc'),
  );
});

test('a compiler that was upgraded after it was identified is not run under its old identity', async (t) => {
  const bench = await mirrorBench(t);
  const copy = copyGcc(await toolchainOf(GCC), join(bench.directory, 'prefix'));
  const toolchain = await probeToolchain(copy.compilerPath, { env: { PATH: '/usr/bin:/bin' } });
  appendFileSync(copy.compilerPath, 'upgraded');
  await assert.rejects(
    install(bench, toolchain, useOf(toolchain)),
    refusedWith('MESHCC_COMPILER', 'has changed', 'restart'),
  );
  assert.ok(!Object.keys(listing(join(bench.directory, 'kept'))).some((path) => path.endsWith('.tmp')));
});

test('an input of the submitter at a path of the toolchain keeps the toolchain away', async (t) => {
  const toolchain = await toolchainOf(GCC);
  const early = await mirrorBench(t);
  await early.job(...early.directories('/usr', '/usr/bin'), await early.file('/usr/bin/as', '#!/bin/sh\n'));
  const installed = install(early, toolchain, useOf(toolchain));
  const lies = toolchain.components.some(({ realPath }) => realPath === '/usr/bin/as');
  // Where the assembler is a link, the submitter's file is in the place of that link.
  await assert.rejects(installed, refusedWith('MESHCC_COMPILER', lies ? '/usr/bin/as' : '/usr'));
  assert.equal(early.read('/usr/bin/as'), '#!/bin/sh\n');
});
