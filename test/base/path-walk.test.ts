/** Paths are resolved as the kernel resolves them: compared with it, on random trees. */
import assert from 'node:assert/strict';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { type PathLookup, type PathNode, type PathWalk, walkPath } from '../../src/base/path-walk.ts';
import { type SeededRandom, seededRandom } from './seeded-random.ts';

const top = realpathSync(mkdtempSync(join(tmpdir(), 'meshcc-paths-')));
after(() => rmSync(top, { recursive: true, force: true }));

/** What the disk says; an error other than "not there" is a defect of the test. */
const onDisk: PathLookup = (path): PathNode | undefined => {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  if (stat.isSymbolicLink()) return { kind: 'symlink', target: readlinkSync(path) };
  if (stat.isDirectory()) return { kind: 'directory' };
  return { kind: stat.isFile() ? 'file' : 'other' };
};

/** Canonical path as the kernel sees it (open a path, ask where it leads), or undefined if it leads nowhere. */
function kernelPath(path: string): string | undefined {
  try {
    statSync(path);
    return realpathSync.native(path);
  } catch {
    return undefined;
  }
}

function isGap(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink();
  } catch {
    return true;
  }
}

const NAMES = ['a', 'b', 'c', 'd.h', 'e f', 'ü'];

function randomPath(random: SeededRandom, depth: number): string {
  const parts: string[] = [];
  for (let count = 1 + random.below(depth); count > 0; count--) {
    parts.push(random.oneIn(4) ? '..' : random.oneIn(8) ? '.' : random.oneIn(12) ? '' : random.pick(NAMES));
  }
  return `${parts.join('/')}${random.oneIn(8) ? '/' : ''}` || '.';
}

/** A tree of directories, files and links to anywhere: relative, absolute, dangling, in circles, to files with a slash. */
function plant(random: SeededRandom, root: string): void {
  const directories = [root];
  for (let count = 0; count < 30; count++) {
    const path = join(random.pick(directories), random.pick(NAMES));
    if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) continue;
    switch (random.below(5)) {
      case 0:
      case 1:
        mkdirSync(path);
        directories.push(path);
        break;
      case 2:
        writeFileSync(path, path);
        break;
      default:
        symlinkSync(random.oneIn(3) ? `${root}/${randomPath(random, 3)}` : randomPath(random, 4), path);
    }
  }
}

function checkAgainstKernel(spelled: string, walk: PathWalk): void {
  const expected = kernelPath(spelled);
  const found = walk.node === undefined ? undefined : walk.canonicalPath;
  assert.equal(found, expected, spelled);
  if (expected === undefined) {
    // A link that is one too many exists; everything else that is named as the gap does not.
    assert.ok(isGap(walk.canonicalPath), `${spelled} does not stop at ${walk.canonicalPath}, which exists`);
  }
}

/** Every directory and link on the way must be there, each after what it lies in. */
function checkSteps(spelled: string, walk: PathWalk): void {
  const seen = new Set<string>(['/']);
  for (const { path, node } of walk.steps) {
    assert.ok(seen.has(dirname(path)), `${spelled}: ${path} comes before its parent`);
    const stat = lstatSync(path);
    assert.equal(node.kind, stat.isSymbolicLink() ? 'symlink' : 'directory', path);
    if (stat.isDirectory()) seen.add(path);
  }
  if (walk.node !== undefined) assert.ok(seen.has(dirname(walk.canonicalPath)), spelled);
}

/** Only what the walk names is put elsewhere: the spelled path must lead to the same place there. */
function lookupOfFootprint(walk: PathWalk): PathLookup {
  const nodes = new Map<string, PathNode>(walk.steps.map(({ path, node }) => [path, node]));
  if (walk.node !== undefined) nodes.set(walk.canonicalPath, walk.node);
  return (path) => nodes.get(path);
}

test('20 random trees with 150 spelled paths each: the kernel finds the same', () => {
  const random = seededRandom(42);
  let existing = 0;
  let throughLinks = 0;
  for (let tree = 0; tree < 20; tree++) {
    const root = join(top, `tree-${tree}`);
    mkdirSync(root);
    plant(random, root);
    for (let count = 0; count < 150; count++) {
      const spelled = `${root}/${randomPath(random, 6)}`;
      const walk = walkPath(spelled, onDisk);
      checkAgainstKernel(spelled, walk);
      checkSteps(spelled, walk);
      const again = walkPath(spelled, lookupOfFootprint(walk));
      assert.equal(again.node?.kind, walk.node?.kind, spelled);
      if (walk.node !== undefined) assert.equal(again.canonicalPath, walk.canonicalPath, spelled);
      if (walk.node !== undefined) existing++;
      if (walk.steps.some((step) => step.node.kind === 'symlink')) throughLinks++;
    }
  }
  assert.ok(existing > 500 && throughLinks > 300, `${existing} exist, ${throughLinks} lead through links`);
});

test('40 links in a row are followed, 41 are not', () => {
  const root = join(top, 'chain');
  mkdirSync(root);
  writeFileSync(join(root, '0'), '');
  for (let link = 1; link <= 41; link++) symlinkSync(String(link - 1), join(root, String(link)));
  for (const link of ['39', '40', '41']) {
    checkAgainstKernel(join(root, link), walkPath(join(root, link), onDisk));
  }
  assert.equal(walkPath(join(root, '40'), onDisk).canonicalPath, join(root, '0'));
  assert.equal(walkPath(join(root, '41'), onDisk).node, undefined);
});

test('a slash or a dot after a file leads nowhere, as in the kernel', () => {
  const root = join(top, 'slash');
  mkdirSync(join(root, 'dir'), { recursive: true });
  writeFileSync(join(root, 'file'), '');
  symlinkSync('file/', join(root, 'link'));
  for (const path of [
    'file',
    'file/',
    'file/.',
    'file/..',
    'file/x',
    'link',
    'dir/',
    'dir/.',
    'dir//..//file',
  ]) {
    checkAgainstKernel(`${root}/${path}`, walkPath(`${root}/${path}`, onDisk));
  }
  assert.equal(walkPath(`${root}/file/`, onDisk).node, undefined);
  // Whoever notes what is missing must not note the file itself.
  assert.notEqual(walkPath(`${root}/file/`, onDisk).canonicalPath, `${root}/file`);
});

test('the root is a directory, and nothing lies above it', () => {
  for (const path of ['/', '//', '/..', '/../..', '/.']) {
    const walk = walkPath(path, onDisk);
    assert.deepEqual(walk, { canonicalPath: '/', node: { kind: 'directory' }, steps: [] }, path);
  }
});
