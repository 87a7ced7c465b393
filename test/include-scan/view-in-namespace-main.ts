/**
 * Runs the scenarios in a user and mount namespace of their own. Arguments: `overlay` (on an overlay file system),
 * `few-watches` (the kernel grants only some of the watches) or `mounts` (file systems come and go); and an empty
 * directory to mount on. Prints what passed.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CLOCK_TICK_MS, EVENTS_ONLY, ViewFixture } from './view-fixture.ts';
import { SCENARIOS } from './view-scenarios.ts';

/** The cookie's and that of the root. */
const FEW_WATCHES = 2;

const [variant = '', mountPoint = ''] = process.argv.slice(2);

/** A new tmpfs; ends with the namespace. */
function mountTmpfs(): string {
  execFileSync('mount', ['-t', 'tmpfs', 'view', mountPoint]);
  return mountPoint;
}

function mountOverlay(): string {
  const base = mountTmpfs();
  for (const part of ['lower', 'upper', 'work', 'merged']) mkdirSync(join(base, part));
  const layers = `lowerdir=${base}/lower,upperdir=${base}/upper,workdir=${base}/work`;
  writeFileSync(join(base, 'lower', 'below.h'), 'lower\n');
  execFileSync('mount', ['-t', 'overlay', 'view', '-o', layers, join(base, 'merged')]);
  return join(base, 'merged');
}

async function runScenarios(base: string | undefined, limits = EVENTS_ONLY): Promise<void> {
  for (const scenario of SCENARIOS) {
    const fixture = new ViewFixture(limits, base);
    await scenario.run(fixture);
    const { unwatchedDirectories, fullExaminations } = fixture.view.stats();
    assert.equal(fullExaminations, 0);
    assert.equal(unwatchedDirectories > 0, variant === 'few-watches');
    fixture.close();
    console.log(`passed: ${scenario.name}`);
  }
}

async function runOverlay(): Promise<void> {
  const base = mountOverlay();
  await runScenarios(base);
  // The first write moves the file from the lower to the upper layer.
  const fixture = new ViewFixture(EVENTS_ONLY, base);
  const lower = join(base, 'below.h');
  await fixture.assertFresh(lower);
  writeFileSync(lower, 'upper\n');
  await fixture.assertFresh(lower);
  writeFileSync(lower, 'UPPER\n');
  await fixture.assertFresh(lower);
  assert.equal(fixture.view.stats().unwatchedDirectories, 0);
  fixture.close();
  console.log('passed: copied up');
}

async function runFewWatches(): Promise<void> {
  writeFileSync('/proc/sys/user/max_inotify_watches', String(FEW_WATCHES));
  // Stat alone, with nothing counted as old enough to be trusted; then trusted at once, beyond the clock's tick.
  await runScenarios(undefined, { ...EVENTS_ONLY, racyWindowMs: 2_000 });
  const fixture = new ViewFixture(EVENTS_ONLY);
  const path = fixture.write('a.h', 'one\n');
  for (const text of ['two\n', 'six\n', 'ten\n']) {
    await fixture.assertFresh(path, fixture.path('b.h'));
    await sleep(CLOCK_TICK_MS);
    writeFileSync(path, text);
    await fixture.assertFresh(path);
    const { filesRead } = fixture.view.stats();
    await fixture.assertFresh(path);
    assert.equal(fixture.view.stats().filesRead, filesRead, 'compared, not read');
  }
  fixture.write('b.h', 'new\n');
  await fixture.assertFresh(fixture.path('b.h'));
  fixture.close();
  console.log('passed: compared by stat');
}

async function runMounts(): Promise<void> {
  const fixture = new ViewFixture({ ...EVENTS_ONLY, mountCheckIntervalMs: 0 }, mountTmpfs());
  const path = fixture.write('over/x.h', 'below\n');
  await fixture.assertFresh(path);
  execFileSync('mount', ['-t', 'tmpfs', 'view', fixture.path('over')]);
  await fixture.assertFresh(path);
  assert.equal(fixture.view.node(path), undefined);
  fixture.write('over/x.h', 'above\n');
  await fixture.assertFresh(path);
  execFileSync('umount', [fixture.path('over')]);
  await fixture.assertFresh(path);
  assert.notEqual(fixture.view.node(path), undefined);
  fixture.close();
  console.log('passed: mounts');
}

const RUNS: Readonly<Record<string, () => Promise<void>>> = {
  overlay: runOverlay,
  'few-watches': runFewWatches,
  mounts: runMounts,
};
await RUNS[variant]?.();
