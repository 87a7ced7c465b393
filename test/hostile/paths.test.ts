/** Lies about paths: nothing leads out of the liar's own tree, and what cannot be is refused. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { digestOf } from '../../src/base/digest.ts';
import type { WireEntry } from '../../src/mesh/index.ts';
import { until } from '../mesh/transport-peers.ts';
import { file } from '../worker/raw-submitter.ts';
import { GCC, toolchainOf } from '../worker/real-toolchains.ts';
import { type Cases, openArena, runCases } from './arena.ts';
import { flag, type Liar, outcome, source } from './liar.ts';

const PLAIN = 'int x;\n';

/** Paths that no entry can have. */
const IMPOSSIBLE: Record<string, string> = {
  relative: 'src/a.h',
  empty: '',
  'with dot-dot': '/src/../etc/passwd',
  'with dot-dot at its end': '/src/..',
  'with dot-dot at its beginning': '/../../../etc/passwd',
  'with a dot': '/src/./a.h',
  'with two slashes': '//src',
  'with a slash at its end': '/src/',
  'with a NUL': '/src/a\0.h',
  'with a name of 256 bytes': `/src/${'n'.repeat(256)}`,
  'with a name of 256 bytes in 128 letters': `/src/${'ü'.repeat(128)}`,
  'of 5,000 bytes': `/${'d/'.repeat(2500)}x`,
};

/** Entries that say nothing that can be. */
const SENSELESS: Record<string, Omit<WireEntry, 'id' | 'path'>> = {
  'that says nothing': {},
  'of a link to nowhere': { symlink: { target: '' } },
  'of a link with a NUL': { symlink: { target: '/etc\0/passwd' } },
  'of a file with half a digest': { file: { ...file(PLAIN), sha256: Buffer.alloc(16) } },
  'of a file without a digest': { file: { ...file(PLAIN), sha256: Buffer.alloc(0) } },
};

async function hangsUp(liar: Liar, reason: RegExp): Promise<void> {
  assert.match(await liar.endOfConnection(), reason);
}

const impossiblePaths: Cases = Object.fromEntries(
  Object.entries(IMPOSSIBLE).map(([what, path]) => [
    `an entry with a path ${what}`,
    async (liar) => {
      liar.entry(path, { file: file(PLAIN) });
      await hangsUp(liar, /entry 1: its path/);
    },
  ]),
);

const senselessEntries: Cases = Object.fromEntries(
  Object.entries(SENSELESS).map(([what, node]) => [
    `an entry ${what}`,
    async (liar) => {
      liar.directory(liar.home);
      liar.entry(`${liar.home}/x`, node);
      await hangsUp(liar, /entry 2/);
    },
  ]),
);

const toolchainPlaces: Cases = Object.fromEntries(
  (
    [
      ['the driver', '/usr/bin/x86_64-linux-gnu-gcc-12', { file: file('evil') }],
      ['the driver, by a link', '/usr/bin/gcc', { symlink: { target: '/evil' } }],
      ['a directory above the compiler, by a link', '/usr', { symlink: { target: '/evil' } }],
      ['a directory above the compiler, by a file', '/usr/lib', { file: file('evil') }],
    ] satisfies [string, string, Omit<WireEntry, 'id' | 'path'>][]
  ).map(([what, path, node]) => [
    `an entry in the place of ${what}`,
    async (liar) => {
      // The toolchain is in its tree when a job has run.
      outcome.compiled(await liar.compile(PLAIN));
      const place = path.includes('x86_64') ? driverPath() : path;
      liar.entry(place, node);
      await hangsUp(liar, /belongs to the toolchain/);
    },
  ]),
);

/** The real file behind /usr/bin/gcc, whatever it is called here. */
function driverPath(): string {
  return realDriver;
}
let realDriver = '';

const treeLies: Cases = {
  'a file below a file': async (liar) => {
    const plain = liar.file(`${liar.home}/plain`, 'a file');
    const below = liar.bareFile(`${liar.home}/plain/x.h`, 'x');
    outcome.incomplete(await liar.compile(PLAIN, {}, [...plain, below]), /parent is no directory/);
  },

  'a file below a link that leads out of the tree': async (liar, arena) => {
    liar.directory(liar.home);
    const out = liar.symlink(`${liar.home}/out`, arena.outside);
    const below = liar.bareFile(`${liar.home}/out/victim`, 'evil');
    outcome.incomplete(await liar.compile(PLAIN, {}, [out, below]), /parent is no directory/);
  },

  'a file below nothing': async (liar) => {
    const below = liar.bareFile('/nowhere/at/all.h', 'x');
    outcome.incomplete(await liar.compile(PLAIN, {}, [below]), /parent is no directory/);
  },

  'a directory that becomes a link out of the tree while a file below it is on its way': async (
    liar,
    arena,
  ) => {
    const content = `evil of ${liar.home}`;
    const late = liar.withheld(`${liar.home}/dir/victim`, content);
    const job = liar.jobFor([...liar.file(`${liar.home}/${liar.sourceName}`, PLAIN), ...late]);
    liar.send({ job });
    await until(() => liar.asked.includes(digestOf(content)), 'the worker wants the content');
    const link = liar.symlink(`${liar.home}/dir`, arena.outside);
    const second = liar.compile(PLAIN, {}, [link]);
    const { sha256, sizeBytes } = file(content);
    liar.link.blobs.send({ sha256, sizeBytes, data: Buffer.from(content), last: true });
    // The first job has the directory that it lists, and the link comes when that job has ended.
    await until(() => liar.resultOf(job.jobId) !== undefined, 'the end of the first job');
    outcome.compiled(liar.resultOf(job.jobId)!);
    outcome.compiled(await second);
  },

  'a source that is a link to a file of the worker': async (liar, arena) => {
    const home = liar.directory(liar.home);
    const link = liar.symlink(`${liar.home}/${liar.sourceName}`, arena.secretPath);
    const result = await liar.run(liar.jobFor([...home, link]));
    outcome.incomplete(result, /liar-/);
  },

  'a directory of headers that is a link to /proc/self/root': async (liar) => {
    const link = liar.symlink(`${liar.home}/inc`, '/proc/self/root/etc');
    const result = await liar.compile('#include "inc/passwd"\n', {}, [link]);
    outcome.incomplete(result, /inc\/passwd/);
  },

  'links that lead in a circle': async (liar) => {
    const ids = [liar.symlink(`/${liar.sourceName}-a`, `${liar.sourceName}-b`)];
    ids.push(liar.symlink(`/${liar.sourceName}-b`, `${liar.sourceName}-a`));
    const result = await liar.compile(`#include "/${liar.sourceName}-a/x.h"\n`, {}, ids);
    outcome.failed(result, /Too many levels|No such file/);
  },

  'a directory as the source': async (liar) => {
    const ids = liar.directory(`${liar.home}/${liar.sourceName}`);
    const result = await liar.run(liar.jobFor(ids));
    assert.ok(result.inputIncomplete || result.compiled?.exitStatus !== 0, JSON.stringify(result));
  },

  'two contents of one path in one job': async (liar) => {
    const one = liar.file(`${liar.home}/a.h`, 'int one;\n');
    const two = liar.file(`${liar.home}/a.h`, 'int two;\n');
    outcome.fault(await liar.compile(PLAIN, {}, [...one, ...two]), /not announced/);
    outcome.compiled(await liar.compile('#include "a.h"\nint *p = &two;\n', {}, two));
  },

  'one id for two paths': async (liar) => {
    liar.directory(liar.home);
    const id = liar.freshId();
    const [a, b] = [`${liar.home}/a.h`, `${liar.home}/b.h`];
    liar.file('/kept-for-delivery', 'int shared;\n');
    for (const path of [a, b])
      liar.send({ entries: { entries: [{ id, path, file: file('int shared;\n') }] } });
    const result = await liar.compile('#include "a.h"\n#include "b.h"\n', {}, [id]);
    outcome.incomplete(result, /a\.h/);
  },

  'a path that is a file and a directory in turn': async (liar) => {
    for (let round = 0; round < 5; round++) {
      const path = `${liar.home}/both`;
      const asFile = [...liar.directory(liar.home), liar.bareFile(path, `int both${round};\n`)];
      outcome.compiled(await liar.compile('#include "both"\n', {}, asFile));
      const asDirectory = [liar.entry(path, { directory: {} })];
      outcome.compiled(
        await liar.compile('#if __has_include("both/x")\n#error\n#endif\nint x;\n', {}, asDirectory),
      );
    }
  },

  'an input that was never announced': async (liar) => {
    outcome.fault(await liar.compile(PLAIN, {}, [4_000_000]), /entry 4000000, which is not announced/);
  },

  'a list of inputs that is damaged': async (liar) => {
    outcome.refused(await liar.compile(PLAIN, { inputs: Buffer.from([0x80]) }), /inputs is damaged/);
    outcome.refused(await liar.compile(PLAIN, { inputs: Buffer.alloc(64, 0xff) }), /inputs is damaged/);
  },

  'a list of three million inputs': async (liar) => {
    const inputs = Buffer.alloc(3_000_000, 1);
    outcome.fault(await liar.compile(PLAIN, { inputs }), /not announced/);
  },

  'the removal of the toolchain, and of paths that cannot be': async (liar) => {
    outcome.compiled(await liar.compile(PLAIN));
    liar.send({
      removed: { paths: ['/usr', '/usr/bin/gcc', '/usr/lib', '', '..', '/../..', '/etc/passwd'] },
    });
    outcome.compiled(await liar.compile(PLAIN));
  },

  'the removal of everything, a thousand times': async (liar) => {
    const old = liar.file(`${liar.home}/${liar.sourceName}`, PLAIN);
    outcome.compiled(await liar.run(liar.jobFor(old)));
    for (let round = 0; round < 1_000; round++) liar.send({ removed: { paths: ['/'] } });
    outcome.fault(await liar.run(liar.jobFor(old)), /not announced/);
    liar.forget();
    outcome.compiled(await liar.compile(PLAIN));
  },

  'the removal of one directory, ten thousand times': async (liar) => {
    const ids: number[] = [];
    for (let index = 0; index < 2_000; index++) ids.push(...liar.directory(`${liar.home}/many/${index}`));
    outcome.compiled(await liar.compile(PLAIN, {}, ids));
    const paths = [`${liar.home}/many`];
    for (let round = 0; round < 10_000; round++) liar.send({ removed: { paths } });
    outcome.compiled(await liar.compile(PLAIN));
  },

  'directories a thousand deep': async (liar) => {
    const ids = liar.directory(`${liar.home}${'/d'.repeat(1000)}`);
    outcome.compiled(await liar.compile(PLAIN, {}, ids));
  },

  'names that end lines and colour terminals': async (liar) => {
    const ids = liar.file(`${liar.home}/a\n\u001b[31m b\\'.h`, 'int x;\n');
    outcome.compiled(await liar.compile('int y;\n', {}, ids));
  },

  'a working directory that is relative, climbs, or is not there': async (liar) => {
    const wrong = { relative: 'x', climbing: `${liar.home}/../etc`, NUL: '/x\0y' };
    for (const workingDirectory of Object.values(wrong))
      outcome.refused(await liar.compile(PLAIN, { workingDirectory }), /working directory/);
    for (const workingDirectory of ['/nowhere', '/proc', '/root'])
      outcome.fault(await liar.compile(PLAIN, { workingDirectory }), /setup-failed/);
  },

  'another submitter’s directory': async (liar, arena) => {
    const { directory } = arena.honest.submitter.tree;
    const text = `#include "${directory}/inc/shared.h"\nint x = SHARED(1);\n`;
    outcome.incomplete(await liar.compile(text), /shared\.h/);
    outcome.fault(await liar.compile(PLAIN, { workingDirectory: directory }), /setup-failed/);
  },

  'the worker’s own directories: its keys, its store, the trees': async (liar, arena) => {
    const [session = ''] = arena.sessions;
    for (const path of [
      `${arena.worker.home}/state/node-key.pem`,
      `${arena.worker.home}/cache/sessions/${session}/tree/usr/bin/gcc`,
      arena.secretPath,
    ]) {
      outcome.incomplete(await liar.compile(`#include "${path}"\n`), /mc-hostile/);
      const embedded = await liar.compile(`__asm__(".incbin \\"${path}\\"");\n`);
      outcome.failed(embedded, /No such file|file not found/);
    }
  },
};

const manifest: Cases = {
  'a manifest of ten million entries': async (liar, arena) => {
    const batch = 1_000;
    let sent = 0;
    const status = (): number =>
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${arena.worker.pid}/status`, 'utf8'))?.[1]) / 1024;
    const beforeMib = status();
    while (liar.hungUp === undefined && sent < 10_000_000) {
      const entries = Array.from({ length: batch }, () => ({
        id: liar.freshId(),
        path: `${liar.home}/${'n'.repeat(30)}-${sent++}`,
        directory: {},
      }));
      await liar.link.work.sendWhenReady({ entries: { entries } });
    }
    assert.match(await liar.endOfConnection(), /the dictionary takes \d+ bytes/);
    assert.ok(sent < 10_000_000);
    assert.ok(status() - beforeMib < 1_024, `the agent has grown by ${status() - beforeMib} MiB`);
  },
};

test('a liar about paths', async (t) => {
  const arena = await openArena(t);
  realDriver = (await toolchainOf(GCC)).driverPath;
  for (const cases of [impossiblePaths, senselessEntries, toolchainPlaces, treeLies, manifest])
    await runCases(t, arena, cases);
  // What is accepted must work, or the refusals above would prove nothing.
  await t.test('an honest job of the same member', () =>
    arena.attack(async (liar) => {
      outcome.compiled(await liar.compile(PLAIN, { arguments: [flag('-c'), source(liar.sourceName)] }));
    }),
  );
});
