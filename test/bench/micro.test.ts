/** The micro-benchmark works: every part measures what it says, beside a reference of the same rounds. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatMicro, type MicroResult, ratioOf } from '../../bench/micro/report.ts';
import { PARTS, runPart } from '../../bench/micro/run.ts';
import { PACKAGE_ROOT } from '../../src/base/package-root.ts';

const ROUNDS = 1;
const SCALE = 0.02;

for (const part of PARTS) {
  test(`${part.name}: each line has values and a reference`, async () => {
    const measured = await runPart(part, ROUNDS, SCALE);
    assert.ok(measured.lines.length > 0);
    for (const { name, values } of measured.series) {
      assert.equal(values.length, ROUNDS, name);
      assert.ok(
        values.every((value) => Number.isFinite(value) && value >= 0),
        `${name}: ${values}`,
      );
    }
    for (const line of measured.lines) {
      const names = measured.series.map(({ name }) => name);
      assert.ok(names.includes(line.series) && names.includes(line.reference), JSON.stringify(line));
    }
  });
}

test('a ratio is taken round by round', () => {
  const unit = 'ms of CPU per call';
  const series = [
    { name: 'ours', unit, values: [2, 30, 4] },
    { name: 'theirs', unit, values: [1, 10, 4] },
  ];
  const ratio = ratioOf({ series }, { series: 'ours', reference: 'theirs' });
  assert.deepEqual(ratio, { median: 2, min: 1, max: 3 });
});

test('the table has a row for each line, and says what was measured', () => {
  const unit = 'ms of CPU per call';
  const result: MicroResult = {
    bench: 'micro',
    command: 'npm run bench:micro',
    rounds: 1,
    machine: {
      cpu: 'a processor',
      cores: 1,
      memoryBytes: 1,
      kernel: '6',
      distribution: 'Debian',
      node: 'v20',
      programs: { gcc: 'gcc 12' },
      packages: {},
      meshcc: '0',
    },
    parts: [
      {
        name: 'part',
        what: 'something',
        series: [
          { name: 'ours', unit, values: [150] },
          { name: 'theirs', unit, values: [100] },
        ],
        lines: [{ series: 'ours', reference: 'theirs' }],
        notes: ['a note'],
      },
    ],
  };
  const text = formatMicro(result);
  assert.match(text, /^\| part: ours \| theirs \| ms of CPU per call \| 150 \| 100 \| 1.50 \|$/m);
  assert.match(text, /^- part: a note$/m);
});

test('the command refuses a part that there is not, and names those that there are', () => {
  const program = join(PACKAGE_ROOT, 'dist/bench/micro.js');
  const { status, stderr } = spawnSync(process.execPath, [program, '--only', 'shims'], { encoding: 'utf8' });
  assert.equal(status, 1);
  assert.match(stderr, /--only names shims, and there are shim, scanner, closure/);
});
