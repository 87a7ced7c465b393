/** The program that measures cores and memory works on this machine, and its figures are put to the right level. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { PACKAGE_ROOT } from '../../src/base/package-root.ts';
import {
  buildMachineProgram,
  type MachineFigures,
  measureMachine,
  memoryLatencies,
} from '../../src/benchmark/index.ts';
import { parseFigures } from '../../src/benchmark/machine-figures.ts';

const CACHE = join(PACKAGE_ROOT, 'dist', 'test-cache');
const KIB = 1024;
const MIB = 1024 * KIB;

test('this machine can be measured', async () => {
  const figures = await measureMachine(await buildMachineProgram(CACHE), new AbortController().signal);
  assert.ok(figures.processors >= 1);
  assert.ok(figures.clockMhz > 0 && figures.busyClockMhz > 0);
  assert.ok(figures.latencies.length >= 10);
  for (const [index, { sizeBytes, ns }] of figures.latencies.entries()) {
    assert.equal(sizeBytes, 4096 * 2 ** index);
    assert.ok(ns > 0);
  }
});

test('a measurement that nobody waits for any more ends', async () => {
  const ended = new AbortController();
  const measuring = measureMachine(await buildMachineProgram(CACHE), ended.signal);
  ended.abort();
  await assert.rejects(measuring, { name: 'AbortError' });
});

test('the program takes nothing but a size, and that within bounds', async () => {
  const program = await buildMachineProgram(CACHE);
  for (const args of [[], ['measure'], ['measure', '1'], ['measure', '999999999999'], ['other', '65536']])
    assert.equal(spawnSync(program, args).status, 2, args.join(' '));
});

test('what cannot be read is an error, not a figure', () => {
  assert.throws(() => parseFigures(''), /did not say its processors/);
  assert.throws(() => parseFigures('processors 4\nclock_mhz inf\nbusy_clock_mhz 1\n'), /clock_mhz/);
});

function figures(caches: MachineFigures['caches']): MachineFigures {
  const latencies = Array.from({ length: 16 }, (_, index) => ({
    sizeBytes: 4096 * 2 ** index,
    ns: index + 1,
  }));
  return { processors: 4, clockMhz: 2000, busyClockMhz: 2000, latencies, caches };
}

test('a level is the largest walk within half of its cache, and beyond the one before', () => {
  const caches = [
    { level: 1, sizeBytes: 32 * KIB },
    { level: 2, sizeBytes: 512 * KIB },
    { level: 3, sizeBytes: 8 * MIB },
  ];
  const nsOf = (sizeBytes: number): number => Math.log2(sizeBytes / 4096) + 1;
  assert.deepEqual(memoryLatencies(figures(caches)), {
    l1Ns: nsOf(16 * KIB),
    l2Ns: nsOf(256 * KIB),
    l3Ns: nsOf(4 * MIB),
    dramNs: nsOf(32 * MIB),
  });
});

test('a cache that there is not, or that is larger than every walk, has no latency', () => {
  const twoLevels = [
    { level: 1, sizeBytes: 32 * KIB },
    { level: 2, sizeBytes: 1 * MIB },
  ];
  assert.equal(memoryLatencies(figures(twoLevels)).l3Ns, undefined);
  const huge = [...twoLevels, { level: 3, sizeBytes: 512 * MIB }];
  assert.equal(memoryLatencies(figures(huge)).dramNs, undefined, 'no walk has left the cache');
  const unknown = memoryLatencies(figures([]));
  assert.deepEqual(Object.keys(unknown), ['dramNs']);
});
