/** Control groups: found where the kernel says they are, and bounding all jobs of a cell together. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { cgroupMountsOf } from '../../src/sandbox/cgroup-mounts.ts';
import { type ControlGroups, findControlGroups } from '../../src/sandbox/control-groups.ts';
import { jobOf, openWorkshop, processesWith, until, VARIANTS, type Workshop } from './toolchain-tree.ts';

describe('the hierarchies', () => {
  it('are found on a machine with version 1 and an unused version 2', () => {
    const mounts = cgroupMountsOf(
      '9:name=systemd:/\n8:pids:/jobs\n4:cpu,cpuacct:/a/b\n0::/\n',
      [
        '32 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct',
        '40 31 0:39 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids',
        '41 31 0:40 / /sys/fs/cgroup/unified rw,relatime shared:4 - cgroup2 cgroup2 rw',
      ].join('\n'),
    );
    assert.deepEqual(
      [...mounts.v1],
      [
        ['cpu', '/sys/fs/cgroup/cpu,cpuacct/a/b'],
        ['cpuacct', '/sys/fs/cgroup/cpu,cpuacct/a/b'],
        ['pids', '/sys/fs/cgroup/pids/jobs'],
      ],
    );
    assert.deepEqual(mounts.v2, { root: '/sys/fs/cgroup/unified', own: '/sys/fs/cgroup/unified' });
  });

  it('are found in the session of a user under version 2', () => {
    const own = '/user.slice/user-1000.slice/user@1000.service/app.slice/vte-spawn-1.scope';
    const mounts = cgroupMountsOf(
      `0::${own}\n`,
      '30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate',
    );
    assert.equal(mounts.v1.size, 0);
    assert.deepEqual(mounts.v2, { root: '/sys/fs/cgroup', own: `/sys/fs/cgroup${own}` });
  });

  it('are found in a container that sees the part below its own group', () => {
    const mounts = cgroupMountsOf(
      '5:memory:/docker/0123\n',
      '90 80 0:33 /docker/0123 /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory',
    );
    assert.deepEqual([...mounts.v1], [['memory', '/sys/fs/cgroup/memory']]);
  });

  it('are none where the kernel has none', () => {
    const found = findControlGroups({ memoryBytes: 1, processes: 1, processors: 1 }, cgroupMountsOf('', ''));
    assert.deepEqual(found, { none: 'this agent may make no control groups' });
  });
});

const LIMITS = { memoryBytes: 96 << 20, processes: 40, processors: 2 };
const found = findControlGroups(LIMITS);

describe('a cell in a control group', { skip: 'none' in found && found.none }, () => {
  const groups = found as ControlGroups;
  let workshop: Workshop;
  let hostile: string;

  before(async () => {
    workshop = await openWorkshop(false);
    hostile = workshop.addFixture('hostile', 'test/sandbox/hostile.c');
  });
  after(() => workshop.close());

  for (const variant of VARIANTS) {
    it(`has a bound on the memory and the processes of all its jobs: ${variant}`, async (t) => {
      const group = groups.open();
      t.after(() => group.remove());
      const cell = await workshop.open({ variant, groupMembers: group.members });
      const marker = `MESHCC_GROUP_${process.pid}_${variant}`;
      const run = (what: string) => cell.run(jobOf([hostile, what, marker], workshop.submitter));
      const greedy = await Promise.all([run('memory'), run('memory')]);
      for (const result of greedy) {
        // The kernel kills what is largest; 96 MiB are too little for two that take all they get.
        assert.ok(result.kind === 'exited' && result.signal === 9, JSON.stringify(result));
        result.release();
      }
      const bomb = await run('fork-bomb');
      assert.ok(bomb.kind === 'exited' && bomb.exitStatus === 0, JSON.stringify(bomb));
      const forked = Number(/forked (\d+)/.exec(bomb.stdout.toString())?.[1]);
      assert.ok(forked > 10 && forked < LIMITS.processes, `${forked} processes`);
      bomb.release();
      assert.deepEqual(processesWith(marker), []);
      const honest = await run('temporary');
      assert.ok(honest.kind === 'exited' && honest.exitStatus === 0);
      honest.release();
      await cell.close();
      await group.remove();
      for (const members of group.members) assert.ok(!existsSync(dirname(members)), members);
    });
  }

  it('is removed although the agent that made it was killed', async () => {
    const mine = groups.open();
    const parent = dirname(dirname(mine.members[0] ?? ''));
    // The number of a process that has ended.
    const { pid } = spawnSync('true');
    const stale = join(parent, `meshcc-${pid}-1`);
    mkdirSync(stale);
    assert.ok(!('none' in findControlGroups(LIMITS)));
    await until(() => !existsSync(stale));
    assert.ok(readdirSync(parent).some((name) => name.startsWith(`meshcc-${process.pid}-`)));
    await mine.remove();
    assert.ok(!readdirSync(parent).some((name) => name.startsWith(`meshcc-${process.pid}-`)));
  });
});
