import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALL_BUILDS, type JobRecord, Ledger } from '../../src/observe/index.ts';

const remote = (buildId: string, nodeName: string, failedAttempts: string[] = []): JobRecord => ({
  buildId,
  subject: 'x.c',
  place: { kind: 'remote', nodeName, cpuUs: 250_000 },
  failedAttempts,
  wallMs: 1,
});

const local = (
  buildId: string,
  reason: 'link' | 'time-macro',
  subject: string,
  detail: string,
): JobRecord => ({
  buildId,
  subject,
  place: { kind: 'local', reason, detail },
  failedAttempts: [],
  wallMs: 1,
});

test('a build counts its own calls, and all of them count together', () => {
  const ledger = new Ledger();
  ledger.record(remote('one', 'board'));
  ledger.record(remote('one', 'laptop', ['board: lost', 'board: lost']));
  ledger.record(remote('one', 'board'));
  ledger.record(local('one', 'time-macro', 'v.c', '/src/v.h'));
  ledger.record(local('two', 'link', 'prog', 'prog'));
  ledger.record(local('', 'link', 'other', ''));
  assert.deepEqual(ledger.summary('one'), {
    buildId: 'one',
    remoteJobs: 3,
    localJobs: 1,
    failedAttempts: 2,
    nodes: [
      { name: 'board', jobs: 2, cpuSeconds: 0.5 },
      { name: 'laptop', jobs: 1, cpuSeconds: 0.25 },
    ],
    local: [{ reason: 'time-macro', jobs: 1, example: 'v.c (/src/v.h)' }],
    verification: { agreed: 0, wrong: 0, unrepeatable: 0, undecided: 0, findings: [] },
  });
  assert.deepEqual(ledger.summary('two').local, [{ reason: 'link', jobs: 1, example: 'prog' }]);
  const all = ledger.summary(ALL_BUILDS);
  assert.deepEqual([all.remoteJobs, all.localJobs], [3, 3]);
  assert.deepEqual(all.local[0], { reason: 'link', jobs: 2, example: 'prog' });
});

test('comparisons are counted beside the calls, and the latest findings are kept', () => {
  const ledger = new Ledger();
  ledger.recordComparison('one', 'agreed');
  ledger.recordComparison('one', 'wrong', 'board was wrong');
  for (let index = 0; index < 12; index++) ledger.recordComparison('two', 'undecided', `finding ${index}`);
  const { remoteJobs, localJobs, verification } = ledger.summary('one');
  assert.deepEqual([remoteJobs, localJobs], [0, 0]);
  const none = { agreed: 0, wrong: 0, unrepeatable: 0, undecided: 0 };
  assert.deepEqual(verification, { ...none, agreed: 1, wrong: 1, findings: ['board was wrong'] });
  const all = ledger.summary(ALL_BUILDS).verification;
  assert.deepEqual([all.agreed, all.wrong, all.undecided], [1, 1, 12]);
  assert.deepEqual([all.findings.length, all.findings.at(-1)], [10, 'finding 11']);
});

test('a build that nobody knows is empty', () => {
  const summary = new Ledger().summary('unheard-of');
  assert.deepEqual([summary.remoteJobs, summary.localJobs, summary.nodes, summary.local], [0, 0, [], []]);
});

test('the latest calls are kept in order, the oldest go first', () => {
  const ledger = new Ledger();
  const subjects = (): string[] => ledger.recent().map(({ subject }) => subject);
  assert.deepEqual(subjects(), []);
  for (let index = 0; index < 3; index++) ledger.record(local('', 'link', `call ${index}`, ''));
  assert.deepEqual(subjects(), ['call 0', 'call 1', 'call 2']);
  for (let index = 3; index < 5_007; index++) ledger.record(local('', 'link', `call ${index}`, ''));
  const kept = subjects();
  assert.equal(kept.length, 5_000);
  assert.deepEqual([kept[0], kept.at(-1)], ['call 7', 'call 5006']);
  assert.deepEqual(
    kept.map((subject) => Number(subject.slice(5))),
    Array.from({ length: 5_000 }, (_, index) => index + 7),
  );
});

test('memory is bounded in builds: the one unused for longest is forgotten, the total is not', () => {
  const ledger = new Ledger();
  for (let build = 0; build < 201; build++) ledger.record(remote(`build ${build}`, 'board'));
  assert.equal(ledger.summary('build 0').remoteJobs, 0);
  assert.equal(ledger.summary('build 1').remoteJobs, 1);
  assert.equal(ledger.summary('build 200').remoteJobs, 1);
  assert.equal(ledger.summary(ALL_BUILDS).remoteJobs, 201);
});

test('no text is kept that is longer than a person reads', () => {
  const ledger = new Ledger();
  const long = 'é'.repeat(100_000);
  ledger.record({ ...local('', 'link', long, long), failedAttempts: [long] });
  const [job] = ledger.recent();
  assert.ok(job?.place.kind === 'local');
  for (const text of [job.subject, job.place.detail, ...job.failedAttempts])
    assert.equal(text, `${'é'.repeat(999)}…`);
  assert.ok((ledger.summary(ALL_BUILDS).local[0]?.example.length ?? 0) < 2_100);
});
