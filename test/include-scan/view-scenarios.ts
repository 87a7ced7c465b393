/** Changes of a tree that a view must notice; each is run on several file systems and with too few watches. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { walkPath } from '../../src/base/path-walk.ts';
import type { WatchedSourceView } from '../../src/include-scan/source-view.ts';
import { CLOCK_TICK_MS, type ViewFixture } from './view-fixture.ts';

export interface Scenario {
  readonly name: string;
  run(fixture: ViewFixture): Promise<void>;
}

/** Fails unless the structure version grows when something is done that concerns a path. */
async function assertStructureGrows(
  view: WatchedSourceView,
  path: string,
  change: () => void,
): Promise<void> {
  await view.refresh();
  view.node(path);
  const before = view.structureVersion;
  change();
  await view.refresh();
  assert.ok(view.structureVersion > before, 'structureVersion did not grow');
}

async function overwriting(fixture: ViewFixture): Promise<void> {
  const path = fixture.write('a.h', 'old\n');
  await fixture.assertFresh(path);
  const { atime, mtime } = statSync(path);
  for (let round = 0; round < 20; round++) {
    writeFileSync(path, `${round % 10}ew\n`);
    if (round % 2 === 0) utimesSync(path, atime, mtime);
    await fixture.assertFresh(path);
  }
  fixture.write('a.tmp', 'ren\n');
  renameSync(fixture.path('a.tmp'), path);
  await fixture.assertFresh(path);
  unlinkSync(path);
  await fixture.assertFresh(path);
  assert.equal(fixture.view.node(path), undefined);
  fixture.write('a.h', 'new\n');
  await fixture.assertFresh(path);
}

async function appearing(fixture: ViewFixture): Promise<void> {
  const { view } = fixture;
  fixture.write('late/x.h', 'late\n');
  mkdirSync(fixture.path('early'));
  assert.equal(view.node(fixture.path('early/x.h')), undefined);
  const deep = fixture.path('none/deeper/x.h');
  assert.equal(view.node(deep), undefined);
  assert.deepEqual(view.node(fixture.path('late/x.h')), { kind: 'file' });
  await assertStructureGrows(view, fixture.path('early/x.h'), () => fixture.write('early/x.h', 'early\n'));
  await fixture.assertFresh(fixture.path('early/x.h'));
  await assertStructureGrows(view, deep, () => mkdirSync(fixture.path('none')));
  assert.equal(view.node(deep), undefined);
  await assertStructureGrows(view, deep, () => mkdirSync(fixture.path('none/deeper')));
  assert.equal(view.node(deep), undefined);
  await assertStructureGrows(view, deep, () => fixture.write('none/deeper/x.h', 'deep\n'));
  assert.deepEqual(view.node(deep), { kind: 'file' });
}

async function kinds(fixture: ViewFixture): Promise<void> {
  const { view } = fixture;
  const path = fixture.write('thing', 'file\n');
  assert.deepEqual(view.node(path), { kind: 'file' });
  await assertStructureGrows(view, path, () => {
    unlinkSync(path);
    mkdirSync(path);
  });
  assert.deepEqual(view.node(path), { kind: 'directory' });
  await assertStructureGrows(view, path, () => {
    rmSync(path, { recursive: true });
    symlinkSync('first', path);
  });
  assert.deepEqual(view.node(path), { kind: 'symlink', target: 'first' });
  await assertStructureGrows(view, path, () => {
    symlinkSync('second', `${path}.new`);
    renameSync(`${path}.new`, path);
  });
  assert.deepEqual(view.node(path), { kind: 'symlink', target: 'second' });
}

async function linkForDirectory(fixture: ViewFixture): Promise<void> {
  const { view } = fixture;
  const spelled = fixture.write('asm/x.h', 'in place\n');
  fixture.write('asm-generic/x.h', 'generic\n');
  await fixture.assertFresh(spelled);
  await assertStructureGrows(view, spelled, () => {
    renameSync(fixture.path('asm'), fixture.path('asm-old'));
    symlinkSync('asm-generic', fixture.path('asm'));
  });
  assert.equal(view.node(spelled), undefined, 'no canonical path passes through a link');
  const walk = walkPath(spelled, (path) => view.node(path));
  assert.equal(walk.canonicalPath, fixture.path('asm-generic/x.h'));
  await fixture.assertFresh(walk.canonicalPath);
  writeFileSync(walk.canonicalPath, 'GENERIC\n');
  await fixture.assertFresh(walk.canonicalPath);
}

async function swappedDirectories(fixture: ViewFixture): Promise<void> {
  const inner = fixture.write('work/include/linux/x.h', 'one\n');
  fixture.write('other/include/linux/x.h', 'two\n');
  await fixture.assertFresh(inner);
  await assertStructureGrows(fixture.view, inner, () => {
    renameSync(fixture.path('work'), fixture.path('away'));
    renameSync(fixture.path('other'), fixture.path('work'));
  });
  await fixture.assertFresh(inner);
  writeFileSync(fixture.path('away/include/linux/x.h'), 'not here\n');
  writeFileSync(inner, 'six\n');
  await fixture.assertFresh(inner, fixture.path('away/include/linux/x.h'));
  renameSync(fixture.path('work'), fixture.path('other'));
  await fixture.assertFresh(inner);
  assert.equal(fixture.view.node(inner), undefined);
}

async function remadeDirectories(fixture: ViewFixture): Promise<void> {
  for (let round = 0; round < 10; round++) {
    const path = fixture.write('gen/deep/x.h', `${round}\n`);
    await fixture.assertFresh(path);
    // A file system may give the new directory the inode of the old one, whose watch is dead.
    writeFileSync(path, `${round} again\n`);
    await fixture.assertFresh(path);
    rmSync(fixture.path('gen'), { recursive: true });
    if (round % 2 === 0) await fixture.assertFresh(path);
  }
}

async function permissions(fixture: ViewFixture): Promise<void> {
  const path = fixture.write('closed/x.h', 'text\n');
  await fixture.assertFresh(path);
  await assertStructureGrows(fixture.view, path, () => chmodSync(fixture.path('closed'), 0));
  assert.deepEqual(fixture.view.node(fixture.path('closed')), { kind: 'directory' });
  chmodSync(fixture.path('closed'), 0o755);
  await fixture.assertFresh(path);
}

async function hardLinks(fixture: ViewFixture): Promise<void> {
  const path = fixture.write('a/x.h', 'first\n');
  mkdirSync(fixture.path('unasked'));
  linkSync(path, fixture.path('unasked/y'));
  await fixture.assertFresh(path);
  await sleep(CLOCK_TICK_MS);
  writeFileSync(fixture.path('unasked/y'), 'other\n');
  await fixture.assertFresh(path);
}

export const SCENARIOS: readonly Scenario[] = [
  { name: 'a header overwritten, replaced, removed and made again', run: overwriting },
  { name: 'a header that appears earlier in the search path', run: appearing },
  { name: 'a name that becomes another kind of thing', run: kinds },
  { name: 'a directory replaced by a link', run: linkForDirectory },
  { name: 'directories that change places', run: swappedDirectories },
  { name: 'a directory removed and made again', run: remadeDirectories },
  { name: 'a directory that is closed and opened', run: permissions },
  { name: 'a header written through another name of it', run: hardLinks },
];
