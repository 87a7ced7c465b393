/** One job in the sandbox: argv and environment are rebuilt here, and what the compiler read is checked. */
import { dirname } from 'node:path';
import { type Invocation, isDumpOf, workerArguments } from '../compiler/index.ts';
import type { WireJob } from '../mesh/index.ts';
import type { Cell, CellJob, CellOutput, CellResult } from '../sandbox/index.ts';
import type { InstalledToolchain } from './installed-toolchain.ts';
import type { Hold, Mirror } from './mirror.ts';
import { processorOf, processorSpecs } from './native-specs.ts';
import { TrueDependencies } from './true-dependencies.ts';
import { absolutePath } from './view-paths.ts';
import { ASSEMBLER_DEPFILE, OWN_DEPFILE, watchfulOptions } from './watchful-options.ts';

/** Bounds of one compile on this worker. */
export interface CompileLimits {
  readonly wallLimitMs: number;
  readonly cpuLimitSeconds: number;
  /** Of each process. */
  readonly maxMemoryBytes: number;
  /** Of the job, or of all jobs of the submitter where they share a user. */
  readonly maxProcesses: number;
  readonly maxFileBytes: number;
  readonly maxDiagnosticBytes: number;
  readonly maxOutputBytes: number;
}

/** A validated job, ready to run. */
export interface CompileRequest {
  readonly job: WireJob;
  readonly invocation: Invocation;
  readonly toolchain: InstalledToolchain;
  readonly hold: Hold;
}

/** An output under the path that the submitter expects. */
export interface CompileOutput {
  /** As spelled in the job. */
  readonly path: string;
  readonly file: CellOutput;
}

export type CompileOutcome =
  | {
      readonly kind: 'compiled';
      readonly result: CellResult & { kind: 'exited' };
      /** Depfiles first, the object last: what is there last makes the others valid. */
      readonly outputs: readonly CompileOutput[];
    }
  | { readonly kind: 'input-incomplete'; readonly paths: readonly string[] }
  | { readonly kind: 'node-fault'; readonly cause: string; readonly detail: string };

/** A line for each of 100,000 files; the agent reads it whole. */
const MAX_EVIDENCE_BYTES = 16 * 1024 ** 2;

/**
 * GCC and Clang on a header that is not there; in another language the submitter just sees a failed compile. GCC
 * says "opening …" of its outputs.
 */
const MISSING_FILE = /fatal error: (?!opening )(?:')?([^\n:']+)(?:'|: No such file)/;

/** Runs a job whose inputs are on disk. Its scratch is the caller's to release if it is `compiled`, and gone otherwise. */
export async function compile(
  request: CompileRequest,
  cell: Cell,
  mirror: Mirror,
  limits: CompileLimits,
  signal: AbortSignal,
): Promise<CompileOutcome> {
  const moved = request.toolchain.toldDirectories?.absent.find((path) => mirror.hasDirectory(path));
  if (moved !== undefined) {
    const detail = `${moved} exists by now, where this compiler, or yours, looks for headers`;
    return { kind: 'node-fault', cause: 'other-directories', detail };
  }
  const specs = await processorSpecs(request, mirror);
  const sight = cell.wantsView ? sightOf(request, mirror) : {};
  const result = await cell.run({ ...compileJob(request, specs, mirror, limits), ...sight }, signal);
  if (result.kind === 'fault') return { kind: 'node-fault', cause: result.cause, detail: result.detail };
  let isCompiled = false;
  try {
    const ask = (argv: readonly string[]): Promise<CellResult> =>
      cell.run(
        { ...questionJob(request, [...argv, ...searchArguments(request), ...specs], limits), ...sight },
        signal,
      );
    const outcome = await outcomeOf(result, request, mirror, ask);
    isCompiled = outcome.kind === 'compiled';
    return outcome;
  } finally {
    if (!isCompiled) result.release();
  }
}

/** @param ask runs a question to the compiler in the view of the job */
async function outcomeOf(
  result: CellResult & { kind: 'exited' },
  request: CompileRequest,
  mirror: Mirror,
  ask: (argv: readonly string[]) => Promise<CellResult>,
): Promise<CompileOutcome> {
  if (result.exitStatus !== 0 || result.signal !== 0) {
    const wanted = MISSING_FILE.exec(result.stderr.toString('latin1'))?.[1];
    if (wanted !== undefined) return { kind: 'input-incomplete', paths: [wanted] };
    return { kind: 'compiled', result, outputs: [] };
  }
  const irregular = result.irregular[0];
  if (irregular !== undefined) {
    const detail = `${irregular.path} is a ${irregular.type}`;
    return { kind: 'node-fault', cause: 'irregular-output', detail };
  }
  const written = new WrittenFiles(result.outputs, request, mirror);
  const excessive = Object.values(written.evidence).find(
    (file) => (file?.sizeBytes ?? 0) > MAX_EVIDENCE_BYTES,
  );
  if (excessive !== undefined) {
    const detail = `${excessive.path} has ${excessive.sizeBytes} bytes, more than any compiler writes there`;
    return { kind: 'node-fault', cause: 'irregular-output', detail };
  }
  const outside = await new TrueDependencies(request, mirror, ask).outside(written.evidence, result.stderr);
  if (outside.length > 0) return { kind: 'input-incomplete', paths: outside };
  const sorted = written.inOrder();
  if (typeof sorted === 'string') return { kind: 'node-fault', cause: 'missing-output', detail: sorted };
  return { kind: 'compiled', result, outputs: sorted };
}

/** What the job sees and where it writes, for a cell that wants to know. */
function sightOf(
  { job, invocation, hold }: CompileRequest,
  mirror: Mirror,
): Pick<CellJob, 'view' | 'writable'> {
  const directories = new Set([dirname(OWN_DEPFILE), mirror.resolve(job.workingDirectory)]);
  for (const { path } of invocation.outputs)
    directories.add(dirname(mirror.resolve(absolutePath(job.workingDirectory, path))));
  const writable = [...directories];
  return { view: hold.view(writable), writable };
}

/** What a job wrote, held against what its arguments announce. */
class WrittenFiles {
  readonly #files: readonly CellOutput[];
  readonly #byPath: ReadonlyMap<string, CellOutput>;
  readonly #request: CompileRequest;
  readonly #mirror: Mirror;

  constructor(files: readonly CellOutput[], request: CompileRequest, mirror: Mirror) {
    this.#files = files;
    this.#byPath = new Map(files.map((file) => [file.path, file]));
    this.#request = request;
    this.#mirror = mirror;
  }

  /** Where the compiler and the assembler tell what they read. */
  get evidence(): { depfile: CellOutput | undefined; embedded: CellOutput | undefined } {
    const { invocation } = this.#request;
    return {
      depfile: this.#at(invocation.depfile?.path ?? OWN_DEPFILE),
      embedded: this.#byPath.get(ASSEMBLER_DEPFILE),
    };
  }

  /** The outputs in the order in which they are to be put in place, or what is missing. */
  inOrder(): CompileOutput[] | string {
    const outputs: CompileOutput[] = [];
    const { invocation } = this.#request;
    for (const { kind, path, required } of [...invocation.outputs].sort(
      (a, b) => rank(a.kind) - rank(b.kind),
    )) {
      const found = kind === 'dump' ? this.#dumpsAt(path) : this.#at(path);
      if (Array.isArray(found)) outputs.push(...found);
      else if (found !== undefined) outputs.push({ path, file: found });
      else if (required) return `the compiler left no ${path}`;
    }
    const known = new Set(outputs.map((output) => output.file));
    const own = new Set([this.#byPath.get(OWN_DEPFILE), this.#byPath.get(ASSEMBLER_DEPFILE)]);
    // What nobody expected is returned under its own path: the submitter decides, and names the reason.
    for (const file of this.#files) {
      if (!own.has(file) && !known.has(file)) outputs.unshift({ path: file.path, file });
    }
    return outputs;
  }

  #at(path: string): CellOutput | undefined {
    return this.#byPath.get(this.#canonical(path));
  }

  #dumpsAt(stem: string): CompileOutput[] {
    const canonical = this.#canonical(stem);
    const files = this.#files.filter((file) => isDumpOf(canonical, file.path));
    return files.map((file) => ({ path: stem + file.path.slice(canonical.length), file }));
  }

  /** Not joined as text: `link/../x.o` lies where the link leads. */
  #canonical(path: string): string {
    return this.#mirror.resolve(absolutePath(this.#request.job.workingDirectory, path));
  }
}

function rank(kind: string): number {
  return kind === 'depfile' ? 0 : kind === 'object' ? 2 : 1;
}

function compileJob(
  request: CompileRequest,
  specs: readonly string[],
  mirror: Mirror,
  limits: CompileLimits,
): CellJob {
  const { job, invocation, toolchain } = request;
  const args = [
    ...workerArguments(invocation, toolchain.toolchain.dialect, processorOf(request)),
    ...searchArguments(request),
    ...specs,
    ...watchfulOptions(request, mirror),
  ];
  const base = questionJob(request, args, limits);
  return job.terminal ? { ...base, stderrTty: job.terminal } : base;
}

/** The submitter's directories for a compiler that has others, unless the call wants none. */
function searchArguments({ toolchain, invocation }: CompileRequest): readonly string[] {
  const wantsNone = invocation.args.some(({ name }) => name === '-nostdinc');
  return wantsNone ? [] : (toolchain.toldDirectories?.options ?? []);
}

/** A question to the compiler of a job, in the view of the job. */
function questionJob(
  { job, toolchain }: CompileRequest,
  args: readonly string[],
  limits: CompileLimits,
): CellJob {
  return {
    executable: toolchain.driverPath,
    argv: [toolchain.driverPath, ...args],
    environment: [...job.environment, `PATH=${toolchain.searchPath}`],
    cwd: job.workingDirectory,
    umask: job.umask,
    ...limits,
  };
}
