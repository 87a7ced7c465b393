/** What `meshcc bench` prints: figures, what watts and dollars buy, and a word on everything that is missing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { benchText, checkCosts, withCosts } from '../../src/cli/bench-text.ts';
import { benchResult, nodeResult } from '../benchmark/bench-fixtures.ts';

const NOTHING = new Map<string, number>();

test('lines per watt and per dollar, for nodes of which that was said', () => {
  const result = benchResult([nodeResult('board1', 6000), nodeResult('board2', 3000)]);
  const priced = withCosts(result, new Map([['board1', 5]]), new Map([['id-of-board2', 40]]));
  assert.equal(priced.nodes[0]?.linesPerSecondAndWatt, 1200);
  assert.equal(priced.nodes[0]?.linesPerSecondAndDollar, undefined);
  assert.equal(priced.nodes[1]?.linesPerSecondAndDollar, 75);
  const lines = benchText(priced).split('\n');
  assert.match(lines[1] ?? '', /^NODE +SLOTS +ONE CORE +ALL SLOTS +PER WATT +PER DOLLAR$/);
  assert.match(lines[2] ?? '', /^board1 +2 +3000 +6000 +1200\.0 +\?$/);
  assert.match(lines[3] ?? '', /^board2 +2 +1500 +3000 +\? +75\.0$/);
});

test('a cost of a node that was not measured is a mistake of the caller', () => {
  const result = benchResult([nodeResult('board1', 6000)]);
  assert.throws(
    () => checkCosts(result.nodes, new Map([['bord1', 5]]), NOTHING),
    /bord1.*the nodes are board1/,
  );
  checkCosts(result.nodes, new Map([['board1', 5]]), NOTHING);
});

test('what could not be measured is named with the reason, once, and stands as unknown in the tables', () => {
  const text = benchText(withCosts(benchResult([nodeResult('board1', undefined)]), NOTHING, NOTHING));
  assert.match(text, /^board1 +2 +\? +\?$/m);
  assert.equal(text.match(/compiling not measured: it was lost/g)?.length, 1);
  assert.match(text, /^board1: machine not measured: jobs run there$/m);
  assert.match(text, /^\?: not known here/m);
});

test('runs that do not agree are marked', () => {
  const node = nodeResult('board1', 6000);
  assert.ok('value' in node.allSlots);
  const linesPerSecond = { ...node.allSlots.value.linesPerSecond, agrees: false, spread: 0.12 };
  const doubtful = { ...node, allSlots: { value: { ...node.allSlots.value, linesPerSecond } } };
  const text = benchText(withCosts(benchResult([doubtful]), NOTHING, NOTHING));
  assert.match(text, /^board1 +2 +3000 +6000!$/m);
  assert.match(text, /3 runs with 2 at once do not agree: the last ones differ by 12 %/);
});

test('figures of the machine: each level, the clock under load, governor and throttling', () => {
  const node = nodeResult('board1', 6000);
  assert.ok('value' in node.allSlots);
  const state = { clockMhz: 1700, governor: 'schedutil', hottestCelsius: 71, throttled: true };
  const full = {
    ...node,
    allSlots: { value: { ...node.allSlots.value, state } },
    machine: {
      value: {
        processors: 4,
        clockMhz: 1800,
        busyClockMhz: 1500,
        latencies: [
          { sizeBytes: 16_384, ns: 1.7 },
          { sizeBytes: 2 ** 26, ns: 110 },
        ],
        caches: [{ level: 1, sizeBytes: 32_768 }],
      },
    },
  };
  const text = benchText(withCosts(benchResult([full]), NOTHING, NOTHING));
  assert.match(text, /^board1 +1\.7 +\? +\? +110 +1800 +1500 +1700 +schedutil +71 +YES$/m);
});

test('a short run says what it is worth', () => {
  const short = { ...benchResult([nodeResult('board1', 6000)]), isWhole: false };
  assert.match(benchText(withCosts(short, NOTHING, NOTHING)), /short run/);
});
