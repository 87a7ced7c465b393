/** Who is seen, who is let in, and what it takes to be let in without proof. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { NodeView } from '../../src/agent/index.ts';
import { writeFiles } from './support/file-tree.ts';
import { assertLocal, assertRemote } from './support/same-as-plain.ts';
import { TestMesh } from './support/test-mesh.ts';
import type { TestNode } from './support/test-node.ts';
import { until, untilTrue } from './support/until.ts';

const SIGHT_LIMIT_MS = 60_000;

let mesh: TestMesh;

before(async () => {
  mesh = await TestMesh.start();
  writeFiles(mesh.work, { 'unit.c': 'int f(void) { return 1; }\n' });
});
after(() => mesh?.close());

/** How a node sees another, as soon as it does. By id: other tests on this machine may use the same names. */
async function viewOf(node: TestNode, other: TestNode | undefined): Promise<NodeView> {
  const nodeId = (await other?.status())?.nodeId;
  return until(`${node.name} sees ${other?.name}`, SIGHT_LIMIT_MS, async () => {
    return (await node.nodes()).find((view) => view.nodeId === nodeId);
  });
}

test('a node that belongs to no mesh is shown as not paired and gets no jobs', () =>
  mesh.explaining(async () => {
    const stranger = await mesh.addNode('stranger');
    assert.equal((await viewOf(mesh.laptop, stranger)).state, 'not paired');
    assert.equal((await viewOf(mesh.laptop, mesh.boards[0])).state, 'connected');
    for (let count = 0; count < 6; count++) {
      const { job } = await mesh.compile(['-c', 'unit.c']);
      assertRemote(job);
      assert.equal(job.place.kind === 'remote' && job.place.nodeName, 'board1');
    }
    const shown = await mesh.laptop.cli(['nodes']);
    const row = /^stranger .*$/m.exec(shown.stdout.toString('utf8'))?.[0] ?? '';
    assert.match(row, /^stranger\s+not paired\s+127\.0\.0\.1\s+belongs to no mesh yet: `meshcc join CODE`/);
    // It serves nobody, not even itself.
    const { meshId, port, connectedNodes } = await stranger.status();
    assert.deepEqual(
      { meshId, port, connectedNodes },
      { meshId: undefined, port: undefined, connectedNodes: 0 },
    );
    await stranger.stop();
  }));

test('invite and join, typed by people, with the announcement as the only way to each other', () =>
  mesh.explaining(async () => {
    const joiner = await mesh.addNode('joiner');
    const invited = await mesh.laptop.cli(['invite']);
    const code = invited.stdout.toString('utf8').trim();
    assert.match(code, /^mc1-/);
    assert.doesNotMatch(invited.stderr.toString('utf8'), /founded/);
    const joined = await joiner.cli(['join', code]);
    assert.equal(joined.status, 0, joined.stderr.toString('utf8'));
    await mesh.connected(2);
    assert.equal((await joiner.status()).meshId, (await mesh.laptop.status()).meshId);
    const reused = await joiner.cli(['join', code]);
    const { stdout } = reused;
    assert.ok(reused.status !== 0 || /already/.test(stdout.toString('utf8')), 'a code works once');
    await joiner.stop();
    await mesh.connected(1);
    const late = await mesh.addNode('late');
    const refused = await late.cli(['join', code]);
    const text = refused.stderr.toString('utf8');
    assert.notEqual(refused.status, 0);
    assert.match(text, /^looking for a node of mesh/);
    assert.match(text, /laptop is a node of that mesh, and has no open invitation/);
    assert.match(text, /meshcc: cannot join .* has been used or has expired/);
    await late.stop();
  }));

test('a node of another mesh is shown as such, and refused', () =>
  mesh.explaining(async () => {
    const { port = 0 } = (await mesh.boards[0]?.status()) ?? {};
    // It knows the address, so that nothing but its certificate keeps it out.
    const foreign = await mesh.addNode('foreign', { args: ['--peer', `127.0.0.1:${port}`] });
    const founding = await foreign.cli(['invite']);
    assert.match(founding.stderr.toString('utf8'), /has founded a new mesh.*meshcc join --force CODE/s);
    assert.notEqual((await foreign.status()).meshId, (await mesh.laptop.status()).meshId);
    await untilTrue('it is known to be of another mesh', SIGHT_LIMIT_MS, async () => {
      return (await viewOf(mesh.laptop, foreign)).state === 'other mesh';
    });
    await untilTrue('it has tried', SIGHT_LIMIT_MS, () => /trying again/.test(foreign.log));
    assert.equal((await foreign.status()).connectedNodes, 0);
    const named = (await foreign.nodes()).find(({ nodeId }) => nodeId === '');
    assert.deepEqual(
      { state: named?.state, address: named?.address, detail: named?.detail },
      { state: 'unreachable', address: `127.0.0.1:${port}`, detail: 'it belongs to another mesh' },
    );
    assert.doesNotMatch(mesh.boards[0]?.log ?? '', /session of foreign/);
    await foreign.stop();
  }));

test('--insecure shouts, and mixes only with its like', () =>
  mesh.explaining(async () => {
    const reckless = await mesh.addNode('reckless', { args: ['--insecure'] });
    const careless = await mesh.addNode('careless', { args: ['--insecure'] });
    await untilTrue('the two are connected', SIGHT_LIMIT_MS, async () => {
      return (await viewOf(reckless, careless)).state === 'connected';
    });
    assert.match(reckless.log, /warn\s+INSECURE: no encryption, no identities/);
    const shown = await reckless.cli(['status']);
    assert.match(shown.stdout.toString('utf8'), /INSECURE/);
    assert.equal((await reckless.status()).insecure, true);
    assert.notEqual((await viewOf(mesh.laptop, reckless)).state, 'connected');
    assert.notEqual((await viewOf(reckless, mesh.boards[0])).state, 'connected');
    await reckless.stop();
    await careless.stop();
  }));

test('a node that leaves the mesh takes no jobs any more', () =>
  mesh.explaining(async () => {
    await mesh.boards[0]?.stop();
    await mesh.connected(0);
    const { status, job } = await mesh.compile(['-c', 'unit.c']);
    assert.equal(status, 0);
    assertLocal(job, 'no-peer');
  }));
