/**
 * A laptop whose compiler was built for another host architecture than the board's: real compilers of both, by what
 * Debian ships. Used only with the owner's permission, only for what can be compared, and not for long if it is wrong.
 */
import assert from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { NodeView, ToolchainCell, ToolchainsView } from '../../src/agent/index.ts';
import { agentPaths } from '../../src/base/paths.ts';
import { foreignCompiler, nativeTwin, preparedFingerprints } from '../support/foreign-compiler.ts';
import { type MeshRun, TestMesh } from './support/test-mesh.ts';
import type { TestNode } from './support/test-node.ts';
import { until } from './support/until.ts';

const TARGET = 'aarch64-linux-gnu';
const found = foreignCompiler(TARGET);
const compilerPath = 'path' in found ? found.path : '';
const skip = 'missing' in found ? found.missing : false;
const COMPILER = basename(compilerPath);
const BROKEN = new URL('./support/broken-board.js', import.meta.url).href;
const COMPARING_LIMIT_MS = 300_000;
/** Another one than for compilers of equal content. */
const PROBATION = 5;

const UNIT = `#include <stddef.h>
#include <stdio.h>
#include "own.h"
static inline double scaled(double x) { return x * 0.1 + SCALE; }
int NAME(const char *text, size_t length, double x) {
  int unused = 0;
  char copy[64];
  for (size_t at = 0; at < length && at < sizeof copy; at++) copy[at] = text[at] ^ 0x55;
  return printf("%s:%d %f %c", __FILE__, __LINE__, scaled(x), copy[0]);
}
`;

let paths: string;
let mesh: TestMesh;

/** A PATH with that one cross compiler, and what an agent needs itself. */
function pathWith(name: string, compiler: string): string {
  const directory = join(paths, name);
  mkdirSync(directory);
  symlinkSync(compiler, join(directory, COMPILER));
  for (const tool of ['gcc', 'as', 'ld', 'objcopy', 'sh'])
    symlinkSync(`/usr/bin/${tool}`, join(directory, tool));
  return directory;
}

async function addBoard(name: string, env: NodeJS.ProcessEnv = {}): Promise<void> {
  const options = { args: ['--compare-hosts'], env: { PATH: pathWith(name, nativeTwin(TARGET)), ...env } };
  const board = await mesh.addNode(name, options);
  giveFingerprints(board);
  await mesh.pair(board);
}

/** As if the node had taken them before; it takes those that are not there. */
function giveFingerprints({ env }: TestNode): void {
  const prepared = preparedFingerprints();
  if (!existsSync(prepared)) return;
  cpSync(prepared, join(agentPaths(env).cacheDirectory, 'fingerprints'), { recursive: true });
}

/** One unit through the shim: the same bytes and the same words as without. */
async function compileUnit(name: string, options: readonly string[] = []): Promise<MeshRun['jobs'][number]> {
  writeFileSync(join(mesh.work, `${name}.c`), UNIT.replace('NAME', name));
  const args = ['-O2', '-g', '-Wall', '-MMD', ...options, '-c', `${name}.c`, '-o', `${name}.o`];
  const { job, status, stderr } = await mesh.compile(args, { compiler: COMPILER });
  assert.equal(status, 0, stderr.toString());
  assert.match(stderr.toString(), /unused variable/);
  const outputs = [`${name}.o`, `${name}.d`].map((path) => join(mesh.work, path));
  const made = outputs.map((path) => readFileSync(path));
  const plain = await mesh.plain([compilerPath, ...args]);
  assert.equal(stderr.toString(), plain.stderr.toString());
  for (const [at, path] of outputs.entries()) assert.ok(made[at]?.equals(readFileSync(path)), path);
  return job;
}

async function cellOf(node: string): Promise<ToolchainCell> {
  const view = await mesh.laptop.ask<ToolchainsView>('GET', '/v1/toolchains');
  const row = view.compilers.find(
    ({ names, scope }) => scope === 'c' && basename(names[0] ?? '') === COMPILER,
  );
  const cell = row?.cells[view.nodes.findIndex(({ name }) => name === node)];
  assert.ok(cell, JSON.stringify(view));
  return cell;
}

async function nodeNamed(name: string): Promise<NodeView | undefined> {
  return (await mesh.laptop.nodes()).find((node) => node.name === name);
}

function untilUsed(node: string): Promise<ToolchainCell> {
  return until(`${node} is used`, COMPARING_LIMIT_MS, async () => {
    const cell = await cellOf(node);
    const isFinal = cell.used || /It is not used|They do not|cannot be told/.test(cell.why);
    if (isFinal) assert.ok(cell.used, cell.why);
    return cell.used ? cell : undefined;
  });
}

function nodeOf({ place }: MeshRun['jobs'][number]): string {
  return place.kind === 'remote' ? place.nodeName : `here: ${place.reason} (${place.detail})`;
}

describe('a compiler that was built for another host', { skip }, () => {
  before(async () => {
    paths = mkdtempSync('/tmp/mc-e2e-paths-');
    const env = {
      PATH: `${pathWith('laptop', compilerPath)}:/usr/bin:/bin`,
      MESHCC_VERIFY_FOREIGN_PROBATION: String(PROBATION),
      MESHCC_VERIFY_FOREIGN_RATE: '0',
    };
    mesh = await TestMesh.start({ boards: [], laptop: { env } });
    writeFileSync(join(mesh.work, 'own.h'), '#define SCALE 0.7\n');
    giveFingerprints(mesh.laptop);
    await addBoard('board');
    await mesh.connected(1);
  });
  after(async () => {
    await mesh?.close();
    rmSync(paths, { recursive: true, force: true });
  });

  test('is not used without permission, and the reason tells how to give it', () =>
    mesh.explaining(async () => {
      const { place } = await compileUnit('alone');
      assert.ok(place.kind === 'local');
      assert.equal(place.reason, 'no-matching-toolchain');
      assert.match(place.detail, /runs on x86_64 there and on i386 here/);
      assert.match(place.detail, /`meshcc agent --foreign-hosts` here, `--compare-hosts` on board/);
    }));

  test('is used with permission, and makes the same bytes', () =>
    mesh.explaining(async () => {
      mesh.laptop.env.MESHCC_FOREIGN_HOSTS = '1';
      await mesh.laptop.stop();
      await mesh.laptop.start();
      await mesh.connected(1);
      const cell = await untilUsed('board');
      assert.equal(cell.verdict, 'other host');
      assert.match(
        cell.why,
        /They make the same code as far as \d{3} comparisons tell, but for \d of kinds .*It is used$/,
      );
      for (let at = 0; at < PROBATION + 2; at++)
        assert.equal(nodeOf(await compileUnit(`unit${at}`)), 'board');
      const { jobs } = await mesh.laptop.status();
      assert.deepEqual([jobs.verification.agreed, jobs.verification.wrong], [PROBATION, 0]);
      assert.match((await mesh.laptop.cli(['toolchains'])).stdout.toString(), / same code, used$/m);
      assert.match(
        (await mesh.laptop.cli(['status'])).stdout.toString(),
        /^host {6}board runs \S+ \(c\) on x86_64, used: /m,
      );
      assert.match((await nodeNamed('board'))?.detail ?? '', /^for another host: \S+/);
    }));

  test('gets no call whose output depends on the host, or cannot be compared', () =>
    mesh.explaining(async () => {
      assert.match(
        nodeOf(await compileUnit('lto', ['-flto', '-ffat-lto-objects', '-frandom-seed=lto'])),
        /^here: bound-to-host \(board: link-time optimisation /,
      );
      assert.match(
        nodeOf(await compileUnit('split', ['-gsplit-dwarf'])),
        /^here: bound-to-host \(board: no second/,
      );
    }));

  test('does not read what a node shows of its own in the place of a file here', () =>
    mesh.explaining(async () => {
      const loader = realpathSync('/lib64/ld-linux-x86-64.so.2');
      writeFileSync(join(mesh.work, 'embed.c'), `__asm__(".incbin \\"${loader}\\"");\n`);
      const { job, status } = await mesh.compile(['-c', 'embed.c'], { compiler: COMPILER });
      assert.equal(status, 0);
      assert.equal(nodeOf(job), `here: compiler-file (${loader})`);
      assert.equal(nodeOf(await compileUnit('after')), 'board');
    }));

  test('is in quarantine as soon as it makes something else', () =>
    mesh.explaining(async () => {
      await addBoard('broken', { NODE_OPTIONS: `--import=${BROKEN}` });
      await mesh.connected(2);
      await untilUsed('broken');
      for (let at = 0; at < 20 && (await mesh.laptop.status()).quarantine.length === 0; at++)
        await Promise.all([0, 1, 2, 3].map((n) => compileUnit(`more${at}x${n}`)));
      const [quarantined] = (await mesh.laptop.status()).quarantine;
      assert.equal(quarantined?.nodeName, 'broken');
      assert.equal(basename(quarantined?.compiler ?? ''), COMPILER);
      assert.equal(nodeOf(await compileUnit('last')), 'board');
      assert.match((await nodeNamed('broken'))?.detail ?? '', /in quarantine: /);
    }));
});
