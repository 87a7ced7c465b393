/** The submitter's way from a call to the numbers of its inputs, without the agent around it. */
import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FRESHNESS_LIMITS } from '../../src/include-scan/freshness-limits.ts';
import {
  CompilerClosureFinder,
  type InputClosure,
  type RunCommand,
  ScanningClosureFinder,
  WatchedSourceView,
} from '../../src/include-scan/index.ts';
import { EntryTable } from '../../src/submitter/entry-table.ts';
import { InputCollector, type JobInputs } from '../../src/submitter/input-set.ts';
import { runCommand } from '../../test/submitter/run-command.ts';
import { BenchError } from '../bench-error.ts';
import type { HeaderTree } from './header-tree.ts';

const NEVER = new AbortController().signal;

/** Asks a compiler each thing once: what it answers about itself is no part of what is measured. */
function rememberingRun(): RunCommand {
  const answers = new Map<string, ReturnType<RunCommand>>();
  return (command, signal) => {
    const key = command.argv.join('\0');
    const answer = answers.get(key) ?? runCommand(command, signal);
    answers.set(key, answer);
    return answer;
  };
}

/** What a submitter knows of a tree. */
export class UnitFinder {
  readonly entries = new EntryTable();
  readonly #tree: HeaderTree;
  readonly #view: WatchedSourceView;
  readonly #finder: ScanningClosureFinder;
  readonly #inputs: InputCollector;

  constructor(tree: HeaderTree, scratchDirectory: string, run: RunCommand) {
    this.#tree = tree;
    mkdirSync(scratchDirectory, { recursive: true });
    this.#view = new WatchedSourceView({
      scratchDirectory: mkdtempSync(join(scratchDirectory, 'view-')),
    });
    this.#finder = new ScanningClosureFinder(this.#view, run, new CompilerClosureFinder(run));
    this.#inputs = new InputCollector(this.entries, this.#view, () => false);
  }

  refresh(): Promise<void> {
    return this.#view.refresh();
  }

  /** @throws BenchError if the unit would stay local */
  async closure(unit: string): Promise<InputClosure> {
    const found = await this.#finder.find(this.#tree.requestOf(unit), NEVER);
    if (found.kind === 'closure') return found.closure;
    throw new BenchError(`${unit} stays local: ${found.reason}: ${found.detail}`);
  }

  /** @throws BenchError if the unit would stay local */
  async job(unit: string): Promise<JobInputs> {
    const closure = await this.closure(unit);
    const { invocation, workingDirectory } = this.#tree.requestOf(unit);
    const collected = this.#inputs.collect({
      invocation,
      workingDirectory,
      logicalDirectory: undefined,
      closure,
      compiler: [],
    });
    if (collected.kind === 'inputs') return collected.inputs;
    throw new BenchError(`${unit}: its inputs are ${collected.kind}`);
  }

  close(): void {
    this.#view.close();
  }
}

/** Opens finders that have seen nothing, but whose compiler has been asked about itself. */
export async function freshFinders(tree: HeaderTree, scratch: string): Promise<() => UnitFinder> {
  // A file that was written a moment ago is looked at each time; those of a build are older.
  await sleep(1.1 * FRESHNESS_LIMITS.racyWindowMs);
  const run = rememberingRun();
  const open = (): UnitFinder => new UnitFinder(tree, scratch, run);
  const first = open();
  await first.refresh();
  const { files } = await first.closure(tree.units[0] ?? '');
  if (files.length < tree.headers.length) throw new BenchError(`only ${files.length} files were found`);
  first.close();
  return open;
}
