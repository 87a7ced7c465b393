/**
 * A real agent that compiles for a mesh, an honest member that builds on it all the while, and members that lie to it,
 * over mutual TLS. After each case the agent must be well, the honest one unharmed, and the machine as before.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { agentPaths, makePrivateDirectory } from '../../src/base/paths.ts';
import type { WireToolchainUse } from '../../src/mesh/index.ts';
import { TestNode } from '../e2e/support/test-node.ts';
import { dial, type Member, membersIn, until } from '../mesh/transport-peers.ts';
import { onProcessEnd } from '../support/process-end.ts';
import { listing } from '../worker/mirror-bench.ts';
import { GCC, toolchainOf, useOf } from '../worker/real-toolchains.ts';
import { processesWith } from '../worker/working-pair.ts';
import { HonestSubmitter } from './honest.ts';
import { Liar } from './liar.ts';

/** A text that is on the worker's disk and must never come back over the wire. */
const SECRET = 'MESHCC-SECRET-OF-THE-WORKER';

/** Small enough that a case can reach the bounds, large enough that honest compiles do not. */
const BOUNDS = [
  '--slots',
  '2',
  '--compile-limit',
  '25',
  '--memory-size',
  '600M',
  '--scratch-size',
  '96M',
  '--store-size',
  '256M',
];

export interface ArenaOptions {
  /** In front of the agent's PATH: compilers that it finds too. */
  readonly compilers?: string;
  /** A command that runs the agent. */
  readonly launcher?: readonly [string, ...string[]];
  /** The owner lets the agent have the weakest sandbox, and has named its submitters. */
  readonly isTrusting?: boolean;
}

export class Arena {
  readonly worker: TestNode;
  readonly address: string;
  readonly workerMember: Member;
  readonly liarMember: Member;
  readonly honest: HonestSubmitter;
  /** A directory of the worker's machine that every user can read, and that nothing may change. */
  readonly outside: string;
  /** A file in it, with the secret. */
  readonly secretPath: string;
  readonly #t: TestContext;
  #liars = 0;

  constructor(
    t: TestContext,
    parts: { worker: TestNode; address: string; members: Member[]; honest: HonestSubmitter; outside: string },
  ) {
    const [workerMember, liarMember] = parts.members as [Member, Member];
    this.#t = t;
    this.worker = parts.worker;
    this.address = parts.address;
    this.workerMember = workerMember;
    this.liarMember = liarMember;
    this.honest = parts.honest;
    this.outside = parts.outside;
    this.secretPath = join(parts.outside, 'secret');
  }

  /** Connects a liar that has announced gcc as its toolchain 1. */
  async liar(use?: WireToolchainUse): Promise<Liar> {
    const link = await dial(this.#t, this.address, {
      security: this.liarMember.security,
      expectedNodeId: this.workerMember.nodeId,
      hello: { nodeId: this.liarMember.nodeId, nodeName: 'liar', agentVersion: '0' },
    });
    const liar = new Liar(link, `liar-${process.pid}-${++this.#liars}`);
    liar.send({ toolchainUse: use ?? useOf(await toolchainOf(GCC)) });
    await until(() => liar.granted > 0, 'the first credits');
    return liar;
  }

  /** One case: a fresh liar does its worst, and then everything is looked at. */
  async attack(perform: (liar: Liar, arena: Arena) => Promise<void>, use?: WireToolchainUse): Promise<void> {
    const [pid, before] = [this.worker.pid, listing(this.outside)];
    const liar = await this.liar(use);
    try {
      await perform(liar, this);
      await this.honest.goesOn();
    } catch (error) {
      if (error instanceof Error) error.message += `\n--- the worker's log\n${this.worker.log.slice(-3000)}`;
      throw error;
    } finally {
      liar.link.close();
    }
    assert.ok(!liar.everything.includes(SECRET), 'a secret of the worker came over the wire');
    assert.deepEqual(listing(this.outside), before, 'the worker’s disk has changed');
    await until(() => processesWith(liar.sourceName).length === 0, 'no process of the liar is left');
    await until(() => this.sessions.length === 1, 'only the honest submitter’s tree is left');
    const { worker } = await this.worker.status();
    assert.ok(this.worker.isRunning && this.worker.pid === pid && worker.on, 'the agent lives');
    assert.deepEqual(
      worker.submitters.map(({ name }) => name),
      ['honest'],
    );
  }

  /** Directories of submitters on the worker's disk. */
  get sessions(): string[] {
    return readdirSync(join(agentPaths(this.worker.env).cacheDirectory, 'sessions'));
  }
}

/** Opens an arena; closes it after the test. */
export async function openArena(t: TestContext, options: ArenaOptions = {}): Promise<Arena> {
  const root = mkdtempSync('/tmp/mc-hostile-');
  const removeRoot = onProcessEnd(() => rmSync(root, { recursive: true, force: true }));
  const outside = join(root, 'outside');
  mkdirSync(outside);
  writeFileSync(join(outside, 'secret'), `#error ${SECRET}\n`);
  writeFileSync(join(outside, 'victim'), 'precious');
  // Where a compiler looks below a root for headers.
  mkdirSync(join(outside, 'usr/include'), { recursive: true });
  writeFileSync(join(outside, 'usr/include/of-the-worker.h'), `#error ${SECRET}\n`);
  const args = ['--no-submitter', ...BOUNDS];
  const worker = new TestNode(root, 'worker', {
    args,
    ...(options.launcher === undefined ? {} : { launcher: options.launcher }),
    env:
      options.compilers === undefined
        ? {}
        : { PATH: `${options.compilers}:/usr/bin:/bin:${join(process.execPath, '..')}` },
  });
  t.after(async () => {
    await worker.stop();
    removeRoot();
  });
  const { stateDirectory } = agentPaths(worker.env);
  makePrivateDirectory(stateDirectory);
  const members = await membersIn([stateDirectory, join(root, 'liar'), join(root, 'honest')]);
  const [workerMember, liarMember, honestMember] = members as [Member, Member, Member];
  if (options.isTrusting) args.push('--sandbox', 'uid', '--trust', liarMember.nodeId, honestMember.nodeId);
  await worker.start();
  const { port, worker: role } = await worker.status();
  assert.ok(role.on, `the machine cannot confine: ${role.detail}`);
  const address = `127.0.0.1:${port}`;
  const honest = await HonestSubmitter.start(t, address, workerMember, honestMember);
  return new Arena(t, { worker, address, members, honest, outside });
}

/** Cases by name, each a case of its own of one test over one arena. */
export type Cases = Record<string, (liar: Liar, arena: Arena) => Promise<void>>;

export async function runCases(t: TestContext, arena: Arena, cases: Cases): Promise<void> {
  for (const [name, perform] of Object.entries(cases)) await t.test(name, () => arena.attack(perform));
}
