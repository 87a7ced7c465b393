/** Fingerprints of real compilers: equal where they make the same code, wherever they lie, and different where not. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { digestOf } from '../../src/base/digest.ts';
import { type CorpusSource, corpusFor } from '../../src/toolchain/behaviour-corpus.ts';
import {
  compareFingerprints,
  type Fingerprint,
  fingerprintDifference,
  takeFingerprint,
} from '../../src/toolchain/behaviour-fingerprint.ts';
import { tellingConfigureOptions } from '../../src/toolchain/configure-options.ts';
import { Fingerprints, probeToolchain } from '../../src/toolchain/index.ts';
import { copyGcc, SYSTEM_ENV, scratch } from './compiler-fixtures.ts';

const GCC = '/usr/bin/gcc';
const env = SYSTEM_ENV;

async function sourceNamed(name: string): Promise<CorpusSource> {
  const source = (await corpusFor('clang')).find((candidate) => candidate.name === name);
  assert.ok(source, name);
  return source;
}

/** By one source only: a whole fingerprint takes a while. */
async function fingerprintOf(compilerPath: string, sourceName = 'inlining.c'): Promise<Fingerprint> {
  const toolchain = await probeToolchain(compilerPath, { env });
  const assemblerPath = toolchain.components.find(({ role }) => role === 'as')?.path;
  return takeFingerprint({ ...toolchain, assemblerPath }, env, [await sourceNamed(sourceName)]);
}

test('the place of a compiler does not show in its fingerprint; one changed default does', async (t) => {
  const gcc = await probeToolchain(GCC, { env });
  const original = await fingerprintOf(GCC);
  assert.ok(original.parts.length > 50);
  const copy = copyGcc(gcc, scratch(t));
  assert.equal(fingerprintDifference(original, await fingerprintOf(copy.compilerPath)), undefined);
  const specs = execFileSync(GCC, ['-dumpspecs'], { encoding: 'utf8' });
  writeFileSync(join(copy.internalsDirectory, 'specs'), specs.replace('*cc1:\n', '*cc1:\n-fno-inline '));
  const difference = fingerprintDifference(original, await fingerprintOf(copy.compilerPath));
  assert.match(difference ?? '', /^\d+ of \d+ comparisons differ: .* and \d+ more$/);
});

test('link-time code, which depends on the host, is compared and does not count', () => {
  const parts = ['version', 'x.c -O2', 'x.c -O2 -flto -ffat-lto-objects'];
  const fingerprint = (...unequal: number[]): Fingerprint => ({
    parts: parts.map((name, at) => ({ name, digest: digestOf(unequal.includes(at) ? `${at}` : '') })),
  });
  assert.deepEqual(compareFingerprints(fingerprint(), fingerprint(1, 2)), {
    comparisons: 3,
    differing: ['x.c -O2'],
    boundToHost: ['x.c -O2 -flto -ffat-lto-objects'],
  });
  assert.equal(fingerprintDifference(fingerprint(), fingerprint(2)), undefined);
  assert.equal(fingerprintDifference(fingerprint(), fingerprint(0)), '1 of 3 comparisons differ: version');
});

test('while a machine compiles, no fingerprint is begun; and what waits ends with the agent', async (t) => {
  const gcc = await probeToolchain(GCC, { env });
  let isBusy = true;
  const fingerprints = new Fingerprints(scratch(t), env, () => isBusy);
  t.after(() => fingerprints.stop());
  const broken = { ...gcc, compilerPath: '/nonexistent/gcc' };
  let hasEnded = false;
  const taken = fingerprints.of(broken).finally(() => {
    hasEnded = true;
  });
  taken.catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal(hasEnded, false);
  isBusy = false;
  await assert.rejects(taken, /nonexistent/);
  isBusy = true;
  const waiting = fingerprints.of(broken);
  setTimeout(() => fingerprints.stop(), 50);
  await assert.rejects(waiting, /aborted/);
});

test('another version has another fingerprint', async (t) => {
  if (!existsSync('/usr/bin/gcc-11')) {
    t.skip('gcc-11 is not installed');
    return;
  }
  const [a, b] = [
    await fingerprintOf(GCC, 'switches.c'),
    await fingerprintOf('/usr/bin/gcc-11', 'switches.c'),
  ];
  assert.match(fingerprintDifference(a, b) ?? '', /comparisons differ: version and/);
});

test('a whole fingerprint is taken in a process of its own, once for each content', async (t) => {
  const gcc = await probeToolchain(GCC, { env });
  const cache = scratch(t);
  const fingerprints = new Fingerprints(cache, env);
  const [one, again] = await Promise.all([fingerprints.of(gcc), fingerprints.of(gcc)]);
  assert.equal(one, again);
  const sources = await corpusFor('c');
  assert.ok(sources.length >= 7);
  for (const { name } of sources) {
    const objects = one.parts.filter((part) => part.name.startsWith(`${name} -O`));
    assert.ok(objects.length > 25, name);
    // Options that did nothing would compare nothing.
    assert.ok(new Set(objects.map(({ digest }) => digest)).size > 15, name);
  }
  assert.equal(readdirSync(join(cache, 'fingerprints')).length, 1);
  // From disk: nothing can be run with this one.
  const moved = { ...gcc, compilerPath: '/nonexistent/gcc' };
  assert.deepEqual(await new Fingerprints(cache, env).of(moved), one);
  const unknown = { ...moved, id: gcc.id.replace(/^.{8}/, '00000000') as typeof gcc.id };
  await assert.rejects(new Fingerprints(cache, env).of(unknown), /nonexistent/);
});

test('of the configuration only what decides about code is compared', () => {
  const words =
    "--prefix=/usr --enable-default-pie --host=aarch64-linux-gnu --with-arch-32=i686 --with-pkgversion='A B' --with-tune=generic";
  assert.deepEqual(
    tellingConfigureOptions(
      `Target: x\nConfigured with: ../src/configure -v ${words}\nThread model: posix\n`,
    ),
    ['--enable-default-pie', '--with-arch-32=i686', '--with-tune=generic'],
  );
  assert.deepEqual(tellingConfigureOptions('clang version 14'), []);
});
