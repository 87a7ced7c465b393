/** Tables and summaries for people. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { summaryText } from '../../src/cli/summary.ts';
import { table } from '../../src/cli/table.ts';
import { LOCAL_REASONS } from '../../src/compiler/index.ts';
import type { BuildSummary } from '../../src/observe/index.ts';

test('columns are as wide as their widest cell, numbers stand right, and no line ends in spaces', () => {
  const text = table(
    ['NODE', 'JOBS#', ''],
    [
      ['a', 7, 'short'],
      ['a-long-name', 12_345, ''],
    ],
  );
  assert.equal(
    text,
    ['NODE          JOBS', 'a                7  short', 'a-long-name  12345', ''].join('\n'),
  );
});

test('a table without rows is its header', () => {
  assert.equal(table(['A', 'B#'], []), 'A  B\n');
});

const EMPTY: BuildSummary = {
  buildId: 'b',
  remoteJobs: 0,
  localJobs: 0,
  failedAttempts: 0,
  nodes: [],
  local: [],
  verification: { agreed: 0, wrong: 0, unrepeatable: 0, undecided: 0, findings: [] },
};

test('a build without compiler calls says so in one line', () => {
  assert.equal(summaryText(EMPTY, 'meshcc, 0.1 s'), 'meshcc, 0.1 s: no compiler calls\n');
});

test('comparisons are told in the first line, and what they found in lines of its own', () => {
  const build = { ...EMPTY, remoteJobs: 5 };
  const agreed = summaryText({ ...build, verification: { ...EMPTY.verification, agreed: 3 } }, 'meshcc');
  assert.equal(agreed, 'meshcc: 5 compiled on other nodes, 0 calls here, 3 compiled twice and compared');
  const verification = { ...EMPTY.verification, agreed: 3, wrong: 1, findings: ['WRONG RESULT: …'] };
  assert.equal(
    summaryText({ ...build, verification }, 'meshcc'),
    'meshcc: 5 compiled on other nodes, 0 calls here, 4 compiled twice and compared, of which 1 DIFFERED\n!! WRONG RESULT: …',
  );
});

test('the summary counts nodes and reasons, explains each reason and gives an example of it', () => {
  const text = summaryText(
    {
      ...EMPTY,
      remoteJobs: 40,
      localJobs: 3,
      failedAttempts: 2,
      nodes: [
        { name: 'board', jobs: 30, cpuSeconds: 12.345 },
        { name: 'laptop', jobs: 10, cpuSeconds: 3 },
      ],
      local: [
        { reason: 'link', jobs: 2, example: 'gcc -o prog main.o' },
        { reason: 'time-macro', jobs: 1, example: `/a/very/long/path/${'x'.repeat(100)}/version.c` },
      ],
    },
    'meshcc, 1.0 s',
  );
  const lines = text.split('\n');
  assert.equal(
    lines[0],
    'meshcc, 1.0 s: 40 compiled on other nodes, 3 calls here, 2 attempts repeated elsewhere',
  );
  assert.ok(
    lines.some((line) => /^board\s+30\s+12\.3$/.test(line)),
    text,
  );
  assert.ok(text.includes(LOCAL_REASONS.link.text) && text.includes(LOCAL_REASONS['time-macro'].text));
  assert.ok(text.includes('gcc -o prog main.o'));
  assert.ok(
    lines.every((line) => line.length < 220),
    'long examples are cut',
  );
  assert.ok(text.endsWith('\n'));
});

test('without trouble nothing is said of trouble', () => {
  const text = summaryText({ ...EMPTY, remoteJobs: 1, nodes: [{ name: 'b', jobs: 1, cpuSeconds: 0 }] }, 'T');
  assert.doesNotMatch(text, /repeated|HERE BECAUSE/);
});
