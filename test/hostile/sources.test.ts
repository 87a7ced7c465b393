/** Sources that read what they should not, do not end, or want more than there is: they are what a compiler is for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WireResult } from '../../src/mesh/index.ts';
import { until } from '../mesh/transport-peers.ts';
import { ENDLESS_SOURCE } from '../sandbox/toolchain-tree.ts';
import { GXX, toolchainOf, useOf } from '../worker/real-toolchains.ts';
import { processesWith } from '../worker/working-pair.ts';
import { type Cases, openArena, runCases } from './arena.ts';
import { flag, joined, type Liar, outcome, separate, source } from './liar.ts';

/** Texts that read a path; the secret's own path takes the place of PATH. */
const READS: Record<string, string> = {
  '#include "PATH"': '#include "PATH"\n',
  '#include <PATH>': '#include <PATH>\n',
  '#include of a macro': '#define FILE "PATH"\n#include FILE\n',
  '#include_next': '#include_next "PATH"\n',
  '#include with dot-dot': '#include "../../../../../../..PATH"\n',
  '#import': '#import "PATH"\n',
  '.incbin in asm()': '__asm__(".incbin \\"PATH\\"");\n',
  '.incbin in a macro of the assembler': '__asm__(".macro m f\\n.incbin \\"\\\\f\\"\\n.endm\\nm PATH\\n");\n',
  '.include in asm()': '__asm__(".include \\"PATH\\"");\n',
  '#pragma GCC dependency': '#pragma GCC dependency "PATH"\nint x;\n',
  '#line and an error below it': '#line 1 "PATH"\nint x = ;\n',
  '#pragma GCC pch_preprocess': '#pragma GCC pch_preprocess "PATH"\nint x;\n',
  __has_include: '#if __has_include("PATH")\n#error it exists\n#endif\nint x;\n',
  'an optimize pragma with a dump':
    '#pragma GCC optimize ("dump-tree-all=PATH")\nint f(void) { return 1; }\n',
  'an optimize pragma with a plugin': '#pragma GCC optimize ("plugin=PATH")\nint f(void) { return 1; }\n',
};

/** What a source may be refused with; it may also compile to nothing of interest, which the arena looks through. */
function assertReadsNothing(result: WireResult): void {
  assert.ok(result.compiled || result.inputIncomplete, JSON.stringify(result));
  const stderr = Buffer.from(result.compiled?.stderr ?? Buffer.alloc(0)).toString('latin1');
  assert.ok(!/root:|MESHCC-SECRET|it exists/.test(stderr), stderr);
}

const reads: Cases = Object.fromEntries(
  Object.entries(READS).map(([what, text]) => [
    `${what} of what only the worker has`,
    async (liar, arena) => {
      for (const path of [
        arena.secretPath,
        '/etc/shadow',
        '/etc/passwd',
        '/proc/self/environ',
        '/proc/version',
        '/sys/kernel/notes',
      ])
        assertReadsNothing(await liar.compile(text.replaceAll('PATH', path)));
    },
  ]),
);

const optionReads: Cases = {
  '-include, -imacros, -I and -iquote of what only the worker has': async (liar, arena) => {
    const { secretPath, outside } = arena;
    for (const args of [
      [separate('-include', secretPath)],
      [separate('-imacros', secretPath)],
      [separate('-include', '/etc/passwd')],
      [joined('-I', outside)],
      [separate('-iquote', outside)],
      [separate('-isystem', '/etc')],
      [joined('-I', '/proc/self/root')],
    ]) {
      const text =
        '#if __has_include("secret") || __has_include("passwd")\n#include "secret"\n#endif\nint x;\n';
      assertReadsNothing(
        await liar.compile(text, { arguments: [flag('-c'), ...args, source(liar.sourceName)] }),
      );
    }
  },
};

/** Runs until it is told to stop; meanwhile the honest one must get on, and afterwards no process may be left. */
async function endlessUntilCancelled(
  liar: Liar,
  text: string,
  arena: { honest: { goesOn(): Promise<void> } },
) {
  const job = liar.jobFor(liar.file(`${liar.home}/${liar.sourceName}`, text));
  liar.send({ job });
  await until(() => processesWith(liar.sourceName).length > 0, 'the compiler runs');
  await arena.honest.goesOn();
  liar.send({ cancel: { jobId: job.jobId } });
  await until(() => processesWith(liar.sourceName).length === 0, 'the compiler is gone');
}

const TEMPLATE_BOMB =
  'template <int N, int M> struct S { static constexpr long v = S<N - 1, M>::v + S<N - 1, M + (1 << N)>::v; };\n' +
  'template <int M> struct S<0, M> { static constexpr long v = M; };\nlong x = S<26, 0>::v;\n';
const CONSTEXPR_BOMB =
  'constexpr long f(long n) { long s = 0; for (long i = 0; i < n; i++) s += i; return s; }\nconstexpr long x = f(1L << 40);\n';

/** Ten levels of a tenfold macro: more text than memory. */
const MACRO_BOMB = `#define A0 x x x x x x x x x x\n${Array.from(
  { length: 10 },
  (_, level) => `#define A${level + 1} ${`A${level} `.repeat(10)}`,
).join('\n')}\nint y = A10;\n`;

const bombs: Cases = {
  'a source that includes itself': async (liar) => {
    outcome.failed(await liar.compile('#include __FILE__\n'), /nested|depth/);
  },
  'a source that includes itself twice at each level': (liar, arena) =>
    endlessUntilCancelled(liar, ENDLESS_SOURCE, arena),
  'as many endless sources as there are slots, and more': async (liar, arena) => {
    const ids = liar.file(`${liar.home}/${liar.sourceName}`, ENDLESS_SOURCE);
    const jobs = Array.from({ length: liar.granted }, () => liar.jobFor(ids));
    for (const job of jobs) liar.send({ job });
    await until(() => processesWith(liar.sourceName).length >= 4, 'all slots are taken');
    // Although no slot becomes free.
    await arena.honest.goesOn();
    await arena.honest.goesOn();
    for (const { jobId } of jobs) liar.send({ cancel: { jobId } });
    await until(() => processesWith(liar.sourceName).length === 0, 'the compilers are gone');
  },
  'an endless source that nobody takes back': async (liar) => {
    const job = liar.jobFor(liar.file(`${liar.home}/${liar.sourceName}`, ENDLESS_SOURCE));
    liar.send({ job });
    await liar.resultWithin(job.jobId, 120_000);
    const result = liar.resultOf(job.jobId);
    assert.ok(
      result?.nodeFault || (result?.compiled && result.compiled.exitStatus !== 0),
      JSON.stringify(result),
    );
  },
  'a macro that expands to more than the memory': async (liar) => {
    const result = await liar.compile(MACRO_BOMB);
    outcome.failed(result, /memory|Killed|terminated/);
  },
  'an array of sixteen gibibytes': async (liar) => {
    outcome.failed(await liar.compile('char a[1UL << 34] = {1};\n'), /./);
  },
  'a billion words of the assembler': async (liar) => {
    const result = await liar.compile('__asm__(".data\\n.rept 1000000000\\n.quad 1\\n.endr");\n');
    assert.ok(result.nodeFault || result.compiled?.exitStatus !== 0, JSON.stringify(result));
  },
  'eight gibibytes of filling': async (liar) => {
    const result = await liar.compile('__asm__(".data\\n.fill 0x200000000, 1, 7");\n');
    assert.ok(result.nodeFault || result.compiled?.exitStatus !== 0, JSON.stringify(result));
  },
  'a macro of the assembler that calls itself': async (liar) => {
    outcome.failed(await liar.compile('__asm__(".macro m\\nm\\nm\\n.endm\\nm");\n'), /nested too deeply|./);
  },
  'a flood of warnings': async (liar) => {
    const text = `#warning ${'w'.repeat(400)}\n`.repeat(200) + ENDLESS_SOURCE;
    outcome.fault(await liar.compile(text), /diagnostics-too-large/);
  },
  'a flood of errors on a terminal': async (liar) => {
    const text = `int ${'x'.repeat(400)} = ;\n`.repeat(200_000);
    const result = await liar.compile(text, {
      terminal: { columns: 80, rows: 24, stdinToo: true },
      arguments: [flag('-c'), joined('-fmax-errors=', '0'), source(liar.sourceName)],
    });
    assert.ok(
      result.nodeFault || result.compiled?.exitStatus !== 0 || result.refused,
      JSON.stringify(result).slice(0, 300),
    );
  },
  'warnings that paint a terminal': async (liar) => {
    const result = await liar.compile('#warning \u001b[2J\u001b]0;evil\u0007\nint x;\n');
    outcome.compiled(result);
  },
  'parentheses without end': async (liar) => {
    const result = await liar.compile(`int x = ${'('.repeat(2_000_000)};\n`);
    assert.ok(
      result.nodeFault || result.compiled?.exitStatus !== 0 || result.compiled?.signal !== 0,
      JSON.stringify(result),
    );
  },
  'a line of 50 MB': async (liar) => {
    const result = await liar.compile(`// ${'x'.repeat(50 << 20)}\nint x;\n`);
    outcome.compiled(result);
  },
  'an object of 80 MB that is never taken': async (liar, arena) => {
    const job = liar.jobFor(
      liar.file(
        `${liar.home}/${liar.sourceName}`,
        '__asm__(".data\\n.rept 10000000\\n.quad 1\\n.endr");\nint x;\n',
      ),
    );
    liar.send({ job });
    await until(() => liar.heard.some(({ outputChunk }) => outputChunk), 'the output comes');
    await arena.honest.goesOn();
    const received = liar.heard.reduce((sum, { outputChunk }) => sum + (outputChunk?.data.length ?? 0), 0);
    assert.ok(received <= 1 << 20, `${received} bytes without credit`);
    assert.equal(liar.resultOf(job.jobId), undefined);
  },
};

const cxxBombs: Cases = {
  'a template that doubles twenty-six times': (liar, arena) =>
    endlessUntilCancelled(liar, TEMPLATE_BOMB, arena),
  'a constant that takes a trillion steps': async (liar) => {
    const result = await liar.compile(CONSTEXPR_BOMB, { outputs: outputsOf(liar) });
    outcome.failed(result, /constexpr|Killed/);
  },
};

function outputsOf(liar: Liar) {
  return [{ kind: 'object', path: liar.sourceName.replace(/\.c$/, '.o'), required: true }];
}

test('a liar whose sources are the attack', async (t) => {
  const arena = await openArena(t);
  await runCases(t, arena, reads);
  await runCases(t, arena, optionReads);
  await runCases(t, arena, bombs);
  const gxx = useOf(await toolchainOf(GXX));
  for (const [name, perform] of Object.entries(cxxBombs))
    await t.test(name, () => arena.attack(perform, gxx));
});
