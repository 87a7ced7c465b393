/** A compiler called cc may be Clang: what it is shows only when it is asked, and its own options hold then. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { installedClang } from '../compiler/gcc.ts';
import { writeFiles } from './support/file-tree.ts';
import { assertLocal, assertRemote, assertSameAsPlain } from './support/same-as-plain.ts';
import { BELIEVING, TestMesh } from './support/test-mesh.ts';

const clang = installedClang();
const skip = clang === undefined ? 'no clang is installed' : false;

let mesh: TestMesh;
let tools: string;
let directory: string;

before(async () => {
  if (skip) return;
  tools = mkdtempSync('/tmp/mc-cc-');
  for (const name of ['cc', 'c++']) symlinkSync(`/usr/bin/${clang}`, join(tools, name));
  const env = { PATH: `${tools}:/usr/bin:/bin:${join(process.execPath, '..')}` };
  mesh = await TestMesh.start({ laptop: { env, args: BELIEVING }, board: { env } });
  directory = join(mesh.work, 'cc');
  mkdirSync(directory);
  writeFiles(directory, {
    'unit.c': 'int f(int n) { int unused; return n * 3; }\n',
    'unit.cc': 'template <typename T> T twice(T x) { return x + x; }\nint g(int n) { return twice(n); }\n',
  });
});
after(async () => {
  await mesh?.close();
  if (tools !== undefined) rmSync(tools, { recursive: true, force: true });
});

const CALLS: readonly (readonly [string, string, readonly string[]])[] = [
  ['cc', '-O2 -g -Wall -MD -c unit.c', ['unit.d', 'unit.o']],
  // What GCC's and Clang's tables tell apart: Clang stamps nothing with the time of day.
  ['cc', '--coverage -c unit.c -o .hidden', ['.gcno', '.hidden']],
  ['cc', '-Weverything -Xclang -disable-O0-optnone -c unit.c', ['unit.o']],
  ['c++', '-O1 -g -c unit.cc', ['unit.o']],
];

for (const [compiler, args, outputs] of CALLS) {
  test(`${compiler} ${args}`, { skip }, () =>
    mesh.explaining(async () => {
      const result = await assertSameAsPlain(mesh, { compiler, args: args.split(' '), directory });
      assert.deepEqual([...result.outputs.keys()], outputs);
      assertRemote(result.job);
    }),
  );
}

test('an option that means another thing to Clang stays local', { skip }, () =>
  mesh.explaining(async () => {
    const args = ['-Wl,-z,now', '-c', 'unit.c'];
    const { job } = await assertSameAsPlain(mesh, { compiler: 'cc', args, directory });
    assertLocal(job, 'linker-option');
  }),
);
