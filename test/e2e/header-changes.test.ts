/** Files that change between and during compiles: what is compiled is always what is there now. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { agentPaths } from '../../src/base/paths.ts';
import { FRESHNESS_LIMITS } from '../../src/include-scan/freshness-limits.ts';
import { encodeRequest, type ShimFrame, ShimFrameDecoder } from '../../src/shim/index.ts';
import { writeFiles } from './support/file-tree.ts';
import { assertRemote, assertSameAsPlain } from './support/same-as-plain.ts';
import { BELIEVING, TestMesh } from './support/test-mesh.ts';
import { pause } from './support/until.ts';

let mesh: TestMesh;
let directories = 0;

before(async () => {
  mesh = await TestMesh.start({ boards: ['board1', 'board2'], laptop: { args: BELIEVING } });
});
after(() => mesh?.close());

function place(files: Readonly<Record<string, string>>): string {
  const directory = join(mesh.work, `case-${++directories}`);
  mkdirSync(directory);
  writeFiles(directory, files);
  return directory;
}

/** The object that the mesh makes of unit.c. */
async function objectOf(directory: string, ...options: string[]): Promise<Buffer> {
  const { status, job } = await mesh.compile([...options, '-c', 'unit.c', '-o', 'mesh.o'], {
    cwd: directory,
  });
  assert.equal(status, 0);
  assertRemote(job);
  return readFileSync(join(directory, 'mesh.o'));
}

/** The object that the compiler makes by itself. */
async function plainObjectOf(directory: string, ...options: string[]): Promise<Buffer> {
  const argv = ['gcc', ...options, '-c', 'unit.c', '-o', 'plain.o'];
  assert.equal((await mesh.plain(argv, { cwd: directory })).status, 0);
  return readFileSync(join(directory, 'plain.o'));
}

const UNIT = '#include "value.h"\nint value = VALUE;\n';

test('a header that is rewritten at once, with the same size, again and again', () =>
  mesh.explaining(async () => {
    const directory = place({ 'unit.c': UNIT });
    const header = join(directory, 'value.h');
    for (let round = 10; round < 22; round++) {
      writeFileSync(header, `#define VALUE ${round}\n`);
      const object = await objectOf(directory);
      assert.ok(object.equals(await plainObjectOf(directory)), `round ${round}`);
    }
  }));

test('a source that is rewritten at once, with the same size', () =>
  mesh.explaining(async () => {
    const directory = place({ 'value.h': '#define VALUE 0\n' });
    for (let round = 10; round < 16; round++) {
      writeFileSync(join(directory, 'unit.c'), `#include "value.h"\nint value = ${round};\n`);
      const object = await objectOf(directory);
      assert.ok(object.equals(await plainObjectOf(directory)), `round ${round}`);
    }
  }));

test('a header that changes, but neither in size nor in modification time', () =>
  mesh.explaining(async () => {
    const directory = place({ 'unit.c': UNIT, 'value.h': '#define VALUE 1\n' });
    const header = join(directory, 'value.h');
    const longAgo = new Date('2020-01-01T00:00:00Z');
    utimesSync(header, longAgo, longAgo);
    const first = await objectOf(directory);
    writeFileSync(header, '#define VALUE 2\n');
    utimesSync(header, longAgo, longAgo);
    const second = await objectOf(directory);
    assert.ok(!second.equals(first), 'the old header was compiled');
    assert.ok(second.equals(await plainObjectOf(directory)));
  }));

test('a header that is replaced by a rename, with an older time', () =>
  mesh.explaining(async () => {
    const directory = place({
      'unit.c': UNIT,
      'value.h': '#define VALUE 1\n',
      'next.h': '#define VALUE 2\n',
    });
    const first = await objectOf(directory);
    utimesSync(join(directory, 'next.h'), 1_000_000_000, 1_000_000_000);
    renameSync(join(directory, 'next.h'), join(directory, 'value.h'));
    const second = await objectOf(directory);
    assert.ok(!second.equals(first), 'the old header was compiled');
    assert.ok(second.equals(await plainObjectOf(directory)));
  }));

/** Writes one byte of a file through a memory mapping, which no directory watch reports. */
const MAPPED_WRITE = `#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
int main(int argc, char **argv) {
  int file = open(argv[1], O_RDWR);
  char *bytes = mmap(0, 16, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (argc != 3 || bytes == MAP_FAILED) return 1;
  bytes[14] = argv[2][0];
  return munmap(bytes, 16) || close(file);
}
`;

test('a header that is written through a memory mapping', () =>
  mesh.explaining(async () => {
    const directory = place({ 'unit.c': UNIT, 'value.h': '#define VALUE 1\n', 'poke.c': MAPPED_WRITE });
    assert.equal((await mesh.plain(['gcc', 'poke.c', '-o', 'poke'], { cwd: directory })).status, 0);
    const first = await objectOf(directory);
    assert.equal((await mesh.plain(['./poke', 'value.h', '2'], { cwd: directory })).status, 0);
    assert.equal(readFileSync(join(directory, 'value.h'), 'utf8'), '#define VALUE 2\n');
    const second = await objectOf(directory);
    assert.ok(!second.equals(first), 'the old header was compiled');
    assert.ok(second.equals(await plainObjectOf(directory)));
  }));

test('a header that is deleted, and comes back', () =>
  mesh.explaining(async () => {
    const directory = place({ 'unit.c': UNIT, 'value.h': '#define VALUE 1\n' });
    const args = ['-MMD', '-c', 'unit.c', '-o', 'unit.o'];
    assertRemote((await assertSameAsPlain(mesh, { args, directory })).job);
    rmSync(join(directory, 'value.h'));
    const { ended } = await assertSameAsPlain(mesh, { args, directory });
    assert.equal(ended.status, 1);
    writeFiles(directory, { 'value.h': '#define VALUE 3\n' });
    assertRemote((await assertSameAsPlain(mesh, { args, directory })).job);
  }));

test('a header that appears earlier in the search path, and goes again', () =>
  mesh.explaining(async () => {
    const directory = place({
      'unit.c': '#include <value.h>\nint value = VALUE;\n',
      'late/value.h': '#define VALUE 1\n',
    });
    // The first directory does not even exist yet.
    const args = ['-Iearly', '-Ilate', '-MD', '-c', 'unit.c', '-o', 'unit.o'];
    const late = await assertSameAsPlain(mesh, { args, directory });
    writeFiles(directory, { 'early/value.h': '#define VALUE 2\n' });
    const early = await assertSameAsPlain(mesh, { args, directory });
    rmSync(join(directory, 'early/value.h'));
    // The worker notices that its view is out of date; at the latest when it has been told, it is used again.
    let lateAgain = await assertSameAsPlain(mesh, { args, directory });
    for (let more = 0; more < 3; more++) lateAgain = await assertSameAsPlain(mesh, { args, directory });
    for (const { job } of [late, early, lateAgain]) assertRemote(job);
    const depfile = (result: typeof late): string | undefined =>
      result.outputs.get('unit.d')?.content.toString();
    assert.match(depfile(early) ?? '', /early\/value\.h/);
    assert.doesNotMatch(depfile(lateAgain) ?? '', /early\/value\.h/);
  }));

test('a file that only __has_include asks for appears and goes', () =>
  mesh.explaining(async () => {
    const directory = place({
      'unit.c': '#if __has_include("config.h")\nint configured;\n#endif\nint done;\n',
    });
    const args = ['-MMD', '-c', 'unit.c', '-o', 'unit.o'];
    const sizes: number[] = [];
    for (const isThere of [false, true, false, true]) {
      if (isThere) writeFiles(directory, { 'config.h': '' });
      else rmSync(join(directory, 'config.h'), { force: true });
      const { job, outputs } = await assertSameAsPlain(mesh, { args, directory });
      assertRemote(job);
      sizes.push(outputs.get('unit.o')?.content.length ?? 0);
    }
    assert.notEqual(sizes[0], sizes[1]);
    assert.deepEqual(sizes.slice(0, 2), sizes.slice(2));
  }));

test('a directory of headers that becomes a link to another, and a file that becomes a directory', () =>
  mesh.explaining(async () => {
    const directory = place({
      'unit.c': '#include "current/value.h"\nint value = VALUE;\n',
      'current/value.h': '#define VALUE 1\n',
      'second/value.h': '#define VALUE 2\n',
      'third/value.h': '#define VALUE 3\n',
    });
    const current = join(directory, 'current');
    const args = ['-g', '-MMD', '-c', 'unit.c', '-o', 'unit.o'];
    assertRemote((await assertSameAsPlain(mesh, { args, directory })).job);
    rmSync(current, { recursive: true });
    for (const target of ['second', 'third']) {
      rmSync(current, { force: true });
      symlinkSync(target, current);
      assertRemote((await assertSameAsPlain(mesh, { args, directory })).job);
    }
    rmSync(current);
    writeFileSync(current, 'a file now\n');
    assert.equal((await assertSameAsPlain(mesh, { args, directory })).ended.status, 1);
    rmSync(current);
    writeFiles(directory, { 'current/value.h': '#define VALUE 4\n' });
    assertRemote((await assertSameAsPlain(mesh, { args, directory })).job);
  }));

/** Takes the compiler about 0.2 s after it has read its headers. */
const BUSY_UNIT = `#include "value.h"
constexpr unsigned spin(unsigned seed) {
  unsigned x = seed;
  for (unsigned i = 0; i < 2000; i++) x = x * 1664525u + i;
  return x;
}
constexpr unsigned spins(unsigned seed) {
  unsigned sum = 0;
  for (unsigned i = 0; i < 150; i++) sum ^= spin(seed * 100 + i);
  return sum;
}
extern const int value = VALUE;
extern constexpr unsigned busy = spins(1);
`;

test('a header changes while twenty compiles that read it are under way', () =>
  mesh.explaining(async () => {
    const directory = place({ 'unit.cpp': BUSY_UNIT, 'value.h': '#define VALUE 1\n' });
    const header = join(directory, 'value.h');
    const compile = (name: string): ReturnType<TestMesh['compile']> =>
      mesh.compile(['-c', 'unit.cpp', '-o', name], { cwd: directory, compiler: 'g++' });
    const plain = async (name: string): Promise<Buffer> => {
      assert.equal((await mesh.plain(['g++', '-c', 'unit.cpp', '-o', name], { cwd: directory })).status, 0);
      return readFileSync(join(directory, name));
    };
    const oldObject = await plain('old.o');
    const early = Array.from({ length: 12 }, (_, index) => compile(`early${index}.o`));
    await Promise.race(early);
    writeFileSync(header, '#define VALUE 2\n');
    const late = Array.from({ length: 8 }, (_, index) => compile(`late${index}.o`));
    const runs = await Promise.all([...early, ...late]);
    const newObject = await plain('new.o');
    assert.ok(!oldObject.equals(newObject));
    for (const run of runs) assert.equal(run.status, 0, run.stderr.toString('utf8'));
    for (const index of early.keys()) {
      const object = readFileSync(join(directory, `early${index}.o`));
      assert.ok(
        object.equals(oldObject) || object.equals(newObject),
        `early${index}.o is neither old nor new`,
      );
    }
    for (const index of late.keys()) {
      const object = readFileSync(join(directory, `late${index}.o`));
      assert.ok(object.equals(newObject), `late${index}.o is not what the header says now`);
    }
    assert.ok(
      runs.filter(({ job }) => job.place.kind === 'remote').length >= 16,
      'most were compiled remotely',
    );
  }));

test('a file that assembler text embeds, hidden from any scan, after it was shipped as a header', () =>
  mesh.explaining(async () => {
    const hidden = '#define DATA(op, f) __asm__(#op " " #f);\nDATA(.incbin, "value.h")\n';
    const pasted = '__asm__(".inc" "bin \\"value.h\\"");\n';
    for (const [name, text] of Object.entries({ hidden, pasted })) {
      const directory = place({ 'unit.c': UNIT, 'value.h': '#define VALUE 10\n' });
      // Both boards get it.
      for (let round = 0; round < 4; round++) await objectOf(directory);
      writeFiles(directory, { 'unit.c': text, 'value.h': '#define VALUE 20\n' });
      const { status } = await mesh.compile(['-c', 'unit.c', '-o', 'mesh.o'], { cwd: directory });
      assert.equal(status, 0);
      const object = readFileSync(join(directory, 'mesh.o'));
      assert.ok(object.equals(await plainObjectOf(directory)), name);
    }
  }));

test('a date whose macro only comes about by pasting', () =>
  mesh.explaining(async () => {
    const directory = place({ 'unit.c': '#define CAT(x, y) x##y\nconst char *date = CAT(__DA, TE__);\n' });
    const { status, job } = await mesh.compile(['-c', 'unit.c', '-o', 'mesh.o'], { cwd: directory });
    assert.equal(status, 0);
    assert.equal(job?.place.kind, 'local');
  }));

/** What the agent answers to a shim that is held up between its connection and its request, up to the last frame. */
async function answerToLateRequest(directory: string, meanwhile: () => void): Promise<ShimFrame[]> {
  const socket = connect(agentPaths(mesh.laptop.env).shimSocket);
  const decoder = new ShimFrameDecoder();
  const frames: ShimFrame[] = [];
  await new Promise<void>((resolve) => socket.once('connect', () => setTimeout(resolve, 50)));
  meanwhile();
  socket.write(
    encodeRequest({
      compiler: '/usr/bin/gcc',
      name: 'gcc',
      cwd: directory,
      args: ['-c', 'unit.c', '-o', 'mesh.o'],
      env: {},
      umask: 0o022,
      pid: process.pid,
      stdoutIsTerminal: false,
      stdinIsTerminal: false,
      stderrIsTerminal: false,
      columns: 0,
      rows: 0,
    }),
  );
  try {
    for await (const piece of socket) {
      frames.push(...decoder.push(piece));
      if (['COMMIT', 'RUN_LOCAL'].includes(frames.at(-1)?.name ?? '')) return frames;
    }
    throw new Error('the agent hung up');
  } finally {
    socket.destroy();
  }
}

test('a header that changes while a shim is held up between its connection and its request', () =>
  mesh.explaining(async () => {
    const directory = place({ 'unit.c': UNIT, 'value.h': '#define VALUE 1\n' });
    const header = join(directory, 'value.h');
    // Until its last change has been a while ago, a header is looked at again for each unit.
    await pause(FRESHNESS_LIMITS.racyWindowMs + 500);
    await objectOf(directory);
    const frames = await answerToLateRequest(directory, () => writeFileSync(header, '#define VALUE 2\n'));
    assert.equal(frames.at(-1)?.name, 'COMMIT');
    const pieces = frames
      .filter(({ name }) => name === 'OUTPUT_DATA')
      .map(({ payload }) => payload.subarray(4));
    assert.ok(Buffer.concat(pieces).equals(await plainObjectOf(directory)), 'the old header was compiled');
  }));
