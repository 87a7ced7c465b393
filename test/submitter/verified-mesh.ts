/** A real submitter with shims in front and real workers behind, some of which get their results wrong. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { FromWorker } from '../../src/mesh/index.ts';
import { type BuildSummary, createLogger, Ledger } from '../../src/observe/index.ts';
import { buildRunner } from '../../src/sandbox/index.ts';
import { buildShim, installShims } from '../../src/shim/index.ts';
import { Submitter } from '../../src/submitter/index.ts';
import { openToolchainCache } from '../../src/toolchain/index.ts';
import { INSECURE, until } from '../mesh/transport-peers.ts';
import { BUILD_CACHE, REAL_GCC, run } from '../shim/fixture.ts';
import { type WorkingWorker, workingWorker } from '../worker/working-pair.ts';

/** What becomes of each message of a worker. */
export type Tamper = (message: FromWorker) => FromWorker;

export interface VerifiedMeshOptions {
  /** One worker for each; those that change nothing are honest. */
  readonly workers: Readonly<Record<string, Tamper>>;
  readonly probationJobs: number;
  readonly rate?: number;
  readonly random?: () => number;
}

const LIMITS = { creditWaitMs: 60_000, jobTimeoutMs: 60_000, maxAttempts: 2 };

export const honest: Tamper = (message) => message;

export class VerifiedMesh {
  readonly root = mkdtempSync('/tmp/mc-verify-');
  readonly work = join(this.root, 'work');
  readonly standings = join(this.root, 'verification');
  readonly workers = new Map<string, WorkingWorker>();
  /** Jobs that the workers have answered with a compile, by worker. */
  readonly compiled = new Map<string, number>();
  readonly scratch = join(this.root, 'scratch');
  ledger = new Ledger();
  readonly #t: TestContext;
  readonly #options: VerifiedMeshOptions;
  #submitter: Submitter | undefined;

  private constructor(t: TestContext, options: VerifiedMeshOptions) {
    this.#t = t;
    this.#options = options;
  }

  /** Skips the test and returns undefined on a machine that cannot confine. */
  static async start(t: TestContext, options: VerifiedMeshOptions): Promise<VerifiedMesh | undefined> {
    const mesh = new VerifiedMesh(t, options);
    t.after(() => rmSync(mesh.root, { recursive: true, force: true }));
    for (const name of ['run', 'scratch', 'cache', 'work', 'verification'])
      mkdirSync(join(mesh.root, name), { mode: 0o700 });
    for (const [nodeId, tamper] of Object.entries(options.workers)) {
      const worker = await workingWorker(t, {
        nodeId,
        tamper: (message) => {
          if (message.result?.compiled) mesh.compiled.set(nodeId, (mesh.compiled.get(nodeId) ?? 0) + 1);
          return tamper(message);
        },
      });
      if (worker === undefined) return undefined;
      mesh.workers.set(nodeId, worker);
    }
    await installShims(mesh.shims, {
      env: mesh.env,
      cliMain: join(mesh.root, 'cli.js'),
      build: () => buildShim(BUILD_CACHE),
    });
    await mesh.startSubmitter();
    return mesh;
  }

  get env(): NodeJS.ProcessEnv {
    return { PATH: '/usr/bin:/bin' };
  }

  get shims(): string {
    return join(this.root, 'shims');
  }

  get submitter(): Submitter {
    assert.ok(this.#submitter);
    return this.#submitter;
  }

  get summary(): BuildSummary {
    return this.ledger.summary('all');
  }

  /** How often each worker has compiled, all together. */
  get compiles(): number {
    return [...this.compiled.values()].reduce((sum, each) => sum + each, 0);
  }

  /** A new submitter with the same state directory, connected to every worker. */
  async startSubmitter(): Promise<void> {
    await this.#submitter?.stop();
    const at = (name: string): string => join(this.root, name);
    this.ledger = new Ledger();
    const { probationJobs, rate = 0, random } = this.#options;
    const submitter = new Submitter({
      shimSocket: at('run/agent.sock'),
      runnerPath: await buildRunner(BUILD_CACHE),
      scratchDirectory: this.scratch,
      toolchainCache: await openToolchainCache({ cacheDirectory: at('cache') }),
      hello: { nodeId: 'self', nodeName: 'self-name', agentVersion: '0' },
      localSlots: 2,
      limits: LIMITS,
      verification: {
        directory: this.standings,
        probationJobs,
        rate,
        otherHostProbationJobs: 0,
        otherHostRate: 0,
        ...(random === undefined ? {} : { random }),
      },
      ledger: this.ledger,
      log: createLogger('silent', 'json'),
      env: this.env,
    });
    this.#t.after(() => submitter.stop());
    this.#submitter = submitter;
    await submitter.listen(at('run/agent.sock'));
    submitter.enterMesh(INSECURE);
    for (const [nodeId, { address }] of this.workers)
      submitter.pool?.sighted({ nodeId, name: nodeId, addresses: [address] });
    await until(
      () => submitter.pool?.nodes.filter(({ worker }) => worker !== undefined).length === this.workers.size,
      'connected to all workers',
    );
  }

  /** Writes a unit of its own. @returns its name */
  unit(name: string, text = `int ${name}(int a) { return a + ${name.length}; }\n`): string {
    writeFileSync(join(this.work, `${name}.c`), text);
    return name;
  }

  /** Calls the compiler through the shim, for each unit at once. Each must end well, with the object of a local compile. */
  async build(names: readonly string[], ...options: string[]): Promise<void> {
    await Promise.all(names.map((name) => this.compile(name, ...options)));
    for (const name of names) await this.assertLocal(name, ...options);
  }

  /** One call through the shim. */
  async compile(name: string, ...options: string[]): Promise<void> {
    const { status, stderr } = await this.call(name, ...options);
    assert.deepEqual([status, stderr.toString()], [0, '']);
  }

  call(name: string, ...options: string[]): ReturnType<typeof run> {
    const env = { ...this.env, MESHCC_SOCKET: join(this.root, 'run/agent.sock') };
    return run(join(this.shims, 'gcc'), [...options, '-c', `${name}.c`], this.work, { env });
  }

  /** The same, for a test that ends it. */
  begin(
    name: string,
    ...options: string[]
  ): { kill: (signal: NodeJS.Signals) => void; ended: Promise<void> } {
    const env = { ...this.env, MESHCC_SOCKET: join(this.root, 'run/agent.sock') };
    const args = [...options, '-c', `${name}.c`];
    const child = spawn(join(this.shims, 'gcc'), args, { cwd: this.work, env, stdio: 'ignore' });
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    return { kill: (signal) => void child.kill(signal), ended };
  }

  async assertLocal(name: string, ...options: string[]): Promise<void> {
    const object = readFileSync(join(this.work, `${name}.o`));
    await run(REAL_GCC, [...options, '-c', `${name}.c`, '-o', `${name}.o`], this.work);
    assert.deepEqual(object, readFileSync(join(this.work, `${name}.o`)), `${name}.o`);
  }
}

/** Names of units. */
export function unitNames(count: number, prefix = 'unit'): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}
