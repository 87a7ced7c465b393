/** Evidence is bounded by number and by bytes; the latest case is always kept. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { digestOf } from '../../src/base/digest.ts';
import { MismatchEvidence } from '../../src/submitter/mismatch-evidence.ts';
import { preparedJob } from './scripted-worker.ts';
import { sourceTree } from './source-tree.ts';

async function keeper(t: TestContext, maxCases: number, maxBytes: number) {
  const directory = mkdtempSync('/tmp/mc-evidence-');
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const cases = join(directory, 'mismatches');
  const evidence = new MismatchEvidence(cases, maxCases, maxBytes);
  const job = await preparedJob();
  const invocation = sourceTree(t).invocation('-O2', '-c', 'dir/x.c');
  const keep = (sizeBytes: number, path = 'x.o', by = 'board'): Promise<string> => {
    const content = Buffer.alloc(sizeBytes);
    const none = Buffer.alloc(0);
    const product = { stdout: none, stderr: none, files: [{ path, digest: digestOf(content), content }] };
    const unit = { invocation, job, compilerPath: '/usr/bin/gcc' };
    return evidence.keep(unit, [{ by, agentVersion: '1', product }], 'differs', 1000);
  };
  return { cases, keep };
}

test('the latest cases are kept, by number', async (t) => {
  const { cases, keep } = await keeper(t, 3, 1 << 30);
  const kept: string[] = [];
  for (let count = 0; count < 5; count++) kept.push(basename(await keep(10)));
  assert.deepEqual(readdirSync(cases).sort(), kept.slice(2).sort());
});

test('the latest cases are kept, by bytes, and the last one whatever its size', async (t) => {
  const { cases, keep } = await keeper(t, 10, 3_000_000);
  for (let count = 0; count < 5; count++) await keep(1_000_000);
  assert.equal(readdirSync(cases).length, 2);
  await keep(5_000_000);
  assert.equal(readdirSync(cases).length, 1);
});

test('a case says what was called and made, and names of others lead nowhere else', async (t) => {
  const { keep } = await keeper(t, 3, 1 << 30);
  const directory = await keep(10, '../../../../etc/x.o', '../../evil');
  const report = JSON.parse(readFileSync(join(directory, 'report.json'), 'utf8'));
  assert.deepEqual(report.command, ['/usr/bin/gcc', '-O2', '-c', 'dir/x.c']);
  assert.equal(report.verdict, 'differs');
  assert.equal(report.results[0].files[0].sha256, digestOf(Buffer.alloc(10)));
  assert.deepEqual(readdirSync(directory).sort(), ['0-.._.._evil', 'report.json']);
  assert.deepEqual(readdirSync(join(directory, '0-.._.._evil')), ['0-x.o']);
});
