/** Real compiles through a real submitter: a node that gets its results wrong is found out, and no user sees one. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { FromWorker } from '../../src/mesh/index.ts';
import { until } from '../mesh/transport-peers.ts';
import { wrongObject } from '../support/wrong-object.ts';
import { processesWith } from '../worker/working-pair.ts';
import { vanishingWorker } from './vanishing-worker.ts';
import { honest, unitNames, VerifiedMesh } from './verified-mesh.ts';

function reasons(mesh: VerifiedMesh): string[] {
  return mesh.summary.local.map(({ reason }) => reason).sort();
}

test('a single node: its first results are compared with the local compiler, later ones are not', async (t) => {
  const mesh = await VerifiedMesh.start(t, { workers: { board: honest }, probationJobs: 3 });
  if (mesh === undefined) return;
  await mesh.build(
    unitNames(8).map((name) => mesh.unit(name)),
    '-O2',
    '-g',
  );
  const { remoteJobs, localJobs, verification } = mesh.summary;
  assert.deepEqual([remoteJobs, localJobs], [8, 0]);
  assert.deepEqual({ ...verification }, { agreed: 3, wrong: 0, unrepeatable: 0, undecided: 0, findings: [] });
  assert.equal(mesh.compiles, 8);
  // What it has shown is remembered.
  await mesh.startSubmitter();
  await mesh.build(unitNames(2, 'later').map((name) => mesh.unit(name)));
  assert.deepEqual([mesh.summary.remoteJobs, mesh.summary.verification.agreed], [2, 0]);
});

test('two nodes are compared with each other, and each comparison counts for both', async (t) => {
  const mesh = await VerifiedMesh.start(t, { workers: { one: honest, two: honest }, probationJobs: 2 });
  if (mesh === undefined) return;
  for (const name of unitNames(6)) await mesh.build([mesh.unit(name)]);
  const { remoteJobs, localJobs, verification } = mesh.summary;
  assert.deepEqual([remoteJobs, localJobs, verification.agreed], [6, 0, 2]);
  // A second compile is no job of the user.
  assert.equal(mesh.compiles, 8);
});

test('switched off, nothing is compiled twice', async (t) => {
  const mesh = await VerifiedMesh.start(t, { workers: { one: honest, two: honest }, probationJobs: 0 });
  if (mesh === undefined) return;
  await mesh.build(unitNames(6).map((name) => mesh.unit(name)));
  assert.deepEqual([mesh.summary.remoteJobs, mesh.summary.verification.agreed, mesh.compiles], [6, 0, 6]);
  assert.deepEqual(readdirSync(mesh.standings), []);
});

test('a share of the later results is compared, as the lot falls', async (t) => {
  const draws = [0.4, 0.6, 0.4, 0.6, 0.6, 0.4];
  const options = { workers: { one: honest, two: honest }, probationJobs: 0, rate: 0.5 };
  const mesh = await VerifiedMesh.start(t, { ...options, random: () => draws.shift() ?? 1 });
  if (mesh === undefined) return;
  for (const name of unitNames(6)) await mesh.build([mesh.unit(name)]);
  assert.deepEqual([mesh.summary.remoteJobs, mesh.summary.verification.agreed, mesh.compiles], [6, 3, 9]);
});

test('a single node that is drawn is compared here only for a tenth of the share', async (t) => {
  const draws = [0.4, 0.04, 0.4];
  const options = { workers: { one: honest }, probationJobs: 0, rate: 0.5 };
  const mesh = await VerifiedMesh.start(t, { ...options, random: () => draws.shift() ?? 1 });
  if (mesh === undefined) return;
  for (const name of unitNames(3)) await mesh.build([mesh.unit(name)]);
  assert.deepEqual([mesh.summary.remoteJobs, mesh.summary.verification.agreed, mesh.compiles], [3, 1, 3]);
});

test('a broken board never yields an object: quarantine, evidence, and a reason for what stays local', async (t) => {
  const mesh = await VerifiedMesh.start(t, { workers: { broken: wrongObject }, probationJobs: 3 });
  if (mesh === undefined) return;
  await mesh.build(
    unitNames(6).map((name) => mesh.unit(name)),
    '-O2',
  );
  const { remoteJobs, localJobs, verification } = mesh.summary;
  assert.deepEqual([remoteJobs, localJobs, verification.wrong, verification.agreed], [0, 6, 1, 0]);
  assert.match(verification.findings[0] ?? '', /WRONG RESULT: broken-name compiled .*\/unit\d\.c wrongly/);
  const [found, ...others] = mesh.submitter.quarantined;
  assert.ok(found !== undefined && others.length === 0);
  assert.deepEqual([found.nodeId, found.nodeName], ['broken', 'broken-name']);
  // Both objects are there, and differ.
  const report = JSON.parse(readFileSync(join(found.evidence, 'report.json'), 'utf8'));
  assert.deepEqual(
    report.results.map(({ by }: { by: string }) => by),
    ['broken-name', 'local', 'local'],
  );
  assert.deepEqual(report.command.slice(1, 3), ['-O2', '-c']);
  const [theirs, ours] = ['0-broken-name', '1-local'].map((name) => {
    const directory = join(found.evidence, name);
    return readFileSync(join(directory, readdirSync(directory)[0] ?? ''));
  });
  assert.equal(theirs?.length, ours?.length);
  assert.notDeepEqual(theirs, ours);

  await mesh.build([mesh.unit('next')]);
  assert.ok(reasons(mesh).includes('node-quarantined'), reasons(mesh).join(' '));
  // A restart forgives nothing.
  await mesh.startSubmitter();
  await mesh.build([mesh.unit('after')]);
  assert.deepEqual(reasons(mesh), ['node-quarantined']);
  // A person may, and it is met anew.
  assert.deepEqual(mesh.submitter.release('nobody'), []);
  assert.deepEqual(
    mesh.submitter.release('broken-name').map(({ nodeId }) => nodeId),
    ['broken'],
  );
  assert.deepEqual(mesh.submitter.quarantined, []);
  await mesh.build([mesh.unit('again')]);
  assert.equal(mesh.submitter.quarantined.length, 1);
  assert.equal(mesh.summary.remoteJobs, 0);
});

test('of two nodes the broken one is named, and the build goes on with the other', async (t) => {
  const mesh = await VerifiedMesh.start(t, {
    workers: { broken: wrongObject, good: honest },
    probationJobs: 2,
  });
  if (mesh === undefined) return;
  await mesh.build(
    unitNames(8).map((name) => mesh.unit(name)),
    '-MD',
  );
  assert.deepEqual(
    mesh.submitter.quarantined.map(({ nodeId }) => nodeId),
    ['broken'],
  );
  const before = mesh.compiled.get('broken');
  await mesh.build(unitNames(6, 'later').map((name) => mesh.unit(name)));
  assert.equal(mesh.compiled.get('broken'), before);
  const { nodes } = mesh.summary;
  assert.deepEqual(
    nodes.map(({ name }) => name),
    ['good-name'],
  );
});

test('a depfile or a diagnostic that differs is a wrong result as well', async (t) => {
  for (const part of ['stderr', 'depfile'] as const) {
    const tamper = (message: FromWorker): FromWorker => {
      if (message.result?.compiled === undefined || part === 'depfile') return wrongDepfile(message);
      const { compiled } = message.result;
      return {
        result: { ...message.result, compiled: { ...compiled, stderr: Buffer.from('unit.c: hm\n') } },
      };
    };
    const mesh = await VerifiedMesh.start(t, { workers: { broken: tamper }, probationJobs: 1 });
    if (mesh === undefined) return;
    await mesh.build([mesh.unit('unit')], '-MD');
    assert.equal(mesh.submitter.quarantined.length, 1, part);
    assert.equal(mesh.summary.remoteJobs, 0, part);
  }
});

/** Makes the first output the last for a moment, so that it is the one that is changed. */
function wrongDepfile(message: FromWorker): FromWorker {
  const { result } = message;
  if (result?.compiled === undefined) return message;
  const reversed = {
    ...result,
    compiled: { ...result.compiled, outputs: result.compiled.outputs.toReversed() },
  };
  const wrong = wrongObject({ result: reversed }).result;
  if (wrong?.compiled === undefined) return message;
  return {
    result: { ...wrong, compiled: { ...wrong.compiled, outputs: wrong.compiled.outputs.toReversed() } },
  };
}

test('a node that breaks later is found by the share, and the user is told to build anew', async (t) => {
  let isBroken = false;
  const tamper = (message: FromWorker): FromWorker => (isBroken ? wrongObject(message) : message);
  const options = { workers: { board: tamper }, probationJobs: 1, rate: 1, random: () => 0 };
  const mesh = await VerifiedMesh.start(t, options);
  if (mesh === undefined) return;
  await mesh.build(unitNames(3).map((name) => mesh.unit(name)));
  assert.deepEqual([mesh.summary.remoteJobs, mesh.submitter.quarantined.length], [3, 0]);
  isBroken = true;
  await mesh.build(unitNames(3, 'later').map((name) => mesh.unit(name)));
  assert.equal(mesh.submitter.quarantined.length, 1);
  assert.match(mesh.summary.verification.findings[0] ?? '', /build anew to be sure/);
});

test('a second compiler that is lost is replaced by the local one', async (t) => {
  const mesh = await VerifiedMesh.start(t, { workers: { board: honest }, probationJobs: 2 });
  if (mesh === undefined) return;
  const vanishing = await vanishingWorker(t);
  mesh.submitter.pool?.sighted({ nodeId: 'vanishing', name: 'vanishing', addresses: [vanishing.address] });
  await until(
    () =>
      mesh.submitter.pool?.nodes.some(
        ({ worker }) => worker?.nodeId === 'vanishing' && worker.credits > 0,
      ) === true,
    'a credit of the node that will vanish',
  );
  await mesh.build([mesh.unit('unit')]);
  assert.equal(vanishing.jobs(), 1);
  const { remoteJobs, localJobs, verification } = mesh.summary;
  assert.deepEqual([remoteJobs, localJobs, verification.agreed, verification.wrong], [1, 0, 1, 0]);
  assert.deepEqual(mesh.submitter.quarantined, []);
});

test('an input that changes while results are compared is nobody’s fault', async (t) => {
  const mesh = await VerifiedMesh.start(t, {
    workers: {
      board: (message) => {
        // After the compile, and before the submitter has its result.
        if (message.result?.compiled) writeFileSync(join(mesh?.work ?? '', 'unit.c'), 'int other;\n');
        return message;
      },
    },
    probationJobs: 1,
  });
  if (mesh === undefined) return;
  mesh.unit('unit', 'int first;\n');
  await mesh.compile('unit');
  assert.deepEqual(mesh.submitter.quarantined, []);
  assert.deepEqual(reasons(mesh), ['input-changed']);
  await mesh.assertLocal('unit');
});

test('Ctrl-C while a result is held ends everything, and leaves no file and no verdict', async (t) => {
  const mesh = await VerifiedMesh.start(t, { workers: { board: honest }, probationJobs: 1 });
  if (mesh === undefined) return;
  // Long enough that the second compile is caught in the middle.
  const lines = Array.from({ length: 1_500 }, (_, at) => `  if (a % ${at + 2} == b) a += f(a, ${at});`);
  mesh.unit('slow', `int f(int, int);\nint g(int a, int b) {\n${lines.join('\n')}\n  return a;\n}\n`);
  const calling = mesh.begin('slow', '-O2');
  const second = (): string[] => processesWith(`slow.c -o ${mesh.scratch}/meshcc-reference`);
  await until(() => second().length > 0, 'the second compile runs');
  assert.equal(mesh.compiles, 1);
  calling.kill('SIGINT');
  await calling.ended;
  await until(() => second().length === 0, 'the second compile has ended');
  await until(() => mesh.summary.localJobs === 1, 'the call is recorded');
  assert.deepEqual(reasons(mesh), ['interrupted']);
  assert.deepEqual(readdirSync(mesh.work), ['slow.c']);
  assert.deepEqual([mesh.submitter.quarantined, mesh.summary.verification.agreed], [[], 0]);
  await mesh.build([mesh.unit('next')]);
  assert.deepEqual([mesh.summary.remoteJobs, mesh.summary.verification.agreed], [1, 1]);
});

test('new nodes with one and the same fault do not vouch for one another', async (t) => {
  const mesh = await VerifiedMesh.start(t, {
    workers: { one: wrongObject, two: wrongObject },
    probationJobs: 2,
  });
  if (mesh === undefined) return;
  await mesh.build(unitNames(6).map((name) => mesh.unit(name)));
  assert.equal(mesh.summary.remoteJobs, 0);
  assert.deepEqual(mesh.submitter.quarantined.map(({ nodeId }) => nodeId).sort(), ['one', 'two']);
});

test('a unit that cannot be compiled here for comparison is compiled here for good while a node is new', async (t) => {
  const mesh = await VerifiedMesh.start(t, { workers: { broken: wrongObject }, probationJobs: 3 });
  if (mesh === undefined) return;
  await mesh.build([mesh.unit('split')], '-g', '-gsplit-dwarf');
  assert.deepEqual([mesh.summary.remoteJobs, reasons(mesh)], [0, ['unverified']]);
});

test('a build of nothing but such units uses a new node after a while', async (t) => {
  const mesh = await VerifiedMesh.start(t, { workers: { good: honest }, probationJobs: 1 });
  if (mesh === undefined) return;
  for (const name of unitNames(5)) await mesh.build([mesh.unit(name)], '-fstack-usage');
  const { remoteJobs, localJobs } = mesh.summary;
  assert.deepEqual([remoteJobs, localJobs, reasons(mesh)], [1, 4, ['unverified']]);
});

test('a new node is not believed because the local compiler could not be asked', async (t) => {
  const mesh = await VerifiedMesh.start(t, { workers: { broken: wrongObject }, probationJobs: 3 });
  if (mesh === undefined) return;
  rmSync(mesh.scratch, { recursive: true });
  await mesh.build(unitNames(6).map((name) => mesh.unit(name)));
  assert.deepEqual([mesh.summary.remoteJobs, mesh.summary.verification.wrong], [0, 0]);
  assert.deepEqual([...new Set(reasons(mesh))], ['unverified']);
});
