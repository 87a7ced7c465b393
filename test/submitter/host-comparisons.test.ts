/** Two nodes hold their compilers against each other by what they do, if both owners allow it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  comparisonInWords,
  type HostComparison,
  HostComparisons,
} from '../../src/submitter/host-comparisons.ts';
import { Fingerprints } from '../../src/toolchain/index.ts';
import { SYSTEM_ENV, scratch } from '../toolchain/compiler-fixtures.ts';
import { GCC, GXX, toolchainOf } from '../worker/real-toolchains.ts';
import { workingSubmitter, workingWorker } from '../worker/working-pair.ts';

/** Looks until there is a result. */
async function settled(look: () => HostComparison): Promise<HostComparison> {
  for (;;) {
    const comparison = look();
    if (comparison.state !== 'under way') return comparison;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('a worker is compared by what it does', async (t) => {
  const fingerprints = new Fingerprints(scratch(t), SYSTEM_ENV);
  const working = await workingWorker(t, { fingerprints });
  if (working === undefined) return;
  const { remote } = await workingSubmitter(t, working.address);
  const own = await toolchainOf(GXX);
  const [gcc, gxx] = [await toolchainOf(GCC), own].map(({ id }) =>
    remote.toolchains.find((offered) => offered.id === id),
  );
  assert.ok(gcc && gxx);
  const comparisons = new HostComparisons(fingerprints);
  assert.equal(comparisons.look(own, gxx, remote).state, 'under way');
  const same = await settled(() => comparisons.look(own, gxx, remote));
  assert.ok(same.state === 'same code' && same.comparisons > 50);
  assert.match(comparisonInWords(same), /^They make the same code as far as \d+ comparisons tell$/);
  const other = await settled(() => comparisons.look(own, gcc, remote));
  assert.equal(other.state, 'other code');
  assert.match(
    comparisonInWords(other),
    /do not make the same code: \d+ of \d+ comparisons differ: version and/,
  );
  const unknown = await settled(() => comparisons.look(own, { ...gxx, id: 'unknown' }, remote));
  assert.deepEqual(unknown, { state: 'failed', detail: 'worker-name: it has no such toolchain' });
});

test('nothing is compared that an owner has not allowed', async (t) => {
  const working = await workingWorker(t);
  if (working === undefined) return;
  const { remote } = await workingSubmitter(t, working.address);
  const own = await toolchainOf(GCC);
  const [theirs] = remote.toolchains;
  assert.ok(theirs);
  assert.equal(new HostComparisons(undefined).look(own, theirs, remote).state, 'not allowed');
  const willing = new HostComparisons(new Fingerprints(scratch(t), SYSTEM_ENV));
  const refused = await settled(() => willing.look(own, theirs, remote));
  assert.ok(refused.state === 'failed' && /worker-name: its owner has not allowed it/.test(refused.detail));
});

test('a node that is lost before it has answered is a comparison that failed', async (t) => {
  const fingerprints = new Fingerprints(scratch(t), SYSTEM_ENV);
  const working = await workingWorker(t, { fingerprints });
  if (working === undefined) return;
  t.after(() => fingerprints.stop());
  const { remote } = await workingSubmitter(t, working.address);
  const own = await toolchainOf(GCC);
  const [theirs] = remote.toolchains;
  assert.ok(theirs);
  const comparisons = new HostComparisons(fingerprints);
  assert.equal(comparisons.look(own, theirs, remote).state, 'under way');
  remote.close();
  assert.equal((await settled(() => comparisons.look(own, theirs, remote))).state, 'failed');
});
