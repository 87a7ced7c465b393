/** What an inquiry does about results that differ, with a local compiler that makes whatever a case says. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { digestOf } from '../../src/base/digest.ts';
import { createLogger, Ledger } from '../../src/observe/index.ts';
import type { Scrutiny } from '../../src/scheduler/index.ts';
import type { ReferenceOutcome } from '../../src/submitter/local-reference.ts';
import { MismatchEvidence } from '../../src/submitter/mismatch-evidence.ts';
import { type Contestant, MismatchInquiry } from '../../src/submitter/mismatch-inquiry.ts';
import { NodeStandings } from '../../src/submitter/node-standings.ts';
import type { UnitProduct } from '../../src/submitter/unit-product.ts';
import { preparedJob, unaborted } from './scripted-worker.ts';
import { type SourceTree, sourceTree } from './source-tree.ts';

function product(text: string): UnitProduct {
  const content = Buffer.from(text);
  return {
    stdout: Buffer.alloc(0),
    stderr: Buffer.alloc(0),
    files: [{ path: 'x.o', digest: digestOf(content), content }],
  };
}

const scrutiny: Scrutiny = { probationJobs: 2, rate: 0, localShare: 0, patience: 4 };
const TOOLCHAIN_ID = (await preparedJob()).toolchain.id;

function contestant(nodeId: string, text: string): Contestant {
  const node = { nodeId, nodeName: nodeId, agentVersion: '1' };
  return { node, toolchainId: TOOLCHAIN_ID, scrutiny, product: product(text) };
}

class Case {
  readonly ledger = new Ledger();
  readonly standings: NodeStandings;
  readonly directory = mkdtempSync('/tmp/mc-inquiry-');
  readonly inquiry: MismatchInquiry;
  readonly #tree: SourceTree;
  readonly #local: (string | ReferenceOutcome)[];
  isUnchanged = true;

  /** @param local what the local compiler makes, one after the other */
  constructor(t: TestContext, local: readonly (string | ReferenceOutcome)[]) {
    this.#tree = sourceTree(t);
    this.#local = [...local];
    this.standings = new NodeStandings(join(this.directory, 'standings.json'), () => {});
    t.after(async () => {
      await this.standings.saved();
      rmSync(this.directory, { recursive: true, force: true });
    });
    this.inquiry = new MismatchInquiry({
      standings: this.standings,
      reference: { compile: () => Promise.resolve(this.#next()) },
      evidence: new MismatchEvidence(join(this.directory, 'mismatches')),
      ledger: this.ledger,
      log: createLogger('silent', 'json'),
    });
  }

  #next(): ReferenceOutcome {
    const next = this.#local.shift();
    if (next === undefined) throw new Error('the local compiler was asked once too often');
    return typeof next === 'string' ? { kind: 'product', product: product(next) } : next;
  }

  async hold(contestants: readonly Contestant[], references: readonly string[] = [], signal = unaborted()) {
    writeFileSync(join(this.#tree.directory, 'x.c'), 'int x;\n');
    return this.inquiry.hold(contestants, references.map(product), {
      invocation: this.#tree.invocation('-c', 'x.c'),
      job: await preparedJob(),
      compilerPath: '/usr/bin/gcc',
      buildId: 'build',
      signal,
      isUnchanged: () => Promise.resolve(this.isUnchanged),
    });
  }

  get quarantined(): string[] {
    return this.standings.quarantined.map(({ nodeId }) => nodeId);
  }

  standingOf(nodeId: string, toolchainId: string) {
    return this.standings.of({ nodeId, nodeName: nodeId, agentVersion: '1' }, toolchainId);
  }
}

test('a unit that this machine compiles differently each time is named, and nobody is blamed', async (t) => {
  const each = new Case(t, ['three', 'four']);
  const finding = await each.hold([contestant('a', 'one'), contestant('b', 'two')]);
  assert.deepEqual([finding.kind, each.quarantined], ['here', []]);
  const { id } = (await preparedJob()).toolchain;
  assert.deepEqual(each.standingOf('a', id), { agreed: 0, inconclusive: 1, isQuarantined: false });
  const { unrepeatable, findings } = each.ledger.summary('build').verification;
  assert.equal(unrepeatable, 1);
  assert.match(findings[0] ?? '', /x\.c is not reproducible.* a and b\. Kept in /);
  const kept = findings[0]?.split('Kept in ')[1] ?? '';
  assert.deepEqual(readdirSync(kept).sort(), ['0-a', '1-b', '2-local', '3-local', 'report.json']);
  assert.equal(readFileSync(join(kept, '1-b', '0-x.o'), 'utf8'), 'two');
});

test('the result of the one that is right is used, and counts for it', async (t) => {
  const each = new Case(t, ['one', 'one']);
  const finding = await each.hold([contestant('a', 'one'), contestant('b', 'two')]);
  const { id } = (await preparedJob()).toolchain;
  assert.deepEqual([finding, each.quarantined], [{ kind: 'right' }, ['b']]);
  assert.equal(each.standingOf('a', id).agreed, 1);
});

test('a local compiler that fails decides nothing: both begin again', async (t) => {
  const failed: ReferenceOutcome = { kind: 'failed', detail: 'status 1 here' };
  for (const outcome of [failed, { kind: 'unavailable', detail: 'no room' } as const]) {
    const each = new Case(t, ['one', outcome]);
    const { id } = (await preparedJob()).toolchain;
    each.standings.agree(contestant('b', '').node, id, 2);
    const finding = await each.hold([contestant('a', 'one'), contestant('b', 'two')]);
    assert.deepEqual([finding.kind, each.quarantined], ['here', []]);
    assert.deepEqual(each.standingOf('b', id), { agreed: 0, inconclusive: 1, isQuarantined: false });
    assert.equal(each.ledger.summary('build').verification.undecided, 1);
  }
});

test('inputs that changed meanwhile end an inquiry without a word about the nodes', async (t) => {
  const each = new Case(t, ['two', 'two']);
  each.isUnchanged = false;
  const finding = await each.hold([contestant('a', 'one')]);
  assert.ok(finding.kind === 'here' && finding.reason === 'input-changed');
  assert.deepEqual(each.quarantined, []);
  assert.equal(existsSync(join(each.directory, 'mismatches')), false);
});

test('an interrupted inquiry leaves a doubt, and what was in doubt meanwhile waits', async (t) => {
  const interrupted = new AbortController();
  const each = new Case(t, [{ kind: 'unavailable', detail: 'interrupted' }]);
  const { id } = (await preparedJob()).toolchain;
  each.standings.agree(contestant('a', '').node, id, 2);
  const held = each.hold([contestant('a', 'one'), contestant('b', 'two')], [], interrupted.signal);
  interrupted.abort();
  assert.deepEqual(await held, { kind: 'interrupted' });
  assert.equal(each.standingOf('a', id).agreed, 0);
  assert.equal(each.inquiry.isAbout('a', id), false);
});

test('of several inquiries about one node the first decides, and the others look again', async (t) => {
  const each = new Case(t, ['right', 'right']);
  const { id } = (await preparedJob()).toolchain;
  const held = [1, 2, 3].map((number) => each.hold([contestant('a', `wrong ${number}`)]));
  const kinds = (await Promise.all(held)).map(({ kind }) => kind);
  assert.deepEqual(kinds.sort(), ['here', 'look-again', 'look-again']);
  assert.deepEqual([each.quarantined, each.inquiry.isAbout('a', id)], [['a'], false]);
  assert.equal(readdirSync(join(each.directory, 'mismatches')).length, 1);
});
