/** Which calls a compiler of another host architecture may do. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boundToHost, classify, type Invocation, mayMoveSearch } from '../../src/compiler/index.ts';

function invocationOf(...args: string[]): Invocation {
  const call = { compilerName: 'gcc', dialect: 'gcc', args, environment: {} } as const;
  const classified = classify({ ...call, readResponseFile: () => undefined });
  assert.ok(classified.kind !== 'local', `${args.join(' ')}: ${JSON.stringify(classified)}`);
  return classified.invocation;
}

test('calls whose output depends on the host, or that nothing can be held against, are bound to it', () => {
  const cases: readonly [string, RegExp | undefined][] = [
    ['-c x.c', undefined],
    ['-O2 -g -Wall -MMD -MF x.d -c x.c -o x.o', undefined],
    ['-Wp,-MMD,x.d -c x.c', undefined],
    ['-Wa,--noexecstack -c x.c', undefined],
    ['-flto -frandom-seed=x -c x.c', /link-time/],
    ['-fopenmp -c x.c', /accelerators/],
    ['-flto=auto -frandom-seed=x -c x.c', /link-time/],
    ['-g -gz -c x.c', /zlib/],
    ['-g -gz=zlib -c x.c', /zlib/],
    ['-g -Wa,--compress-debug-sections -c x.c', /zlib/],
    ['-Xassembler --compress-debug-sections=zlib -c x.c', /zlib/],
    ['-march=native -c x.c', /processor of this machine/],
    ['-S x.c', /only objects/],
    ['-g -gsplit-dwarf -c x.c', /no second compile/],
    ['-fstack-usage -c x.c', /no second compile/],
    ['--coverage -frandom-seed=x -c x.c', /no second compile/],
  ];
  for (const [line, expected] of cases) {
    const why = boundToHost(invocationOf(...line.split(' ')), 'gcc');
    if (expected === undefined) assert.equal(why, undefined, line);
    else assert.match(why ?? '', expected, line);
  }
});

test('what may move the directories of the compiler itself is known from the table', () => {
  const cases: readonly [string, boolean][] = [
    ['-O2 -Ia -isystem b -idirafter c -c x.c', false],
    ['-std=c11 -fPIC -DX -include y.h -c x.c', false],
    ['-m32 -c x.c', true],
    ['-nostdinc++ -c x.c', true],
    ['-isysroot /r -c x.c', true],
  ];
  for (const [line, expected] of cases)
    assert.equal(mayMoveSearch(invocationOf(...line.split(' ')), 'gcc'), expected, line);
});
