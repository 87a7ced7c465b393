/** Only results that the pages speak of are published, and one benchmark at a time works in a cache. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { formatMachine } from '../../bench/contest/markdown.ts';
import { publicationObstacle } from '../../bench/publish/obstacle.ts';
import {
  publishedMicro,
  publishedResult,
  publishedSmall,
  publishedSubmitter,
} from '../../bench/publish/pages.ts';
import { PACKAGE_ROOT } from '../../src/base/package-root.ts';

const contest = publishedResult();
const submitter = publishedSubmitter();
const micro = publishedMicro();

test('what is published can be published', () => {
  for (const result of [contest, publishedSmall(), submitter, micro])
    assert.equal(publicationObstacle(result), undefined);
});

test('results that the pages do not speak of are refused', () => {
  const settings = { ...contest.settings, workload: 'fifteen' };
  assert.match(
    publicationObstacle({ ...contest, settings }) ?? '',
    /shows contests on k348 and small, not on fifteen/,
  );
  const runs = contest.runs.filter(({ contestant }) => contestant !== 'pump');
  assert.match(publicationObstacle({ ...contest, runs }) ?? '', /speaks of pump, who took no part/);
  assert.match(publicationObstacle({ ...submitter, workload: 'small' }) ?? '', /workload k348, not small/);
  const [first, ...others] = micro.parts;
  assert.match(publicationObstacle({ ...micro, parts: others }) ?? '', new RegExp(`lacks ${first?.name}`));
  assert.match(publicationObstacle({ ...micro, command: `${micro.command} --short` }) ?? '', /short form/);
});

test('a contest with a run that failed is refused', () => {
  const runs = contest.runs.map((run) =>
    run.leg === 'distcc' ? { ...run, objects: { ...run.objects, missing: 7, identical: 341 } } : run,
  );
  assert.match(publicationObstacle({ ...contest, runs }) ?? '', /^distcc: 7 objects were not made$/);
});

test('the order of the runs is shown, with pauses', () => {
  const [first, second] = contest.runs;
  assert.ok(first && second);
  const runs = [
    { ...first, leg: 'floor', round: 1, startedAt: '2026-01-01T10:00:00.000Z', wallSeconds: 60 },
    { ...second, leg: 'pump', round: 1, startedAt: '2026-01-01T10:02:00.000Z', wallSeconds: 60 },
    { ...second, leg: 'pump', round: 2, startedAt: '2026-01-01T13:03:00.000Z', wallSeconds: 60 },
  ];
  assert.match(
    formatMachine({ ...contest, runs }),
    /UTC: floor 1, pump 1, \(\*\*3\.0 hours later\*\*\) pump 2$/,
  );
});

test('a cache that a benchmark works in is refused to another', () => {
  const cache = mkdtempSync(join(tmpdir(), 'meshcc-cache-'));
  const lock = pathToFileURL(join(PACKAGE_ROOT, 'dist', 'bench', 'cache-lock.js')).href;
  const hold = `const { holdCache } = await import(${JSON.stringify(lock)}); await holdCache(${JSON.stringify(cache)});`;
  const other = `process.execPath, ['--input-type=module', '-e', ${JSON.stringify(hold)}], { stdio: 'pipe' }`;
  const both = `${hold} const { spawnSync } = await import('node:child_process'); console.log(String(spawnSync(${other}).stderr));`;
  try {
    const run = (script: string): string =>
      execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    assert.match(run(both), /another benchmark is at work in .*--cache/);
    assert.equal(run(hold), '', 'it is free again, and holding it keeps nobody alive');
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
});
