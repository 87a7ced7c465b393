/** A compile on another node leaves what a compile here would have left: every byte, every file, every mode. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { EQUALITY_CASES, writeEqualitySources } from './support/equality-cases.ts';
import { skipWithout } from './support/installed.ts';
import { assertRemote, assertSameAsPlain } from './support/same-as-plain.ts';
import { TestMesh } from './support/test-mesh.ts';

let mesh: TestMesh;
let directory: string;

before(async () => {
  // Every result is compared with that of the other board, and with one of the local compiler where that can be had:
  // none of them may differ.
  mesh = await TestMesh.start({
    boards: ['board1', 'board2'],
    laptop: { args: ['--verify-probation', '1000000'] },
  });
  directory = join(mesh.work, 'equality');
  mkdirSync(directory);
  writeEqualitySources(directory);
});
after(() => mesh?.close());

for (const each of EQUALITY_CASES) {
  const { compiler = 'gcc', needs = compiler } = each;
  const skip = skipWithout(compiler, needs);
  test(`equal: ${each.name}`, { skip }, () =>
    mesh.explaining(async () => {
      const { args, env = {} } = each;
      const cwd = join(directory, each.cwd ?? '.');
      const result = await assertSameAsPlain(mesh, { compiler, args, directory, cwd, env });
      assert.deepEqual([...result.outputs.keys()], [...each.outputs].sort());
      if (each.mayBeLocal === undefined) assertRemote(result.job);
    }),
  );
}

const SIDE_OUTPUTS = ['-g', '-gsplit-dwarf', '-MD', '-fstack-usage', '--coverage', '-frandom-seed=1'];

for (const umask of [0o027, 0o002, 0o077]) {
  test(`equal modes under umask ${umask.toString(8).padStart(3, '0')}`, () =>
    mesh.explaining(async () => {
      const args = [...SIDE_OUTPUTS, '-c', 'unit.c', '-o', 'dir/unit.o'];
      const result = await assertSameAsPlain(mesh, { args, directory, umask });
      assert.deepEqual(
        [...result.outputs.keys()],
        ['d', 'dwo', 'gcno', 'o', 'su'].map((end) => `dir/unit.${end}`),
      );
      for (const { mode } of result.outputs.values()) assert.equal(mode, 0o666 & ~umask);
      assertRemote(result.job);
    }));
}

test('the working directory is spelled in debug information as the shell spells it', () =>
  mesh.explaining(async () => {
    const env = { PWD: join(directory, 'link') };
    const args = ['-g', '-c', '-include', 'linked.h', '../../unit.c'];
    const logical = await assertSameAsPlain(mesh, {
      args,
      directory,
      cwd: join(directory, 'real/include'),
      env,
    });
    const physical = await assertSameAsPlain(mesh, { args, directory, cwd: join(directory, 'real/include') });
    const object = (result: typeof logical): Buffer | undefined =>
      result.outputs.get('real/include/unit.o')?.content;
    assert.notDeepEqual(object(logical), object(physical));
    assertRemote(logical.job);
    assertRemote(physical.job);
  }));

test('what an earlier compile left is replaced, not written through', () =>
  mesh.explaining(async () => {
    const old = await mesh.compile(['-O0', '-MMD', '-c', 'unit.c', '-o', 'dir/old.o'], { cwd: directory });
    const result = await assertSameAsPlain(mesh, {
      args: ['-O2', '-MMD', '-c', 'unit.c', '-o', 'dir/old.o'],
      directory,
    });
    assert.equal(old.status, 0);
    assert.deepEqual([...result.outputs.keys()], ['dir/old.d', 'dir/old.o']);
    assertRemote(result.job);
  }));

test('no comparison with a second compile found a difference where there is none', () =>
  mesh.explaining(async () => {
    const { jobs, quarantine } = await mesh.laptop.status();
    const { agreed, findings } = jobs.verification;
    assert.deepEqual([findings, quarantine], [[], []]);
    assert.ok(agreed > jobs.remoteJobs / 2, `${agreed} of ${jobs.remoteJobs} were compared`);
  }));
