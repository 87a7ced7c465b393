/** The page about benchmarks shows the committed result, and its charts are drawn from that. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { publishedResult, renderPublished } from '../../bench/publish/pages.ts';
import { PACKAGE_ROOT } from '../../src/base/package-root.ts';

const textOf = (path: string): string => readFileSync(join(PACKAGE_ROOT, path), 'utf8');
const result = publishedResult();
const page = textOf('docs/benchmarks.md');

test('page and charts are fresh (npm run bench:publish)', () => {
  const files = renderPublished(result, page);
  assert.ok(Object.keys(files).some((path) => path.endsWith('.svg')));
  for (const [path, text] of Object.entries(files)) assert.equal(textOf(path), text, path);
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

test('the result names no directory of the machine that it comes from', () => {
  assert.doesNotMatch(JSON.stringify(result), /"[^"]*(?:\/home\/|\/root\/|\/tmp\/|\/work\/)/);
});
