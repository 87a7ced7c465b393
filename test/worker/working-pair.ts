/** A real worker with this machine's compilers, and submitters of it, over real connections on 127.0.0.1. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { PACKAGE_ROOT } from '../../src/base/package-root.ts';
import { type InvocationArg, isCompilerName } from '../../src/compiler/index.ts';
import {
  type ConnectOptions,
  type FromWorker,
  type MeshServer,
  type Security,
  serveMesh,
  type WireArgument,
  type WorkerLink,
} from '../../src/mesh/index.ts';
import { Outbound } from '../../src/mesh/transport/outbound.ts';
import { createLogger } from '../../src/observe/index.ts';
import { buildRunner, probeConfinement } from '../../src/sandbox/index.ts';
import type { RunnerVariant } from '../../src/sandbox/rungs.ts';
import type { RemoteOutcome } from '../../src/submitter/outcome.ts';
import { type PreparedJob, RemoteWorker } from '../../src/submitter/remote-worker.ts';
import type { Fingerprints } from '../../src/toolchain/index.ts';
import { startWorker, type Worker } from '../../src/worker/index.ts';
import { dial, INSECURE } from '../mesh/transport-peers.ts';
import { sandboxOf } from '../sandbox/toolchain-tree.ts';
import { CollectingSink, unaborted } from '../submitter/scripted-worker.ts';
import { type SourceTree, sourceTree } from '../submitter/source-tree.ts';
import { GCC, GXX, toolchainOf } from './real-toolchains.ts';

/** Where built programs are kept between test runs; they lie under the digest of their source. */
const BUILD_CACHE = join(PACKAGE_ROOT, 'dist', 'test-cache');

const LIMITS = {
  wallLimitMs: 60_000,
  cpuLimitSeconds: 60,
  maxMemoryBytes: 4 * 1024 ** 3,
  maxProcesses: 256,
  maxFileBytes: 1 << 30,
  maxDiagnosticBytes: 1 << 20,
  maxOutputBytes: 1 << 30,
};

export interface WorkingWorker {
  readonly worker: Worker;
  readonly server: MeshServer;
  readonly address: string;
  readonly sessionsDirectory: string;
  /** Names below the directory that holds a tree per submitter. */
  readonly sessions: () => string[];
  /** Files that the store is receiving. */
  readonly halfBlobs: () => string[];
}

export interface WorkingOptions {
  readonly slots?: number;
  readonly security?: Security;
  readonly nodeId?: string;
  /** Instead of the strongest one that this machine has. */
  readonly rung?: RunnerVariant;
  readonly trustedNodes?: readonly string[];
  readonly dictionaryMaxBytes?: number;
  readonly fingerprints?: Fingerprints;
  /** Stands between the worker and the wire, as bad memory would: sends on what it returns. */
  readonly tamper?: (message: FromWorker) => FromWorker;
}

/** Starts a worker; skips the test and returns undefined on a machine that cannot confine. */
export async function workingWorker(
  t: TestContext,
  options: WorkingOptions = {},
): Promise<WorkingWorker | undefined> {
  const directory = mkdtempSync(join(tmpdir(), 'meshcc-worker-'));
  const runnerPath = await buildRunner(BUILD_CACHE);
  const { sandbox, detail } = await probeConfinement(runnerPath, join(directory, 'probe'), 'chroot');
  if (sandbox === undefined) {
    rmSync(directory, { recursive: true, force: true });
    t.skip(`this machine cannot confine: ${detail}`);
    return undefined;
  }
  const worker = await startWorker({
    cacheDirectory: directory,
    runnerPath,
    sandbox: options.rung === undefined ? sandbox : sandboxOf(options.rung),
    trustedNodes: options.trustedNodes ?? [],
    toolchains: [await toolchainOf(GCC), await toolchainOf(GXX)],
    slots: options.slots ?? 2,
    storeMaxBytes: 1 << 30,
    scratchBytes: 256 << 20,
    limits: LIMITS,
    ...(options.dictionaryMaxBytes === undefined ? {} : { dictionaryMaxBytes: options.dictionaryMaxBytes }),
    ...(options.fingerprints === undefined ? {} : { fingerprints: options.fingerprints }),
    log: createLogger('silent', 'json'),
  });
  const server = await serveMesh({
    security: options.security ?? INSECURE,
    host: '127.0.0.1',
    port: 0,
    welcome: () => ({
      nodeId: options.nodeId ?? 'worker',
      nodeName: `${options.nodeId ?? 'worker'}-name`,
      agentVersion: '0',
      slots: worker.slots,
      toolchains: worker.toolchains,
      servesOtherHosts: true,
    }),
    accept: (peer, out, hangUp) => worker.accept(peer, tampered(out, options.tamper), hangUp),
    log: () => {},
  });
  t.after(async () => {
    server.stop();
    await worker.stop();
    rmSync(directory, { recursive: true, force: true });
  });
  return {
    worker,
    server,
    address: `127.0.0.1:${server.port}`,
    sessionsDirectory: join(directory, 'sessions'),
    sessions: () => readdirSync(join(directory, 'sessions')),
    halfBlobs: () => readdirSync(join(directory, 'store', 'temporary')),
  };
}

/** The same stream with every message changed on its way. */
function tampered(out: Outbound<FromWorker>, tamper: WorkingOptions['tamper']): Outbound<FromWorker> {
  if (tamper === undefined) return out;
  return new Outbound<FromWorker>({
    write: (message) => {
      out.send(tamper(message));
      return true;
    },
    once: () => {},
    end: () => out.end(),
    destroyed: false,
  });
}

/** A submitter with its own sources, connected to a worker. */
export class WorkingSubmitter {
  readonly tree: SourceTree;
  readonly link: WorkerLink;
  readonly remote: RemoteWorker;

  constructor(tree: SourceTree, link: WorkerLink) {
    this.tree = tree;
    this.link = link;
    this.remote = new RemoteWorker(link, tree.entries);
  }

  /** The job that a compiler call in the source tree makes. */
  async prepare(compilerPath: string, ...args: string[]): Promise<PreparedJob> {
    const { tree } = this;
    const invocation = tree.invocation(...args);
    return {
      toolchain: await toolchainOf(compilerPath),
      arguments: invocation.args.map(toWire),
      workingDirectory: tree.directory,
      environment: [`PWD=${tree.directory}`],
      umask: 0o022,
      terminal: undefined,
      outputs: invocation.outputs.map(({ kind, path, required }) => ({ kind, path, required })),
      inputs: await tree.listed(...args),
      processor: [],
      timeoutMs: 60_000,
    };
  }

  run(job: PreparedJob, sink = sinkFor(job), signal = unaborted()): Promise<RemoteOutcome> {
    return this.remote.run(job, sink, signal);
  }
}

/** A sink that takes everything a job may write. */
export function sinkFor(job: PreparedJob, beforePiece?: () => Promise<void> | void): CollectingSink {
  return new CollectingSink(
    job.outputs.map(({ path }) => path),
    beforePiece,
  );
}

export async function workingSubmitter(
  t: TestContext,
  address: string,
  options: Partial<ConnectOptions> = {},
): Promise<WorkingSubmitter> {
  const submitter = new WorkingSubmitter(sourceTree(t), await dial(t, address, options));
  t.after(() => submitter.remote.close());
  return submitter;
}

function toWire({ name, form, value, list }: InvocationArg): WireArgument {
  return { name, form, value, list: list.map(toWire) };
}

/** What the same call makes when it runs here: outputs by path, status and diagnostics. */
export function compileHere(
  directory: string,
  compilerPath: string,
  job: PreparedJob,
  args: readonly string[],
): { status: number | null; stderr: Buffer; outputs: Map<string, Buffer> } {
  if (isCompilerName(compilerPath.slice(compilerPath.lastIndexOf('/') + 1)) === undefined)
    throw new Error(`${compilerPath} is no compiler`);
  const env = { PATH: '/usr/bin:/bin', PWD: directory };
  const result = spawnSync(compilerPath, args, { cwd: directory, env });
  const outputs = new Map<string, Buffer>();
  for (const { path } of job.outputs) {
    const place = path.startsWith('/') ? path : `${directory}/${path}`;
    if (!existsSync(place)) continue;
    outputs.set(path, readFileSync(place));
    rmSync(place);
  }
  return { status: result.status, stderr: result.stderr, outputs };
}

/** Command lines of the processes of this machine that hold a text. */
export function processesWith(text: string): string[] {
  const lines: string[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name) || name === String(process.pid)) continue;
    try {
      lines.push(readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' '));
    } catch {
      // it has ended meanwhile
    }
  }
  return lines.filter((line) => line.includes(text));
}
