/** `meshcc bench` with real agents: nodes are measured by real jobs, and what cannot be measured is named. */
import assert from 'node:assert/strict';
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { BenchResult, NodeResult } from '../../src/benchmark/index.ts';
import { writeFiles } from './support/file-tree.ts';
import { type Ended, runCommand } from './support/run-command.ts';
import { assertRemote } from './support/same-as-plain.ts';
import { TestMesh } from './support/test-mesh.ts';
import { CLI_MAIN } from './support/test-node.ts';
import { untilTrue } from './support/until.ts';

const UNAVAILABLE = 69;
const BAD_CONFIG = 78;
const NOT_PERMITTED = 77;

let mesh: TestMesh;

before(async () => {
  mesh = await TestMesh.start({ boards: ['board1', 'board2'], board: { args: ['--slots', '1'] } });
});
after(() => mesh?.close());

const bench = (...args: string[]): Promise<Ended> => mesh.laptop.cli(['bench', ...args]);

function assertMeasured(node: NodeResult | undefined): void {
  assert.ok(node);
  for (const speed of [node.oneCore, node.allSlots]) {
    assert.ok('value' in speed, JSON.stringify(speed));
    assert.ok(speed.value.linesPerSecond.median > 0);
  }
  assert.ok('value' in node.machine, JSON.stringify(node.machine));
  assert.ok(node.machine.value.clockMhz > 0);
}

test('a node that was chosen is measured by jobs that ran there, and so is this machine', () =>
  mesh.explaining(async () => {
    const { status, stdout, stderr } = await bench('board2', '--short', '--json', '--watts', 'board2=5');
    assert.equal(status, 0, stderr.toString('utf8'));
    const result = JSON.parse(stdout.toString('utf8')) as BenchResult & {
      nodes: { linesPerSecondAndWatt?: number }[];
    };
    assert.deepEqual(
      result.nodes.map(({ name, isHere }) => [name, isHere]),
      [
        ['laptop', true],
        ['board2', false],
      ],
    );
    for (const node of result.nodes) assertMeasured(node);
    assert.equal(result.compiler.name, 'gcc', 'no cross compiler, whatever else is installed');
    assert.ok((result.nodes[1]?.linesPerSecondAndWatt ?? 0) > 0);
    assert.match(stderr.toString('utf8'), /board2, one at a time: run 1, \d+ lines per second/);
    assert.match(mesh.boards[1]?.log ?? '', /session of laptop/);
  }));

test('the last result is shown again, with prices that are said only now', () =>
  mesh.explaining(async () => {
    const { status, stdout, stderr } = await bench('--last', '--price', 'board2=40');
    assert.equal(status, 0, stderr.toString('utf8'));
    const text = stdout.toString('utf8');
    assert.match(text, /^NODE +SLOTS +ONE CORE +ALL SLOTS +PER DOLLAR$/m);
    assert.match(text, /^laptop \(here\) +\d+/m);
    assert.match(text, /^board2 +1 +\d+ +\d+ +\d/m);
  }));

test('wrong names and numbers are said with what is right', () =>
  mesh.explaining(async () => {
    const unknown = await bench('board9', '--short');
    assert.equal(unknown.status, BAD_CONFIG);
    assert.match(unknown.stderr.toString('utf8'), /no node called board9.*board1, board2/);
    const watts = await bench('--watts', 'board1');
    assert.match(watts.stderr.toString('utf8'), /Expected NODE=NUMBER/);
  }));

test('a build that begins meanwhile goes first, and the measurement goes on behind it', () =>
  mesh.explaining(async () => {
    const log = join(mesh.work, 'progress');
    writeFileSync(log, '');
    const command = [process.execPath, CLI_MAIN, 'bench', 'board1', '--short', '--json'];
    const measurement = runCommand(['/bin/sh', '-c', `exec "$@" 2>'${log}'`, 'sh', ...command], {
      cwd: mesh.work,
      env: mesh.laptop.env,
    });
    await untilTrue('the measurement has begun', 60_000, () =>
      /clock and memory/.test(readFileSync(log, 'utf8')),
    );
    writeFiles(mesh.work, { 'unit.c': 'int f(void) { return 1; }\n' });
    const built = await mesh.compile(['-c', 'unit.c'], { cwd: mesh.work });
    assert.equal(built.status, 0);
    assertRemote(built.job);
    const { status, stdout } = await measurement;
    const progress = readFileSync(log, 'utf8');
    assert.equal(status, 0, progress);
    assert.match(progress, /a build is under way here: waiting until it is over/);
    for (const node of (JSON.parse(stdout.toString('utf8')) as BenchResult).nodes) assertMeasured(node);
  }));

test('a machine that belongs to no mesh, or sees no node, says so', () =>
  mesh.explaining(async () => {
    const lonely = await mesh.addNode('lonely');
    const unpaired = await lonely.cli(['bench']);
    assert.equal(unpaired.status, NOT_PERMITTED);
    assert.match(unpaired.stderr.toString('utf8'), /belongs to no mesh yet/);
    const none = await lonely.cli(['bench', '--last']);
    assert.match(none.stderr.toString('utf8'), /nothing has been measured yet/);
    await lonely.ask('POST', '/v1/invite', {});
    const alone = await lonely.cli(['bench']);
    assert.equal(alone.status, UNAVAILABLE);
    assert.match(alone.stderr.toString('utf8'), /no other node is connected.*meshcc nodes/);
    await lonely.stop();
  }));

test('a node with another compiler only is told apart, and nothing is compiled there', () =>
  mesh.explaining(async () => {
    const prefix = join(mesh.root, 'other-compiler');
    const bin = join(prefix, 'bin');
    mkdirSync(bin, { recursive: true });
    copyFileSync(realpathSync('/usr/bin/gcc'), join(bin, 'gcc'));
    // The same program with another content: another compiler, as far as anybody can know.
    appendFileSync(join(bin, 'gcc'), '\0');
    for (const name of ['as', 'objcopy']) symlinkSync(`/usr/bin/${name}`, join(bin, name));
    symlinkSync('/usr/lib', join(prefix, 'lib'));
    const other = await mesh.addNode('other', { env: { PATH: bin } });
    await mesh.pair(other);
    await mesh.connected(3);
    const only = await bench('other', '--short');
    assert.equal(only.status, UNAVAILABLE, only.stderr.toString('utf8'));
    assert.match(only.stderr.toString('utf8'), /none of the 1 nodes has a C compiler of this machine/);
    const both = await bench('board1', 'other', '--short', '--json');
    assert.equal(both.status, 0, both.stderr.toString('utf8'));
    const { nodes } = JSON.parse(both.stdout.toString('utf8')) as BenchResult;
    assertMeasured(nodes.find(({ name }) => name === 'board1'));
    const without = nodes.find(({ name }) => name === 'other');
    assert.ok(without !== undefined && 'notMeasured' in without.allSlots);
    assert.match(without.allSlots.notMeasured, /it does not have this compiler: gcc/);
    assert.ok('value' in without.machine, JSON.stringify(without.machine));
    await other.stop();
  }));
