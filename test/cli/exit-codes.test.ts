import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MESH_ERROR_CODES, type MeshErrorCode } from '../../src/base/errors.ts';
import { EXIT_CODES, exitCodeOf } from '../../src/cli/exit-codes.ts';

test('every error has an exit status of the table, and it is one of failure', () => {
  const statuses = new Set<number>(Object.values(EXIT_CODES).map(({ status }) => status));
  for (const code of Object.keys(MESH_ERROR_CODES) as MeshErrorCode[]) {
    const status = exitCodeOf(code);
    assert.ok(statuses.has(status), code);
    assert.ok(status > 1, `${code} must not look like success, or like the answer "no"`);
  }
});

test('no two meanings share a status, and none is one that a shell gives to signals', () => {
  const statuses = Object.values(EXIT_CODES).map(({ status }) => status);
  assert.equal(new Set(statuses).size, statuses.length);
  assert.ok(statuses.every((status) => status >= 0 && status < 126));
});

test('what scripts may rely on stays as it is', () => {
  assert.equal(exitCodeOf('MESHCC_AGENT_UNREACHABLE'), 69);
  assert.equal(exitCodeOf('MESHCC_AGENT_RUNNING'), 75);
  assert.equal(exitCodeOf('MESHCC_PAIRING'), 77);
  assert.equal(exitCodeOf('MESHCC_BAD_CONFIG'), 78);
});
