/**
 * A submitter whose dictionary is so small that it begins anew with nearly every call, and a real worker: shims come
 * in at one end, objects out at the other, and none is wrong.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLogger, Ledger } from '../../src/observe/index.ts';
import { buildRunner } from '../../src/sandbox/index.ts';
import { buildShim, installShims } from '../../src/shim/index.ts';
import { Submitter } from '../../src/submitter/index.ts';
import { openToolchainCache } from '../../src/toolchain/index.ts';
import { INSECURE, until } from '../mesh/transport-peers.ts';
import { BUILD_CACHE, REAL_GCC, run } from '../shim/fixture.ts';
import { workingWorker } from '../worker/working-pair.ts';

const UNITS = 24;
const LIMITS = { creditWaitMs: 60_000, jobTimeoutMs: 60_000, maxAttempts: 2 };

test('calls that wait while the dictionary begins anew list their inputs anew', async (t) => {
  const working = await workingWorker(t, { slots: 2 });
  if (working === undefined) return;
  const root = mkdtempSync('/tmp/mc-renew-');
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const at = (name: string): string => join(root, name);
  for (const name of ['run', 'cache', 'work']) mkdirSync(at(name), { mode: 0o700 });
  const env = { PATH: '/usr/bin:/bin' };
  const ledger = new Ledger();
  const submitter = new Submitter({
    shimSocket: at('run/agent.sock'),
    runnerPath: await buildRunner(BUILD_CACHE),
    scratchDirectory: at('run'),
    toolchainCache: await openToolchainCache({ cacheDirectory: at('cache') }),
    hello: { nodeId: 'self', nodeName: 'self-name', agentVersion: '0' },
    localSlots: 2,
    limits: LIMITS,
    verification: {
      directory: at('run'),
      probationJobs: UNITS,
      rate: 0,
      otherHostProbationJobs: 0,
      otherHostRate: 0,
    },
    dictionaryMaxBytes: 1,
    ledger,
    log: createLogger('silent', 'json'),
    env,
  });
  t.after(() => submitter.stop());
  await submitter.listen(at('run/agent.sock'));
  submitter.enterMesh(INSECURE);
  submitter.pool?.sighted({ nodeId: 'worker', name: 'worker', addresses: [working.address] });
  await until(() => submitter.pool?.nodes[0]?.worker !== undefined, 'connected');

  const shims = at('shims');
  await installShims(shims, { env, cliMain: at('cli.js'), build: () => buildShim(BUILD_CACHE) });
  writeFileSync(at('work/common.h'), '#include <stdio.h>\nint common(int);\n');
  const names = Array.from({ length: UNITS }, (_, index) => `unit${index}`);
  for (const name of names) {
    writeFileSync(at(`work/${name}.h`), `#define WHO "${name}"\n`);
    writeFileSync(
      at(`work/${name}.c`),
      `#include "common.h"\n#include "${name}.h"\nint f(void) { return puts(WHO) + common(1); }\n`,
    );
  }
  const shimEnv = { PATH: `${shims}:/usr/bin:/bin`, MESHCC_SOCKET: at('run/agent.sock') };
  const ended = await Promise.all(
    names.map((name) => run(join(shims, 'gcc'), ['-c', `${name}.c`], at('work'), { env: shimEnv })),
  );
  assert.deepEqual(
    ended.map(({ status, stderr }) => [status, stderr.toString()]),
    names.map(() => [0, '']),
  );
  const { remoteJobs, local } = ledger.summary('all');
  assert.deepEqual([remoteJobs, local], [UNITS, []]);
  for (const name of names) {
    await run(REAL_GCC, ['-c', `${name}.c`, '-o', 'reference.o'], at('work'));
    assert.deepEqual(readFileSync(at(`work/${name}.o`)), readFileSync(at('work/reference.o')), name);
  }
});
