/** A worker's parts around one warm mirror, without the wire: what `npm run bench:sandbox` puts jobs through. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { copyFile, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Digest, digestOf, digestToBytes } from '../../src/base/digest.ts';
import { buildNativeProgram } from '../../src/base/native-program.ts';
import { PACKAGE_ROOT } from '../../src/base/package-root.ts';
import { decodeAscending, encodeAscending } from '../../src/base/varint.ts';
import { classify, type InvocationArg } from '../../src/compiler/index.ts';
import type { WireArgument, WireJob } from '../../src/mesh/index.ts';
import { buildRunner, type Cell, type CellJob, openCell, probeConfinement } from '../../src/sandbox/index.ts';
import type { RunnerVariant } from '../../src/sandbox/rungs.ts';
import { compile } from '../../src/worker/compile.ts';
import { type InstalledToolchain, installToolchain } from '../../src/worker/installed-toolchain.ts';
import { Mirror } from '../../src/worker/mirror.ts';
import { checkRequest } from '../../src/worker/request-check.ts';
import { sandboxOf } from '../../test/sandbox/toolchain-tree.ts';
import { GCC, toolchainOf, useOf } from '../../test/worker/real-toolchains.ts';
import { BenchError } from '../bench-error.ts';

const CACHE = join(PACKAGE_ROOT, 'dist', 'bench-cache');
const INPUTS_PER_DIRECTORY = 20;
const EMPTY_COMPILER = '/usr/bin/empty-compiler';
/** GCC includes it into every unit where the C library has it. */
const PREDEFINED = '/usr/include/stdc-predef.h';

const LIMITS = {
  wallLimitMs: 60_000,
  cpuLimitSeconds: 60,
  maxMemoryBytes: 2 * 1024 ** 3,
  maxProcesses: 64,
  maxFileBytes: 1 << 30,
  maxDiagnosticBytes: 1 << 20,
  maxOutputBytes: 1 << 30,
};

export interface CommandUnderTest {
  readonly name: string;
  /** In the view of a job, and on this machine. */
  readonly inside: string;
  readonly outside: string;
}

export interface WorkerBench {
  readonly runnerPath: string;
  readonly cell: Cell;
  readonly emptyCompiler: CommandUnderTest;
  readonly gcc: CommandUnderTest;
  plainJob(command: CommandUnderTest): CellJob;
  confinedJob(command: CommandUnderTest): CellJob;
  /** For a plain runner: the command in a bubblewrap of its own that shows the same tree. */
  wrappedJob(bwrap: string, command: CommandUnderTest): CellJob;
  /** A job as a session serves it, from the message to the digests of the outputs. */
  serve(command: CommandUnderTest): Promise<void>;
  close(): Promise<void>;
}

/** What a submitter has told: directories and headers that a job of a larger project would list. */
class Inputs {
  readonly ids: number[] = [];
  readonly contents = new Map<Digest, string>();
  readonly #mirror: Mirror;
  readonly #directories = new Set<string>();

  constructor(mirror: Mirror) {
    this.#mirror = mirror;
  }

  directory(path: string): void {
    if (path === '/' || this.#directories.has(path)) return;
    this.directory(dirname(path));
    this.#directories.add(path);
    this.#announce(path, { directory: {} });
  }

  file(path: string, text: string): void {
    this.directory(dirname(path));
    this.contents.set(digestOf(text), text);
    const sha256 = digestToBytes(digestOf(text));
    this.#announce(path, { file: { sha256, sizeBytes: Buffer.byteLength(text), mtimeSeconds: 1 } });
  }

  #announce(path: string, node: object): void {
    const id = this.ids.length + 1;
    this.#mirror.announce({ id, path, ...node });
    this.ids.push(id);
  }
}

/** A job as it comes over the wire. */
function wireJob(work: string, ids: readonly number[]): WireJob {
  const call = classify({
    compilerName: 'gcc',
    dialect: 'gcc',
    args: ['-c', 'empty.c', '-o', 'empty.o', '-MD', '-MF', 'empty.d'],
    environment: {},
    readResponseFile: () => undefined,
  });
  if (call.kind !== 'distributable') throw new BenchError(`the call stays local: ${JSON.stringify(call)}`);
  const toWire = ({ name, form, value, list }: InvocationArg): WireArgument => ({
    name,
    form,
    value,
    list: list.map(toWire),
  });
  return {
    jobId: 1,
    toolchainRef: 1,
    workingDirectory: work,
    arguments: call.invocation.args.map(toWire),
    inputs: encodeAscending(ids),
    environment: [`PWD=${work}`],
    umask: 0o022,
    outputs: call.invocation.outputs.map(({ kind, path, required }) => ({ kind, path, required })),
    processor: [],
  };
}

/** Options of bubblewrap for a view like that of a confined job. */
function wrapping(tree: string, work: string): string[] {
  const views = ['--ro-bind', tree, '/', '--tmpfs', '/tmp', '--bind', work, work, '--chdir', work];
  return ['--unshare-all', '--die-with-parent', ...views];
}

export async function openWorkerBench(
  directory: string,
  variant: RunnerVariant | undefined,
  inputCount: number,
): Promise<WorkerBench> {
  const runnerPath = await buildRunner(CACHE);
  const emptyPath = await buildNativeProgram(
    { name: 'empty-compiler', source: 'bench/empty-compiler.c' },
    CACHE,
  );
  const found = await probeConfinement(runnerPath, join(directory, 'probe'), 'uid');
  if (found.sandbox === undefined) throw new BenchError(`this machine cannot confine: ${found.detail}`);
  const sandbox = variant === undefined ? found.sandbox : sandboxOf(variant);
  const tree = join(directory, 'tree');
  mkdirSync(tree);
  const work = join(directory, 'work');
  const owner = sandbox.rung === 'namespaces' ? sandbox.owner : 0;
  const contents = new Map<Digest, string>();
  const mirror = new Mirror(
    tree,
    {
      need: () => Promise.resolve(),
      materialise: async (digest, path, { mtimeMs }) => {
        writeFileSync(path, contents.get(digest) ?? '', { mode: 0o444 });
        await utimes(path, mtimeMs / 1000, mtimeMs / 1000);
      },
    },
    undefined,
    owner,
  );
  const toolchain = await toolchainOf(GCC);
  const installed = await installToolchain(toolchain, useOf(toolchain), mirror, join(directory, 'kept'));
  mirror.addBase(EMPTY_COMPILER, { kind: 'file' });
  await copyFile(emptyPath, join(tree, EMPTY_COMPILER));

  const inputs = new Inputs(mirror);
  inputs.file(join(work, 'empty.c'), '');
  if (existsSync(PREDEFINED)) inputs.file(PREDEFINED, readFileSync(PREDEFINED, 'utf8'));
  for (let index = 0; index < inputCount; index++) {
    const place = `include/part-${Math.floor(index / INPUTS_PER_DIRECTORY)}/header-${index}.h`;
    inputs.file(join(work, place), `#define HEADER_${index}\n`);
  }
  for (const [digest, text] of inputs.contents) contents.set(digest, text);
  writeFileSync(join(work, 'empty.c'), '');

  const cell = await openCell({
    runnerPath,
    sandbox,
    treeDirectory: tree,
    jobsDirectory: join(directory, 'jobs'),
    scratchBytes: 64 << 20,
    log: (line) => console.error(line),
  });
  const warm = mirror.hold(inputs.ids);
  await warm.ready;
  const view = warm.view(['/', work]);
  warm.release();
  const message = wireJob(work, inputs.ids);
  const args = ['-c', 'empty.c', '-o', 'empty.o', '-MD', '-MF', 'empty.d'];
  const job = (program: string): CellJob => ({
    ...LIMITS,
    executable: program,
    argv: [program, ...args],
    environment: ['PATH=/usr/bin:/bin', `PWD=${work}`],
    cwd: work,
    umask: 0o022,
  });
  return {
    runnerPath,
    cell,
    emptyCompiler: { name: 'empty compiler', inside: EMPTY_COMPILER, outside: emptyPath },
    gcc: { name: 'gcc -c', inside: GCC, outside: GCC },
    plainJob: ({ outside }) => ({ ...job(outside), maxMemoryBytes: 0, maxProcesses: 0 }),
    wrappedJob: (bwrap, { inside }) => ({
      ...job(bwrap),
      argv: [bwrap, ...wrapping(tree, work), inside, ...args],
      maxMemoryBytes: 0,
      maxProcesses: 0,
    }),
    confinedJob: ({ inside }) => ({ ...job(inside), view, writable: ['/', work] }),
    serve: ({ inside }) => serve(message, { ...installed, driverPath: inside }, mirror, cell),
    close: () => cell.close(),
  };
}

/** What a session does with a job between its message and its result. */
async function serve(
  message: WireJob,
  installed: InstalledToolchain,
  mirror: Mirror,
  cell: Cell,
): Promise<void> {
  const ids = decodeAscending(message.inputs);
  const checked = checkRequest(message, installed.toolchain, installed.compilerName);
  if (ids === undefined || checked.kind === 'refused')
    throw new BenchError(`the job is refused: ${JSON.stringify(checked)}`);
  const hold = mirror.hold(ids);
  await hold.ready;
  const request = { job: message, invocation: checked.invocation, toolchain: installed, hold };
  const outcome = await compile(request, cell, mirror, LIMITS, new AbortController().signal);
  if (outcome.kind !== 'compiled' || outcome.result.exitStatus !== 0)
    throw new BenchError(`the job failed: ${JSON.stringify(outcome)}`);
  for (const { file } of outcome.outputs) digestOf(await file.read(0, file.sizeBytes));
  outcome.result.release();
  hold.release();
}
