/** Which directory counts where, for the rules that no call of this machine's compiler can show. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, suite, test } from 'node:test';
import { PathProbe } from '../../src/include-scan/path-probe.ts';
import { searchChainOf } from '../../src/include-scan/search-chain.ts';
import type { SearchPlan } from '../../src/include-scan/search-plan.ts';
import { DiskView } from './disk-view.ts';

let directory = '';

beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'meshcc-chain-')));
  for (const name of ['s', 'x', 'b']) mkdirSync(join(directory, name));
  symlinkSync('s', join(directory, 'l'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** The names of the kept directories, as spelled. */
function chain(lists: Partial<SearchPlan>, isClang: boolean): { quote: string[]; angle: string[] } {
  const spelled = (names: readonly string[] = []): string[] => names.map((name) => join(directory, name));
  const plan: SearchPlan = {
    quote: spelled(lists.quote),
    include: spelled(lists.include),
    system: spelled(lists.system),
    after: spelled(lists.after),
    preincludes: [],
    definitions: '',
    unsupported: undefined,
  };
  const angle = spelled(['b']);
  const { quote, angle: all } = searchChainOf(
    plan,
    { angle, mentioned: angle, isClang },
    new PathProbe(new DiskView()),
  );
  const names = (kept: typeof quote): string[] =>
    kept.map((each) => each.spelled.slice(directory.length + 1));
  return { quote: names(quote), angle: names(all) };
}

suite('include scan: search chain', () => {
  test('GCC leaves a system directory out of -iquote, Clang does not', () => {
    const lists = { quote: ['l', 'x', 'x'], system: ['s'] };
    assert.deepEqual(chain(lists, false), { quote: ['x'], angle: ['s', 'b'] });
    assert.deepEqual(chain(lists, true), { quote: ['l', 'x'], angle: ['s', 'b'] });
  });

  test('both leave a system directory out of -I, and one of their own out of -idirafter', () => {
    for (const isClang of [false, true]) {
      const found = chain({ include: ['b', 'x', 'none'], after: ['b', 'x'] }, isClang);
      assert.deepEqual(found, { quote: [], angle: ['b', 'x'] });
    }
  });
});
