/**
 * A second compile of a unit by the user's own compiler, for comparison only: its outputs go to a directory of their
 * own, under other names each time, so that an object that holds its own name is seen to differ from itself.
 */
import { mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { constants, setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestOfFile } from '../base/file-digest.ts';
import { type Invocation, referenceArguments } from '../compiler/index.ts';
import { type Cell, openPlainRunner } from '../sandbox/index.ts';
import { Slots } from '../scheduler/index.ts';
import type { PreparedJob } from './remote-worker.ts';
import type { ProducedFile, UnitProduct } from './unit-product.ts';

/** The unit as it was sent. */
export interface ReferenceUnit {
  readonly invocation: Invocation;
  readonly job: PreparedJob;
  /** Absolute path of the real compiler as it is called. */
  readonly compilerPath: string;
}

export type ReferenceOutcome =
  | { readonly kind: 'product'; readonly product: UnitProduct }
  /** The compiler ran and said no. */
  | { readonly kind: 'failed'; readonly detail: string }
  /** Its outputs cannot be put elsewhere: their names are part of their contents. */
  | { readonly kind: 'unmovable'; readonly detail: string }
  /** It could not be asked. */
  | { readonly kind: 'unavailable'; readonly detail: string };

/** Compiles that run here at once for comparison: they must not be in the way of the build. */
const AT_ONCE = 2;

/** Larger files are compared by digest, and not kept. */
const MAX_KEPT_BYTES = 32 * 1024 * 1024;

/** What a runner may take to answer beyond the limit that it keeps for a compile. */
const RUNNER_GRACE_MS = 10_000;

/** What cannot be in the name of an output. */
const UNSPEAKABLE = /[,\s]/;

const LIMITS = {
  cpuLimitSeconds: 0,
  maxFileBytes: 1024 ** 3,
  maxDiagnosticBytes: 4 * 1024 * 1024,
  maxOutputBytes: 0,
};

export class LocalReference {
  readonly #runnerPath: string;
  readonly #searchPath: string;
  readonly #directory: string;
  readonly #slots = new Slots(AT_ONCE);
  #cell: Promise<Cell> | undefined;
  #runs = 0;

  /** @param scratchDirectory of this agent alone */
  constructor(runnerPath: string, searchPath: string, scratchDirectory: string) {
    this.#runnerPath = runnerPath;
    this.#searchPath = searchPath;
    // A depfile's name has no place for them in -Wp,-MMD; then the system's directory has to do.
    this.#directory = UNSPEAKABLE.test(scratchDirectory) ? tmpdir() : scratchDirectory;
  }

  /** Compiles the unit once, with low priority. Never rejects. */
  async compile(unit: ReferenceUnit, signal: AbortSignal): Promise<ReferenceOutcome> {
    const release = await this.#slots.acquire(signal);
    if (release === undefined) return { kind: 'unavailable', detail: 'interrupted' };
    let directory: string | undefined;
    try {
      directory = await mkdtemp(join(this.#directory, 'meshcc-reference-'));
      return await this.#compileIn(directory, unit, signal);
    } catch (error) {
      return { kind: 'unavailable', detail: String(error) };
    } finally {
      release();
      if (directory !== undefined) await rm(directory, { recursive: true, force: true }).catch(() => {});
    }
  }

  async #compileIn(directory: string, unit: ReferenceUnit, signal: AbortSignal): Promise<ReferenceOutcome> {
    const { invocation, job, compilerPath } = unit;
    const name = `reference${++this.#runs}`;
    const within = join(directory, name);
    await mkdir(within);
    const places = { outputPath: join(within, `${name}.o`), depfilePath: join(within, `${name}.d`) };
    if (UNSPEAKABLE.test(within)) return { kind: 'unavailable', detail: `${within} has a space or a comma` };
    const args = referenceArguments(invocation, job.toolchain.dialect, places);
    if (args === undefined) return { kind: 'unmovable', detail: 'its outputs cannot be put elsewhere' };
    const cell = await this.#open();
    // The runner ends what takes too long, unless it hangs itself.
    const overdue = setTimeout(() => kill(cell.processId), job.timeoutMs + RUNNER_GRACE_MS);
    const result = await cell
      .run(
        {
          executable: compilerPath,
          argv: [compilerPath, ...args],
          environment: [...job.environment, `PATH=${this.#searchPath}`, 'MESHCC_RECURSION=1'],
          cwd: job.workingDirectory,
          umask: job.umask,
          wallLimitMs: job.timeoutMs,
          ...LIMITS,
          ...(job.terminal === undefined ? {} : { stderrTty: job.terminal }),
        },
        signal,
      )
      .finally(() => clearTimeout(overdue));
    if (result.kind === 'fault') return { kind: 'unavailable', detail: `${result.cause}: ${result.detail}` };
    result.release();
    const { exitStatus, stdout, stderr } = result;
    if (result.signal !== 0) return { kind: 'unavailable', detail: `signal ${result.signal}` };
    if (exitStatus !== 0) return { kind: 'failed', detail: `status ${exitStatus} here` };
    const files = [await produced(places.outputPath, invocation.outputPath)];
    const { depfile } = invocation;
    if (depfile !== undefined) files.push(await produced(places.depfilePath, depfile.path));
    return { kind: 'product', product: { stdout, stderr, files } };
  }

  async close(): Promise<void> {
    const cell = await this.#cell?.catch(() => undefined);
    await cell?.close();
  }

  #open(): Promise<Cell> {
    if (this.#cell === undefined) {
      // A runner of its own: its priority is that of what it runs.
      const opened = openPlainRunner(this.#runnerPath).then((cell) => {
        setPriority(cell.processId, constants.priority.PRIORITY_BELOW_NORMAL);
        return cell;
      });
      this.#cell = opened;
      const forget = (): void => {
        if (this.#cell === opened) this.#cell = undefined;
      };
      opened.then((cell) => cell.closed.then(forget), forget);
    }
    return this.#cell;
  }
}

function kill(processId: number): void {
  try {
    process.kill(processId, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

async function produced(at: string, path: string): Promise<ProducedFile> {
  const { size } = await stat(at);
  const content = size <= MAX_KEPT_BYTES ? await readFile(at) : undefined;
  return { path, digest: await digestOfFile(at, size), content };
}
