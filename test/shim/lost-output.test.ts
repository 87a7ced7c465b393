/** A pipe that nobody reads, and a limit on the size of files: what a compiler leaves then is what the shim leaves. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { encodeAccepted, encodeCommit, encodeStderr, encodeStdout } from '../../src/shim/index.ts';
import { Fixture, NATIVE_KINDS, REAL_GCC, run, SHIM_KINDS, type ShimKind } from './fixture.ts';
import type { AgentCall } from './scripted-agent.ts';

/** One warning per line, far more than a pipe holds. */
const WARNINGS = Array.from({ length: 2_000 }, (_, index) => `int u${index};`).join('\n');
const SOURCE = `char large[200000] = {1};\nint f(void) {\n${WARNINGS}\nreturn 1;\n}\n`;
const ARGS = '-Wall -MMD -c a.c -o a.o';

/** What a compile came to: what a build sees of it. */
interface Left {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly files: Readonly<Record<string, string>>;
}

/** Runs a line of shell in which `$CC` compiles, in a fresh directory. */
async function compileBy(compiler: string, line: string, fixture: Fixture, directory: string): Promise<Left> {
  const cwd = fixture.path(directory);
  mkdirSync(cwd);
  writeFileSync(join(cwd, 'a.c'), SOURCE);
  writeFileSync(join(cwd, 'a.o'), 'older object');
  const env = { ...fixture.env, LC_ALL: 'C', CC: `${compiler} ${ARGS}` };
  const ended = await run('/bin/sh', ['-c', line], cwd, { env });
  const files = Object.fromEntries(
    readdirSync(cwd).map((name) => [name, readFileSync(join(cwd, name)).toString('base64')]),
  );
  rmSync(cwd, { recursive: true });
  const text = (bytes: Buffer) => bytes.toString().replace(/cc\w{6}/g, 'ccXXXXXX');
  return { status: ended.status, stdout: text(ended.stdout), stderr: text(ended.stderr), files };
}

/** Holds a compile whose result the agent has against the plain one. */
async function expectSame(
  test: TestContext,
  kind: ShimKind,
  line: string,
  script: (call: AgentCall, fixture: Fixture) => void,
): Promise<{ left: Left; fixture: Fixture }> {
  const fixture = await Fixture.make(test, kind);
  await fixture.startAgent((call) => script(call, fixture));
  const plain = await compileBy(REAL_GCC, line, fixture, 'same');
  const left = await compileBy(join(fixture.shims, 'gcc'), line, fixture, 'same');
  assert.deepEqual(left, plain);
  await fixture.agent.call.closed;
  return { left, fixture };
}

function result(call: AgentCall, fixture: Fixture, ...text: readonly Uint8Array[]): void {
  call.send(
    encodeAccepted(),
    ...fixture.output(0, 'same/a.o', Buffer.alloc(300_000, 'the object of another node')),
    ...text,
    encodeCommit(0),
  );
}

/** Descriptor 4 is a pipe without a reader. */
const DEAD_PIPE = 'mkfifo p; exec 3<>p 4>p 3<&-; rm p;';

for (const kind of SHIM_KINDS) {
  test(`${kind}: nobody reads standard error from the start`, async (t) => {
    const { left, fixture } = await expectSame(t, kind, `${DEAD_PIPE} $CC 2>&4`, (call, at) =>
      result(call, at, encodeStderr(Buffer.from('a warning\n'))),
    );
    assert.notEqual(left.status, 0);
    assert.deepEqual(fixture.agent.call.frames[0]?.name, 'LOCAL');
  });

  test(`${kind}: a reader of standard error that goes in the middle`, async (t) => {
    const line = '{ { $CC 2>&1 >&3; echo "status $?" >&3; } | head -c 1000 > /dev/null; } 3>&1';
    const { left } = await expectSame(t, kind, line, (call, at) =>
      result(call, at, encodeStderr(Buffer.alloc(1_000_000, 'a warning\n'))),
    );
    assert.notEqual(left.stdout, 'status 0\n');
  });

  test(`${kind}: nobody reads, and there is nothing to say`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    await fixture.startAgent((call) => result(call, fixture));
    const left = await compileBy(join(fixture.shims, 'gcc'), `${DEAD_PIPE} $CC 2>&4 >&4`, fixture, 'same');
    assert.equal(left.status, 0);
    assert.deepEqual(Object.keys(left.files), ['a.c', 'a.o']);
    await fixture.agent.call.closed;
    assert.deepEqual(
      fixture.agent.call.frames.map((frame) => frame.name),
      ['COMMITTED'],
    );
  });

  test(`${kind}: a full disk behind standard error loses the text only`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    await fixture.startAgent((call) => result(call, fixture, encodeStderr(Buffer.from('a warning\n'))));
    const line = '$CC 2> /dev/full';
    const plain = await compileBy(REAL_GCC, line, fixture, 'same');
    const left = await compileBy(join(fixture.shims, 'gcc'), line, fixture, 'same');
    assert.deepEqual([left.status, plain.status], [0, 0]);
    await fixture.agent.call.closed;
    assert.deepEqual(fixture.agent.call.frames[0]?.name, 'COMMITTED');
  });

  test(`${kind}: an object beyond the limit of ulimit -f`, async (t) => {
    const { left, fixture } = await expectSame(t, kind, 'ulimit -f 128; $CC', (call, at) => result(call, at));
    assert.notEqual(left.status, 0);
    assert.match(left.stderr, /File size limit/);
    assert.deepEqual(fixture.agent.call.frames[0]?.name, 'LOCAL');
  });
}

for (const kind of NATIVE_KINDS) {
  test(`${kind}: standard output that nobody reads is met by the real compiler`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    await fixture.startAgent((call) => result(call, fixture, encodeStdout(Buffer.from('text\n'))));
    const left = await compileBy(join(fixture.shims, 'gcc'), `${DEAD_PIPE} $CC >&4`, fixture, 'same');
    assert.equal(left.status, 0);
    await fixture.agent.call.closed;
    assert.deepEqual(fixture.agent.call.frames[0]?.name, 'LOCAL');
  });
}
