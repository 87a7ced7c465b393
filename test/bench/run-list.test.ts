/** The program that runs lists of commands: what each cost, in order, and the truth about how it ended. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { buildListRunner, type CommandCost, runList } from '../../bench/run-list.ts';

const root = mkdtempSync(join(tmpdir(), 'meshcc-run-list-'));
after(() => rmSync(root, { recursive: true, force: true }));
const runner = await buildListRunner(root);

function run(scripts: readonly string[], jobs: number): Promise<CommandCost[]> {
  const commands = scripts.map((script) => ({ cwd: root, argv: ['sh', '-c', script] }));
  return runList(runner, commands, jobs, { env: process.env, stderr: 'ignore' });
}

test('each command has its own status, in the order of the list', async () => {
  const costs = await run(['sleep 0.2; exit 3', 'exit 0', 'kill -9 $$', 'exit 5'], 4);
  assert.deepEqual(
    costs.map(({ status }) => status),
    [3, 0, 137, 5],
  );
});

test('CPU time is that of the command and its children; waiting costs none', async () => {
  const burn = 'i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done';
  const [burning, child, waiting] = await run([burn, `sh -c '${burn}'; true`, 'sleep 0.3'], 1);
  assert.ok(burning!.cpuMs > 5 * waiting!.cpuMs, `${burning!.cpuMs} ${waiting!.cpuMs}`);
  assert.ok(child!.cpuMs > 5 * waiting!.cpuMs);
  assert.ok(waiting!.wallMs >= 300);
});

test('commands run in their directory, and no more at once than asked', async () => {
  const script = `test "$PWD" = '${root}' || exit 9; mkdir lock || exit 8; sleep 0.05; rmdir lock`;
  const costs = await run([script, script, script], 1);
  assert.deepEqual(
    costs.map(({ status }) => status),
    [0, 0, 0],
  );
});

test('a program that cannot be started is an error', async () => {
  const missing = [{ cwd: root, argv: [join(root, 'nothing')] }];
  await assert.rejects(
    runList(runner, missing, 1, { env: process.env, stderr: 'ignore' }),
    /list runner ended/,
  );
});
