/**
 * What `-march=native` and its kin mean on this machine: asked of the user's own compiler once per set of options, and
 * believed only if the compiler says that the spelled-out call would run the very same commands.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LRUCache } from 'lru-cache';
import {
  arePlansEqual,
  driverCommands,
  driverComplaints,
  type Invocation,
  nativeSpecs,
  type PlannedCommand,
  type ProcessorWords,
  processorWordsOf,
  renderArguments,
  withoutUnit,
  workerArguments,
} from '../compiler/index.ts';
import type { RunCommand } from '../include-scan/index.ts';
import type { Toolchain } from '../toolchain/index.ts';

/** Sets of options remembered: a build has a few. */
const MAX_ANSWERS = 256;

/** The answers are shared, so no single job's end may cancel a question. */
const NEVER = new AbortController().signal;

/** What a driver would run, and what it has to say about that. */
interface Plan {
  readonly commands: readonly PlannedCommand[];
  readonly complaints: string;
}

export class NativeProcessors {
  readonly #run: RunCommand;
  readonly #answers = new LRUCache<string, Promise<ProcessorWords | undefined>>({ max: MAX_ANSWERS });

  constructor(run: RunCommand) {
    this.#run = run;
  }

  /**
   * The processor that a call's native options mean.
   * @returns undefined if it cannot be told to another machine
   */
  wordsOf(invocation: Invocation, toolchain: Toolchain): Promise<ProcessorWords | undefined> {
    const question = withoutUnit(invocation, toolchain.dialect);
    const key = [toolchain.id, toolchain.compilerPath, question.language, ...renderArguments(question.args)];
    const known = this.#answers.get(key.join('\0'));
    if (known !== undefined) return known;
    const asked = this.#ask(question, toolchain).catch(() => undefined);
    this.#answers.set(key.join('\0'), asked);
    return asked;
  }

  async #ask(question: Invocation, toolchain: Toolchain): Promise<ProcessorWords | undefined> {
    const { dialect } = toolchain;
    const meant = await this.#planOf(renderArguments(question.args), question, toolchain);
    const words = processorWordsOf(meant.commands, dialect);
    if (words === undefined) return undefined;
    const directory = await mkdtemp(join(tmpdir(), 'meshcc-native-'));
    try {
      const args = workerArguments(question, dialect, words);
      if (dialect === 'gcc') {
        const specs = join(directory, 'specs');
        await writeFile(specs, nativeSpecs(question.nativeOptions, words));
        args.push(`-specs=${specs}`);
      }
      const spelledOut = await this.#planOf(args, question, toolchain);
      const isSame = arePlansEqual(meant.commands, spelledOut.commands, dialect);
      // A warning may quote the option.
      return isSame && meant.complaints === spelledOut.complaints ? words : undefined;
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }

  async #planOf(
    args: readonly string[],
    { language }: Invocation,
    { compilerPath }: Toolchain,
  ): Promise<Plan> {
    const argv = [compilerPath, '-###', ...args, '-x', language, '-c', '/dev/null', '-o', 'x.o'];
    const environment = ['LC_ALL=C'];
    const { stderr } = await this.#run(
      { executable: compilerPath, argv, environment, workingDirectory: '/' },
      NEVER,
    );
    const text = stderr.toString('utf8');
    return { commands: driverCommands(text), complaints: driverComplaints(text).join('\n') };
  }
}
