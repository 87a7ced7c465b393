/** What keeps runs comparable: the tree comes back to one state, contests do not mix, the order changes. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { BenchError } from '../../bench/bench-error.ts';
import { orderOfRound } from '../../bench/contest/contest.ts';
import { CONTESTANTS } from '../../bench/contest/contestants.ts';
import { ResultsDirectory } from '../../bench/contest/results-directory.ts';
import { wantedContest } from '../../bench/contest/settings.ts';
import { RepeatableTree } from '../../bench/contest/tree-state.ts';
import type { PreparedTree } from '../../bench/workloads/index.ts';
import { madeUpResult, madeUpRun } from './contest-fixtures.ts';

const root = mkdtempSync(join(tmpdir(), 'meshcc-contest-'));
after(() => rmSync(root, { recursive: true, force: true }));

test('a tree that cleaning does not bring back is noticed: new, changed and missing files', async () => {
  const directory = join(root, 'tree');
  mkdirSync(join(directory, 'sub'), { recursive: true });
  const file = (name: string): string => join(directory, name);
  writeFileSync(file('source.c'), 'int x;');
  writeFileSync(file('sub/header.h'), '');
  const tree: PreparedTree = {
    name: 'tree',
    directory,
    recipe: '',
    build: () => ['true'],
    clean: async () => rmSync(file('source.o'), { force: true }),
    objects: async () => [],
  };
  const repeatable = await RepeatableTree.of(tree);
  writeFileSync(file('source.o'), 'object');
  const timeOf = (): number => Math.round(statSync(file('source.c')).mtimeMs);
  const timeMs = timeOf();
  await sleep(20);
  writeFileSync(file('source.c'), 'int x;');
  assert.notEqual(timeOf(), timeMs);
  await repeatable.restore();
  assert.equal(timeOf(), timeMs, 'the same content gets its old time back');
  writeFileSync(file('sub/left.d'), '');
  await assert.rejects(repeatable.restore(), /1 files are new or changed, 0 are gone:\n {2}sub\/left.d/);
  rmSync(file('sub/left.d'));
  await repeatable.restore();
  await sleep(20);
  writeFileSync(file('source.c'), 'int y;');
  rmSync(file('sub/header.h'));
  await assert.rejects(repeatable.restore(), /1 are gone:\n {2}source.c\n {2}sub\/header.h \(gone\)/);
});

test('a directory with runs is gone on in only if asked, and only with the same settings', () => {
  const { settings } = madeUpResult([]);
  const directory = join(root, 'results');
  const first = new ResultsDirectory(directory, settings, false);
  first.writeRun(madeUpRun({ leg: 'local', laptopSeconds: 1, round: 2 }), []);
  assert.throws(() => new ResultsDirectory(directory, settings, false), BenchError);
  const resumed = new ResultsDirectory(directory, settings, true);
  assert.deepEqual([resumed.hasRun('local', 1), resumed.hasRun('local', 2)], [false, true]);
  assert.equal(resumed.runs().length, 1);
  const other = { ...settings, boardJobs: 99 };
  assert.throws(() => new ResultsDirectory(directory, other, true), /other settings/);
});

test('the order of a round has everybody once, and over the rounds nobody always follows the same one', () => {
  const all = [...CONTESTANTS.values()];
  const names = (round: number): string[] => orderOfRound(all, round).map(({ name }) => name);
  assert.deepEqual([...names(2)].sort(), [...names(1)].sort());
  for (const { name } of all) {
    const before = [1, 2, 3].map((round) => names(round)[names(round).indexOf(name) - 1]);
    assert.ok(new Set(before).size > 1, `${name} comes after ${before.join(', ')}`);
  }
});

test('legs have names of their own', () => {
  const legs = [...CONTESTANTS.values()].flatMap((contestant) => contestant.legs.map(({ name }) => name));
  assert.equal(new Set(legs).size, legs.length);
});

test('the command line becomes settings; what cannot be is refused with the choices', () => {
  const wanted = wantedContest(['--boards', '3', '--rate', 'none', '--laptop-rounds', '1']);
  assert.equal(wanted?.settings.boardJobs, 10);
  assert.equal(wanted?.settings.shape.rate, undefined);
  assert.deepEqual([wanted?.rounds, wanted?.laptopRounds], [3, 1]);
  assert.equal(wanted?.contestants.length, CONTESTANTS.size);
  assert.equal(wantedContest(['--help']), undefined);
  assert.throws(
    () => wantedContest(['--contestants', 'nobody']),
    /no contestant nobody; there are local, floor/,
  );
  assert.throws(() => wantedContest(['--workload', 'none']), /no workload none; there are/);
  assert.throws(() => wantedContest(['--rounds', '1.5']), /--rounds must be a whole number/);
  assert.throws(() => wantedContest(['--resume']), /--results/);
  assert.throws(() => wantedContest(['--boards', '300']), /--boards is 200 at most, not 300/);
  assert.throws(() => wantedContest(['--rate', 'bogus']), /--rate is a rate as tc writes it/);
  assert.equal(wantedContest(['--rate', '2.5mbit'])?.settings.shape.rate, '2.5mbit');
});

test('the command of a result can be repeated elsewhere', () => {
  const args = ['--cache', '/somewhere', '--results', '/else', '--resume', '--workload', 'k348'];
  const commandOf = (some: readonly string[]): string | undefined => {
    const wanted = wantedContest(some);
    return wanted?.commandWith(wanted.contestants);
  };
  assert.equal(commandOf(args), 'npm run bench:mesh -- --workload k348');
  assert.equal(commandOf([]), 'npm run bench:mesh');
  assert.equal(
    commandOf(['--contestants', 'floor, meshcc']),
    'npm run bench:mesh -- --contestants floor,meshcc',
  );
  // A contest that was resumed with others than it began with.
  const resumed = wantedContest(['--contestants', 'floor']);
  assert.equal(resumed?.commandWith([...CONTESTANTS.values()]), 'npm run bench:mesh');
});
