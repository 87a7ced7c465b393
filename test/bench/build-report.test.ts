/** The verdict on a mesh build: what counts as a unit, and what makes a build unequal. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type BuildResult,
  formatReport,
  isEqualBuild,
  isWellDistributed,
  remoteShare,
} from '../../bench/build-report.ts';
import type { RunSummary } from '../../bench/mesh-under-test.ts';
import { digestOf } from '../../src/base/digest.ts';

const SUMMARY: RunSummary = {
  nodes: [{ name: 'board1', jobs: 3 }],
  local: [
    { reason: 'link', jobs: 5 },
    { reason: 'configure-probe', jobs: 40 },
    { reason: 'no-credit-in-time', jobs: 1 },
  ],
  remoteJobs: 3,
  localJobs: 46,
  verification: { agreed: 2, wrong: 1, unrepeatable: 0, undecided: 0 },
};

function result(change: {
  exitStatus?: number | string;
  comparison?: Partial<BuildResult['comparison']>;
  summary?: Partial<typeof SUMMARY>;
  missedInputs?: number;
}): BuildResult {
  return {
    workload: 'fixture',
    outcome: {
      exitStatus: change.exitStatus ?? 0,
      wallSeconds: 2,
      summary: { ...SUMMARY, ...change.summary },
    },
    reference: {
      directory: '/reference',
      digests: new Map([['a.o', digestOf('a')]]),
      wallSeconds: 3,
      isFresh: true,
    },
    comparison: { identical: 1, different: [], missing: [], unexpected: [], ...change.comparison },
    missedInputs: change.missedInputs ?? 0,
  };
}

test('links and probes are no units, a unit that found no free slot is one', () => {
  assert.equal(remoteShare(SUMMARY), 75);
  assert.equal(remoteShare({ ...SUMMARY, remoteJobs: 0, local: [{ reason: 'link', jobs: 5 }] }), undefined);
});

test('a build is equal only if it succeeded and nothing differs', () => {
  assert.equal(isEqualBuild(result({})), true);
  assert.equal(isEqualBuild(result({ exitStatus: 2 })), false);
  assert.equal(isEqualBuild(result({ exitStatus: 'SIGKILL' })), false);
  assert.equal(isEqualBuild(result({ comparison: { identical: 0 } })), false);
  for (const kind of ['different', 'missing', 'unexpected']) {
    assert.equal(isEqualBuild(result({ comparison: { [kind]: ['a.o'] } })), false, kind);
  }
});

test('a build is well distributed if nearly all units ran elsewhere, from inputs that were known', () => {
  const nearlyAll = { remoteJobs: 38 };
  assert.equal(isWellDistributed(result({})), false);
  assert.equal(isWellDistributed(result({ summary: nearlyAll })), true);
  assert.equal(isWellDistributed(result({ summary: nearlyAll, missedInputs: 1 })), false);
  assert.equal(isWellDistributed(result({ summary: { remoteJobs: 0, local: [] } })), false);
});

test('the table names nodes, reasons and every file that is not equal', () => {
  const table = formatReport(result({ comparison: { different: ['fs/odd.o'] } }));
  for (const part of ['on board1', 'local, no-credit-in-time', '75.0 %', 'fs/odd.o']) {
    assert.ok(table.includes(part), `${part} is not in\n${table}`);
  }
});
