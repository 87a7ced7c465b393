/** A node that takes a job and is gone: its connection ends the moment it has one. */
import type { TestContext } from 'node:test';
import { listen } from '../mesh/transport-peers.ts';
import { GCC, toolchainOf } from '../worker/real-toolchains.ts';

export async function vanishingWorker(t: TestContext): Promise<{ address: string; jobs: () => number }> {
  let jobs = 0;
  const { id } = await toolchainOf(GCC);
  const listener = await listen(t, {
    nodeId: 'vanishing',
    welcome: {
      nodeName: 'vanishing-name',
      // Fewer than any other: it gets no job first.
      slots: 1,
      toolchains: [{ id, dialect: 'gcc', driver: 'c', version: '', targetTriple: '' }],
    },
    onMessage: ({ job }, session) => {
      if (job === undefined || job === null) return;
      jobs++;
      session.hangUp('gone');
    },
  });
  void listener.session().then((session) => session.out.send({ credits: { grantedTotal: 1 } }));
  return { address: listener.address, jobs: () => jobs };
}
