/**
 * Nodes with different compilers are never mixed: a job goes to the node that has its very compiler or stays here, and
 * both the job's reason and `meshcc toolchains` say why.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { JobView, ToolchainCell, ToolchainsView } from '../../src/agent/index.ts';
import { probeToolchain } from '../../src/toolchain/index.ts';
import { copyGcc } from '../toolchain/compiler-fixtures.ts';
import { TestMesh } from './support/test-mesh.ts';
import type { TestNode } from './support/test-node.ts';

const GCC = '/usr/bin/gcc';
const GCC_11 = '/usr/bin/gcc-11';
const withoutEleven = existsSync(GCC_11) ? false : 'gcc-11 is not installed';
const UNITS = 8;

let mesh: TestMesh;
/** A GCC as this machine's, with a specs file that changes one option. */
let changedGcc: string;

/** A PATH in which the compiler is called gcc, and nothing else is a compiler. */
function pathWith(name: string, compiler: string): string {
  const directory = join(mesh.root, `path-${name}`);
  mkdirSync(directory);
  symlinkSync(compiler, join(directory, 'gcc'));
  for (const tool of ['as', 'ld', 'objcopy', 'sh']) symlinkSync(`/usr/bin/${tool}`, join(directory, tool));
  return directory;
}

async function addBoard(name: string, compiler: string): Promise<TestNode> {
  const board = await mesh.addNode(name, { env: { PATH: pathWith(name, compiler) } });
  await mesh.pair(board);
  return board;
}

before(async () => {
  mesh = await TestMesh.start({ boards: [] });
  const original = await probeToolchain(GCC, { env: { PATH: '/usr/bin:/bin' } });
  const copy = copyGcc(original, join(mesh.root, 'changed-gcc'));
  const specs = execFileSync(GCC, ['-dumpspecs'], { encoding: 'utf8' });
  const changed = specs.replace('*cc1:\n', '*cc1:\n-fno-inline ');
  assert.notEqual(changed, specs);
  writeFileSync(join(copy.internalsDirectory, 'specs'), changed);
  changedGcc = copy.compilerPath;
  await addBoard('twelve', GCC);
  if (withoutEleven === false) await addBoard('eleven', GCC_11);
  await mesh.connected(withoutEleven === false ? 2 : 1);
  for (let at = 0; at < UNITS; at++) {
    const text = `static int twice(int x) { return 2 * x; }\nint f${at}(int x) { return twice(x) + ${at}; }\n`;
    writeFileSync(join(mesh.work, `unit${at}.c`), text);
  }
});
after(() => mesh?.close());

/** Compiles every unit, and compares the objects with those that the compiler makes here. */
async function compileAll(compiler: string, path?: string): Promise<JobView[]> {
  const env = path === undefined ? {} : { PATH: `${mesh.shims}:${path}:/usr/bin:/bin` };
  const jobs: JobView[] = [];
  for (let at = 0; at < UNITS; at++) {
    const args = ['-O2', '-c', `unit${at}.c`, '-o', `unit${at}.o`];
    const result = await mesh.compile(args, { compiler, env });
    assert.equal(result.status, 0, result.stderr.toString());
    const made = execFileSync('sha256sum', [`unit${at}.o`], { cwd: mesh.work, encoding: 'utf8' });
    const real = path === undefined ? `/usr/bin/${compiler}` : join(path, compiler);
    execFileSync(real, args, { cwd: mesh.work, env: mesh.plainEnv() });
    assert.equal(execFileSync('sha256sum', [`unit${at}.o`], { cwd: mesh.work, encoding: 'utf8' }), made);
    jobs.push(result.job);
  }
  return jobs;
}

/** A node that has another compiler must not even have been asked. */
function nodesThatCompiled(jobs: readonly JobView[]): string[] {
  assert.deepEqual(
    jobs.flatMap(({ failedAttempts }) => failedAttempts),
    [],
  );
  return [...new Set(jobs.map(({ place }) => (place.kind === 'remote' ? place.nodeName : place.reason)))];
}

/** How a node stands to a compiler of the laptop. */
async function cellOf(compiler: string, node: string): Promise<ToolchainCell> {
  const view = await mesh.laptop.ask<ToolchainsView>('GET', '/v1/toolchains');
  const row = view.compilers.find(({ names, scope }) => scope === 'c' && names.includes(compiler));
  const cell = row?.cells[view.nodes.findIndex(({ name }) => name === node)];
  assert.ok(cell, `${compiler} on ${node}: ${JSON.stringify(view)}`);
  return cell;
}

async function shown(): Promise<string> {
  const { stdout, status } = await mesh.laptop.cli(['toolchains']);
  assert.equal(status, 0);
  return stdout.toString();
}

test('jobs of each version go to the node that has it, and to no other', { skip: withoutEleven }, () =>
  mesh.explaining(async () => {
    assert.deepEqual(nodesThatCompiled(await compileAll('gcc')), ['twelve']);
    assert.deepEqual(nodesThatCompiled(await compileAll('gcc-11')), ['eleven']);
    assert.deepEqual(await cellOf(GCC, 'twelve').then(({ verdict, used }) => [verdict, used]), [
      'same',
      true,
    ]);
    const cell = await cellOf(GCC, 'eleven');
    assert.deepEqual([cell.verdict, cell.used], ['other version', false]);
    assert.match(
      cell.why,
      /^eleven's \S+gcc 11\.\S+ \(c\) differs from \/usr\/bin\/\S+ here: version 12\S* here, 11/,
    );
    const text = await shown();
    assert.match(text, /^COMPILER +FOR +VERSION +TARGET +eleven +twelve$/m);
    assert.match(text, /^\/usr\/bin\/\S+ +c +12\.\S+ +\S+ +11\.\S+ +same$/m);
    assert.match(text, /^\/usr\/bin\/gcc-11 +c +11\.\S+ +\S+ +same +12\.\S+$/m);
    assert.ok(text.includes(cell.why), text);
  }),
);

test('a compiler with one changed specs file is another one, until a node has that very one', () =>
  mesh.explaining(async () => {
    const path = join(changedGcc, '..');
    const [job] = await compileAll('gcc', path);
    assert.ok(job?.place.kind === 'local');
    assert.equal(job.place.reason, 'no-matching-toolchain');
    const difference = 'same version, only this machine has the specs file specs';
    assert.match(
      job.place.detail,
      new RegExp(`twelve's \\S+ 12\\.\\S+ \\(c\\) differs from .*: ${difference}`),
    );
    // It is not in the agent's PATH: that a call named it makes it known.
    const cell = await cellOf(changedGcc, 'twelve');
    assert.deepEqual([cell.verdict, cell.used], ['other content', false]);
    assert.ok(cell.why.endsWith(difference), cell.why);
    assert.ok((await shown()).includes(cell.why));
    const explained = (await mesh.laptop.cli(['explain', 'no-matching-toolchain'])).stdout.toString();
    assert.ok(explained.includes(difference), explained);

    await addBoard('changed', changedGcc);
    await mesh.connected(withoutEleven === false ? 3 : 2);
    assert.deepEqual(nodesThatCompiled(await compileAll('gcc', path)), ['changed']);
    assert.deepEqual(nodesThatCompiled(await compileAll('gcc')), ['twelve']);
    assert.deepEqual((await cellOf(changedGcc, 'changed')).verdict, 'same');
    const other = await cellOf(GCC, 'changed');
    assert.equal(other.verdict, 'other content');
    assert.ok(other.why.endsWith('same version, only changed has the specs file specs'), other.why);
  }));

test('a node that is gone is a column of question marks with its reason', () =>
  mesh.explaining(async () => {
    const late = await mesh.addNode('late', { env: { PATH: pathWith('late', realpathSync(GCC)) } });
    await mesh.pair(late);
    await mesh.connected(withoutEleven === false ? 4 : 3);
    assert.equal((await cellOf(GCC, 'late')).verdict, 'same');
    await late.kill();
    await mesh.connected(withoutEleven === false ? 3 : 2);
    const cell = await cellOf(GCC, 'late');
    assert.deepEqual([cell.verdict, cell.used], ['unknown', false]);
    assert.match(cell.why, /^late cannot be reached: /);
    const text = await shown();
    assert.match(text, /^\?: not known, see below$/m);
    // What the last attempt met may be another thing by now.
    assert.match(text, /^late cannot be reached: /m);
  }));
