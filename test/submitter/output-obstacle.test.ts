/** What at the place of an output keeps a compile here, by real files. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { outputObstacle } from '../../src/submitter/output-obstacle.ts';

const UMASK = 0o022;

function temporaryDirectory(test: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'meshcc-outputs-'));
  test.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

test('nothing there, or a file that a compiler would make anew', (t) => {
  const directory = temporaryDirectory(t);
  assert.equal(outputObstacle(join(directory, 'new.o'), 'object', UMASK), undefined);
  writeFileSync(join(directory, 'old.o'), 'object');
  chmodSync(join(directory, 'old.o'), 0o600);
  assert.equal(outputObstacle(join(directory, 'old.o'), 'object', UMASK), undefined);
  writeFileSync(join(directory, 'old.d'), 'depfile');
  chmodSync(join(directory, 'old.d'), 0o644);
  assert.equal(outputObstacle(join(directory, 'old.d'), 'depfile', UMASK), undefined);
});

test('what a compiler would write into, or through', (t) => {
  const directory = temporaryDirectory(t);
  const at = (name: string): string => join(directory, name);
  writeFileSync(at('file'), '');
  chmodSync(at('file'), 0o600);
  writeFileSync(at('twice'), 'object');
  linkSync(at('twice'), at('twice-too'));
  symlinkSync('file', at('link'));
  mkdirSync(at('directory'));
  for (const name of ['file', 'twice', 'link', 'directory'])
    assert.equal(outputObstacle(at(name), 'object', UMASK), 'output-not-regular', name);
  assert.equal(outputObstacle('/dev/null', 'object', UMASK), 'output-not-regular');
  if (process.getuid?.() !== 0) return;
  writeFileSync(at('foreign'), 'depfile');
  chownSync(at('foreign'), 65534, 65534);
  assert.equal(outputObstacle(at('foreign'), 'depfile', UMASK), 'output-not-regular');
});

test('places where nothing can be written', (t) => {
  const directory = temporaryDirectory(t);
  writeFileSync(join(directory, 'file'), '');
  symlinkSync('loop', join(directory, 'loop'));
  for (const path of ['missing/x.d', 'file/x.d', 'loop/x.d', `${'x'.repeat(300)}`])
    assert.equal(outputObstacle(join(directory, path), 'depfile', UMASK), 'output-write-failed', path);
});

test('a directory without the right to write', (t) => {
  const directory = temporaryDirectory(t);
  const isRoot = process.getuid?.() === 0;
  if (!isRoot) chmodSync(directory, 0o500);
  else if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'ro', 'meshcc-test', directory]).status !== 0)
    return t.skip('cannot mount a tmpfs');
  try {
    assert.equal(outputObstacle(join(directory, 'x.d'), 'depfile', UMASK), 'output-write-failed');
  } finally {
    if (isRoot) spawnSync('umount', [directory]);
  }
});
