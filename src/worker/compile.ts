/** One job in the sandbox: argv and environment are rebuilt here, and what the compiler read is checked. */
import { type Invocation, renderArguments } from '../compiler/index.ts';
import type { WireJob } from '../mesh/index.ts';
import type { Cell, CellJob, CellOutput, CellResult } from '../sandbox/index.ts';
import type { InstalledToolchain } from './installed-toolchain.ts';
import type { Hold, Mirror } from './mirror.ts';
import { absolute, TrueDependencies } from './true-dependencies.ts';

/** Bounds of one compile on this worker. */
export interface CompileLimits {
  readonly wallLimitMs: number;
  readonly cpuLimitSeconds: number;
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

/** Where the compiler tells what it read if the user did not ask for it; never returned. */
const OWN_DEPFILE = '/.meshcc-dependencies';

/** Where the assembler tells what it embedded: no depfile of the compiler shows that. */
const ASSEMBLER_DEPFILE = '/.meshcc-embedded';

/**
 * GCC and Clang on a header that is not there; in another language the submitter just sees a failed compile. GCC
 * says "opening …" of its outputs.
 */
const MISSING_FILE = /fatal error: (?!opening )(?:')?([^\n:']+)(?:'|: No such file)/;

/** Runs a job whose inputs are on disk. */
export async function compile(
  request: CompileRequest,
  cell: Cell,
  mirror: Mirror,
  limits: CompileLimits,
  signal: AbortSignal,
): Promise<CompileOutcome> {
  const { job, invocation } = request;
  const result = await cell.run(cellJob(request, limits), signal);
  if (result.kind === 'fault') return { kind: 'node-fault', cause: result.cause, detail: result.detail };
  if (result.exitStatus !== 0 || result.signal !== 0) {
    result.release();
    const wanted = MISSING_FILE.exec(result.stderr.toString('latin1'))?.[1];
    if (wanted !== undefined) return { kind: 'input-incomplete', paths: [wanted] };
    return { kind: 'compiled', result, outputs: [] };
  }
  const irregular = result.irregular[0];
  if (irregular !== undefined) {
    result.release();
    return {
      kind: 'node-fault',
      cause: 'irregular-output',
      detail: `${irregular.path} is a ${irregular.type}`,
    };
  }
  const byPath = new Map(result.outputs.map((file) => [file.path, file]));
  // Not joined as text: `link/../x.o` lies where the link leads.
  const outputAt = (path: string): CellOutput | undefined =>
    byPath.get(mirror.resolve(absolute(job.workingDirectory, path)));

  const depfile = outputAt(invocation.depfile?.path ?? OWN_DEPFILE);
  const embedded = outputAt(ASSEMBLER_DEPFILE);
  const ask = (argv: readonly string[]): Promise<CellResult> =>
    cell.run(questionJob(request, argv, limits), signal);
  const dependencies = new TrueDependencies(request, mirror, ask);
  const outside = await dependencies.outside(depfile, embedded);
  if (outside.length > 0) {
    result.release();
    return { kind: 'input-incomplete', paths: outside };
  }
  const own = new Set([byPath.get(OWN_DEPFILE), embedded]);
  const outputs: CompileOutput[] = [];
  const expected = [...invocation.outputs].sort((a, b) => rank(a.kind) - rank(b.kind));
  for (const { path, required } of expected) {
    const file = outputAt(path);
    if (file !== undefined) outputs.push({ path, file });
    else if (required) {
      result.release();
      return { kind: 'node-fault', cause: 'missing-output', detail: `the compiler left no ${path}` };
    }
  }
  const known = new Set(outputs.map((output) => output.file));
  // What nobody expected is returned under its own path: the submitter decides, and names the reason.
  for (const file of result.outputs) {
    if (!own.has(file) && !known.has(file)) outputs.unshift({ path: file.path, file });
  }
  return { kind: 'compiled', result, outputs };
}

function rank(kind: string): number {
  return kind === 'depfile' ? 0 : kind === 'object' || kind === 'assembly' ? 2 : 1;
}

function cellJob(request: CompileRequest, limits: CompileLimits): CellJob {
  const { job, invocation } = request;
  // GCC records none of these in the object (checked: -g, -gsplit-dwarf, -frecord-gcc-switches).
  const ownDepfile = invocation.depfile === undefined ? ['-MD', '-MF', OWN_DEPFILE] : [];
  const args = [...renderArguments(invocation.args), ...ownDepfile, ...watchfulOptions(request)];
  const base = questionJob(request, args, limits);
  return job.terminal ? { ...base, stderrTty: job.terminal } : base;
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

/**
 * Options that bring to light what a scan of the text cannot see for certain: files that assembler text embeds,
 * and the date in an object. Link-time optimisation would record them, and assembles nothing yet.
 */
function watchfulOptions({ job, invocation, toolchain }: CompileRequest): string[] {
  const isLinkTime = invocation.args.some(({ name }) => name.startsWith('-flto'));
  if (isLinkTime || toolchain.toolchain.dialect !== 'gcc') return [];
  const options: string[] = [];
  if (invocation.outputs.some(({ kind }) => kind === 'object')) options.push(`-Wa,--MD,${ASSEMBLER_DEPFILE}`);
  const hasFixedClock = job.environment.some((entry) => entry.startsWith('SOURCE_DATE_EPOCH='));
  if (!hasFixedClock) options.push('-Werror=date-time');
  return options;
}
