/** Workers that die, fall silent, lose their disk or leave in the middle of a build: the build does not notice. */
import assert from 'node:assert/strict';
import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { removeFiles, writeFiles } from './support/file-tree.ts';
import { SlowProject } from './support/slow-project.ts';
import { TestMesh } from './support/test-mesh.ts';
import type { TestNode } from './support/test-node.ts';
import { untilTrue } from './support/until.ts';

const REACH_LIMIT_MS = 120_000;

let mesh: TestMesh;
let project: SlowProject;
let first: TestNode;

before(async () => {
  mesh = await TestMesh.start({ boards: ['board1', 'board2'] });
  first = mesh.boards[0] as TestNode;
  project = new SlowProject(mesh, 'slow', { units: 40, spinsPerUnit: 1 });
  await project.buildReference();
});
after(() => mesh?.close());

beforeEach(async () => {
  for (const board of mesh.boards) if (!board.isRunning) await board.start();
  await mesh.connected(2);
});

/** Waits until a build is well under way and `board1` has jobs of it in its hands. */
async function midBuild(buildId: string): Promise<void> {
  await untilTrue('board1 compiles in the middle of the build', REACH_LIMIT_MS, async () => {
    const { remoteJobs } = await mesh.summary(buildId);
    return remoteJobs >= 6 && (await first.status()).worker.running > 0;
  });
}

test('both workers take part, and every unit is compiled remotely', () =>
  mesh.explaining(async () => {
    const build = project.begin();
    await project.assertBuilt(await build.ended);
    const { remoteJobs, localJobs, nodes } = await mesh.summary(build.buildId);
    assert.deepEqual({ remoteJobs, localJobs }, { remoteJobs: 40, localJobs: 0 });
    assert.deepEqual(nodes.map(({ name }) => name).sort(), ['board1', 'board2']);
  }));

test('a worker is killed in the middle of a build', () =>
  mesh.explaining(async () => {
    const build = project.begin();
    await midBuild(build.buildId);
    await first.kill();
    await project.assertBuilt(await build.ended);
    const jobs = await mesh.laptop.jobs(build.buildId);
    assert.equal(jobs.length, 40);
    // What it had in its hands went to the other worker.
    assert.ok(
      jobs.some(({ failedAttempts, place }) => failedAttempts.length === 1 && place.kind === 'remote'),
    );
    assert.ok(jobs.every(({ place }) => place.kind === 'remote'));
  }));

test('a worker falls silent with its connections open', () =>
  mesh.explaining(async () => {
    const build = project.begin();
    await midBuild(build.buildId);
    first.signal('SIGSTOP');
    try {
      await project.assertBuilt(await build.ended);
    } finally {
      first.signal('SIGCONT');
    }
    const { remoteJobs, failedAttempts } = await mesh.summary(build.buildId);
    assert.equal(remoteJobs, 40);
    assert.ok(failedAttempts > 0);
    // It is a member as before once it is back.
    await mesh.connected(2);
  }));

test('a worker loses its content store in the middle of a build', () =>
  mesh.explaining(async () => {
    const store = join(first.home, 'cache', 'store');
    try {
      const build = project.begin();
      await midBuild(build.buildId);
      // A rename, because removing would stumble over what is being written.
      renameSync(store, `${store}-gone`);
      await project.assertBuilt(await build.ended);
      const again = project.begin();
      await project.assertBuilt(await again.ended);
      const { remoteJobs, local } = await mesh.summary(again.buildId);
      assert.deepEqual({ remoteJobs, local }, { remoteJobs: 40, local: [] });
    } finally {
      await first.kill();
      rmSync(store, { recursive: true, force: true });
    }
  }));

test('a worker starts although its contents were removed while it ran', () =>
  mesh.explaining(async () => {
    const store = join(first.home, 'cache', 'store');
    try {
      renameSync(join(store, 'blobs'), join(store, 'blobs-gone'));
      writeFiles(project.directory, { 'probe.c': 'int probe;\n' });
      await mesh.boards[1]?.kill();
      await mesh.connected(1);
      assert.equal((await mesh.run(['gcc', '-c', 'probe.c'], { cwd: project.directory })).status, 0);
      removeFiles(project.directory, ['probe.c', 'probe.o']);
      await first.kill();
      await assert.doesNotReject(first.start());
    } finally {
      await first.kill();
      rmSync(store, { recursive: true, force: true });
    }
  }));

test('a worker that is told to stop finishes its jobs and leaves', () =>
  mesh.explaining(async () => {
    const build = project.begin();
    await midBuild(build.buildId);
    first.signal('SIGTERM');
    await project.assertBuilt(await build.ended);
    assert.deepEqual(await first.exited, { code: 0, signal: null });
    const { remoteJobs, failedAttempts, local } = await mesh.summary(build.buildId);
    assert.deepEqual({ remoteJobs, failedAttempts, local }, { remoteJobs: 40, failedAttempts: 0, local: [] });
  }));

test('no worker is left', () =>
  mesh.explaining(async () => {
    const build = project.begin();
    await midBuild(build.buildId);
    await Promise.all(mesh.boards.map((board) => board.kill()));
    await project.assertBuilt(await build.ended);
    const jobs = await mesh.laptop.jobs(build.buildId);
    const reasons = new Set<string>();
    for (const { place } of jobs) {
      reasons.add(place.kind === 'local' ? place.reason : 'remote');
      // A job that was ready just when there was no board any more waits a moment for one, and no longer.
      if (place.kind === 'local' && place.reason === 'no-connection-in-time')
        assert.match(
          place.detail,
          /^board\d was lost and did not come back within \d+ ms; no other node is connected$/,
        );
    }
    assert.ok(reasons.has('no-peer'), [...reasons].join(' '));
    reasons.delete('no-peer');
    reasons.delete('remote');
    // Those that had been tried on both.
    reasons.delete('attempts-exhausted');
    reasons.delete('no-connection-in-time');
    assert.deepEqual([...reasons], []);
  }));
