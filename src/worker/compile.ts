/** One job in the sandbox: argv and environment are rebuilt here, and what the compiler read is checked. */
import { basename } from 'node:path';
import { type Invocation, parseDepfile, renderArguments } from '../compiler/index.ts';
import type { WireJob } from '../mesh/index.ts';
import {
  CELL_TEMPORARY_DIRECTORY,
  type Cell,
  type CellJob,
  type CellOutput,
  type CellResult,
} from '../sandbox/index.ts';
import type { InstalledToolchain } from './installed-toolchain.ts';
import type { Hold, Mirror } from './mirror.ts';

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
  const outside = [
    ...(await readOutsideClosure(depfile, request, mirror)),
    ...(embedded === undefined ? [] : await embeddedOutsideClosure(embedded, request, mirror)),
  ];
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

function absolute(workingDirectory: string, path: string): string {
  return path.startsWith('/') ? path : `${workingDirectory}/${path}`;
}

function rank(kind: string): number {
  return kind === 'depfile' ? 0 : kind === 'object' || kind === 'assembly' ? 2 : 1;
}

function cellJob(request: CompileRequest, limits: CompileLimits): CellJob {
  const { job, invocation, toolchain } = request;
  // GCC records none of these in the object (checked: -g, -gsplit-dwarf, -frecord-gcc-switches).
  const ownDepfile = invocation.depfile === undefined ? ['-MD', '-MF', OWN_DEPFILE] : [];
  const base: CellJob = {
    executable: toolchain.driverPath,
    argv: [
      toolchain.driverPath,
      ...renderArguments(invocation.args),
      ...ownDepfile,
      ...watchfulOptions(request),
    ],
    environment: [...job.environment, `PATH=${toolchain.searchPath}`],
    cwd: job.workingDirectory,
    umask: job.umask,
    ...limits,
  };
  return job.terminal ? { ...base, stderrTty: job.terminal } : base;
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

/** Files that the assembler read although the job did not list them. */
async function embeddedOutsideClosure(
  embedded: CellOutput,
  { job, invocation, hold }: CompileRequest,
  mirror: Mirror,
): Promise<string[]> {
  const text = (await embedded.read(0, embedded.sizeBytes)).toString('utf8');
  // GCC names the source in the assembler text by its last component; that is no file that was read.
  const named = basename(invocation.sourcePath);
  return parseDepfile(text)
    .filter((path) => path !== named && !path.startsWith(`${CELL_TEMPORARY_DIRECTORY}/`))
    .map((path) => absolute(job.workingDirectory, path))
    .filter((path) => !hold.lists(mirror.resolve(path)));
}

/** Files that the compiler read although the job did not list them: nothing proves that they are current. */
async function readOutsideClosure(
  depfile: CellOutput | undefined,
  { job, hold }: CompileRequest,
  mirror: Mirror,
): Promise<string[]> {
  if (depfile === undefined) return ['(the compiler wrote no dependencies)'];
  const text = (await depfile.read(0, depfile.sizeBytes)).toString('utf8');
  const outside: string[] = [];
  for (const path of parseDepfile(text)) {
    const spelled = absolute(job.workingDirectory, path);
    const canonical = mirror.resolve(spelled);
    if (!hold.lists(canonical)) outside.push(spelled);
  }
  return outside;
}
