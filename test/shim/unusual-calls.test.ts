/** Calls at the edges of what a kernel passes on: the C program does for itself what a C library would have done. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PACKAGE_ROOT } from '../../src/base/package-root.ts';
import { encodeCommit, encodeDiscard, encodeRunLocal, encodeStderr } from '../../src/shim/index.ts';
import { Fixture, NATIVE_KINDS, REAL_GCC, run, SHIM_KINDS } from './fixture.ts';

/** Prints how it was called; without `#!`, the kernel does not know what it is. */
const PLAIN_SCRIPT = 'echo "$0" "$@"\n';

/** A program whose arguments are names of variables, and whose output is their values. */
function printenvAsGcc(fixture: Fixture): string {
  const directory = join(fixture.root, 'p'); // no longer than that of the shim
  mkdirSync(directory);
  symlinkSync('/usr/bin/printenv', join(directory, 'gcc'));
  return directory;
}

/** How many connect to a socket's listener or have done so. */
function connections(socketPath: string): number {
  const sockets = readFileSync('/proc/net/unix', 'utf8').split('\n');
  return sockets.filter((line) => line.endsWith(` ${socketPath}`)).length - 1;
}

/** Arguments of some bytes in all; the kernel takes no single one above 128 KiB. */
function padding(sizeBytes: number): string[] {
  const pieces = Array.from({ length: Math.floor(sizeBytes / 100_000) }, () => 'x'.repeat(99_999));
  return [...pieces, 'x'.repeat(sizeBytes % 100_000)];
}

for (const kind of SHIM_KINDS) {
  test(`${kind}: a compiler that only a shell can execute`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    const compiler = fixture.program('plain', 'gcc', PLAIN_SCRIPT);
    const env = { PATH: `${fixture.shims}:${compiler}:${fixture.env.PATH}` };
    for (const args of [[], ['-c', 'a b.c', '']]) {
      const direct = await run(join(compiler, 'gcc'), args, fixture.work, {
        env: { ...fixture.env, ...env },
      });
      assert.match(direct.stdout.toString(), /plain\/gcc/);
      assert.deepEqual(await fixture.call('gcc', args, { env }), direct);
    }
    const launched = await fixture.call('meshcc-shim', [join(compiler, 'gcc'), '-c', 'x'], { env });
    assert.equal(launched.stdout.toString(), `${join(compiler, 'gcc')} -c x\n`);
  });

  test(`${kind}: empty and relative entries of PATH count from the working directory`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    await fixture.startAgent((call) => call.send(encodeCommit(7)));
    mkdirSync(fixture.path('bin'));
    copyFileSync('/bin/true', fixture.path('gcc'));
    copyFileSync('/bin/true', fixture.path('bin/gcc'));
    const paths = [`${fixture.shims}::${fixture.env.PATH}`, `bin:${fixture.env.PATH}`];
    if (kind !== 'node') paths.push(`${fixture.shims}:/missing:`); // the stand-in must find node
    for (const path of paths) {
      assert.equal((await fixture.call('gcc', ['-c', 'a.c'], { env: { PATH: path } })).status, 7, path);
    }
    assert.deepEqual(
      fixture.agent.calls.map((call) => call.request.compiler),
      ['gcc', 'bin/gcc', 'gcc'].slice(0, paths.length).map((name) => fixture.path(name)),
    );
  });

  test(`${kind}: names beyond ASCII`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    const compiler = fixture.program('Übersetzer ☃', 'gcc', '#!/bin/sh\nexit 1\n');
    mkdirSync(fixture.path('größer'));
    await fixture.startAgent((call) =>
      call.send(...fixture.output(0, 'größer/ö.o', Buffer.from('remote')), encodeCommit(0)),
    );
    const env = { ...fixture.env, PATH: `${compiler}:${fixture.env.PATH}` };
    const args = ['-c', 'ö.c', '-o', 'größer/ö.o'];
    assert.equal((await run(join(fixture.shims, 'gcc'), args, fixture.path('größer'), { env })).status, 0);
    const { request } = fixture.agent.call;
    assert.deepEqual(
      [request.compiler, request.cwd, request.args],
      [join(compiler, 'gcc'), fixture.path('größer'), args],
    );
    assert.equal(readFileSync(fixture.path('größer/ö.o'), 'utf8'), 'remote');
  });

  test(`${kind}: a large environment, with names that resemble those that are sent`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    await fixture.startAgent((call) => call.send(encodeCommit(0)));
    const many = Object.fromEntries(
      Array.from({ length: 3_000 }, (_, index) => [`LC_${index}`, 'x'.repeat(50)]),
    );
    const alike = { L: 'l', LAN: 'lan', LANGS: 'langs', tz: 'tz', TZDIR: 'dir', xLANG: 'x' };
    const sent = { CPATH: 'x'.repeat(100_000), LANG: 'C', TZ: '', COLUMNS: 'a=b' };
    const ended = await fixture.compile({ env: { ...many, ...alike, ...sent } });
    assert.deepEqual([ended.status, ended.signal, ended.stderr.toString()], [0, null, '']);
    assert.deepEqual({ ...fixture.agent.call.request.env }, sent);
  });
}

for (const kind of NATIVE_KINDS) {
  test(`${kind}: the longest call that the kernel takes loses the guard, and nothing else`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    const shim = join(fixture.shims, 'gcc');
    const PATH = `${fixture.shims}:${printenvAsGcc(fixture)}`;
    const env = { PATH, MESHCC_DISABLE: '1' };
    const call = (sizeBytes: number) => {
      const args = ['MESHCC_RECURSION', 'MESHCC_DISABLE', ...padding(sizeBytes)];
      return spawnSync(shim, args, { env, cwd: fixture.work });
    };
    const isTooLong = (sizeBytes: number) => {
      const { error } = call(sizeBytes);
      return error !== undefined && 'code' in error && error.code === 'E2BIG';
    };
    let [fits, tooLong] = [0, 8 << 20];
    assert.ok(isTooLong(tooLong));
    while (tooLong - fits > 1) {
      const middle = (fits + tooLong) >> 1;
      if (isTooLong(middle)) tooLong = middle;
      else fits = middle;
    }
    assert.ok(fits > 100_000);
    assert.equal(call(fits).stdout.toString(), '1\n');
    assert.equal(call(fits - 4_096).stdout.toString(), `${join(fixture.root, 'p', 'gcc')}\n1\n`);
  });

  test(`${kind}: closed standard streams`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    await fixture.startAgent((call) => call.send(encodeCommit(7)));
    for (const closed of ['<&-', '>&-', '2>&-', '<&- >&-', '<&- >&- 2>&-']) {
      const compile = (program: string) =>
        run('/bin/sh', ['-c', `exec ${program} -c a.c -o a.o ${closed}`], fixture.work, { env: fixture.env });
      assert.deepEqual(await compile('gcc'), await compile(REAL_GCC), closed);
    }
    assert.equal(fixture.agent.calls.length, 0);
    assert.deepEqual(fixture.files(), ['a.c', 'a.o']);
  });

  test(`${kind}: the shim knows itself under any name`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    await fixture.startAgent((call) => call.send(encodeCommit(7)));
    const shim = join(fixture.shims, 'meshcc-shim');
    const places = ['hard', 'chain', 'far'].map((name) => join(fixture.root, 'deep', name));
    for (const place of places) mkdirSync(place, { recursive: true });
    const [hard = '', chain = '', far = ''] = places;
    linkSync(shim, join(hard, 'gcc'));
    symlinkSync('../far/a', join(chain, 'gcc'));
    symlinkSync(join(far, 'b'), join(far, 'a'));
    symlinkSync('./meshcc-shim', join(far, 'b'));
    copyFileSync(shim, join(far, 'meshcc-shim'));
    const start = async (command: string, ...first: string[]) => {
      const env = { ...fixture.env, PATH: [...first, fixture.env.PATH].join(':') };
      const ended = await run('/bin/bash', ['-c', `${command} -c a.c`], fixture.work, { env });
      assert.equal(ended.status, 7, `${command}: ${ended.stderr}`);
    };
    await start('exec gcc', hard, chain);
    await start(`cd ${hard} && exec ./gcc`, hard, chain);
    await start(`exec -a gcc /proc/self/fd/3 3< ${shim}`, hard, chain);
    await start(`cd ${chain} && exec ./gcc`, chain);
    await start(`exec ${chain}/gcc`, chain, fixture.shims);
    assert.deepEqual(
      fixture.agent.calls.map((call) => call.request.compiler),
      Array.from({ length: 5 }, () => REAL_GCC),
    );
  });

  test(`${kind}: a program that cannot be executed, and one that is missing`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    const denied = fixture.program('denied', 'tool', '');
    for (const name of ['tool', 'echo']) writeFileSync(fixture.path(name), '', { mode: 0o644 });
    mkdirSync(join(denied, 'directory'));
    const cases = [
      ['missing', fixture.env.PATH, 127, 'meshcc: missing: No such file or directory\n'],
      ['directory', `${denied}:/usr/bin`, 126, 'meshcc: directory: Permission denied\n'],
      ['tool', `:/usr/bin`, 126, 'meshcc: tool: Permission denied\n'],
      ['echo', `:/missing:/etc/passwd:${denied}:/usr/bin`, 0, ''],
      ['x'.repeat(256), '/usr/bin', 126, `meshcc: ${'x'.repeat(256)}: File name too long\n`],
      ['', '/usr/bin', 127, 'meshcc: : No such file or directory\n'],
    ] as const;
    for (const [name, PATH, status, text] of cases) {
      const ended = await fixture.call('meshcc-shim', [name], { env: { PATH } });
      assert.deepEqual([ended.status, ended.stderr.toString()], [status, text], name);
    }
    const { PATH: _, ...withoutPath } = fixture.env;
    const ended = await run(join(fixture.shims, 'meshcc-shim'), ['echo', 'found'], fixture.work, {
      env: withoutPath,
    });
    assert.equal(ended.stdout.toString(), 'found\n');
  });

  test(`${kind}: a full backlog is waited for, and not for ever`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    const go = join(fixture.root, 'go');
    const listen = `
      const [, path, go, answer] = process.argv;
      const sleep = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
      const server = require('net').createServer((socket) => socket.on('error', () => {}).end(answer, 'hex'));
      server.listen({ path, backlog: 1 }, () => {
        console.log('ready');
        while (!require('fs').existsSync(go)) sleep(20);
      });`;
    const args = ['-e', listen, fixture.socketPath, go, encodeCommit(7).toString('hex')];
    const agent = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    fixture.beforeRemoval(() => agent.kill('SIGKILL'));
    await new Promise((resolve) => agent.stdout.once('data', resolve));
    const filling = [1, 2].map(() => fixture.compile());
    while (connections(fixture.socketPath) < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    const inVain = await fixture.compile({ env: { MESHCC_EXPLAIN: '1' } });
    assert.match(inVain.stderr.toString(), /local: no-agent: Resource temporarily unavailable\n$/);
    const patient = fixture.compile();
    await new Promise((resolve) => setTimeout(resolve, 100));
    writeFileSync(go, '');
    for (const ended of await Promise.all([...filling, patient])) assert.equal(ended.status, 7);
  });

  test(`${kind}: texts that outgrow what memory is set aside for them`, async (t) => {
    const fixture = await Fixture.make(t, kind);
    const reason = 'y'.repeat(60_000);
    const pieces = Array.from({ length: 500 }, (_, index) => Buffer.from(`${index}: ${'w'.repeat(index)}\n`));
    let answer = [...pieces.map((piece) => encodeStderr(piece)), encodeCommit(0)];
    await fixture.startAgent((call) => call.send(...answer));
    assert.deepEqual((await fixture.compile()).stderr, Buffer.concat(pieces));
    answer = [...pieces.map((piece) => encodeStderr(piece)), encodeDiscard(), encodeRunLocal('why', reason)];
    const ended = await fixture.compile({ env: { MESHCC_EXPLAIN: '1' } });
    assert.equal(ended.stderr.toString(), `[meshcc] gcc a.c: local: why: ${reason}\n`);
  });
}

test('errors are called what the C library calls them', async (t) => {
  const fixture = await Fixture.make(t, 'node');
  const source = fixture.path('texts.c');
  writeFileSync(
    source,
    `#include <errno.h>
    #include <stdio.h>
    #include <string.h>
    #include "${join(PACKAGE_ROOT, 'src/shim/errno-texts.h')}"
    int main(void) {
      int count = 0;
      for (unsigned i = 0; i < sizeof ERRNO_TEXTS / sizeof *ERRNO_TEXTS; i++) {
        if (!ERRNO_TEXTS[i]) continue;
        count++;
        if (strcmp(ERRNO_TEXTS[i], strerror(i))) printf("%u: %s, not %s\\n", i, ERRNO_TEXTS[i], strerror(i));
      }
      return count < 50;
    }`,
  );
  const program = fixture.path('texts');
  assert.equal((await run(REAL_GCC, [source, '-o', program], fixture.work)).status, 0);
  const ended = await run(program, [], fixture.work);
  assert.deepEqual([ended.status, ended.stdout.toString()], [0, '']);
});
