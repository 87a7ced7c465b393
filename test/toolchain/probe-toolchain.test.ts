/** Probing real compilers: what is the same, what is not, and what is refused. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { MeshError } from '../../src/base/errors.ts';
import type { LanguageScope } from '../../src/compiler/index.ts';
import { describeDifference, probeToolchain, type Toolchain } from '../../src/toolchain/index.ts';
import { installedClang } from '../compiler/gcc.ts';
import { copyGcc, SYSTEM_ENV, scratch } from './compiler-fixtures.ts';

const env = SYSTEM_ENV;
const GCC = '/usr/bin/gcc';

function rolesOf(toolchain: Toolchain): string[] {
  return [...new Set(toolchain.components.map(({ role }) => role))].filter((role) => role !== 'library');
}

function refuses(
  compilerPath: string,
  reason: RegExp,
  searchPath = env,
  scope?: LanguageScope,
): Promise<void> {
  return assert.rejects(probeToolchain(compilerPath, { env: searchPath, scope }), (error: unknown) => {
    assert.ok(error instanceof MeshError);
    assert.equal(error.code, 'MESHCC_COMPILER');
    assert.match(error.message, reason);
    assert.ok(error.message.includes(compilerPath), 'the message names the compiler');
    return true;
  });
}

test('gcc tells what it is, and every path of the answer exists', async () => {
  const gcc = await probeToolchain(GCC, { env });
  const say = (...args: string[]) => execFileSync(GCC, args, { encoding: 'utf8' }).trim();
  assert.deepEqual([gcc.dialect, gcc.driver, gcc.scope], ['gcc', 'c', 'c']);
  assert.deepEqual(gcc.languages, ['c', 'assembler-with-cpp', 'assembler']);
  assert.equal(gcc.version, say('-dumpfullversion'));
  assert.equal(gcc.targetTriple, say('-dumpmachine'));
  assert.deepEqual(rolesOf(gcc), ['driver', 'cc1', 'as', 'objcopy']);
  assert.equal(gcc.driverPath, realpathSync(GCC));
  const cc1 = gcc.components.find(({ role }) => role === 'cc1');
  assert.equal(cc1?.path, say('-print-prog-name=cc1'));
  assert.ok(
    gcc.libraries.some(({ path }) => /\/ld-[^/]*\.so/.test(path)),
    'the loader is listed',
  );
  for (const { path, realPath } of [...gcc.components, ...gcc.libraries]) {
    assert.equal(realpathSync(path), realPath);
  }
  assert.ok(gcc.builtinIncludeDirectories.includes('/usr/include'));
});

test('one compiler under several names has one id; the C++ driver has another', async () => {
  const [gcc, cc, gxx] = await Promise.all(
    [GCC, '/usr/bin/cc', '/usr/bin/g++'].map((path) => probeToolchain(path, { env })),
  );
  assert.ok(gcc && cc && gxx);
  assert.equal(realpathSync('/usr/bin/cc'), gcc.driverPath);
  assert.equal(cc.id, gcc.id);
  assert.equal(describeDifference(gcc, cc), 'no difference');
  assert.deepEqual([gxx.driver, gxx.languages], ['c++', ['c++']]);
  assert.deepEqual(rolesOf(gxx), ['driver', 'cc1plus', 'as', 'objcopy']);
  assert.notEqual(gxx.id, gcc.id);
  assert.equal(describeDifference(gcc, gxx), 'driver for C and C++');
});

test('another version is another toolchain, and the difference is said in words', async (t) => {
  if (!existsSync('/usr/bin/gcc-11')) {
    t.skip('gcc-11 is not installed');
    return;
  }
  const [gcc, old] = await Promise.all([GCC, '/usr/bin/gcc-11'].map((path) => probeToolchain(path, { env })));
  assert.ok(gcc && old);
  assert.notEqual(gcc.id, old.id);
  assert.equal(describeDifference(gcc, old), `version ${gcc.version} and ${old.version}`);
});

test('the place of a compiler is not part of its id, a specs file is', async (t) => {
  const gcc = await probeToolchain(GCC, { env });
  const prefix = scratch(t);
  const copy = copyGcc(gcc, prefix);
  const moved = await probeToolchain(copy.compilerPath, { env });
  assert.equal(moved.id, gcc.id);
  assert.equal(moved.driverPath, copy.compilerPath);
  const cc1 = moved.components.find(({ role }) => role === 'cc1');
  assert.ok(cc1?.path.startsWith(`${prefix}/`), 'the copy starts its own cc1');
  const specs = execFileSync(GCC, ['-dumpspecs'], { encoding: 'utf8' });
  writeFileSync(join(copy.internalsDirectory, 'specs'), specs.replace('*cc1:\n', '*cc1:\n-fno-inline '));
  const changed = await probeToolchain(copy.compilerPath, { env });
  assert.notEqual(changed.id, gcc.id);
  assert.deepEqual(rolesOf(changed), ['driver', 'cc1', 'as', 'objcopy', 'specs']);
  assert.equal(describeDifference(gcc, changed), 'same version, only the second has the specs file specs');
});

test('the assembler that PATH leads to is part of the id', async (t) => {
  const directory = scratch(t);
  copyFileSync(realpathSync('/usr/bin/as'), join(directory, 'as'));
  appendFileSync(join(directory, 'as'), 'patched');
  const gcc = await probeToolchain(GCC, { env });
  const other = await probeToolchain(GCC, { env: { PATH: `${directory}:${env.PATH}` } });
  assert.equal(other.components.find(({ role }) => role === 'as')?.path, join(directory, 'as'));
  assert.notEqual(other.id, gcc.id);
  assert.match(
    describeDifference(gcc, other),
    /^same version, another as \([0-9a-f]{12} and [0-9a-f]{12}\)$/,
  );
});

test('variables that sway a compiler do not sway the probe', async (t) => {
  const gcc = await probeToolchain(GCC, { env });
  const directory = scratch(t);
  const copy = copyGcc(gcc, join(directory, 'usr'));
  const swayed = await probeToolchain(GCC, {
    env: {
      ...env,
      COMPILER_PATH: copy.internalsDirectory,
      GCC_EXEC_PREFIX: `${directory}/usr/lib/gcc/`,
      CPATH: directory,
      LD_LIBRARY_PATH: directory,
      LD_PRELOAD: join(directory, 'none.so'),
      LC_ALL: 'de_DE.UTF-8',
      DEPENDENCIES_OUTPUT: join(directory, 'deps'),
    },
  });
  assert.deepEqual(swayed, gcc);
});

test('what is no compiler is refused with a reason, and a script is not even run', async (t) => {
  const directory = scratch(t);
  const ran = join(directory, 'ran');
  const script = join(directory, 'gcc');
  writeFileSync(script, `#!/bin/sh\ntouch ${ran}\nexec ${GCC} "$@"\n`, { mode: 0o755 });
  await refuses(script, /is a script \(#!\/bin\/sh\)/);
  assert.equal(existsSync(ran), false);
  const text = join(directory, 'text-gcc');
  writeFileSync(text, 'no program', { mode: 0o755 });
  await refuses(text, /not an ELF executable/);
  chmodSync(text, 0o644);
  await refuses(text, /not an executable file/);
  const other = join(directory, 'other-gcc');
  copyFileSync(realpathSync('/bin/true'), other);
  await refuses(other, /tells no version of GCC or Clang/);
  await refuses(join(directory, 'nothing'), /ENOENT/);
  await refuses('gcc', /not absolute/);
  const shim = join(directory, 'ccache');
  copyFileSync(realpathSync(GCC), shim);
  symlinkSync(shim, join(directory, 'cc'));
  await refuses(join(directory, 'cc'), /a compiler cache, and is no compiler/);
});

test('a compiler without an assembler is refused', async (t) => {
  const directory = scratch(t);
  const empty = join(directory, 'empty');
  mkdirSync(empty);
  await refuses(GCC, /starts as, which is not installed or not in PATH/, { PATH: empty });
});

test('a driver is identified for each language by the compiler proper of that language', async () => {
  const [own, cxx, gxx] = await Promise.all([
    probeToolchain(GCC, { env }),
    probeToolchain(GCC, { env, scope: 'c++' }),
    probeToolchain('/usr/bin/g++', { env, scope: 'c' }),
  ]);
  assert.ok(own.scopes.includes('c++'));
  assert.deepEqual([cxx.driver, cxx.languages], ['c', ['c++']]);
  assert.deepEqual(rolesOf(cxx), ['driver', 'cc1plus', 'as', 'objcopy']);
  assert.deepEqual([gxx.driver, gxx.scope], ['c++', 'c']);
  assert.deepEqual(rolesOf(gxx), ['driver', 'cc1', 'as', 'objcopy']);
  assert.equal(new Set([own.id, cxx.id, gxx.id]).size, 3);
});

test('a language whose compiler proper is not installed is no scope', async (t) => {
  const gcc = await probeToolchain(GCC, { env });
  // The copy has cc1 and nothing else beside it, and finds the rest where it was built for.
  const copy = copyGcc(gcc, scratch(t));
  const moved = await probeToolchain(copy.compilerPath, { env });
  for (const scope of ['c++', 'objective-c'] as const) {
    const isThere = moved.scopes.includes(scope);
    if (isThere) await probeToolchain(copy.compilerPath, { env, scope });
    else
      await refuses(
        copy.compilerPath,
        new RegExp(`has no programs for ${scope.replace('+', '\\+')}`),
        env,
        scope,
      );
  }
  await refuses(GCC, /has no programs for clang/, env, 'clang');
});

test('clang is one driver with the code in its libraries, for all languages', async (t) => {
  const [clang, clangxx] = [installedClang('clang'), installedClang('clang++')];
  if (clang === undefined || clangxx === undefined) {
    t.skip('clang is not installed');
    return;
  }
  const c = await probeToolchain(`/usr/bin/${clang}`, { env });
  const cxx = await probeToolchain(`/usr/bin/${clangxx}`, { env });
  assert.deepEqual([c.dialect, c.driver, cxx.driver], ['clang', 'c', 'c++']);
  assert.deepEqual([c.scope, cxx.scope], ['clang', 'clang']);
  assert.ok(c.languages.includes('objective-c++') && c.languages.includes('assembler'));
  assert.deepEqual(
    rolesOf(c).filter((role) => role !== 'resource'),
    ['driver'],
  );
  const libraries = c.components.filter(({ role }) => role === 'library').map(({ path }) => basename(path));
  assert.ok(
    libraries.some((name) => /^libLLVM/.test(name)) && libraries.some((name) => /^libclang/.test(name)),
  );
  assert.equal(c.driverPath, cxx.driverPath);
  assert.notEqual(c.id, cxx.id);
  const withAs = await probeToolchain(`/usr/bin/${clang}`, { env, scope: 'clang-with-as' });
  assert.ok(rolesOf(withAs).includes('as'));
  assert.notEqual(withAs.id, c.id);
});
