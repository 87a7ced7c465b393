/** The pages about benchmarks show the committed results, and charts are drawn from them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PARTS } from '../../bench/micro/run.ts';
import {
  publishedMicro,
  publishedResult,
  publishedSmall,
  publishedSubmitter,
  renderMicroPage,
  renderPublished,
  renderSubmitterPart,
} from '../../bench/publish/pages.ts';
import { PACKAGE_ROOT } from '../../src/base/package-root.ts';

const textOf = (path: string): string => readFileSync(join(PACKAGE_ROOT, path), 'utf8');
const result = publishedResult();
const small = publishedSmall();
const micro = publishedMicro();
const submitter = publishedSubmitter();
const page = textOf('docs/benchmarks.md');

test('page and charts are fresh (npm run bench:publish)', () => {
  const files = renderPublished(result, page);
  assert.ok(Object.keys(files).some((path) => path.endsWith('.svg')));
  for (const [path, text] of Object.entries(files)) assert.equal(textOf(path), text, path);
});

test('the tables of the smaller tree are fresh', () => {
  assert.deepEqual(renderPublished(small, page), { 'docs/benchmarks.md': page });
});

test('a figure that was edited is noticed', () => {
  const [first] = result.runs;
  assert.ok(first);
  const edited = {
    ...result,
    runs: [{ ...first, wallSeconds: first.wallSeconds * 2 }, ...result.runs.slice(1)],
  };
  const files = renderPublished(edited, page);
  assert.notEqual(files['docs/benchmarks.md'], page);
  assert.notEqual(files[join('docs', 'benchmarks', 'time.svg')], textOf('docs/benchmarks/time.svg'));
});

test('the part about the submitter is fresh, and its objects were those of a local compile', () => {
  assert.equal(renderSubmitterPart(submitter, page), page);
  for (const { variant, passes, profiled } of submitter.results) {
    const all = [...passes, ...(profiled ? [profiled.cost] : [])];
    assert.ok(all.length > 0, variant);
    for (const { localUnits, differentObjects, missedJobs } of all)
      assert.equal(localUnits + differentObjects + missedJobs, 0, variant);
  }
});

test('the page of the micro-benchmark is fresh, and shows figures of every part', () => {
  const microPage = textOf('docs/micro-benchmarks.md');
  assert.equal(renderMicroPage(micro, microPage), microPage);
  assert.deepEqual(
    micro.parts.map(({ name }) => name),
    PARTS.map(({ name }) => name),
  );
  for (const { name } of PARTS) assert.match(microPage, new RegExp(`^\\| ${name} \\|`, 'm'), name);
});

test('the results name no directory of the machine that they come from', () => {
  assert.doesNotMatch(
    JSON.stringify([result, small, micro, submitter]),
    /"[^"]*(?:\/home\/|\/root\/|\/tmp\/|\/work\/)/,
  );
});
