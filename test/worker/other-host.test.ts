/**
 * A toolchain of the worker in the place of another one: its programs at the other one's paths, tried before any job,
 * and nothing of it that only looks like an input. What makes the other one another is a byte at the end of its driver,
 * where none is needed that was built for another host.
 */
import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { digestToBytes } from '../../src/base/digest.ts';
import type { WireToolchainTrial, WireToolchainUse } from '../../src/mesh/index.ts';
import type { RunnerVariant } from '../../src/sandbox/rungs.ts';
import { type OtherHostDemand, otherHostKey } from '../../src/submitter/compiler-demand.ts';
import type { PreparedJob } from '../../src/submitter/remote-worker.ts';
import { Fingerprints, probeToolchain, type Toolchain } from '../../src/toolchain/index.ts';
import { dial, until } from '../mesh/transport-peers.ts';
import { VARIANTS } from '../sandbox/toolchain-tree.ts';
import { foreignCompiler } from '../support/foreign-compiler.ts';
import { copyGcc, SYSTEM_ENV, scratch } from '../toolchain/compiler-fixtures.ts';
import { RawSubmitter } from './raw-submitter.ts';
import { GCC, toolchainOf, useOf } from './real-toolchains.ts';
import {
  compileHere,
  sinkFor,
  type WorkingSubmitter,
  workingSubmitter,
  workingWorker,
} from './working-pair.ts';

const SOURCE = '#include "own.h"\nint f(int n) { int x; return puts(__FILE__) + n * OWN; }\n';
const HEADER = 'int puts(const char *);\n#define OWN 7\n';

/** A worker whose owner lets its compilers stand for others. */
function allowing(t: TestContext): { fingerprints: Fingerprints } {
  return { fingerprints: new Fingerprints(scratch(t), SYSTEM_ENV) };
}

/** A GCC below another prefix that no worker has. */
async function otherGcc(t: TestContext): Promise<Toolchain> {
  const gcc = await toolchainOf(GCC);
  const { compilerPath } = copyGcc(gcc, scratch(t));
  appendFileSync(compilerPath, '\0');
  const other = await probeToolchain(compilerPath, { env: SYSTEM_ENV });
  assert.notEqual(other.id, gcc.id);
  return other;
}

function demandFor(toolchain: Toolchain): OtherHostDemand {
  return { key: otherHostKey(toolchain), obstacle: undefined, searchObstacle: undefined };
}

/** A call of a compiler that the worker has in its place only. */
async function prepare(
  submitter: WorkingSubmitter,
  toolchain: Toolchain,
  ...args: string[]
): Promise<PreparedJob> {
  const job = await submitter.prepare(GCC, ...args);
  return { ...job, toolchain, otherHost: demandFor(toolchain) };
}

for (const rung of VARIANTS) sameAsHere(rung);

function sameAsHere(rung: RunnerVariant): void {
  test(`once it was tried, it makes what the compiler here makes: ${rung}`, async (t) => {
    const working = await workingWorker(t, { ...allowing(t), rung, trustedNodes: ['submitter'] });
    if (working === undefined) return;
    const submitter = await workingSubmitter(t, working.address);
    const other = await otherGcc(t);
    const demand = { toolchainId: other.id, otherHost: demandFor(other) };
    assert.equal(submitter.remote.offers(demand), false);
    const theirs = await toolchainOf(GCC);
    const use = await submitter.remote.uses.tryOtherHost(other, theirs);
    assert.ok(use.state === 'ready', JSON.stringify(use));
    assert.equal(use.theirId, theirs.id);
    for (const { realPath } of theirs.libraries) assert.ok(use.files.includes(realPath), realPath);
    assert.ok(submitter.remote.offers(demand));
    assert.equal(
      submitter.remote.offers({ ...demand, otherHost: { ...demand.otherHost, obstacle: 'no' } }),
      false,
    );
    assert.deepEqual(submitter.remote.subjectOf(demand), {
      toolchainId: `${other.id}+${theirs.id}`,
      isOtherHost: true,
    });
    submitter.tree.write('x.c', SOURCE);
    submitter.tree.write('own.h', HEADER);
    const args = ['-O2', '-g', '-Wall', '-MD', '-c', 'x.c'];
    const job = await prepare(submitter, other, ...args);
    const sink = sinkFor(job);
    const outcome = await submitter.run(job, sink);
    assert.ok(outcome.kind === 'compiled', JSON.stringify(outcome));
    const here = compileHere(submitter.tree.directory, other.compilerPath, job, args);
    assert.equal(outcome.stderr.toString(), here.stderr.toString());
    assert.match(outcome.stderr.toString(), /unused variable/);
    for (const path of ['x.o', 'x.d']) assert.ok(sink.content(path).equals(here.outputs.get(path)!), path);
  });
}

const found = foreignCompiler('x86_64-linux-gnu');
const skip = 'missing' in found ? found.missing : false;

/** Headers of the compiler itself, of the system, and of the unit. */
const WITH_HEADERS = `#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include "own.h"
int f(const char *text, ...) {
  int unused;
  va_list list;
  va_start(list, text);
  size_t length = strlen(text) + offsetof(struct { char a; long b; }, b);
  return vprintf(text, list) + (int)length + OWN;
}
`;

/** A submitter whose cross compiler was tried on a worker with the native one. @returns undefined: nothing is confined here */
async function nativeForCross(
  t: TestContext,
): Promise<{ submitter: WorkingSubmitter; cross: Toolchain } | undefined> {
  assert.ok('path' in found);
  const working = await workingWorker(t, allowing(t));
  if (working === undefined) return undefined;
  const submitter = await workingSubmitter(t, working.address);
  const cross = await probeToolchain(found.path, { env: SYSTEM_ENV });
  submitter.tree.compilerPath = found.path;
  assert.equal(cross.host, 'i386');
  const use = await submitter.remote.uses.tryOtherHost(cross, await toolchainOf(GCC));
  assert.ok(use.state === 'ready' && use.isToldDirectories, JSON.stringify(use));
  return { submitter, cross };
}

test('a native compiler in the place of a cross compiler is told where that looks for headers', {
  skip,
}, async (t) => {
  const pair = await nativeForCross(t);
  if (pair === undefined) return;
  const { submitter, cross } = pair;
  submitter.tree.write('x.c', WITH_HEADERS);
  submitter.tree.write('own.h', HEADER);
  // Debian names the package in each object, and the two are of different ones.
  for (const options of [
    ['-O2', '-g', '-MD'],
    ['-O1', '-g', '-MMD', '-MP'],
    ['-nostdinc', '-MD', '-DBARE'],
  ]) {
    const args = [...options, '-Wall', '-fno-ident', '-c', 'x.c'];
    if (options.includes('-nostdinc')) submitter.tree.write('x.c', SOURCE);
    const job = await prepare(submitter, cross, ...args);
    const sink = sinkFor(job);
    const outcome = await submitter.run(job, sink);
    assert.ok(outcome.kind === 'compiled' && outcome.exitStatus === 0, JSON.stringify(outcome));
    const here = compileHere(submitter.tree.directory, cross.compilerPath, job, args);
    assert.equal(outcome.stderr.toString(), here.stderr.toString());
    for (const path of ['x.o', 'x.d']) assert.ok(sink.content(path).equals(here.outputs.get(path)!), path);
    if (options.includes('-MD') && !options.includes('-nostdinc'))
      assert.match(sink.content('x.d').toString(), /gcc-cross\/x86_64-linux-gnu\/12\/include\/stddef\.h/);
  }
});

test('one that is told where to look does nothing once there is a directory where it would look by itself', {
  skip,
}, async (t) => {
  const pair = await nativeForCross(t);
  if (pair === undefined) return;
  const { submitter, cross } = pair;
  submitter.tree.write('x.c', SOURCE);
  submitter.tree.write('own.h', HEADER);
  const job = await prepare(submitter, cross, '-c', 'x.c');
  assert.equal((await submitter.run(job, sinkFor(job))).kind, 'compiled');
  // The native compiler looks there, the cross compiler does not.
  const listing = await prepare(submitter, cross, '-I/usr/local/include', '-c', 'x.c');
  const outcome = await submitter.run(listing, sinkFor(listing));
  assert.ok(outcome.kind === 'node-fault', JSON.stringify(outcome));
  assert.match(outcome.detail, /^\/usr\/local\/include exists by now/);
});

test('one that cannot be used at all is refused, in words', async (t) => {
  const working = await workingWorker(t, allowing(t));
  if (working === undefined) return;
  const { remote } = await workingSubmitter(t, working.address);
  const other = await otherGcc(t);
  const theirs = await toolchainOf(GCC);
  const elsewhere = {
    ...other,
    builtinIncludeDirectories: ['/opt/none', ...other.builtinIncludeDirectories],
  };
  assert.deepEqual(await remote.uses.tryOtherHost(elsewhere, theirs), {
    state: 'refused',
    detail: 'only your compiler looks for headers in /opt/none',
  });
  const unknown = await remote.uses.tryOtherHost(
    { ...other, compilerPath: `${other.compilerPath}-2` },
    { id: 'unknown' },
  );
  assert.deepEqual(unknown, { state: 'refused', detail: 'this worker has no such toolchain' });
});

test('its programs are no inputs, although they lie in the tree', async (t) => {
  const working = await workingWorker(t, allowing(t));
  if (working === undefined) return;
  const submitter = await workingSubmitter(t, working.address);
  const other = await otherGcc(t);
  await submitter.remote.uses.tryOtherHost(other, await toolchainOf(GCC));
  submitter.tree.write('x.c', SOURCE);
  submitter.tree.write('own.h', HEADER);
  for (const { realPath } of other.components) {
    submitter.tree.ofCompilers.add(realPath);
    submitter.tree.ofThisCompiler.add(realPath);
  }
  const job = await prepare(submitter, other, '-c', 'x.c');
  const text = `__asm__(".incbin \\"${other.compilerPath}\\"");\n`;
  submitter.tree.write('y.c', text);
  const inputs = await submitter.tree.listed('-c', 'y.c');
  const embedding = { ...(await prepare(submitter, other, '-c', 'y.c')), inputs };
  const outcome = await submitter.run(embedding, sinkFor(embedding));
  assert.ok(outcome.kind === 'input-incomplete', JSON.stringify(outcome));
  assert.deepEqual(outcome.paths, [other.compilerPath]);
  assert.equal((await submitter.run(job, sinkFor(job))).kind, 'compiled');
});

test('only programs of the worker are put in the place of another host’s', async (t) => {
  const working = await workingWorker(t, allowing(t));
  if (working === undefined) return;
  const gcc = await toolchainOf(GCC);
  const honest: WireToolchainUse = {
    ...useOf(gcc),
    files: gcc.components
      .filter(({ role }) => role !== 'library')
      .map(({ role, path }) => ({ role, path, sha256: new Uint8Array() })),
    otherHost: {
      includeDirectories: [...gcc.builtinIncludeDirectories],
      absentIncludeDirectories: [...gcc.absentIncludeDirectories],
    },
  };
  const library = gcc.components.find(({ role }) => role === 'library');
  assert.ok(library);
  const at = '/usr/bin/strange';
  const searched = (...includeDirectories: string[]): Partial<WireToolchainUse> => ({
    otherHost: { includeDirectories, absentIncludeDirectories: [] },
  });
  const cases: readonly [Partial<WireToolchainUse>, RegExp][] = [
    [{}, /^$/],
    [{ files: [...honest.files, { role: 'library', path: at, sha256: new Uint8Array() }] }, /is no part/],
    [{ files: [...honest.files, { role: 'sh', path: at, sha256: new Uint8Array() }] }, /is no part/],
    [{ files: [...honest.files, { path: at, sha256: digestToBytes(library.digest) }] }, /is no part/],
    [{ files: honest.files.map((file) => ({ ...file, role: 'as' })) }, /does not lead to|something else/],
    [
      { files: honest.files.filter(({ role }) => role !== 'cc1') },
      /at your paths it does not compile: .*error: .*cc1/,
    ],
    [{ compilerPath: 'gcc' }, /the path gcc/],
    // Each becomes a word of the compiler's arguments.
    [searched('@/w/args'), /impossible: the directory of headers @\/w\/args/],
    [searched('-fplugin=/w/p.so'), /impossible: the directory of headers -fplugin/],
    [searched('/a\nb'), /impossible: the directory of headers/],
    [searched(`/${'x'.repeat(5000)}`), /impossible: the directory of headers/],
    [searched(...Array.from({ length: 200 }, () => '/usr')), /impossible: it searches too many/],
  ];
  for (const [change, expected] of cases) {
    const raw = new RawSubmitter(await dial(t, working.address));
    raw.send({ toolchainUse: { ...honest, ...change } });
    const find = (): WireToolchainTrial | undefined =>
      raw.heard.flatMap(({ toolchainTrial }) => toolchainTrial ?? [])[0];
    await until(() => find() !== undefined, 'an answer');
    assert.match(find()?.refusal ?? '', expected, JSON.stringify(change));
    raw.link.close();
    await raw.link.closed;
  }
});

test('without its owner’s permission a worker lets no compiler stand for another', async (t) => {
  const working = await workingWorker(t);
  if (working === undefined) return;
  const submitter = await workingSubmitter(t, working.address);
  const use = await submitter.remote.uses.tryOtherHost(await otherGcc(t), await toolchainOf(GCC));
  assert.ok(use.state === 'refused', JSON.stringify(use));
  assert.match(use.detail, /the owner of this node does not let/);
});

test('one that was refused leaves nothing in the tree, and a number is used once', async (t) => {
  const working = await workingWorker(t, allowing(t));
  if (working === undefined) return;
  const gcc = await toolchainOf(GCC);
  const raw = new RawSubmitter(await dial(t, working.address));
  const otherHost = { includeDirectories: ['/nowhere'], absentIncludeDirectories: [] };
  raw.send({ toolchainUse: { ...useOf(gcc, 7), directories: ['/opt', '/opt/sdk'], files: [], otherHost } });
  await until(() => raw.heard.some(({ toolchainTrial }) => toolchainTrial?.ref === 7), 'an answer');
  raw.send({ entries: { entries: [{ id: 4, path: '/opt', symlink: { target: '/usr' } }] } });
  raw.send({ toolchainUse: useOf(gcc, 1) });
  let why: string | undefined;
  void raw.link.closed.then((reason) => {
    why = reason;
  });
  raw.send({ toolchainUse: useOf(gcc, 1) });
  await until(() => why !== undefined, 'the end of the stream');
  assert.match(why ?? '', /two toolchains of the number 1/);
});
