/** Whether -MMD leaves something out is told from texts and arguments; GCC itself says whether that was right. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  classify,
  mayFindSystemHeaders,
  mayMarkSystemHeaders,
  parseDepfile,
} from '../../src/compiler/index.ts';
import { run } from '../shim/fixture.ts';

interface Case {
  readonly name: string;
  readonly args: string;
  readonly files: Readonly<Record<string, string>>;
  /** What -MMD leaves out; undefined: it depends on the version. */
  readonly omitted: readonly string[] | undefined;
  /** Taken for a call whose list may leave something out. */
  readonly suspected: boolean;
}

const BELOW = { 'below.h': 'int below;\n' };

/** `#include "a.h"`, which includes below.h after something of its own. */
function marked(name: string, mark: string, args = '-nostdinc'): Case {
  const files = { 'x.c': '#include "a.h"\n', 'a.h': `${mark}\n#include "below.h"\n`, ...BELOW };
  return { name, args, files, omitted: ['below.h'], suspected: true };
}

/** GCC 12 heeds the operator for the line that it stands in only. */
function operator(name: string, mark: string, args = '-nostdinc'): Case {
  return { ...marked(name, mark, args), omitted: undefined };
}

const CASES: readonly Case[] = [
  {
    name: 'nothing',
    args: '-nostdinc',
    files: { 'x.c': '#include "a.h"\n', 'a.h': '#include "below.h"\n', ...BELOW },
    omitted: [],
    suspected: false,
  },
  {
    name: '-I and -iquote',
    args: '-nostdinc -Idir -iquote dir',
    files: { 'x.c': '#include <a.h>\n', 'dir/a.h': 'int a;\n' },
    omitted: [],
    suspected: false,
  },
  {
    name: '-isystem',
    args: '-nostdinc -isystem dir',
    files: { 'x.c': '#include <a.h>\n', 'dir/a.h': 'int a;\n' },
    omitted: ['dir/a.h'],
    suspected: true,
  },
  {
    name: '-idirafter, joined',
    args: '-nostdinc -idirafterdir',
    files: { 'x.c': '#include <a.h>\n', 'dir/a.h': 'int a;\n' },
    omitted: ['dir/a.h'],
    suspected: true,
  },
  marked('the pragma', '#pragma GCC system_header'),
  marked('the pragma over two lines', '#pragma GCC sys\\\ntem_header'),
  marked('the pragma with a comment in it', '#pragma GCC /* a\n */ system_header'),
  operator('the operator', '_Pragma("GCC system_header")'),
  operator('the operator, of strings', '#define P(x) _Pragma(#x)\nP(GCC system_header)'),
  operator(
    'the operator, pasted',
    '#define P(x) _Pragma(#x)\n#define Q(x) P(GCC x)\n#define R(x) Q(system_##x)\nR(header)',
  ),
  operator(
    'the operator, pasted with digraphs',
    '#define P(x) _Pragma(%:x)\n#define Q(x) P(GCC x)\n#define R(x) Q(x%:%:_header)\nR(system)',
  ),
  operator('the pragma on the command line', 'M', '-nostdinc -DM=_Pragma("GCC\\ system_header")'),
  marked('a line marker', '# 1 "a.h" 3'),
  marked('a line marker with a digraph', '  %:  7 "a.h" 3'),
  marked('a trigraph', '??=pragma GCC system_header', '-nostdinc -trigraphs'),
];

function prepare(t: TestContext, files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'meshcc-marks-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  return directory;
}

/** What the compiler lists of a compile. */
async function listed(directory: string, style: '-MD' | '-MMD', args: readonly string[]): Promise<string[]> {
  const command = ['-c', style, '-MF', 'x.d', ...args, 'x.c', '-o', 'x.o'];
  const ended = await run('/usr/bin/gcc', command, directory);
  assert.equal(ended.status, 0, ended.stderr.toString());
  return parseDepfile(readFileSync(join(directory, 'x.d'), 'utf8'));
}

for (const { name, args: line, files, omitted, suspected } of CASES) {
  test(`system headers: ${name}`, async (t) => {
    const directory = prepare(t, files);
    const args = line.split(/(?<!\\) /).map((word) => word.replace(/\\ /g, ' '));
    const [all, users] = [await listed(directory, '-MD', args), await listed(directory, '-MMD', args)];
    const left = all.filter((path) => !users.includes(path));
    if (omitted !== undefined) assert.deepEqual(left, omitted, 'what GCC leaves out');
    const call = classify({
      compilerName: 'gcc',
      dialect: 'gcc',
      args: ['-c', '-MMD', ...args, 'x.c'],
      environment: {},
    });
    assert.ok(call.kind === 'distributable', JSON.stringify(call));
    // Only what the list without system headers names is looked at.
    const marks = users.filter((path) => mayMarkSystemHeaders(files[path] ?? ''));
    assert.equal(mayFindSystemHeaders(call.invocation) || marks.length > 0, suspected);
    assert.ok(suspected || left.length === 0);
  });
}

test('ordinary text marks nothing, and a call without -nostdinc may find anything', () => {
  for (const text of ['int system_head;\n', '#define A(x) x##_head\n', '#if 1\n#endif\n', 'a = b # 1;\n'])
    assert.equal(mayMarkSystemHeaders(text), false, text);
  const call = classify({ compilerName: 'gcc', dialect: 'gcc', args: ['-c', 'x.c'], environment: {} });
  assert.ok(call.kind === 'distributable' && mayFindSystemHeaders(call.invocation));
});
