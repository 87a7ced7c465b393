/** What is read of a file that somebody is writing: a state that it really had, or nothing. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { digestOf } from '../../src/base/digest.ts';
import { FRESHNESS_LIMITS } from '../../src/include-scan/freshness-limits.ts';
import { readWhole } from '../../src/include-scan/source-reader.ts';

/** Appends lines, with pauses now and then, until it is told to stop. */
const WRITER = `
const { openSync, writeSync } = require('node:fs');
const file = openSync(process.argv[1], 'a');
let number = 0;
const write = () => {
  for (let count = 0; count < 20; count++) writeSync(file, 'int line_' + number++ + ';\\n');
  setTimeout(write, number % 3);
};
write();
process.stdin.on('end', () => process.exit(0)).resume();
`;

function startWriter(path: string): ChildProcess {
  return spawn(process.execPath, ['-e', WRITER, path], { stdio: ['pipe', 'ignore', 'inherit'] });
}

test('a large file that grows while it is read: what is taken for its content is the whole of it', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'meshcc-reader-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, 'growing.h');
  writeFileSync(path, 'int start;\n'.repeat(400_000));
  const firstSize = readFileSync(path).length;
  const writer = startWriter(path);
  const reads: { sizeBytes: number; digest: string }[] = [];
  while (reads.length < 40) {
    const read = readWhole(path, { ...FRESHNESS_LIMITS, maxReads: 1_000 }, undefined);
    if (read !== undefined) reads.push(read);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  writer.stdin?.end();
  await once(writer, 'close');
  const content = readFileSync(path);
  assert.ok(content.length > firstSize, 'it has grown');
  for (const { sizeBytes, digest } of reads) {
    assert.ok(sizeBytes >= firstSize, `${sizeBytes} bytes are a part of it`);
    assert.equal(digest, digestOf(content.subarray(0, sizeBytes)));
  }
});

test('what is known already is not scanned again', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'meshcc-reader-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, 'a.h');
  writeFileSync(path, '#include "b.h"\n');
  const first = readWhole(path, FRESHNESS_LIMITS, undefined);
  assert.deepEqual(first?.scan?.quoted, ['b.h']);
  assert.equal(readWhole(path, FRESHNESS_LIMITS, first?.digest)?.scan, undefined);
  assert.equal(readWhole(join(directory, 'none.h'), FRESHNESS_LIMITS, undefined), undefined);
  assert.equal(readWhole(directory, FRESHNESS_LIMITS, undefined), undefined);
});
