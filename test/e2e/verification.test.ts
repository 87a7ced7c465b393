/** A broken board among good ones, as a user meets it: real agents, real builds, and what the commands say. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { NodeView } from '../../src/agent/index.ts';
import type { Ended } from './support/run-command.ts';
import { TestMesh } from './support/test-mesh.ts';
import type { TestNode } from './support/test-node.ts';

const UNITS = 16;
const BROKEN = new URL('./support/broken-board.js', import.meta.url).href;

let mesh: TestMesh;
let broken: TestNode;
let directory: string;

before(async () => {
  mesh = await TestMesh.start();
  broken = await mesh.addNode('broken', { env: { NODE_OPTIONS: `--import=${BROKEN}` } });
  await mesh.pair(broken);
  await mesh.connected(2);
  directory = join(mesh.work, 'project');
  mkdirSync(directory);
  for (const name of names()) {
    writeFileSync(
      join(directory, `${name}.c`),
      `#include <stdio.h>\nint ${name}(int n) { return printf("%d %s", n, __FILE__); }\n`,
    );
  }
  writeFileSync(
    join(directory, 'Makefile'),
    `all: ${names()
      .map((name) => `${name}.o`)
      .join(' ')}\n%.o: %.c\n\tgcc -O2 -g -MD -c $< -o $@\nclean:\n\trm -f *.o *.d\n`,
  );
});
after(() => mesh?.close());

function names(): string[] {
  return Array.from({ length: UNITS }, (_, index) => `unit${index}`);
}

function outputs(): Map<string, Buffer> {
  const files = readdirSync(directory).filter((name) => /\.[od]$/.test(name));
  return new Map(files.sort().map((name) => [name, readFileSync(join(directory, name))]));
}

async function build(): Promise<Ended> {
  await mesh.plain(['make', 'clean'], { cwd: directory });
  const ended = await mesh.laptop.cli(['run', '--', 'make', '-j8'], { cwd: directory });
  assert.equal(ended.status, 0, ended.stderr.toString());
  return ended;
}

async function nodeNamed(name: string): Promise<NodeView | undefined> {
  return (await mesh.laptop.nodes()).find((node) => node.name === name);
}

test('no object of a broken board is ever seen, and the user is told of it everywhere', () =>
  mesh.explaining(async () => {
    await mesh.plain(['make', '-j2'], { cwd: directory });
    const expected = outputs();
    assert.equal(expected.size, 2 * UNITS);
    const first = await build();
    assert.deepEqual(outputs(), expected);
    const told = first.stderr.toString();
    assert.match(told, /compiled twice and compared, of which 1 DIFFERED/);
    assert.match(told, /!! WRONG RESULT: broken compiled .*\/unit\d+\.c wrongly/);

    const status = await mesh.laptop.status();
    const [found, ...others] = status.quarantine;
    assert.ok(found !== undefined && others.length === 0);
    assert.equal(found.nodeName, 'broken');
    const own = status.compilers.find(({ id }) => id === found.toolchainId);
    assert.ok(own);
    assert.ok(own.names.includes('/usr/bin/gcc'));
    assert.equal(found.compiler, own.names[0]);
    assert.equal(
      status.jobs.nodes.find(({ name }) => name === 'broken'),
      undefined,
    );
    assert.ok(readdirSync(found.evidence).includes('report.json'));
    assert.match(
      (await mesh.laptop.cli(['status'])).stdout.toString(),
      /^QUARANTINE broken: \/usr\/bin\/\S+ compiled /m,
    );
    assert.match(
      (await mesh.laptop.cli(['nodes'])).stdout.toString(),
      /^broken .*in quarantine: \/usr\/bin\//m,
    );
    assert.deepEqual((await nodeNamed('broken'))?.quarantined, [found]);
    assert.deepEqual((await nodeNamed('board1'))?.quarantined, []);

    // The other board does the work, without further comparisons of the broken one.
    const second = await build();
    assert.deepEqual(outputs(), expected);
    assert.match(second.stderr.toString(), new RegExp(`${UNITS} compiled on other nodes, 0 calls here`));
    assert.doesNotMatch(second.stderr.toString(), /DIFFERED/);
  }));

test('a node is taken back by a command, and found out again', () =>
  mesh.explaining(async () => {
    const wrong = await mesh.laptop.cli(['nodes', '--release', 'board1']);
    assert.equal(wrong.status, 78);
    assert.match(wrong.stderr.toString(), /no compiler of a node "board1" is in quarantine/);
    const released = await mesh.laptop.cli(['nodes', '--release', 'broken']);
    assert.match(
      released.stdout.toString(),
      /^broken: \/usr\/bin\/\S+ is used again, on probation at first\n$/,
    );
    assert.deepEqual((await mesh.laptop.status()).quarantine, []);
    await build();
    assert.equal((await mesh.laptop.status()).quarantine.length, 1);
  }));
