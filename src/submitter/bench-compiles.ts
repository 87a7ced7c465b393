/**
 * Compiles for `meshcc bench`: like every job, from the command line to a verified object, but on a node that was
 * chosen, and the object is thrown away; and the same compile here, for comparison.
 */
import { MeshError } from '../base/errors.ts';
import type { RunCommand } from '../include-scan/index.ts';
import type { ShimRequest } from '../shim/index.ts';
import { JobPreparation, type PreparationParts } from './job-preparation.ts';
import type { OutputSink, RemoteOutcome } from './outcome.ts';

/** The compiler that all nodes are measured with. */
export interface BenchCompiler {
  /** Absolute path here. */
  readonly path: string;
  /** As it is called, e.g. `gcc`. */
  readonly name: string;
}

/** One compile that went well. */
export interface TimedCompile {
  /** From its start to the end of the compiler, where it ran. */
  readonly wallMs: number;
}

const NOWHERE: OutputSink = { begin: () => true, data: () => {} };

/** Everything that a compile depends on: the user's own settings must not make figures that nobody else gets. */
const ENVIRONMENT = { LC_ALL: 'C' };

export class BenchCompiles {
  readonly #parts: PreparationParts;
  readonly #run: RunCommand;
  readonly #directory: string;
  readonly #compiler: BenchCompiler;

  /**
   * @param run starts a compiler on this machine
   * @param directory of the sources; objects of compiles here are written there
   */
  constructor(parts: PreparationParts, run: RunCommand, directory: string, compiler: BenchCompiler) {
    this.#parts = parts;
    this.#run = run;
    this.#directory = directory;
    this.#compiler = compiler;
  }

  /**
   * Compiles on one node, as soon as that has a credit.
   * @param args without the compiler
   * @throws MeshError MESHCC_PEER if the node does not do it, with the reason
   */
  async on(nodeId: string, args: readonly string[], signal: AbortSignal): Promise<TimedCompile> {
    const { dispatcher, inputs, limits } = this.#parts;
    const isConnected = (): boolean => dispatcher.workers.some((worker) => worker.nodeId === nodeId);
    while (isConnected()) {
      const prepared = await new JobPreparation(
        this.#request(args),
        this.#parts.view.refresh(),
        this.#parts,
        signal,
      ).prepare();
      if (prepared.kind === 'local')
        throw failed(`it would be compiled here: ${prepared.reason}`, prepared.detail);
      const { job } = prepared;
      const others = dispatcher.workers.map((worker) => worker.nodeId).filter((other) => other !== nodeId);
      const placed = await dispatcher.place(
        { toolchainId: job.toolchain.id },
        new Set(others),
        limits.creditWaitMs,
        signal,
        (worker) =>
          worker.nodeId === nodeId && inputs.isCurrent(job.inputs)
            ? { kind: 'running' as const, outcome: worker.run(job, NOWHERE, signal) }
            : { kind: 'again' as const },
      );
      if (placed.kind === 'none' && isConnected()) throw failed(placed.reason, placed.detail);
      if (placed.kind === 'running') return { wallMs: wallMsOf(await placed.outcome) };
    }
    throw failed('its connection was lost', '');
  }

  /**
   * Compiles on this machine.
   * @throws MeshError MESHCC_COMPILER if the compiler fails
   */
  async here(args: readonly string[], signal: AbortSignal): Promise<TimedCompile> {
    const { path } = this.#compiler;
    const startedMs = performance.now();
    const { exitStatus, stderr } = await this.#run(
      {
        executable: path,
        argv: [path, ...args],
        environment: Object.entries(ENVIRONMENT).map(([name, value]) => `${name}=${value}`),
        workingDirectory: this.#directory,
      },
      signal,
    );
    if (exitStatus === 0) return { wallMs: performance.now() - startedMs };
    const said = stderr.toString('utf8').split('\n')[0] ?? '';
    throw new MeshError(
      'MESHCC_COMPILER',
      `${path} ${args.join(' ')} ended with status ${exitStatus}: ${said}`,
    );
  }

  #request(args: readonly string[]): ShimRequest {
    return {
      compiler: this.#compiler.path,
      name: this.#compiler.name,
      cwd: this.#directory,
      args,
      env: ENVIRONMENT,
      umask: 0o022,
      pid: process.pid,
      stdoutIsTerminal: false,
      stdinIsTerminal: false,
      stderrIsTerminal: false,
      columns: 0,
      rows: 0,
      isFaithful: true,
    };
  }
}

/** @param detail may be said by another node, and is meant for a terminal */
function failed(what: string, detail: string): MeshError {
  const text = detail.slice(0, 300).replace(/\p{Cc}/gu, '?');
  return new MeshError('MESHCC_PEER', text === '' ? what : `${what}: ${text}`);
}

/** @throws MeshError MESHCC_PEER for every outcome but a good one */
function wallMsOf(outcome: RemoteOutcome): number {
  switch (outcome.kind) {
    case 'compiled':
      if (outcome.exitStatus === 0 && outcome.signal === 0) return outcome.wallUs / 1000;
      throw failed(
        `its compiler ended with ${outcome.signal === 0 ? `status ${outcome.exitStatus}` : `signal ${outcome.signal}`}`,
        outcome.stderr.toString('utf8').split('\n')[0] ?? '',
      );
    case 'cancelled':
      throw failed('interrupted', '');
    case 'refused':
    case 'busy':
      throw failed(outcome.kind, outcome.reason);
    case 'input-incomplete':
      throw failed('it missed inputs', outcome.paths.slice(0, 3).join(' '));
    case 'node-fault':
      throw failed(outcome.cause, outcome.detail);
    default:
      throw failed(outcome.kind, outcome.detail);
  }
}
