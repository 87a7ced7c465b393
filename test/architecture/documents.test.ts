/** The documents hold what they promise: generated parts are fresh, links lead somewhere, commands exist. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { PACKAGE_ROOT } from '../../src/base/package-root.ts';
import { GENERATED_DOCS } from '../../src/cli/generated-docs.ts';
import { isCompilerName, LOCAL_REASONS } from '../../src/compiler/index.ts';
import { RUNG_NAMES, RUNGS, WALLS } from '../../src/sandbox/index.ts';
import { filesIn, tableBelow, textOf } from './sources.ts';

const DOCUMENTS = [
  ...readdirSync(PACKAGE_ROOT).filter((file) => file.endsWith('.md')),
  ...filesIn('docs', '.md'),
];

for (const [path, render] of Object.entries(GENERATED_DOCS)) {
  test(`${path} is fresh (npm run docs)`, () => {
    const text = textOf(path);
    assert.equal(text, render(text));
  });
}

test('a generated part that was edited is noticed', () => {
  const path = 'docs/shim-protocol.md';
  const edited = textOf(path).replace('| 1 | REQUEST |', '| 1 | EDITED |');
  assert.notEqual(GENERATED_DOCS[path]?.(edited), edited);
});

test('relative links lead to files, and their anchors to headings', () => {
  const broken: string[] = [];
  for (const document of DOCUMENTS) {
    for (const [, link = ''] of textOf(document).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)) {
      const [file = '', anchor] = link.split('#');
      const target = file === '' ? document : join(dirname(document), file);
      const isThere = existsSync(join(PACKAGE_ROOT, target));
      if (!isThere || (anchor !== undefined && !anchorsOf(target).includes(anchor)))
        broken.push(`${document}: ${link}`);
    }
  }
  assert.deepEqual(broken, []);
});

function anchorsOf(document: string): string[] {
  return [...textOf(document).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** The commands that `meshcc --help` lists. */
function commands(): string[] {
  const main = join(PACKAGE_ROOT, 'dist', 'src', 'cli', 'main.js');
  const { stdout, status } = spawnSync(process.execPath, [main, '--help'], { encoding: 'utf8' });
  assert.equal(status, 0);
  const listed = stdout.slice(stdout.indexOf('Commands:'));
  return [...listed.matchAll(/^ {2}([a-z]+)\b/gm)].map(([, command = '']) => command);
}

test('every command that a document or an advice names exists', () => {
  const known = commands();
  assert.ok(known.includes('agent'));
  const texts = new Map(DOCUMENTS.map((document) => [document, [...codeOf(textOf(document))].join('\n')]));
  for (const [id, reason] of Object.entries(LOCAL_REASONS))
    texts.set(id, 'advice' in reason ? (reason.advice ?? '') : '');
  const unknown: string[] = [];
  for (const [where, text] of texts) {
    for (const [, command = ''] of text.matchAll(/(?:^|[`$:] ?)meshcc ([a-z][a-z+-]*)/gm)) {
      if (!known.includes(command) && isCompilerName(command) === undefined)
        unknown.push(`${where}: meshcc ${command}`);
    }
  }
  assert.deepEqual(unknown, []);
});

/** Fenced blocks and spans of code, the latter with their marks. */
function* codeOf(markdown: string): Generator<string> {
  for (const [, block = ''] of markdown.matchAll(/^```\w*\n(.*?)^```/gms)) yield block;
  for (const [span] of markdown.replace(/^```.*?^```/gms, '').matchAll(/`[^`\n]+`/g)) yield span;
}

test('the README begins with the two lines that everybody needs', () => {
  const blocks = [...textOf('README.md').matchAll(/^```sh\n(.*?)^```/gms)].map(([, block = '']) => block);
  assert.deepEqual(blocks, ['npm ci && npm run demo\n', 'npm ci && npm test\n']);
});

test('every invariant names a test that exists', () => {
  const rows = tableBelow('## Invariants', textOf('ARCHITECTURE.md'));
  assert.ok(rows.length > 5);
  for (const [invariant = '', tests = ''] of rows) {
    const files = tests.split(/,\s*/);
    for (const file of files) assert.ok(existsSync(join(PACKAGE_ROOT, file)), `${invariant}: ${file}`);
  }
});

/** `file: title` of each test that a cell names. */
function testsIn(cell: string): { file: string; title: string }[] {
  return cell.split('<br>').map((one) => {
    const [, file = '', title = ''] = /^(test\/[^:]+): (.+)$/.exec(one.trim()) ?? [];
    return { file, title };
  });
}

/** True if a test, a suite or a case of that title is in the text of a test file. */
function hasTitle(text: string, title: string): boolean {
  return [`'${title}'`, `\`${title}\``].some((quoted) => text.includes(quoted));
}

test('every wall of the ladder, and every promise beside it, names tests that exist', () => {
  const markdown = textOf('docs/security.md');
  const walls = tableBelow('## What holds each promise', markdown);
  const others = tableBelow('What is promised apart from the walls:', markdown);
  assert.deepEqual(
    walls.map(([wall]) => wall),
    Object.keys(WALLS),
  );
  assert.ok(others.length > 5);
  for (const [promise = '', cell = ''] of [...walls, ...others]) {
    for (const { file, title } of testsIn(cell)) {
      assert.ok(file !== '' && existsSync(join(PACKAGE_ROOT, file)), `${promise}: ${cell}`);
      assert.ok(hasTitle(textOf(file), title), `${promise}: there is no test "${title}" in ${file}`);
    }
  }
});

test('a wall that a rung lacks is one that members are not served behind', () => {
  for (const name of RUNG_NAMES) {
    const lacking = Object.entries(RUNGS[name].walls).filter(([, how]) => how === undefined);
    const severe = lacking.filter(([wall]) => wall !== 'tables');
    assert.equal(RUNGS[name].serves, severe.length === 0 ? 'members' : 'named nodes', name);
  }
});
