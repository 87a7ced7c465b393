/** A CPU profile is added up for whoever caused the time, and idling counts for nobody. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { breakDown } from '../../bench/submitter/cpu-profile.ts';
import { PACKAGE_ROOT } from '../../src/base/package-root.ts';

const inDist = (path: string): string => pathToFileURL(join(PACKAGE_ROOT, 'dist', path)).href;

test('time of Node belongs to the nearest caller in the project', () => {
  const frame = (id: number, url: string, functionName: string, children: number[] = []) => ({
    id,
    callFrame: { url, functionName },
    children,
  });
  const nodes = [
    frame(1, '', '(root)', [2, 3, 7, 8]),
    frame(2, '', '(idle)'),
    frame(3, inDist('src/include-scan/tree-watch.js'), 'look', [4]),
    frame(4, 'node:fs', 'lstatSync', [5, 6]),
    frame(5, '', 'lstat'),
    frame(6, inDist('src/shim/wire.js'), 'encode'),
    frame(7, '', '(garbage collector)'),
    frame(8, inDist('bench/submitter/profile-on-signal.js'), 'start'),
  ];
  const directory = mkdtempSync(join(tmpdir(), 'meshcc-profile-'));
  const file = join(directory, 'x.cpuprofile');
  const samples = [2, 3, 4, 5, 6, 7, 8];
  const timeDeltas = [50_000, 1000, 1000, 2000, 4000, 2000, 90_000];
  writeFileSync(file, JSON.stringify({ nodes, samples, timeDeltas }));
  try {
    const { busyMs, activities, files } = breakDown(file);
    assert.equal(busyMs, 10);
    assert.deepEqual(activities, [
      { name: 'freshness', share: 0.4 },
      { name: 'shim: request and write', share: 0.4 },
      { name: 'garbage collector', share: 0.2 },
    ]);
    assert.equal(files.find(({ name }) => name === 'include-scan/tree-watch')?.share, 0.4);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
