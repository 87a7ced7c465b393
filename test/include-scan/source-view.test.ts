/** The view notices every change of the tree, and nothing else. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  linkSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statfsSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { announcesChanges } from '../../src/include-scan/event-filesystems.ts';
import { buildHeaderWriter } from './header-writer.ts';
import { CLOCK_TICK_MS, EVENTS_ONLY, ViewFixture } from './view-fixture.ts';
import { SCENARIOS } from './view-scenarios.ts';

const IN_NAMESPACE = fileURLToPath(new URL('./view-in-namespace-main.js', import.meta.url));
const NAMESPACE = ['--user', '--map-root-user', '--mount'];
const TMPFS_TYPE = 0x01021994;

const canUnshare = spawnSync('unshare', [...NAMESPACE, 'true']).status === 0;
const hasTmpfs = (() => {
  try {
    return statfsSync('/dev/shm').type === TMPFS_TYPE;
  } catch {
    return false;
  }
})();

for (const scenario of SCENARIOS) {
  test(scenario.name, async (t) => {
    const fixture = ViewFixture.for(t);
    await scenario.run(fixture);
    assert.equal(fixture.view.stats().lostBarriers, 0);
  });
}

test('the same on tmpfs', { skip: !hasTmpfs && 'no tmpfs at /dev/shm' }, async (t) => {
  for (const scenario of SCENARIOS) {
    const fixture = ViewFixture.for(t, EVENTS_ONLY, '/dev/shm');
    await scenario.run(fixture);
    assert.equal(fixture.view.stats().unwatchedDirectories, 0);
  }
});

for (const variant of ['overlay', 'few-watches', 'mounts']) {
  const skip = !canUnshare && 'no user namespaces here';
  test(`in a namespace: ${variant}`, { skip }, (t) => {
    const { root } = ViewFixture.for(t);
    const command = [...NAMESPACE, process.execPath, IN_NAMESPACE, variant, root];
    const printed = execFileSync('unshare', command, { encoding: 'utf8' });
    assert.match(printed, /^passed: /m);
  });
}

test('files nobody asked about change nothing', async (t) => {
  const fixture = ViewFixture.for(t);
  const header = fixture.write('src/a.h', 'text\n');
  await fixture.assertFresh(header);
  const before = fixture.view.file(header);
  const { structureVersion } = fixture.view;
  const { filesRead, filesChecked } = fixture.view.stats();
  for (let object = 0; object < 50; object++) {
    fixture.write(`src/${object}.o`, 'object');
    fixture.write(`src/.${object}.o.d`, 'depfile');
  }
  await fixture.view.refresh();
  assert.equal(fixture.view.file(header), before);
  assert.equal(fixture.view.structureVersion, structureVersion);
  assert.equal(fixture.view.stats().filesRead, filesRead);
  assert.equal(fixture.view.stats().filesChecked, filesChecked);
});

test('a file rewritten with the same text and time stays the same object', async (t) => {
  const fixture = ViewFixture.for(t);
  const header = fixture.write('a.h', '#include "b.h"\n');
  execFileSync('touch', ['-d', '2001-01-01', header]);
  await fixture.view.refresh();
  const before = fixture.view.file(header);
  assert.deepEqual(before?.scan.quoted, ['b.h']);
  fixture.write('a.h', '#include "b.h"\n');
  await fixture.view.refresh();
  assert.notEqual(fixture.view.file(header), before, 'a new time is a new object');
  execFileSync('touch', ['-d', '2001-01-01', header]);
  await fixture.view.refresh();
  const again = fixture.view.file(header);
  execFileSync('touch', ['-d', '2001-01-01', header]);
  await fixture.view.refresh();
  assert.equal(fixture.view.file(header), again);
});

test('what is not a regular file below directories is no source', async (t) => {
  const fixture = ViewFixture.for(t);
  execFileSync('mkfifo', [fixture.path('fifo')]);
  mkdirSync(fixture.path('directory'));
  symlinkSync('directory', fixture.path('link'));
  fixture.write('directory/x.h', 'text\n');
  for (const odd of [
    'fifo',
    'directory',
    'link',
    'link/x.h',
    'directory/x.h/y',
    'directory/../directory/x.h',
  ])
    assert.equal(fixture.view.file(`${fixture.root}/${odd}`), undefined, odd);
  assert.deepEqual(fixture.view.node(fixture.path('fifo')), { kind: 'other' });
  assert.deepEqual(fixture.view.node('/'), { kind: 'directory' });
  assert.equal(fixture.view.node('relative'), undefined);
});

test('refreshes that begin together share one barrier', async (t) => {
  const fixture = ViewFixture.for(t);
  await fixture.view.refresh();
  const { barriers } = fixture.view.stats();
  await Promise.all(Array.from({ length: 100 }, () => fixture.view.refresh()));
  assert.equal(fixture.view.stats().barriers, barriers + 1);
});

test('a young file stored to through a mapping is read again', async (t) => {
  const fixture = ViewFixture.for(t, { auditIntervalMs: 1e9 });
  const writer = buildHeaderWriter(fixture.root);
  const header = fixture.write('a.h', 'text\n');
  await fixture.assertFresh(header);
  execFileSync(writer, ['map', header, 'TEXT\n']);
  await fixture.assertFresh(header);
});

test('the audit finds what causes no event: a mapping, a link made later', async (t) => {
  const fixture = ViewFixture.for(t, { racyWindowMs: 0, auditIntervalMs: 0 });
  const writer = buildHeaderWriter(fixture.root);
  const mapped = fixture.write('mapped.h', 'text\n');
  const linked = fixture.write('linked.h', 'text\n');
  mkdirSync(fixture.path('unasked'));
  await fixture.assertFresh(mapped, linked);
  linkSync(linked, fixture.path('unasked/name'));
  await sleep(CLOCK_TICK_MS);
  writeFileSync(fixture.path('unasked/name'), 'TEXT\n');
  await fixture.assertFresh(linked);
  const { ctimeMs } = statSync(mapped);
  execFileSync(writer, ['map', mapped, 'TEXT\n']);
  // An older tmpfs does not even change the file's times.
  if (statSync(mapped).ctimeMs === ctimeMs) return t.diagnostic('this file system hides stores to mappings');
  await fixture.assertFresh(mapped);
});

test('memory is bounded: what is not used goes, and is found again', async (t) => {
  const fixture = ViewFixture.for(t, { ...EVENTS_ONLY, maxDirectories: 40 });
  const headers = Array.from({ length: 100 }, (_, index) => fixture.write(`d${index}/x.h`, `${index}\n`));
  for (const header of headers) {
    await fixture.view.refresh();
    assert.notEqual(fixture.view.file(header), undefined);
    fixture.view.file(headers[0]!);
    assert.ok(fixture.view.stats().directories <= 42);
  }
  assert.ok(fixture.view.structureVersion > 0, 'what was forgotten is not watched any more');
  assert.equal(fixture.view.stats().refusedWatches, 0);
  for (const header of headers) writeFileSync(header, 'NEW\n');
  await fixture.assertFresh(...headers);
});

test('a kernel file system is not trusted to announce changes', () => {
  assert.equal(announcesChanges('/proc'), false);
  assert.equal(announcesChanges('/sys'), false);
});

test('the removal of the scratch directory is survived', async (t) => {
  const fixture = ViewFixture.for(t);
  const header = fixture.write('a.h', 'text\n');
  await fixture.assertFresh(header);
  for (const entry of readdirSync(fixture.scratch)) rmSync(join(fixture.scratch, entry), { recursive: true });
  writeFileSync(header, 'TEXT\n');
  await fixture.assertFresh(header);
  assert.equal(fixture.view.stats().lostBarriers, 0);
});

test('a refresh that waits when the view is closed is answered', async (t) => {
  const fixture = ViewFixture.for(t);
  const waiting = fixture.view.refresh();
  fixture.close();
  await waiting;
  await fixture.view.refresh();
});
