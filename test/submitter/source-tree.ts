/** A directory with sources, and the inputs of a call in it, found by the real compiler. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { digestOf } from '../../src/base/digest.ts';
import type { PathNode } from '../../src/base/path-walk.ts';
import { classify, type Invocation } from '../../src/compiler/index.ts';
import { scanDirectives } from '../../src/include-scan/directive-scan.ts';
import {
  CompilerClosureFinder,
  type InputClosure,
  ScanningClosureFinder,
  type SourceFile,
  WatchedSourceView,
} from '../../src/include-scan/index.ts';
import type { WireEntry } from '../../src/mesh/index.ts';
import { EntryTable } from '../../src/submitter/entry-table.ts';
import { InputCollector, type InputOutcome, type JobInputs } from '../../src/submitter/input-set.ts';
import { GCC } from '../worker/real-toolchains.ts';
import { runCommand } from './run-command.ts';

/** What a finder knows of one file. */
export function sourceFile(path: string, text: string, mtimeSeconds = 1): SourceFile {
  const content = Buffer.from(text);
  const scan = scanDirectives(content);
  return { path, digest: digestOf(content), sizeBytes: content.length, mtimeSeconds, scan };
}

export class SourceTree {
  /** Canonical. */
  readonly directory: string;
  readonly entries = new EntryTable();
  /** Canonical paths where workers may show files of compilers, and those of the compiler of the calls. */
  readonly ofCompilers = new Set<string>();
  readonly ofThisCompiler = new Set<string>();
  /** Whose search for headers decides. */
  compilerPath = GCC;
  readonly #view: WatchedSourceView;
  readonly #finder: ScanningClosureFinder;
  readonly #collector: InputCollector;

  constructor(directory: string, view: WatchedSourceView) {
    this.directory = directory;
    this.#view = view;
    this.#finder = new ScanningClosureFinder(view, runCommand, new CompilerClosureFinder(runCommand));
    this.#collector = new InputCollector(this.entries, view, (path) => this.ofCompilers.has(path));
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  write(name: string, text: string): void {
    mkdirSync(dirname(this.path(name)), { recursive: true });
    writeFileSync(this.path(name), text);
  }

  link(name: string, target: string): void {
    mkdirSync(dirname(this.path(name)), { recursive: true });
    symlinkSync(target, this.path(name));
  }

  /** Everything done so far is seen from here on. */
  refresh(): Promise<void> {
    return this.#view.refresh();
  }

  invocation(...args: string[]): Invocation {
    const call = classify({
      compilerName: 'gcc',
      dialect: 'gcc',
      args,
      environment: {},
      readResponseFile: () => undefined,
    });
    if (call.kind === 'local') throw new Error(`stays local: ${call.reason} ${call.detail}`);
    return call.invocation;
  }

  async closure(invocation: Invocation, workingDirectory = this.directory): Promise<InputClosure> {
    await this.#view.refresh();
    const found = await this.#finder.find(
      {
        invocation,
        compilerPath: this.compilerPath,
        compilerId: this.compilerPath,
        workingDirectory,
        environment: ['LC_ALL=C'],
      },
      new AbortController().signal,
    );
    if (found.kind === 'local') throw new Error(`no closure: ${found.reason} ${found.detail}`);
    return found.closure;
  }

  collect(
    invocation: Invocation,
    closure: InputClosure,
    options: { workingDirectory?: string; logicalDirectory?: string } = {},
  ): InputOutcome {
    const { workingDirectory = this.directory, logicalDirectory } = options;
    return this.#collector.collect({
      invocation,
      workingDirectory,
      logicalDirectory,
      closure,
      compiler: [...this.ofThisCompiler].map((realPath) => ({ realPath })),
    });
  }

  /** The inputs of a call in this directory. */
  async inputs(...args: string[]): Promise<InputOutcome> {
    const invocation = this.invocation(...args);
    return this.collect(invocation, await this.closure(invocation));
  }

  /** As {@link inputs}, for a call that can travel. */
  async listed(...args: string[]): Promise<JobInputs> {
    const outcome = await this.inputs(...args);
    if (outcome.kind !== 'inputs') throw new Error(`no inputs: ${JSON.stringify(outcome)}`);
    return outcome.inputs;
  }

  /** What the ids of a job stand for. */
  listedEntries(inputs: JobInputs): WireEntry[] {
    return [...inputs.entryIds].map((id) => this.entries.entry(id));
  }

  /** What a worker would have: canonical path -> what is there. */
  view(inputs: JobInputs): Map<string, PathNode> {
    const nodes = new Map<string, PathNode>();
    for (const { path, file, symlink } of this.listedEntries(inputs)) {
      nodes.set(
        path,
        file ? { kind: 'file' } : symlink ? { kind: 'symlink', ...symlink } : { kind: 'directory' },
      );
    }
    return nodes;
  }
}

/** A tree that is gone after the test. */
export function sourceTree(t: TestContext): SourceTree {
  const top = realpathSync(mkdtempSync(join(tmpdir(), 'meshcc-sources-')));
  const [directory, scratchDirectory] = [join(top, 'tree'), join(top, 'scratch')];
  for (const path of [directory, scratchDirectory]) mkdirSync(path);
  const view = new WatchedSourceView({ scratchDirectory });
  t.after(() => {
    view.close();
    rmSync(top, { recursive: true, force: true });
  });
  return new SourceTree(directory, view);
}
