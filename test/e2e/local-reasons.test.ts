/** A call that cannot travel does exactly what it would do without the mesh, and `meshcc explain` says why. */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { JobView } from '../../src/agent/index.ts';
import { writeFiles } from './support/file-tree.ts';
import { skipWithout } from './support/installed.ts';
import { LOCAL_CASES } from './support/local-cases.ts';
import { assertLocal, assertSameAsPlain, assertSameEnd } from './support/same-as-plain.ts';
import { TestMesh } from './support/test-mesh.ts';

let mesh: TestMesh;
let directories = 0;
/** By build: the reason that `explain` must give. */
const reasons = new Map<string, string>();

before(async () => {
  mesh = await TestMesh.start();
});
after(() => mesh?.close());

for (const each of LOCAL_CASES) {
  const skip = skipWithout(each.compiler ?? 'gcc');
  test(`local: ${each.name}`, { skip }, () =>
    mesh.explaining(async () => {
      const directory = join(mesh.work, `case-${++directories}`);
      const reset = (): void => {
        rmSync(directory, { recursive: true, force: true });
        mkdirSync(directory);
        writeFiles(directory, each.files ?? {});
        each.prepare?.(directory);
      };
      const { compiler = 'gcc', args, env = {} } = each;
      const input = each.input === undefined ? {} : { input: each.input };
      const { job } = await assertSameAsPlain(mesh, { compiler, args, env, directory, reset, ...input });
      assertLocal(job, each.reason);
      reasons.set(job.buildId, each.reason);
    }),
  );
}

test('explain names the reason of every call', () =>
  mesh.explaining(async () => {
    const { status, stdout } = await mesh.laptop.cli(['explain', '--json', '--limit', '1000']);
    assert.equal(status, 0);
    const { jobs } = JSON.parse(stdout.toString('utf8')) as { jobs: JobView[] };
    const explained = new Map<string, string>();
    for (const { buildId, place } of jobs) if (place.kind === 'local') explained.set(buildId, place.reason);
    for (const [buildId, reason] of reasons) assert.equal(explained.get(buildId), reason);
    const expected = LOCAL_CASES.filter(({ compiler = 'gcc' }) => skipWithout(compiler) === false);
    assert.equal(reasons.size, expected.length);
  }));

test('explain can be asked for one reason, and explains it to a person', () =>
  mesh.explaining(async () => {
    const { status, stdout } = await mesh.laptop.cli(['explain', 'time-macro']);
    const text = stdout.toString('utf8');
    assert.equal(status, 0);
    assert.match(text, /unit\.c.*time-macro/s);
    assert.match(text, /Set SOURCE_DATE_EPOCH/);
    assert.doesNotMatch(text, /several-inputs/);
  }));

test('questions to the compiler are answered without the agent', () =>
  mesh.explaining(async () => {
    for (const args of [['--version'], ['-dumpmachine'], ['-print-prog-name=cc1'], ['-dumpversion']]) {
      const plain = await mesh.plain(['gcc', ...args]);
      const meshed = await mesh.run(['gcc', ...args]);
      assertSameEnd(plain, meshed, args.join(' '));
      assert.deepEqual(meshed.jobs, []);
    }
  }));

test('MESHCC_DISABLE and MESHCC_EXPLAIN', () =>
  mesh.explaining(async () => {
    writeFiles(mesh.work, { 'unit.c': 'int f(void) { return 1; }\n' });
    const disabled = await mesh.run(['gcc', '-c', 'unit.c'], {
      env: { MESHCC_DISABLE: '1', MESHCC_EXPLAIN: '1' },
    });
    assert.equal(disabled.status, 0);
    assert.match(disabled.stderr.toString('utf8'), /^\[meshcc\] gcc unit\.c: local: disabled/);
    assert.deepEqual(disabled.jobs, []);
    const explained = await mesh.compile(['-c', 'unit.c', '-Wa,-Qy', '-r'], { env: { MESHCC_EXPLAIN: '1' } });
    assert.match(explained.stderr.toString('utf8'), /^\[meshcc\] gcc unit\.c: local: linker-option/);
    const remote = await mesh.compile(['-c', 'unit.c'], { env: { MESHCC_EXPLAIN: '1' } });
    assert.equal(remote.stderr.toString('utf8'), '');
    assert.equal(remote.job.place.kind, 'remote');
  }));
