/** The C programs are built in the cheapest way that works on this machine, and never in one that does not. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { type TestContext, test } from 'node:test';
import { buildNativeProgram, type NativeProgram } from '../../src/base/native-program.ts';
import { PACKAGE_ROOT } from '../../src/base/package-root.ts';

const ENDS_WITH_2 = 'int main(void) { return 2; }\n';
const NOT_FOR_THIS_PROCESSOR = '#error "not for this processor"\n';
const DIES_AT_ONCE = 'void _start(void) { __builtin_trap(); }\n';

interface Place {
  readonly cache: string;
  readonly program: NativeProgram;
}

/** A program of two C files in a directory of their own. */
function makePlace(t: TestContext, source: string, freestanding: string): Place {
  const directory = mkdtempSync(join(tmpdir(), 'meshcc-native-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const file = (name: string, text: string) => {
    writeFileSync(join(directory, name), text);
    return relative(PACKAGE_ROOT, join(directory, name));
  };
  const program = {
    name: 'tried',
    source: file('tried.c', source),
    freestanding: file('freestanding.c', freestanding),
    statusWithoutArguments: 2,
  };
  return { cache: join(directory, 'cache'), program };
}

for (const [title, freestanding] of [
  ['does not compile', NOT_FOR_THIS_PROCESSOR],
  ['compiles, and does not run', DIES_AT_ONCE],
] as const) {
  test(`a build without the C library that ${title} makes place for one with it`, async (t) => {
    const { cache, program } = makePlace(t, ENDS_WITH_2, freestanding);
    const executable = await buildNativeProgram(program, cache);
    assert.equal(spawnSync(executable).status, 2);
    assert.deepEqual(readdirSync(dirname(executable)), ['tried'], 'nothing is left of the attempts');
    assert.equal(await buildNativeProgram(program, cache), executable);
  });
}

test('the compiler finds its assembler and linker where the PATH of the agent does not lead to them', async (t) => {
  // Clang finds them by itself, and must not step in.
  const source = '#ifdef __clang__\n#error "not by clang"\n#endif\nint main(void) { return 2; }\n';
  const { cache, program } = makePlace(t, source, NOT_FOR_THIS_PROCESSOR);
  const { PATH } = process.env;
  t.after(() => {
    process.env.PATH = PATH;
  });
  process.env.PATH = dirname(cache);
  assert.equal(spawnSync(await buildNativeProgram(program, cache)).status, 2);
});

test('a program that runs in no way is an error that says why, for each of them', async (t) => {
  const { cache, program } = makePlace(t, 'int main(void) { return 3; }\n', DIES_AT_ONCE);
  await assert.rejects(buildNativeProgram(program, cache), (error: Error & { code?: string }) => {
    assert.equal(error.code, 'MESHCC_NATIVE_BUILD');
    assert.match(error.message, /cc, freestanding: .*does not run here: it ended with SIG/);
    assert.match(error.message, /cc, static: .*it ended with 3, not 2/);
    assert.match(error.message, /cc, dynamic: .*it ended with 3, not 2/);
    return true;
  });
});

test('the ways to link that are allowed decide where a program is kept', async (t) => {
  const { cache, program } = makePlace(t, ENDS_WITH_2, DIES_AT_ONCE);
  const dynamic = await buildNativeProgram(program, cache, ['dynamic']);
  assert.notEqual(await buildNativeProgram(program, cache, ['static']), dynamic);
  await assert.rejects(buildNativeProgram(program, cache, ['freestanding']), { code: 'MESHCC_NATIVE_BUILD' });
});
