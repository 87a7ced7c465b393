import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { MeshError } from '../../src/base/errors.ts';
import { agentPaths, makePrivateDirectory } from '../../src/base/paths.ts';

const top = mkdtempSync(join(tmpdir(), 'meshcc-base-'));
after(() => rmSync(top, { recursive: true, force: true }));

test('MESHCC_HOME puts everything below one directory', () => {
  const paths = agentPaths({ MESHCC_HOME: '/h', XDG_RUNTIME_DIR: '/r', XDG_STATE_HOME: '/s' });
  assert.deepEqual(paths, {
    stateDirectory: '/h/state',
    verificationDirectory: '/h/state/verification',
    cacheDirectory: '/h/cache',
    runtimeDirectory: '/h/run',
    scratchDirectory: '/h/run/scratch',
    shimSocket: '/h/run/agent.sock',
    controlSocket: '/h/run/control.sock',
  });
});

test('else the XDG directories decide, and their defaults', () => {
  const named = agentPaths({ XDG_RUNTIME_DIR: '/r', XDG_STATE_HOME: '/s', XDG_CACHE_HOME: '/c' });
  assert.equal(named.stateDirectory, '/s/meshcc');
  assert.equal(named.cacheDirectory, '/c/meshcc');
  assert.equal(named.shimSocket, '/r/meshcc/agent.sock');
  const unnamed = agentPaths({});
  assert.equal(unnamed.stateDirectory, join(homedir(), '.local/state/meshcc'));
  assert.equal(unnamed.cacheDirectory, join(homedir(), '.cache/meshcc'));
  assert.equal(unnamed.runtimeDirectory, `/tmp/meshcc-${userInfo().uid}`);
});

test('a variable that is set to nothing counts as not set', () => {
  const empty = {
    MESHCC_HOME: '',
    XDG_RUNTIME_DIR: '',
    XDG_STATE_HOME: '',
    XDG_CACHE_HOME: '',
    MESHCC_SOCKET: '',
  };
  assert.deepEqual(agentPaths(empty), agentPaths({}));
});

test('MESHCC_SOCKET names the socket of the shims alone', () => {
  const paths = agentPaths({ MESHCC_HOME: '/h', MESHCC_SOCKET: '/elsewhere.sock' });
  assert.equal(paths.shimSocket, '/elsewhere.sock');
  assert.equal(paths.controlSocket, '/h/run/control.sock');
});

test('a private directory is made with mode 0700, and taken again', () => {
  const directory = join(top, 'a/b');
  makePrivateDirectory(directory);
  makePrivateDirectory(directory);
  assert.equal(statSync(directory).mode & 0o777, 0o700);
});

test('a directory that others can enter, a link and a file are refused with advice', () => {
  const open = join(top, 'open');
  mkdirSync(open);
  chmodSync(open, 0o755);
  const link = join(top, 'link');
  symlinkSync(join(top, 'a/b'), link);
  for (const path of [open, link]) {
    assert.throws(
      () => makePrivateDirectory(path),
      (error: unknown) =>
        error instanceof MeshError &&
        error.code === 'MESHCC_SOCKET_UNSAFE' &&
        error.message.includes(path) &&
        error.message.includes('MESHCC_HOME'),
    );
  }
  const file = join(top, 'file');
  writeFileSync(file, '');
  assert.throws(() => makePrivateDirectory(file));
});
