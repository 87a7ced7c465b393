/** Which program a call becomes: masquerade, wrapper, launcher, command line tool; and what it inherits. */
import assert from 'node:assert/strict';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodeCommit, encodeRunLocal } from '../../src/shim/index.ts';
import { Fixture, NATIVE_KINDS, REAL_GCC, run, SHIM_KINDS } from './fixture.ts';

const QUERIES = [['--version'], ['-v'], ['-dumpmachine'], ['-print-search-dirs'], ['--help'], []];

for (const kind of SHIM_KINDS) {
  test(`${kind}: questions are answered by the compiler alone, byte for byte`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    await fixture.startAgent((call) => call.send(encodeCommit(0)));
    for (const args of QUERIES) {
      const real = await run(REAL_GCC, args, fixture.work, { env: fixture.env });
      const through = await fixture.call('gcc', args, { env: { MESHCC_EXPLAIN: '1' } });
      assert.deepEqual(through, real, args.join(' '));
    }
    assert.equal(fixture.agent.calls.length, 0);
  });

  test(`${kind}: other masquerade directories in PATH are passed over`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    await fixture.startAgent((call) => call.send(encodeRunLocal('why', '')));
    const env = { PATH: `${fixture.secondShims()}:${fixture.env.PATH}` };
    assert.equal(
      (await run('gcc', ['-c', 'a.c'], fixture.work, { env: { ...fixture.env, ...env } })).status,
      0,
    );
    assert.equal(fixture.agent.call.request.compiler, REAL_GCC);
    assert.deepEqual(fixture.files(), ['a.c', 'a.o']);
  });

  test(`${kind}: wrapper and launcher`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    await fixture.startAgent((call) => call.send(encodeCommit(7)));
    symlinkSync(REAL_GCC, fixture.path('my-own-gcc'));
    const shim = join(fixture.shims, 'gcc');
    const calls = [
      ['meshcc', 'gcc', REAL_GCC],
      ['meshcc-shim', 'gcc', REAL_GCC],
      ['meshcc', '/usr/bin/x86_64-linux-gnu-gcc-12', '/usr/bin/x86_64-linux-gnu-gcc-12'],
      ['meshcc', './my-own-gcc', join(fixture.work, './my-own-gcc')],
      ['meshcc', shim, REAL_GCC],
    ] as const;
    for (const [name, compiler] of calls) {
      assert.equal((await fixture.call(name, [compiler, '-c', 'a.c'])).status, 7, compiler);
    }
    const seen = fixture.agent.calls.map((call) => join(call.request.compiler, '.'));
    assert.deepEqual(
      seen,
      calls.map(([, , compiler]) => join(compiler, '.')),
    );
    assert.deepEqual(fixture.agent.calls[0]?.request.args, ['-c', 'a.c']);
    assert.equal(fixture.agent.calls[0]?.request.name, 'gcc');
  });

  test(`${kind}: without a compiler, meshcc is the command line tool or runs what is named`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    writeFileSync(
      join(fixture.root, 'cli.js'),
      'console.log(process.argv.slice(2).join("|")); process.exit(3)',
    );
    const tool = await fixture.call('meshcc', ['status', '--json', 'a b']);
    assert.equal(tool.stdout.toString(), 'status|--json|a b\n');
    assert.equal(tool.status, 3);
    assert.equal((await fixture.call('meshcc', [])).stdout.toString(), '\n');
    const other = await fixture.call('meshcc', ['/bin/echo', 'launched']);
    assert.equal(other.stdout.toString(), 'launched\n');
    assert.equal((await fixture.call('meshcc-shim', ['echo', 'launched'])).stdout.toString(), 'launched\n');
    assert.equal((await fixture.call('meshcc-shim', [])).status, 2);
  });

  test(`${kind}: a compiler that calls the shim again gets the compiler behind itself`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    await fixture.startAgent((call) => call.send(encodeRunLocal('why', '')));
    const cache = fixture.program('cache', 'gcc', '#!/bin/sh\necho cached; exec gcc "$@"\n');
    const env = { PATH: `${fixture.shims}:${cache}:${fixture.env.PATH}` };
    const ended = await fixture.call('gcc', ['-c', 'a.c'], { env });
    assert.equal(ended.status, 0);
    assert.equal(ended.stdout.toString(), 'cached\n');
    assert.deepEqual(fixture.files(), ['a.c', 'a.o']);
    assert.equal(fixture.agent.call.request.compiler, join(cache, 'gcc'));
  });

  test(`${kind}: the guard and MESHCC_DISABLE keep away from the agent`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    await fixture.startAgent((call) => call.send(encodeCommit(7)));
    assert.equal((await fixture.compile({ env: { MESHCC_RECURSION: '1' } })).status, 0);
    const disabled = await fixture.compile({ env: { MESHCC_DISABLE: '1', MESHCC_EXPLAIN: '1' } });
    assert.equal(disabled.stderr.toString(), '[meshcc] gcc a.c: local: disabled: MESHCC_DISABLE is set\n');
    assert.equal((await fixture.compile({ env: { MESHCC_DISABLE: '0' } })).status, 7);
    assert.equal(fixture.agent.calls.length, 1);
  });

  test(`${kind}: a name that no compiler has`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    symlinkSync('meshcc-shim', join(fixture.shims, 'sparc-elf-gcc'));
    const ended = await fixture.call('sparc-elf-gcc', ['-c', 'a.c']);
    assert.equal(ended.status, 127);
    assert.equal(ended.stderr.toString(), 'meshcc: sparc-elf-gcc: no such compiler in PATH\n');
  });

  test(`${kind}: a local compile reads standard input and fails as the compiler does`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    await fixture.startAgent((call) => call.send(encodeRunLocal('stdin-source', '')));
    const args = ['-x', 'c', '-S', '-o', '-', '-'];
    const { env } = fixture;
    const real = await run(REAL_GCC, args, fixture.work, { input: 'int piped;\n', env });
    const through = await fixture.call('gcc', args, { input: 'int piped;\n' });
    assert.match(through.stdout.toString(), /piped/);
    assert.deepEqual(through, real);
    const input = 'int broken\n';
    const realError = await run(REAL_GCC, args, fixture.work, { input, env });
    assert.equal(realError.status, 1);
    assert.deepEqual(await fixture.call('gcc', args, { input }), realError);
  });
}

for (const kind of NATIVE_KINDS) {
  test(`${kind}: a jobserver reaches the real compiler, and no low descriptor is added`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    await fixture.startAgent((call) => call.send(encodeRunLocal('why', '')));
    const script = '#!/bin/sh\nls /proc/self/fd > fds; echo "$MAKEFLAGS" > flags\n';
    const compiler = fixture.program('telling', 'gcc', script);
    writeFileSync(fixture.path('Makefile'), 'a.o: a.c\n\t+gcc -c a.c\nb.o: a.c\n\tgcc -c a.c\n');
    const env = { ...fixture.env, PATH: `${fixture.shims}:${compiler}:/usr/bin:/bin` };
    const low = () =>
      readFileSync(fixture.path('fds'), 'utf8')
        .split('\n')
        .filter((fd) => fd !== '' && Number(fd) < 60);
    for (const target of ['a.o', 'b.o']) {
      const direct = { ...env, PATH: `${compiler}:/usr/bin:/bin` };
      assert.equal((await run('make', ['-j2', target], fixture.work, { env: direct })).status, 0);
      const without = low();
      assert.equal((await run('make', ['-j2', target], fixture.work, { env })).status, 0);
      assert.deepEqual(low(), without, target);
      assert.match(readFileSync(fixture.path('flags'), 'utf8'), /jobserver-auth=/);
    }
    assert.equal(fixture.agent.calls.length, 2);
  });

  test(`${kind}: a closed standard stream is never taken for the socket`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    await fixture.startAgent((call) => call.send(encodeCommit(7)));
    const { status } = await run('/bin/sh', ['-c', 'exec gcc -c a.c <&-'], fixture.work, {
      env: fixture.env,
    });
    assert.equal(status, 0);
    assert.equal(fixture.agent.calls.length, 0);
    assert.deepEqual(fixture.files(), ['a.c', 'a.o']);
  });

  test(`${kind}: the environment of the real compiler is unchanged but for the guard`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    const compiler = fixture.program('telling', 'gcc', '#!/bin/sh\nexec env\n');
    const env = { PATH: `${fixture.shims}:${compiler}:/usr/bin:/bin`, ODD: 'a=b\n', EMPTY: '' };
    const lines = (text: Buffer) => text.toString().split('\n').sort();
    const direct = await run(join(compiler, 'gcc'), ['-c', 'a.c'], fixture.work, {
      env: { ...fixture.env, ...env },
    });
    const through = await fixture.call('gcc', ['-c', 'a.c'], { env });
    const guard = `MESHCC_RECURSION=${join(compiler, 'gcc')}`;
    assert.deepEqual(lines(through.stdout), [...lines(direct.stdout), guard].sort());
  });
}
