/** Who is asked, tried and used in the place of a compiler of another host, against a worker that says what it likes. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { FromSubmitter, WireToolchain, WireToolchainTrial, WireWelcome } from '../../src/mesh/index.ts';
import { Dispatcher } from '../../src/submitter/dispatcher.ts';
import { HostComparisons } from '../../src/submitter/host-comparisons.ts';
import { OtherHosts } from '../../src/submitter/other-hosts.ts';
import { Fingerprints, type Toolchain } from '../../src/toolchain/index.ts';
import { announcementOf } from '../../src/worker/announcement.ts';
import { until } from '../mesh/transport-peers.ts';
import { SYSTEM_ENV } from '../toolchain/compiler-fixtures.ts';
import { GCC, toolchainOf } from '../worker/real-toolchains.ts';
import { type ScriptedWorker, scriptedWorker } from './scripted-worker.ts';

const THEIR_ID = 'f'.repeat(64);

/** A worker that claims to have the compiler of this machine for another host. */
async function claiming(
  t: TestContext,
  change: Partial<WireToolchain> = {},
  welcome: Partial<WireWelcome> = {},
): Promise<ScriptedWorker> {
  const toolchain = { ...announcementOf(await toolchainOf(GCC)), id: THEIR_ID, host: 'riscv64', ...change };
  return scriptedWorker(t, {
    welcome: { toolchains: [toolchain], servesOtherHosts: true, agentVersion: '9', ...welcome },
  });
}

interface Hosts {
  readonly own: Toolchain;
  readonly hosts: OtherHosts;
  readonly told: string[];
}

/** @param isAllowed by the owner */
async function hostsOf(t: TestContext, isAllowed = true): Promise<Hosts> {
  const directory = mkdtempSync('/tmp/mc-other-hosts-');
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const own = await toolchainOf(GCC);
  // Never taken here: a worker whose answer differs is not worth it, and one that refuses neither.
  const fingerprints = new Fingerprints(directory, SYSTEM_ENV, () => true);
  t.after(() => fingerprints.stop());
  const told: string[] = [];
  const hosts = new OtherHosts({
    comparisons: new HostComparisons(fingerprints),
    isAllowed,
    toolchains: () => [own],
    onReady: () => told.push('ready'),
    log: (line) => told.push(line),
  });
  return { own, hosts, told };
}

function asked(script: ScriptedWorker): FromSubmitter[] {
  return script.session.messages.filter(({ fingerprintQuestion }) => fingerprintQuestion !== undefined);
}

test('nobody is asked without permission, and the words tell how to give it', async (t) => {
  const script = await claiming(t);
  const { own, hosts } = await hostsOf(t, false);
  hosts.meet(script.remote);
  const words = hosts.inWords(own, script.remote).join();
  assert.match(words, /`meshcc agent --foreign-hosts` here, `--compare-hosts` on worker-name$/);
  assert.deepEqual(asked(script), []);
});

test('a worker that refuses is asked once, and is not used', async (t) => {
  const script = await claiming(t);
  const { own, hosts } = await hostsOf(t);
  hosts.meet(script.remote);
  hosts.meet(script.remote);
  await until(() => asked(script).length > 0, 'the question');
  script.send({ fingerprint: { toolchainId: THEIR_ID, refusal: 'its owner says no', parts: [] } });
  await until(
    () => /owner says no/.test(hosts.view(own, script.remote)?.words ?? ''),
    'the refusal is known',
  );
  assert.equal(hosts.view(own, script.remote)?.used, false);
  assert.equal(asked(script).length, 1);
});

test('what cannot be used anyway is not compared', async (t) => {
  const own = announcementOf(await toolchainOf(GCC));
  const cases: readonly [Partial<WireToolchain>, Partial<WireWelcome>, RegExp][] = [
    [{}, { servesOtherHosts: false }, /meshcc 9 on worker-name cannot do that yet/],
    [{ components: [] }, {}, /does not tell what it consists of/],
    [
      { components: own.components!.filter(({ role }) => role !== 'as') },
      {},
      /consists of other kinds of programs/,
    ],
    [
      { components: [...own.components!, { role: 'specs', name: 'specs', sha256: Buffer.alloc(32) }] },
      {},
      /reads other files that change its options/,
    ],
  ];
  for (const [change, welcome, expected] of cases) {
    const script = await claiming(t, change, welcome);
    const { own: toolchain, hosts } = await hostsOf(t);
    hosts.meet(script.remote);
    assert.deepEqual(asked(script), []);
    assert.match(hosts.view(toolchain, script.remote)?.words ?? '', expected);
  }
});

test('a compiler of this machine’s architecture, or of another version, is none of another host', async (t) => {
  const { own, hosts } = await hostsOf(t);
  for (const change of [{ host: own.host }, { version: '1.2.3' }, { targetTriple: 'sparc-linux' }]) {
    const script = await claiming(t, change);
    assert.equal(hosts.view(own, script.remote), undefined, JSON.stringify(change));
  }
});

/** Sends the trial of a compiler; the worker answers as the case says. */
async function tried(t: TestContext, answer: Partial<WireToolchainTrial>) {
  const script = await claiming(t);
  const own = await toolchainOf(GCC);
  const found = script.remote.uses.tryOtherHost(own, { id: THEIR_ID });
  const use = (): FromSubmitter | undefined =>
    script.session.messages.find(({ toolchainUse }) => toolchainUse !== undefined);
  await until(() => use() !== undefined, 'the trial is sent');
  const ref = use()?.toolchainUse?.ref ?? 0;
  script.send({
    toolchainTrial: {
      ref,
      refusal: '',
      directories: [],
      links: [],
      files: [],
      isToldDirectories: false,
      ...answer,
    },
  });
  return { use: use()?.toolchainUse, found: await found, script, own };
}

test('a trial names the worker’s toolchain, programs by role, and where headers are looked for', async (t) => {
  const { use, found, own } = await tried(t, {});
  assert.deepEqual(found, { state: 'ready', theirId: THEIR_ID, files: [], isToldDirectories: false });
  assert.equal(use?.toolchainId, THEIR_ID);
  assert.deepEqual(
    use?.files.map(({ role }) => role),
    own.components.flatMap(({ role }) => (role === 'library' ? [] : [role])),
  );
  assert.deepEqual(use?.otherHost?.includeDirectories, own.builtinIncludeDirectories);
});

test('a worker whose programs need another tree than this machine’s is not used', async (t) => {
  const directory = mkdtempSync('/tmp/mc-other-hosts-');
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  symlinkSync('/usr', join(directory, 'link'));
  const link = join(directory, 'link');
  const cases: readonly [Parameters<typeof tried>[1], string | undefined][] = [
    [{ directories: ['/usr', join(directory, 'none')], links: [{ path: link, target: '/usr' }] }, undefined],
    [{ directories: [link] }, `it needs a directory ${link}, where this machine has something else`],
    [
      { links: [{ path: link, target: '/opt' }] },
      `it needs a link ${link} to /opt, where this machine has something else`,
    ],
    [
      { links: [{ path: '/usr', target: '/opt' }] },
      'it needs a link /usr to /opt, where this machine has something else',
    ],
    [{ files: ['/usr'] }, 'it needs /usr to run, which is no library'],
    [{ files: ['/usr/include/stdio.h'] }, 'it needs /usr/include/stdio.h to run, which is no library'],
    [{ directories: ['usr'] }, 'it needs a directory usr, where this machine has something else'],
    [{ directories: Array.from({ length: 5_000 }, () => '/usr') }, 'it needs too many files to run'],
    [{ refusal: 'no \u001b[31mred' }, 'no  [31mred'],
  ];
  for (const [answer, detail] of cases) {
    const { found } = await tried(t, answer);
    assert.deepEqual(
      found,
      detail === undefined
        ? { state: 'ready', theirId: THEIR_ID, files: [], isToldDirectories: false }
        : { state: 'refused', detail },
    );
  }
});

test('a job goes to the worker only if it may, and the reason tells why it may not', async (t) => {
  const { script, own } = await tried(t, {});
  const dispatcher = new Dispatcher();
  dispatcher.addWorker(script.remote);
  const key = `${own.id}\0${own.compilerPath}`;
  const none = new Set<string>();
  const reason = (obstacle?: string, searchObstacle?: string) =>
    dispatcher.refusal({ toolchainId: own.id, otherHost: { key, obstacle, searchObstacle } }, none);
  assert.equal(reason(), undefined);
  assert.equal(reason(undefined, 'it looks elsewhere'), undefined, 'it does not');
  assert.deepEqual(reason('it is too hard'), {
    kind: 'none',
    reason: 'bound-to-host',
    detail: 'worker-name: it is too hard',
  });
  assert.equal(dispatcher.refusal({ toolchainId: own.id }, none)?.reason, 'no-matching-toolchain');
  const otherPath = { key: `${own.id}\0/opt/gcc`, obstacle: undefined, searchObstacle: undefined };
  assert.equal(
    dispatcher.refusal({ toolchainId: own.id, otherHost: otherPath }, none)?.reason,
    'no-matching-toolchain',
  );
});

test('one that is told where to look for headers does no call that may move that', async (t) => {
  const { script, own } = await tried(t, { isToldDirectories: true });
  const key = `${own.id}\0${own.compilerPath}`;
  const offers = (searchObstacle?: string) =>
    script.remote.offers({ toolchainId: own.id, otherHost: { key, obstacle: undefined, searchObstacle } });
  assert.deepEqual([offers(), offers('it may move')], [true, false]);
});
