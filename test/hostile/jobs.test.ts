/** Lies in a job: variables, places of outputs, counts, compilers that are none. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WireJob, WireToolchainUse } from '../../src/mesh/index.ts';
import { GCC, GXX, toolchainOf, useOf } from '../worker/real-toolchains.ts';
import { type Cases, openArena, runCases } from './arena.ts';
import { flag, joined, type Liar, list, outcome, separate, source } from './liar.ts';

const PLAIN = 'int x;\n';

/** Variables that make a compiler, or its loader, do what the liar wants. */
const VARIABLES: readonly string[] = [
  ...[
    'LD_PRELOAD=/evil.so',
    'LD_LIBRARY_PATH=/evil',
    'LD_AUDIT=/evil.so',
    'LD_DEBUG=all',
    'GLIBC_TUNABLES=x=y',
  ],
  ...['GCC_EXEC_PREFIX=/evil/', 'COMPILER_PATH=/evil', 'GCC_COMPARE_DEBUG=-fplugin=/evil.so', 'PATH=/evil'],
  ...[
    'COLLECT_GCC=/evil',
    'COLLECT_GCC_OPTIONS=-fplugin=/evil.so',
    'COLLECT_LTO_WRAPPER=/evil',
    'LIBRARY_PATH=/evil',
  ],
  ...[
    'DEPENDENCIES_OUTPUT=/evil',
    'SUNPRO_DEPENDENCIES=/evil',
    'CPATH=/etc',
    'C_INCLUDE_PATH=/etc',
    'TMPDIR=/evil',
  ],
  ...[
    'CPLUS_INCLUDE_PATH=/etc',
    'GCONV_PATH=/evil',
    'LOCPATH=/evil',
    'NLSPATH=/evil',
    'CXX_MODULE_MAPPER=|/evil',
  ],
  ...[
    'CCC_OVERRIDE_OPTIONS=+-fplugin=/evil.so',
    'CCC_ADD_ARGS=-load',
    'MAKE=/evil',
    'MAKEFLAGS=-j',
    'BASH_ENV=/evil',
  ],
  ...['HOME=/', 'PWD=relative', 'LC_ALL=../../evil', 'TZ=../../../etc/shadow', 'SOURCE_DATE_EPOCH=x'],
  ...[
    '',
    '=',
    'LC_ALL',
    '=value',
    'LC_ALL=C\0LD_PRELOAD=/evil.so',
    'LC_ALL=C\nLD_PRELOAD=/evil.so',
    '__proto__=x',
  ],
];

const variables: Cases = Object.fromEntries(
  VARIABLES.map((variable) => [
    `the variable ${JSON.stringify(variable)}`,
    async (liar) => {
      const result = await liar.compile(PLAIN, { environment: [variable] });
      assert.ok(result.refused, JSON.stringify(result));
    },
  ]),
);

/** Changes to an honest job that must make the worker refuse it. */
const REFUSED_JOBS: Record<string, Partial<WireJob>> = {
  'no arguments': { arguments: [] },
  'no word of compiling only': { arguments: [source('x.c')] },
  'a library to link': { arguments: [source('x.c'), joined('-l', 'c')] },
  'arguments of an unknown form': { arguments: [{ ...flag('-c'), form: 'raw' }] },
  'arguments nested three deep': {
    arguments: [flag('-c'), list('-Wp,', list('-Wp,', list('-Wp,', flag('-DX'))))],
  },
  'seventy thousand arguments': { arguments: Array.from({ length: 70_000 }, () => flag('-c')) },
  'no outputs': { outputs: [] },
  'an output too many': {
    outputs: [
      { kind: 'object', path: 'x.o', required: true },
      { kind: 'depfile', path: '/etc/cron.d/evil', required: false },
    ],
  },
  'an output of another kind': { outputs: [{ kind: 'assembly', path: 'x.o', required: true }] },
  'an umask beyond the bits': { umask: 0o10_000 },
  'a compiler that was never announced': { toolchainRef: 77 },
  'known arguments that nobody made known': { argumentNumbers: Buffer.from([9]) },
  'numbers of arguments that do not end': { argumentNumbers: Buffer.from([0x80]) },
  'two million numbers of arguments': { argumentNumbers: Buffer.alloc(2_000_000) },
};

const refusedJobs: Cases = Object.fromEntries(
  Object.entries(REFUSED_JOBS).map(([what, change]) => [
    `a job with ${what}`,
    async (liar) => {
      const result = await liar.compile(PLAIN, change);
      assert.ok(result.refused, JSON.stringify(result));
    },
  ]),
);

/** A job whose object goes to a path, spelled with -o. */
function jobTo(liar: Liar, path: string): Partial<WireJob> {
  return {
    arguments: [flag('-c'), source(liar.sourceName), separate('-o', path)],
    outputs: [{ kind: 'object', path, required: true }],
  };
}

const outputs: Cases = {
  'an object in a directory of the worker': async (liar, arena) => {
    for (const path of [
      `${arena.outside}/victim`,
      '/etc/cron.d/evil',
      '../../../../../../tmp/evil',
      '/proc/self/mem',
    ])
      outcome.failed(await liar.compile(PLAIN, jobTo(liar, path)), /No such file|can't create/);
  },

  'an object in the place of the compiler': async (liar) => {
    const toolchain = await toolchainOf(GCC);
    const cc1 = toolchain.components.find(({ role }) => role === 'cc1')?.realPath ?? '';
    for (const path of [cc1, toolchain.driverPath]) {
      const result = await liar.compile(PLAIN, jobTo(liar, path));
      assert.ok(result.compiled, JSON.stringify(result));
    }
    outcome.compiled(await liar.compile(PLAIN));
  },

  'an object in the place of its source, of the null device, of a directory': async (liar) => {
    for (const path of [liar.sourceName, '/dev/null', '/', '.', '/.meshcc-tmp/x']) {
      const result = await liar.compile(PLAIN, jobTo(liar, path));
      assert.ok(!result.compiled?.outputs.some((output) => output.path !== path), JSON.stringify(result));
    }
    outcome.compiled(await liar.compile(PLAIN));
  },

  'an object in the place of the dependencies that the worker asks for itself': async (liar) => {
    const result = await liar.compile(PLAIN, jobTo(liar, '/.meshcc-dependencies'));
    assert.ok(!result.compiled || result.compiled.outputs.length <= 1, JSON.stringify(result));
  },

  'a terminal of impossible size': async (liar) => {
    const terminal = { columns: 4_000_000_000, rows: 4_000_000_000, stdinToo: true };
    outcome.fault(await liar.compile(PLAIN, { terminal }), /setup-failed/);
  },
};

/** Descriptions of a toolchain that would make something else run under the compiler's name. */
const toolchains: Record<string, (honest: WireToolchainUse) => WireToolchainUse> = {
  'that is not here': (use) => ({ ...use, toolchainId: 'f'.repeat(64) }),
  'whose compiler is its assembler': (use) => ({
    ...use,
    compilerPath: use.files.find(({ path }) => /\/as$/.test(path))?.path ?? '',
  }),
  'whose compiler is its loader': (use) => ({ ...use, compilerPath: '/lib64/ld-linux-x86-64.so.2' }),
  'whose compiler is a link to its loader': (use) => ({
    ...use,
    compilerPath: '/usr/bin/my-gcc',
    links: [...use.links, { path: '/usr/bin/my-gcc', target: '/lib64/ld-linux-x86-64.so.2' }],
  }),
  'whose compiler is a file of the submitter': (use) => ({ ...use, compilerPath: '/evil/gcc' }),
  'with a file that is none of its': (use) => ({
    ...use,
    files: [...use.files, { sha256: Buffer.alloc(32, 7), path: '/usr/bin/evil' }],
  }),
  'with a path that climbs': (use) => ({ ...use, directories: [...use.directories, '/usr/../evil'] }),
  'with a link that climbs out of the tree': (use) => ({
    ...use,
    links: [...use.links, { path: '/usr/lib/../../evil', target: '/' }],
  }),
  'with programs in a directory of two names': (use) => ({ ...use, programDirectories: ['/evil:/evil'] }),
  'of five thousand parts': (use) => ({
    ...use,
    directories: Array.from({ length: 5_000 }, (_, index) => `/many-${index}`),
  }),
};

test('a liar about variables, outputs and compilers', async (t) => {
  const arena = await openArena(t);
  for (const cases of [variables, refusedJobs, outputs]) await runCases(t, arena, cases);
  const honest = useOf(await toolchainOf(GCC));
  const gxx = useOf(await toolchainOf(GXX));
  for (const [what, change] of Object.entries(toolchains)) {
    await t.test(`a toolchain ${what}`, () =>
      arena.attack(async (liar) => {
        const result = await liar.compile(PLAIN);
        assert.ok(result.nodeFault || result.refused, JSON.stringify(result));
      }, change(honest)),
    );
  }
  await t.test('a C++ compiler under the name of a C compiler', () =>
    arena.attack(
      async (liar) => {
        const result = await liar.compile(PLAIN);
        assert.ok(result.nodeFault || result.refused, JSON.stringify(result));
      },
      { ...gxx, compilerPath: '/usr/bin/gcc' },
    ),
  );
});
