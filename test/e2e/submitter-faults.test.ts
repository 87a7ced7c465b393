/** The local agent dies or hangs, or the user interrupts: the build goes on alone, or ends without a trace. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { HEARTBEAT_MS } from '../../src/shim/index.ts';
import { differences } from './support/file-tree.ts';
import { compilersWorkingIn } from './support/process-table.ts';
import { SlowProject } from './support/slow-project.ts';
import { TestMesh } from './support/test-mesh.ts';
import { untilTrue } from './support/until.ts';

const REACH_LIMIT_MS = 120_000;

let mesh: TestMesh;
let project: SlowProject;
/** Units that would take far longer than any test waits. */
let endless: SlowProject;

before(async () => {
  mesh = await TestMesh.start();
  project = new SlowProject(mesh, 'slow', { units: 16, spinsPerUnit: 3 });
  endless = new SlowProject(mesh, 'endless', { units: 3, spinsPerUnit: 2_500 });
  await project.buildReference();
});
after(() => mesh?.close());

beforeEach(async () => {
  if (!mesh.laptop.isRunning) await mesh.laptop.start();
  await mesh.connected(1);
});

/** Waits until a build has results, and more are on the way. */
async function midBuild(buildId: string): Promise<void> {
  await untilTrue('the middle of the build', REACH_LIMIT_MS, async () => {
    const { remoteJobs } = await mesh.summary(buildId);
    const { submitter } = await mesh.laptop.status();
    return remoteJobs >= 3 && (submitter?.openCalls ?? 0) > 1;
  });
}

test('the local agent is killed in the middle of a build', () =>
  mesh.explaining(async () => {
    const build = project.begin();
    await midBuild(build.buildId);
    await mesh.laptop.kill();
    await project.assertBuilt(await build.ended);
  }));

test('without an agent a build is a plain build', () =>
  mesh.explaining(async () => {
    await mesh.laptop.kill();
    const build = project.begin({ env: { MESHCC_EXPLAIN: '1' } });
    const ended = await build.ended;
    await project.assertBuilt(ended);
    assert.match(ended.stderr.toString('utf8'), /\[meshcc\] g\+\+ unit0\.cpp: local: no-agent/);
  }));

test('the local agent hangs in the middle of a build', () =>
  mesh.explaining(async () => {
    const stallMs = String(2 * HEARTBEAT_MS);
    const build = project.begin({ env: { MESHCC_STALL_MS: stallMs, MESHCC_EXPLAIN: '1' } });
    await midBuild(build.buildId);
    mesh.laptop.signal('SIGSTOP');
    try {
      const ended = await build.ended;
      await project.assertBuilt(ended);
      assert.match(ended.stderr.toString('utf8'), /local: agent-stalled/);
    } finally {
      mesh.laptop.signal('SIGCONT');
    }
    const { local } = await mesh.summary(build.buildId);
    assert.deepEqual(
      local.filter(({ reason }) => reason === 'interrupted'),
      [],
    );
    assert.ok(local.some(({ reason }) => reason === 'agent-stalled'));
    // Awake again, it serves as before, once it has noticed that its connection is dead and has made a new one.
    let remoteJobs = 0;
    for (let tries = 0; tries < 3 && remoteJobs < 16; tries++) {
      await mesh.connected(1);
      const again = project.begin();
      await project.assertBuilt(await again.ended);
      ({ remoteJobs } = await mesh.summary(again.buildId));
    }
    assert.equal(remoteJobs, 16);
  }));

test('an interrupted build leaves no compiler, no partial output and no temporary file', () =>
  mesh.explaining(async () => {
    const build = endless.begin();
    await compilersAtWork();
    build.signalGroup('SIGINT');
    const ended = await build.ended;
    assert.ok(ended.signal === 'SIGINT' || ended.status === 2 || ended.status === 130, JSON.stringify(ended));
    await endless.assertIdle();
    assert.deepEqual(differences(new Map(), endless.outputs()), []);
    await untilTrue('the worker is idle', REACH_LIMIT_MS, async () => {
      const board = await mesh.boards[0]?.status();
      return board?.worker.running === 0 && board.worker.waiting === 0;
    });
  }));

test('a build whose shims are killed outright leaves no compiler and no temporary file', () =>
  mesh.explaining(async () => {
    const build = endless.begin();
    await compilersAtWork();
    build.signalGroup('SIGKILL');
    await build.ended;
    await endless.assertIdle();
    assert.deepEqual(differences(new Map(), endless.outputs()), []);
  }));

test('an agent that is killed leaves no compiler at its workers', () =>
  mesh.explaining(async () => {
    const build = endless.begin();
    await compilersAtWork();
    // First the shims, so that nobody goes on by itself.
    build.signalGroup('SIGSTOP');
    await mesh.laptop.kill();
    await untilTrue('the worker has let go', REACH_LIMIT_MS, () => remoteCompilers() === 0);
    build.signalGroup('SIGKILL');
    await build.ended;
    await endless.assertIdle();
  }));

/** Waits until the board really compiles: the local search for headers is a run of the compiler, too. */
async function compilersAtWork(): Promise<void> {
  await untilTrue('compilers at work on the board', REACH_LIMIT_MS, async () => {
    const board = await mesh.boards[0]?.status();
    return board?.worker.running === board?.worker.slots && remoteCompilers() > 0;
  });
}

function remoteCompilers(): number {
  return compilersWorkingIn(endless.directory).filter(({ name }) => name === 'cc1plus').length;
}
