/** One compiler of this machine against what other nodes say of theirs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../../src/base/digest.ts';
import { printable } from '../../src/base/printable.ts';
import { offeredToolchains } from '../../src/submitter/offered-toolchains.ts';
import {
  matchToolchain,
  mismatchInWords,
  type OfferedToolchain,
  type Toolchain,
  toolchainIdOf,
} from '../../src/toolchain/index.ts';
import { announcementOf } from '../../src/worker/announcement.ts';
import { GCC, GXX, toolchainOf } from '../worker/real-toolchains.ts';

/** What a node announces that has this compiler, as a submitter reads it. */
function offer(toolchain: Toolchain, change: Partial<OfferedToolchain> = {}): OfferedToolchain {
  const [offered] = offeredToolchains([announcementOf(toolchain)]);
  assert.ok(offered);
  const changed = { ...offered, ...change };
  return change.id === undefined ? { ...changed, id: toolchainIdOf(changed) } : changed;
}

/** The same compiler with another assembler. */
function withOtherAssembler(toolchain: Toolchain): OfferedToolchain {
  const components = toolchain.components.map((component) =>
    component.role === 'as' ? { ...component, digest: digestOf('another as') } : component,
  );
  return offer(toolchain, { components });
}

test('an announcement tells what makes up the id', async () => {
  const gcc = await toolchainOf(GCC);
  const offered = offer(gcc);
  assert.equal(offered.id, gcc.id);
  assert.deepEqual([offered.name, offered.host, offered.scope], [GCC, gcc.host, 'c']);
  assert.equal(matchToolchain(gcc, [offered], 'board').kind, 'same');
  assert.equal(mismatchInWords(gcc, [offered], 'board'), undefined);
});

test('the nearest compiler is the one that is talked about', async () => {
  const [gcc, gxx] = [await toolchainOf(GCC), await toolchainOf(GXX)];
  const old = offer(gcc, { version: '9.1.0' });
  const foreign = offer(gcc, { host: 'aarch64', components: [] });
  const patched = withOtherAssembler(gcc);
  const kindOf = (offered: OfferedToolchain[]): string => matchToolchain(gcc, offered, 'board').kind;
  assert.equal(kindOf([old, foreign, patched]), 'other content');
  assert.equal(kindOf([old, foreign]), 'other host');
  assert.equal(kindOf([old]), 'other version');
  assert.equal(kindOf([offer(gxx)]), 'absent');
  assert.equal(kindOf([offer(gcc, { targetTriple: 'riscv64-linux-gnu' })]), 'absent');
  assert.equal(kindOf([]), 'absent');
});

test('differences are said in words', async () => {
  const gcc = await toolchainOf(GCC);
  const words = (offered: OfferedToolchain): string => mismatchInWords(gcc, [offered], 'board2') ?? '';
  const start = `board2's ${GCC} ${gcc.version} (c) differs from ${GCC} here: `;
  assert.match(
    words(withOtherAssembler(gcc)).slice(start.length),
    /^same version, another as \([0-9a-f]{12} and [0-9a-f]{12}\)$/,
  );
  assert.ok(words(withOtherAssembler(gcc)).startsWith(start));
  assert.match(words(offer(gcc, { host: 'aarch64', id: 'other' })), /runs on aarch64 there and on \S+ here/);
  assert.match(words(offer(gcc, { components: [], id: 'x' })), /board2 does not tell what it consists of$/);
  const liar = { ...withOtherAssembler(gcc), id: digestOf('something else') };
  assert.match(words(liar), /what board2 tells of it does not fit its id$/);
  assert.equal(mismatchInWords(gcc, [], 'board2'), `board2 has no gcc for ${gcc.targetTriple} (c)`);
});

test('what a node says of its compilers is bounded and fit for a terminal', async () => {
  const announced = announcementOf(await toolchainOf(GCC));
  const dirt = '\x1b[2J\nrm -rf\u202e\x9b';
  const hostile = {
    ...announced,
    id: dirt.repeat(10_000),
    version: dirt,
    targetTriple: dirt,
    scope: dirt,
    host: dirt,
    name: dirt.repeat(10_000),
    versionText: dirt,
  };
  const [read] = offeredToolchains([hostile]);
  assert.ok(read);
  const texts = [read.id, read.version, read.targetTriple, read.host, read.name, read.versionText];
  for (const text of texts) assert.match(text, /^[\x20-\x7e]{0,160}$/);
  assert.equal(read.scope, undefined);
  assert.equal(offeredToolchains(new Array(10_000).fill(announced)).length, 256);
  assert.deepEqual(offeredToolchains([{ ...announced, dialect: 'tcc' }]), []);
  assert.deepEqual(offeredToolchains([{ ...announced, driver: 'fortran' }]), []);
  const [component] = announced.components ?? [];
  assert.ok(component);
  for (const components of [
    new Array(1_000).fill(component),
    [component, { ...component, role: '__proto__' }],
    [component, { ...component, sha256: new Uint8Array(31) }],
  ])
    assert.deepEqual(offeredToolchains([{ ...announced, components }])[0]?.components, []);
  const [named] = offeredToolchains([{ ...announced, components: [{ ...component, name: dirt }] }]);
  assert.match(named?.components[0]?.path ?? '\n', /^[\x20-\x7e]+$/);
});

test('text for a terminal is printable, one line, and short', () => {
  assert.equal(printable('a\x1b[31mb\r\n\u00e9c'), 'a [31mb c');
  assert.equal(printable('x'.repeat(1_000)).length, 200);
  assert.equal(printable('abc', 2), 'ab');
});
