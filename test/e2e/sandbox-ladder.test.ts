/** A machine that cannot have the best sandbox takes the next one, says so to everybody, or does not compile for others. */
import assert from 'node:assert/strict';
import { chmodSync, chownSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { buildNativeProgram } from '../../src/base/native-program.ts';
import { PACKAGE_ROOT } from '../../src/base/package-root.ts';
import { reachable } from '../support/reachable.ts';
import { TestMesh } from './support/test-mesh.ts';
import { TestNode } from './support/test-node.ts';
import { untilTrue } from './support/until.ts';

const NOBODY = 65534;
const notRoot = process.getuid?.() !== 0 && 'needs root';
const SOURCE = '#include <stdio.h>\nint shout(void) { return puts(__FILE__); }\n';

/** Programs under their digest. */
const BUILD_CACHE = join(PACKAGE_ROOT, 'dist', 'test-cache');

function containerLauncher(): Promise<string> {
  return buildNativeProgram({ name: 'in-container', source: 'test/support/in-container.c' }, BUILD_CACHE);
}

/** A mesh whose one board runs as a container would run it. */
async function meshInContainer(launcherOptions: string[], args: string[]): Promise<TestMesh> {
  const launcher: [string, ...string[]] = [await containerLauncher(), ...launcherOptions];
  return TestMesh.start({ laptop: { args: ['--no-worker'] }, board: { launcher, args } });
}

/** Compiles on the board and here; everything that can be compared must be the same. */
async function assertCompilesThere(mesh: TestMesh): Promise<void> {
  writeFileSync(join(mesh.work, 'x.c'), SOURCE);
  const argv = ['-g', '-O2', '-MD', '-c', 'x.c', '-o', 'x.o'];
  const there = await mesh.compile(argv);
  assert.equal(there.status, 0, there.stderr.toString());
  assert.equal(there.job.place.kind, 'remote', JSON.stringify(there.job));
  const outputs = ['x.o', 'x.d'].map((name) => join(mesh.work, name));
  const remote = outputs.map((path) => readFileSync(path));
  await mesh.plain(['gcc', ...argv]);
  for (const [index, path] of outputs.entries()) assert.ok(remote[index]?.equals(readFileSync(path)), path);
}

describe('an agent of root in a container without namespaces', { skip: notRoot }, () => {
  let mesh: TestMesh;

  before(async () => {
    mesh = await meshInContainer([], []);
  });
  after(() => mesh.close());

  it('compiles for others with a changed root and a user for each job', () =>
    mesh.explaining(() => assertCompilesThere(mesh)));

  it('says so in its status, with what would help', async () => {
    const [board] = mesh.boards as [TestNode];
    const { worker } = await board.status();
    assert.ok(worker.on && worker.sandbox);
    assert.deepEqual([worker.sandbox.rung, worker.sandbox.serves], ['chroot', 'members']);
    assert.deepEqual(
      worker.sandbox.missed.map(({ rung }) => rung),
      ['namespaces'],
    );
    assert.match(worker.sandbox.missed[0]?.advice ?? '', /container/);
    const text = (await board.cli(['status'])).stdout.toString();
    assert.match(text, /^sandbox {3}chroot, for every member of the mesh: /m);
    assert.match(text, /^sandbox {3}not namespaces: making the namespaces: Operation not permitted\. /m);
  });

  it('warns in its log', () => {
    const [board] = mesh.boards as [TestNode];
    assert.match(board.log, /WARN.*weaker sandbox `chroot`, because `namespaces` cannot be had/i);
    assert.match(board.log, /INFO.*sandbox: chroot, for every member/i);
  });

  it('tells the submitters', async () => {
    await mesh.connected();
    const nodes = await mesh.laptop.nodes();
    assert.equal(nodes.find(({ name }) => name === 'board1')?.sandbox, 'chroot');
    const text = (await mesh.laptop.cli(['nodes'])).stdout.toString();
    assert.match(text, /SANDBOX/);
    assert.match(text, /^board1 .* chroot/m);
  });
});

describe('an agent that may not have a weaker sandbox', { skip: notRoot }, () => {
  for (const [what, args] of [
    ['than namespaces, as its owner wants', ['--sandbox', 'namespaces']],
    ['than chroot, as nobody wanted anything else', []],
  ] as const) {
    it(`compiles for nobody in a weaker one ${what}`, async () => {
      const filters = args.length === 0 ? ['--no-filters'] : [];
      const mesh = await TestMesh.start({ boards: [] });
      const launcher: [string, ...string[]] = [await containerLauncher(), ...filters];
      const board = await mesh.addNode('board', { launcher, args });
      const { worker } = await board.status();
      assert.equal(worker.on, false);
      assert.match(worker.detail, /no sandbox: namespaces: making the namespaces: Operation not permitted/);
      assert.match(board.log, /WARN.*this node will not compile for others/i);
      await mesh.close();
    });
  }

  it('compiles for nobody as an ordinary user without namespaces', async () => {
    const mesh = await TestMesh.start({ boards: [] });
    try {
      chmodSync(mesh.root, 0o755);
      const change = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'] as const;
      const [first = change[0], ...rest] = [...reachable(realpathSync(PACKAGE_ROOT)), ...change];
      const node = new TestNode(mesh.root, 'nobody', {
        launcher: [first, ...rest, await containerLauncher()],
        args: ['--sandbox', 'uid'],
      });
      chownSync(node.home, NOBODY, NOBODY);
      await node.start();
      const { worker } = await node.status();
      assert.equal(worker.on, false);
      assert.match(worker.detail, /chroot: changing the root without being root: Operation not permitted/);
      await node.stop();
    } finally {
      await mesh.close();
    }
  });
});

describe('an agent of root on a kernel without filters', { skip: notRoot }, () => {
  it('compiles only for nodes that its owner has named, and says so to the others', async () => {
    const mesh = await TestMesh.start({ boards: [], laptop: { args: ['--no-worker'] } });
    const { nodeId } = await mesh.laptop.status();
    const launcher: [string, ...string[]] = [await containerLauncher(), '--no-filters'];
    const strict = await mesh.addNode('strict', { launcher, args: ['--sandbox', 'uid'] });
    assert.equal((await strict.status()).worker.sandbox?.rung, 'uid');
    await mesh.pair(strict);
    await untilTrue('the refusal is heard of', 20_000, async () => {
      const node = (await mesh.laptop.nodes()).find(({ name }) => name === 'strict');
      return /serves only nodes that its owner has named/.test(node?.detail ?? '');
    });
    const trusting = await mesh.addNode('trusting', {
      launcher,
      args: ['--sandbox', 'uid', '--trust', nodeId],
    });
    await mesh.pair(trusting);
    await mesh.connected(1);
    await mesh.explaining(() => assertCompilesThere(mesh));
    await mesh.close();
  });

  it('does not start with a part of an id, which could be another node’s too', async () => {
    const mesh = await TestMesh.start({ boards: [] });
    const ended = await mesh.laptop.cli(['agent', '--sandbox', 'uid', '--trust', 'abcdefgh'], {
      env: { ...mesh.laptop.env, MESHCC_HOME: join(mesh.root, 'other') },
    });
    assert.equal(ended.status, 78, ended.stderr.toString());
    assert.match(ended.stderr.toString(), /--trust is "abcdefgh"; expected the full id/);
    await mesh.close();
  });
});
