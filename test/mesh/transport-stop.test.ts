/** A worker that stops in good order while a submitter writes to it must not take the submitter's agent with it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

/** What goes wrong here fills the memory within seconds: this much address space is all the program gets. */
const ADDRESS_SPACE_KIB = 6_000_000;

test('20 workers stop while their submitter writes: every connection ends, and nothing spins', () => {
  const program = fileURLToPath(new URL('./stopping-worker-main.js', import.meta.url));
  const command = `ulimit -v ${ADDRESS_SPACE_KIB}; exec "$0" "$1"`;
  const result = spawnSync('/bin/sh', ['-c', command, process.execPath, program], {
    encoding: 'utf8',
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
  assert.deepEqual([result.status, result.signal, result.stderr], [0, null, '']);
});
