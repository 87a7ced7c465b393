/** What is remembered of nodes: over restarts, and not over a new version of meshcc there. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { NodeStandings } from '../../src/submitter/node-standings.ts';

const BOARD = { nodeId: 'abcdef', nodeName: 'board', agentVersion: '1' };
const OTHER = { nodeId: 'fedcba', nodeName: 'other', agentVersion: '1' };
const GCC = 'g'.repeat(64);
const GXX = 'x'.repeat(64);
const NEW = { agreed: 0, inconclusive: 0, isQuarantined: false };
const QUARANTINE = { sinceMs: 5, unit: '/app/x.c', evidence: '/state/mismatches/5-x.c' };

function place(t: TestContext): { path: string; warnings: string[]; open: () => NodeStandings } {
  const directory = mkdtempSync('/tmp/mc-standings-');
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, 'standings.json');
  const warnings: string[] = [];
  return { path, warnings, open: () => new NodeStandings(path, (line) => warnings.push(line)) };
}

test('nobody is known at first; what is learnt counts for one compiler on one node', async (t) => {
  const standings = place(t).open();
  assert.deepEqual(standings.of(BOARD, GCC), NEW);
  standings.agree(BOARD, GCC, 3);
  standings.agree(BOARD, GCC, 3);
  standings.proveNothing(BOARD, GCC);
  assert.deepEqual(standings.of(BOARD, GCC), { agreed: 2, inconclusive: 1, isQuarantined: false });
  assert.deepEqual([standings.of(BOARD, GXX), standings.of(OTHER, GCC)], [NEW, NEW]);
  for (let more = 0; more < 5; more++) standings.agree(BOARD, GCC, 3);
  assert.equal(standings.of(BOARD, GCC).agreed, 3);
  standings.doubt(BOARD, GCC);
  assert.equal(standings.of(BOARD, GCC).agreed, 0);
  await standings.saved();
});

test('a restart remembers everything, a new version of meshcc there nothing', async (t) => {
  const { open, warnings } = place(t);
  const before = open();
  before.agree(BOARD, GCC, 3);
  before.quarantine(BOARD, GXX, QUARANTINE);
  before.agree(OTHER, GCC, 3);
  await before.saved();
  const after = open();
  assert.deepEqual(after.of(BOARD, GCC), { ...NEW, agreed: 1 });
  assert.deepEqual(after.of(BOARD, GXX), { ...NEW, isQuarantined: true });
  assert.deepEqual([after.isQuarantined(BOARD, GXX), after.isQuarantined(BOARD, GCC)], [true, false]);
  assert.deepEqual(after.quarantined, [
    { nodeId: 'abcdef', nodeName: 'board', toolchainId: GXX, ...QUARANTINE },
  ]);
  const updated = { ...BOARD, agentVersion: '2' };
  assert.deepEqual([after.of(updated, GCC), after.of(updated, GXX)], [NEW, NEW]);
  assert.deepEqual(after.quarantined, []);
  await after.saved();
  assert.deepEqual(open().quarantined, []);
  assert.deepEqual(warnings, []);
});

test('a node is released by its name or the beginning of its id, for all its compilers', async (t) => {
  const standings = place(t).open();
  for (const toolchain of [GCC, GXX]) standings.quarantine(BOARD, toolchain, QUARANTINE);
  standings.quarantine(OTHER, GCC, QUARANTINE);
  assert.deepEqual(standings.release('abc'), [], 'too short to be meant');
  assert.equal(standings.release('abcd').length, 2);
  assert.deepEqual(standings.of(BOARD, GCC), NEW);
  assert.equal(standings.release('other').length, 1);
  assert.deepEqual(standings.quarantined, []);
  await standings.saved();
});

test('who waits hears of every change, and of the end of its patience', async (t) => {
  const standings = place(t).open();
  const patient = new AbortController();
  const changes = [standings.change(patient.signal), standings.change(patient.signal)];
  standings.agree(BOARD, GCC, 3);
  await Promise.all(changes);
  const last = standings.change(patient.signal);
  patient.abort();
  await last;
  await standings.change(patient.signal);
  await standings.saved();
});

test('a file that is damaged is not believed, and all are met anew', async (t) => {
  const { path, open, warnings } = place(t);
  for (const text of ['', 'no JSON', '{"format":9}', '{"format":1,"standings":[{"nodeId":3},null,"x"]}']) {
    writeFileSync(path, text);
    assert.deepEqual(open().of(BOARD, GCC), NEW, text);
  }
  assert.equal(warnings.length, 3);
  const standings = open();
  standings.agree(BOARD, GCC, 3);
  await standings.saved();
  assert.equal(open().of(BOARD, GCC).agreed, 1);
});

test('more nodes than a mesh can have push out the oldest', async (t) => {
  const { open } = place(t);
  const standings = open();
  for (let index = 0; index < 1_200; index++) standings.agree({ ...BOARD, nodeId: `node${index}` }, GCC, 3);
  await standings.saved();
  const again = open();
  assert.deepEqual(again.of({ ...BOARD, nodeId: 'node0' }, GCC), NEW);
  assert.equal(again.of({ ...BOARD, nodeId: 'node1199' }, GCC).agreed, 1);
});

test('a directory that cannot be written costs the memory, and nothing else', async (t) => {
  const { path, warnings } = place(t);
  const standings = new NodeStandings(`${path}/no/such/directory`, (line) => warnings.push(line));
  standings.agree(BOARD, GCC, 3);
  await standings.saved();
  assert.equal(standings.of(BOARD, GCC).agreed, 1);
  assert.match(warnings.join(), /cannot remember which nodes are trusted/);
});
