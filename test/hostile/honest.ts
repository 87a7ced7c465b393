/** A second submitter, who builds all the while: each of its objects must be the one that the compiler makes here. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { PreparedJob } from '../../src/submitter/remote-worker.ts';
import { dial, type Member, until } from '../mesh/transport-peers.ts';
import { sourceTree } from '../submitter/source-tree.ts';
import { GCC } from '../worker/real-toolchains.ts';
import { compileHere, sinkFor, WorkingSubmitter } from '../worker/working-pair.ts';

/** Units that exercise headers, debug information, several outputs and warnings. */
const UNITS: readonly string[][] = [
  ['-O2', '-g', '-Iinc', '-MD', '-c', 'one.c', '-o', 'one.o'],
  ['-O1', '-Wall', '-Iinc', '-gsplit-dwarf', '-g', '-c', 'two.c', '-o', 'two.o'],
  ['-Os', '-Iinc', '-fstack-usage', '-MMD', '-MF', 'three.dep', '-c', 'three.c', '-o', 'three.o'],
];

interface Unit {
  readonly job: PreparedJob;
  readonly outputs: ReadonlyMap<string, Buffer>;
  readonly stderr: Buffer;
}

export class HonestSubmitter {
  /** Objects that came back and were right. */
  built = 0;
  /** What went wrong, in words. */
  readonly troubles: string[] = [];
  readonly submitter: WorkingSubmitter;
  readonly #units: readonly Unit[];
  #stopped = false;

  private constructor(submitter: WorkingSubmitter, units: readonly Unit[]) {
    this.submitter = submitter;
    this.#units = units;
  }

  /** Connects, finds out what is right by compiling here, and begins to build. Stops after the test. */
  static async start(
    t: TestContext,
    address: string,
    worker: Member,
    self: Member,
  ): Promise<HonestSubmitter> {
    const link = await dial(t, address, {
      security: self.security,
      expectedNodeId: worker.nodeId,
      hello: { nodeId: self.nodeId, nodeName: 'honest', agentVersion: '0' },
    });
    const submitter = new WorkingSubmitter(sourceTree(t), link);
    writeProject(submitter);
    const units: Unit[] = [];
    for (const args of UNITS) {
      const job = await submitter.prepare(GCC, ...args);
      const { status, stderr, outputs } = compileHere(submitter.tree.directory, GCC, job, args);
      assert.equal(status, 0, stderr.toString());
      units.push({ job, outputs, stderr });
    }
    const honest = new HonestSubmitter(submitter, units);
    t.after(() => honest.stop());
    void honest.#build();
    await honest.goesOn();
    return honest;
  }

  stop(): void {
    this.#stopped = true;
    this.submitter.remote.close();
  }

  /** Resolves when two more units were begun and built; rejects if anything ever went wrong. */
  async goesOn(): Promise<void> {
    const goal = this.built + 3;
    await until(() => this.built >= goal || this.troubles.length > 0, 'the honest submitter makes progress');
    assert.deepEqual(this.troubles, []);
  }

  async #build(): Promise<void> {
    while (!this.#stopped) {
      for (const unit of this.#units) await this.#buildUnit(unit);
    }
  }

  async #buildUnit({ job, outputs, stderr }: Unit): Promise<void> {
    if (this.#stopped) return;
    await until(
      () => this.#stopped || this.submitter.remote.credits > 0,
      'a credit for the honest submitter',
    ).catch((error) => this.troubles.push(String(error)));
    const sink = sinkFor(job);
    const outcome = await this.submitter.run(job, sink);
    if (this.#stopped) return;
    const same =
      outcome.kind === 'compiled' &&
      outcome.exitStatus === 0 &&
      outcome.stderr.equals(stderr) &&
      [...outputs].every(([path, bytes]) => sink.content(path).equals(bytes));
    if (same) this.built++;
    else {
      this.troubles.push(`${job.outputs.map(({ path }) => path)}: ${JSON.stringify(outcome).slice(0, 500)}`);
      this.#stopped = true;
    }
  }
}

function writeProject({ tree }: WorkingSubmitter): void {
  tree.write(
    'inc/shared.h',
    '#define SHARED(x) ((x) * 3 + 1)\nstatic inline int shared(int n) { return SHARED(n); }\n',
  );
  for (const name of ['one', 'two', 'three']) {
    tree.write(
      `${name}.c`,
      `#include <stdlib.h>\n#include "shared.h"\nint ${name}(int n) { int unused; return abs(shared(n)); }\n`,
    );
  }
}
