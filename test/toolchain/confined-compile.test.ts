/** The list of files is complete: where nothing else exists, the compiler writes the same bytes as here. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { probeToolchain, type Toolchain } from '../../src/toolchain/index.ts';
import { installedClang } from '../compiler/gcc.ts';
import { SYSTEM_ENV, scratch } from './compiler-fixtures.ts';

const SOURCES = {
  'unit.c': 'struct point { int x, y; };\nint scale(struct point *p, int n) { return p->x * n + p->y; }\n',
  'unit.cc':
    'template <class T> struct box { T v; T twice() const { return v + v; } };\nint f(int n) { return box<int>{n}.twice(); }\n',
};
// Without a seed the coverage notes and the object hold the time of day.
const OPTIONS = ['-g', '-O2', '-gsplit-dwarf', '--coverage', '-frandom-seed=0', '-c'];
const ENV = { ...SYSTEM_ENV, LC_ALL: 'C' };

/** Puts exactly what a toolchain lists below `root`. */
function copyToolchain(toolchain: Toolchain, root: string): void {
  for (const directory of toolchain.directories) mkdirSync(root + directory, { recursive: true });
  for (const { path, target } of toolchain.links) {
    mkdirSync(root + dirname(path), { recursive: true });
    symlinkSync(target, root + path);
  }
  for (const { realPath } of [...toolchain.components, ...toolchain.libraries]) {
    if (!existsSync(root + realPath)) copyFileSync(realPath, root + realPath);
  }
}

function outputsIn(directory: string): Record<string, Buffer> {
  const names = readdirSync(directory).filter((name) => !(name in SOURCES));
  return Object.fromEntries(names.sort().map((name) => [name, readFileSync(join(directory, name))]));
}

async function compareConfined(
  t: TestContext,
  compilerPath: string,
  source: keyof typeof SOURCES,
): Promise<void> {
  const top = scratch(t);
  const [work, root] = [join(top, 'work'), join(top, 'root')];
  for (const directory of [work, join(root, 'dev'), root + work]) mkdirSync(directory, { recursive: true });
  for (const directory of [work, root + work]) writeFileSync(join(directory, source), SOURCES[source]);
  // Every unit includes this one, so it is an input like the source.
  const predefined = '/usr/include/stdc-predef.h';
  copyToolchain(await probeToolchain(compilerPath, { env: ENV }), root);
  if (existsSync(predefined)) copyFileSync(predefined, root + predefined);

  const args = [...OPTIONS, source, '-o', 'unit.o'];
  execFileSync(compilerPath, args, { cwd: work, env: ENV });
  const confinement = ['--unshare-all', '--bind', root, '/', '--dev', '/dev', '--chdir', work];
  execFileSync('bwrap', [...confinement, compilerPath, ...args], { env: ENV });

  const expected = outputsIn(work);
  assert.deepEqual(Object.keys(expected), ['unit.dwo', 'unit.gcno', 'unit.o']);
  const actual = outputsIn(root + work);
  assert.deepEqual(Object.keys(actual), Object.keys(expected));
  for (const [name, bytes] of Object.entries(expected)) {
    assert.ok(actual[name]?.equals(bytes), `${name} of ${compilerPath} is the same in the confined tree`);
  }
}

function canConfine(): boolean {
  try {
    execFileSync('bwrap', ['--unshare-all', '--ro-bind', '/', '/', '/bin/true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const COMPILERS = [
  ['/usr/bin/gcc', 'unit.c'],
  ['/usr/bin/cc', 'unit.c'],
  ['/usr/bin/g++', 'unit.cc'],
  ['/usr/bin/gcc-11', 'unit.c'],
  ['/usr/bin/aarch64-linux-gnu-gcc', 'unit.c'],
  [`/usr/bin/${installedClang('clang') ?? 'clang'}`, 'unit.c'],
  [`/usr/bin/${installedClang('clang++') ?? 'clang++'}`, 'unit.cc'],
] as const;

for (const [compilerPath, source] of COMPILERS) {
  test(`the listed files suffice for ${compilerPath}`, async (t) => {
    if (!existsSync(compilerPath)) t.skip('not installed');
    else if (!canConfine()) t.skip('bubblewrap cannot make namespaces here');
    else await compareConfined(t, compilerPath, source);
  });
}
