/** A place for one test: a private directory with a source, a masquerade directory, and an agent's socket path. */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { MeshError } from '../../src/base/errors.ts';
import { PACKAGE_ROOT } from '../../src/base/package-root.ts';
import { buildShim, encodeOutputBegin, encodeOutputData, installShims } from '../../src/shim/index.ts';
import { unfinishedOutputs } from '../support/unfinished-outputs.ts';
import { type AgentCall, ScriptedAgent } from './scripted-agent.ts';

/** The two ways to build the C program: with the project's own stand-in for the C library, or with a whole one. */
export type NativeKind = 'freestanding' | 'libc';

export type ShimKind = NativeKind | 'node';

const BUILDS = { freestanding: ['freestanding'], libc: ['static', 'dynamic'] } as const;

/** On other processors there is only the build with a C library. */
export const HAS_FREESTANDING = ['x64', 'arm64', 'riscv64'].includes(process.arch);

export const NATIVE_KINDS: readonly NativeKind[] = HAS_FREESTANDING ? ['freestanding', 'libc'] : ['libc'];

export const SHIM_KINDS: readonly ShimKind[] = [...NATIVE_KINDS, 'node'];

/** How a program ended, and what it printed. */
export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
  readonly onStart?: (child: ChildProcess) => void;
}

/** Where built programs are kept between test runs; they lie under the digest of their source. */
export const BUILD_CACHE = join(PACKAGE_ROOT, 'dist', 'test-cache');

export const REAL_GCC = '/usr/bin/gcc';

/** Runs a program to its end. */
export function run(
  file: string,
  args: readonly string[],
  cwd: string,
  options: RunOptions = {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd, env: options.env ?? process.env, stdio: 'pipe' });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.on('error', reject);
    child.on('close', (status, signal) => {
      resolve({ status, signal, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr) });
    });
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
    options.onStart?.(child);
  });
}

/** Resolves when a shim has begun to write an output. */
export async function outputBegun({ pid = 0 }: ChildProcess, { work }: Fixture): Promise<void> {
  while (unfinishedOutputs(pid, work).length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
}

export class Fixture {
  readonly root = mkdtempSync(join(tmpdir(), 'meshcc-shim-'));
  /** Working directory of the compiles; holds a.c. */
  readonly work = join(this.root, 'work');
  readonly shims = join(this.root, 'shims');
  readonly socketPath = join(this.root, 'run', 'agent.sock');
  readonly env: NodeJS.ProcessEnv;
  #agent: ScriptedAgent | undefined;
  readonly #undo: (() => void)[] = [];

  private constructor(extraEnv: NodeJS.ProcessEnv) {
    mkdirSync(this.work);
    mkdirSync(join(this.root, 'run'), { mode: 0o700 });
    writeFileSync(join(this.work, 'a.c'), 'int answer(void) { return 42; }\n');
    // /usr/local/bin may hold node, which the stand-in needs
    const path = [this.shims, '/usr/bin', '/bin', join(process.execPath, '..')].join(':');
    this.env = { PATH: path, MESHCC_SOCKET: this.socketPath, ...extraEnv };
  }

  static async make(test: TestContext, kind: ShimKind, extraEnv: NodeJS.ProcessEnv = {}): Promise<Fixture> {
    const fixture = new Fixture(extraEnv);
    test.after(() => {
      fixture.#agent?.close();
      for (const undo of fixture.#undo) undo();
      rmSync(fixture.root, { recursive: true, force: true });
    });
    const noCompiler = () =>
      Promise.reject(new MeshError('MESHCC_NATIVE_BUILD', 'this test wants the stand-in'));
    await installShims(fixture.shims, {
      env: fixture.env,
      cliMain: join(fixture.root, 'cli.js'),
      build: kind === 'node' ? noCompiler : () => buildShim(BUILD_CACHE, BUILDS[kind]),
    });
    return fixture;
  }

  /** Something to undo before the directory is removed, latest first. */
  beforeRemoval(undo: () => void): void {
    this.#undo.unshift(undo);
  }

  get agent(): ScriptedAgent {
    if (this.#agent === undefined) throw new Error('the test has started no agent');
    return this.#agent;
  }

  async startAgent(script: (call: AgentCall) => void): Promise<ScriptedAgent> {
    this.#agent = await ScriptedAgent.start(this.socketPath, script);
    return this.#agent;
  }

  /** Runs a program of the masquerade directory. */
  call(name: string, args: readonly string[], options: RunOptions = {}): Promise<Ended> {
    return run(join(this.shims, name), args, this.work, { ...options, env: { ...this.env, ...options.env } });
  }

  /** `gcc -c a.c -o a.o` through the shim. */
  compile(options: RunOptions = {}): Promise<Ended> {
    return this.call('gcc', ['-c', 'a.c', '-o', 'a.o'], options);
  }

  /** The same, with the process that does it. */
  startCompile(options: Omit<RunOptions, 'onStart'> = {}): { child: ChildProcess; ended: Promise<Ended> } {
    const started: ChildProcess[] = [];
    const ended = this.compile({ ...options, onStart: (child) => started.push(child) });
    const [child] = started;
    if (child === undefined) throw new Error('the shim was not started');
    return { child, ended };
  }

  path(name: string): string {
    return join(this.work, name);
  }

  /** The frames that make a whole output; the temporary file is called `.NAME.tmp`. */
  output(index: number, name: string, data: Uint8Array): Buffer[] {
    const temporaryName = join(dirname(name), `.${basename(name)}.tmp`);
    const paths = { finalPath: this.path(name), temporaryPath: this.path(temporaryName) };
    return [encodeOutputBegin({ index, sizeBytes: data.length, ...paths }), encodeOutputData(index, data)];
  }

  /** The files of the working directory, sorted. */
  files(): string[] {
    return readdirSync(this.work).sort();
  }

  /** A second masquerade directory with a copy of the same shim. */
  secondShims(): string {
    const directory = join(this.root, 'more-shims');
    mkdirSync(directory);
    copyFileSync(join(this.shims, 'meshcc-shim'), join(directory, 'meshcc-shim'));
    symlinkSync('meshcc-shim', join(directory, 'gcc'));
    return directory;
  }

  /** A program in a directory of its own, to stand before or behind the shim in PATH. */
  program(directory: string, name: string, script: string): string {
    const where = join(this.root, directory);
    mkdirSync(where, { recursive: true });
    writeFileSync(join(where, name), script, { mode: 0o755 });
    return where;
  }
}
