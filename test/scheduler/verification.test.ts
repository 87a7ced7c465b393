/** When results are compared, and who is blamed for a difference: every case of the tables. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  isNeededAsProof,
  isOnProbation,
  judge,
  type Scrutiny,
  type Standing,
  sample,
  type Verdict,
  verificationPolicy,
} from '../../src/scheduler/index.ts';

const { sameHost, otherHost } = verificationPolicy({
  probationJobs: 3,
  rate: 0.01,
  otherHostProbationJobs: 10,
  otherHostRate: 0.1,
});
const policy = (probationJobs: number): Scrutiny => ({ ...sameHost, probationJobs });
const standing = (agreed: number, inconclusive = 0): Standing => ({
  agreed,
  inconclusive,
  isQuarantined: false,
});

test('a subject is on probation until it has passed enough, or until too many comparisons proved nothing', () => {
  const cases: readonly [Standing, number, boolean][] = [
    [standing(0), 3, true],
    [standing(2), 3, true],
    [standing(3), 3, false],
    [standing(4), 3, false],
    [standing(0), 0, false],
    [standing(0, 11), 3, true],
    [standing(0, 12), 3, false],
    // The user wants more than at the time when it passed.
    [standing(3), 5, true],
  ];
  for (const [state, jobs, expected] of cases)
    assert.equal(isOnProbation(state, policy(jobs)), expected, JSON.stringify([state, jobs]));
});

test('no more comparisons begin than are wanted', () => {
  assert.deepEqual(
    [0, 1, 2, 3].map((underWay) => isNeededAsProof(standing(1), underWay, policy(3))),
    [true, true, false, false],
  );
});

test('the share that is drawn is the rate, a tenth of which may be compiled on the submitter', () => {
  const cases: readonly [number, number, ReturnType<typeof sample>][] = [
    [0, 0, undefined],
    [1, 0, 'anyone'],
    [1, 0.0999, 'anyone'],
    [1, 0.1, 'node'],
    [1, 0.9999, 'node'],
    [0.01, 0.0009, 'anyone'],
    [0.01, 0.009, 'node'],
    [0.01, 0.01, undefined],
    [0.01, 0.9, undefined],
  ];
  for (const [rate, draw, expected] of cases)
    assert.equal(sample({ ...sameHost, rate }, draw), expected, `rate ${rate}, drawn ${draw}`);
});

test('a compiler of another host is looked at more closely, and never believed for want of proof', () => {
  assert.equal(isOnProbation(standing(9), otherHost), true);
  assert.equal(isOnProbation(standing(10), otherHost), false);
  assert.equal(isOnProbation(standing(0, 1_000_000), otherHost), true);
  assert.deepEqual(
    [0, 0.0999, 0.1].map((draw) => sample(otherHost, draw)),
    ['anyone', 'anyone', undefined],
  );
  const stricter = { probationJobs: 20, rate: 0.5, otherHostProbationJobs: 10, otherHostRate: 0.1 };
  const { probationJobs, rate } = verificationPolicy(stricter).otherHost;
  assert.deepEqual([probationJobs, rate], [20, 0.5]);
  const none = { probationJobs: 0, rate: 0, otherHostProbationJobs: 0, otherHostRate: 0 };
  assert.equal(isOnProbation(standing(0, 1), verificationPolicy(none).otherHost), false);
});

/** Results as letters: `a` and `b` of nodes, then those of the local compiler. */
function verdictOn(nodes: string, local: string, canAsk = true): Verdict {
  const results = [...nodes].map((print, index) => ({ nodeId: `node${index + 1}`, print }));
  return judge(results, [...local], canAsk);
}

const CASES: readonly [nodes: string, local: string, expected: string][] = [
  ['x', '', 'ask-reference'],
  ['x', 'x', 'agreed'],
  ['x', 'y', 'ask-reference'],
  ['x', 'yy', 'wrong node1'],
  ['x', 'yz', 'unrepeatable'],
  ['x', 'yx', 'unrepeatable'],
  ['xx', '', 'agreed'],
  ['xy', '', 'ask-reference'],
  ['xy', 'x', 'ask-reference'],
  ['xy', 'xx', 'wrong node2'],
  ['xy', 'yy', 'wrong node1'],
  ['xy', 'zz', 'wrong node1 node2'],
  ['xy', 'xy', 'unrepeatable'],
  ['xy', 'zw', 'unrepeatable'],
];

for (const [nodes, local, expected] of CASES) {
  test(`nodes made ${[...nodes].join(', ')}, the local compiler ${[...local].join(', ') || 'nothing yet'}: ${expected}`, () => {
    const verdict = verdictOn(nodes, local);
    assert.equal(verdict.kind === 'wrong' ? ['wrong', ...verdict.nodeIds].join(' ') : verdict.kind, expected);
  });
}

test('nobody is blamed where the local compiler cannot be asked twice', () => {
  for (const [nodes, local] of [
    ['xy', ''],
    ['xy', 'x'],
    ['x', 'y'],
  ] as const)
    assert.equal(verdictOn(nodes, local, false).kind, 'undecided');
});
