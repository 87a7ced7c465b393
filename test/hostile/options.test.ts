/** Options that smuggle: in every form in which a liar can spell them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PACKAGE_ROOT } from '../../src/base/package-root.ts';
import type { WireArgument } from '../../src/mesh/index.ts';
import { type Cases, openArena, runCases } from './arena.ts';
import { flag, joined, type Liar, list, separate, source } from './liar.ts';

const PLAIN = 'int x;\n';

/** Options by what they would do, each as a liar may spell it; none of them may run. */
const SMUGGLED: Record<string, WireArgument[][]> = {
  'load a plugin': [
    [flag('-fplugin=/evil.so')],
    [joined('-fplugin=', '/evil.so')],
    [separate('-fplugin', '/evil.so')],
    [joined('-f', 'plugin=/evil.so')],
  ],
  'load a plugin by name': [
    [joined('-iplugindir=', '.'), joined('-fplugin=', 'evil')],
    [flag('-iplugindir=.')],
  ],
  'load a plugin through the preprocessor': [
    [list('-Wp,', flag('-fplugin=/evil.so'))],
    [list('-Wp,', joined('-fplugin=', '/evil.so'))],
    [separate('-Xpreprocessor', '-fplugin=/evil.so')],
  ],
  'load a plugin of the assembler': [
    [list('-Wa,', flag('--plugin'), flag('/evil.so'))],
    [separate('-Xassembler', '--plugin=/evil.so')],
  ],
  'load a plugin of Clang': [
    [separate('-Xclang', '-load'), separate('-Xclang', '/evil.so')],
    [joined('-fpass-plugin=', '/evil.so')],
    [separate('-mllvm', '-load=/evil.so')],
    [flag('-cc1'), flag('-load'), flag('/evil.so')],
  ],
  'wrap the programs': [
    [separate('-wrapper', '/evil')],
    [flag('-wrapper'), source('/evil')],
    [joined('-wrapper', '/evil')],
  ],
  'replace the programs': [
    [joined('-B', '/evil')],
    [separate('-B', '/evil')],
    [flag('-B/evil')],
    [joined('--prefix=', '/evil')],
    [flag('-no-integrated-cpp'), joined('-B', '.')],
  ],
  'replace the specs': [[joined('-specs=', '/evil')], [flag('-specs=/evil')], [separate('--specs', '/evil')]],
  'read arguments from a file': [
    [source('@/evil')],
    [flag('@/evil')],
    [list('-Wp,', flag('@/evil'))],
    [list('-Wa,', flag('@/evil'))],
    [separate('-I', '@/evil')],
    [separate('-include', '@/evil')],
  ],
  'run a second compiler': [[joined('-fcompare-debug=', '-fplugin=/evil.so')], [flag('-fcompare-debug')]],
  'ask a program about modules': [
    [flag('-fmodules-ts'), joined('-fmodule-mapper=', '|/evil')],
    [flag('-fmodules')],
  ],
  'choose another linker': [[joined('-fuse-ld=', '/evil')]],
  'choose another front end': [[separate('-x', 'ada')], [joined('-x', 'go')], [separate('-x', 'f95')]],
  'choose the device’s specs': [[joined('-mmcu=', '../evil')]],
  'look outside of the view': [
    [joined('--gcc-toolchain=', '/outside')],
    [separate('-resource-dir', '/outside')],
  ],
  'write what it does': [
    [flag('-save-temps')],
    [joined('-save-temps=', 'cwd')],
    [joined('-time=', '/evil')],
    [flag('-da')],
  ],
  'write dumps elsewhere': [
    [separate('-dumpdir', '/evil/')],
    [separate('-dumpbase', '/evil')],
    [list('-Wp,', flag('-dumpdir'), flag('/evil'))],
    [joined('-fdump-tree-all=', '/evil')],
    [flag('-fdump-tree-all')],
    [joined('-fdump-final-insns=', '/evil')],
    [joined('-fdump-go-spec=', '/evil')],
    [joined('-fopt-info-all=', '/evil')],
    [separate('-aux-info', '/evil')],
    [list('-Wa,', flag('-aghlms=/evil'))],
    [list('-Wa,', flag('--MD=/evil'))],
    [joined('-fcrash-diagnostics-dir=', '/evil')],
    [joined('-ftime-trace=', '/evil')],
    [joined('-fprofile-note=', '/evil')],
  ],
  'print and not compile': [
    [flag('-E')],
    [flag('-M')],
    [flag('-###')],
    [flag('--version')],
    [flag('-print-search-dirs')],
  ],
  'read the standard input': [[source('-')]],
  'compile a second source': [[source('other.c')], [source('/etc/passwd')]],
  'use an option that nobody knows': [[flag('-fno-such-option')], [flag('--')], [flag('')], [flag('\n-c')]],
  'use this machine’s processor': [
    [joined('-march=', 'native')],
    [joined('-mtune=', 'native')],
    [joined('-mcpu=', 'native')],
  ],
};

/** Options that may run: what they name is looked for in the view, or is for a linker that is not started. */
const WITHOUT_EFFECT: Record<string, (outside: string) => WireArgument[][]> = {
  'a plugin of the linker': () => [
    [list('-Wl,', flag('-plugin'), flag('/evil.so'))],
    [separate('-Xlinker', '-plugin')],
  ],
  'a script of the linker': () => [[separate('-T', '/evil')]],
  'another root for headers': (outside) => [
    [joined('--sysroot=', '/')],
    [joined('--sysroot=', outside)],
    [separate('--sysroot', `/proc/self/root${outside}`)],
    [separate('-isysroot', outside)],
  ],
  'profiles that are none': (outside) => [
    [joined('-fprofile-use=', '/etc/passwd')],
    [joined('-fprofile-use=', `${outside}/secret`)],
    [joined('-fauto-profile=', '/etc/passwd')],
  ],
};

const withoutEffect: Cases = Object.fromEntries(
  Object.entries(WITHOUT_EFFECT).map(([what, spellings]) => [
    `an option that names ${what}`,
    async (liar, arena) => {
      for (const args of spellings(arena.outside)) {
        const text =
          '#if __has_include(<of-the-worker.h>) || __has_include(<etc/passwd>)\n#error it exists\n#endif\nint x;\n';
        const result = await liar.compile(text, {
          arguments: [flag('-c'), ...args, source(liar.sourceName)],
        });
        const stderr = Buffer.from(result.compiled?.stderr ?? Buffer.alloc(0)).toString('latin1');
        assert.ok(!/it exists/.test(stderr), stderr);
        const paths = result.compiled?.outputs.map(({ path }) => path) ?? [];
        assert.ok(paths.length <= 1, `${JSON.stringify(args)} wrote ${paths}`);
      }
    },
  ]),
);

const options: Cases = Object.fromEntries(
  Object.entries(SMUGGLED).map(([what, spellings]) => [
    `an option to ${what}`,
    async (liar) => {
      for (const args of spellings) await refusesArguments(liar, args);
    },
  ]),
);

async function refusesArguments(liar: Liar, args: readonly WireArgument[]): Promise<void> {
  const result = await liar.compile(PLAIN, { arguments: [flag('-c'), ...args, source(liar.sourceName)] });
  assert.ok(result.refused, `${JSON.stringify(args)}: ${JSON.stringify(result)}`);
}

/** An argument of the corpus in every form that a liar may give it. */
function spellingsOf(word: string, next: string | undefined): WireArgument[][] {
  const at = word.indexOf('=') + 1;
  const spellings = [[flag(word)], [source(word)], [list('-Wp,', flag(word))], [list('-Wa,', flag(word))]];
  if (at > 0) spellings.push([joined(word.slice(0, at), word.slice(at))]);
  for (let length = 2; length < Math.min(4, word.length); length++)
    spellings.push([joined(word.slice(0, length), word.slice(length))]);
  if (next !== undefined) spellings.push([separate(word, next)], [flag(word), flag(next)]);
  return spellings;
}

/** Words that are no danger by themselves, but what follows them is. */
const HARMLESS = /^(-c|-o|-I|-D|-MD|-MT|-MF|-MMD|-g.*|-O\d?|-x|-S|-include|x\.[a-z]+|c|c\+\+|[a-z.]+)$/;

const corpus: Cases = {
  'every word of the hostile corpus in every form': async (liar) => {
    const text = readFileSync(join(PACKAGE_ROOT, 'test/compiler/corpus/hostile.txt'), 'utf8');
    const words = new Map<string, string | undefined>();
    for (const line of text.split('\n').filter((one) => /^(gcc|g\+\+|clang) /.test(one))) {
      const [, ...args] = line.replaceAll('"', '').split(' ');
      for (const [index, word] of args.entries()) if (!HARMLESS.test(word)) words.set(word, args[index + 1]);
    }
    assert.ok(words.size > 150, `${words.size} words`);
    const ids = liar.file(`${liar.home}/${liar.sourceName}`, PLAIN);
    let ran = 0;
    for (const [word, next] of words) {
      for (const args of spellingsOf(word, next)) {
        const result = await liar.run(
          liar.jobFor(ids, { arguments: [flag('-c'), ...args, source(liar.sourceName)] }),
        );
        // A few are options of their own when they are cut so (-dumpdir as -d umpdir is none; -I @evil is a directory).
        if (result.refused) continue;
        ran++;
        assert.ok(result.compiled, `${JSON.stringify(args)}: ${JSON.stringify(result)}`);
        const paths = result.compiled.outputs.map(({ path }) => path ?? '');
        assert.ok(paths.length <= 1, `${JSON.stringify(args)} wrote ${paths}`);
      }
    }
    assert.ok(ran < 20, `${ran} spellings were run`);
  },
};

test('a liar about options', async (t) => {
  const arena = await openArena(t);
  for (const cases of [options, withoutEffect, corpus]) await runCases(t, arena, cases);
});
