/** Runs a list of commands with bench/run-list.c, which starts them for next to nothing and measures each. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { buildNativeProgram } from '../src/base/native-program.ts';
import { BenchError } from './bench-error.ts';

/** One command of a list. */
export interface ListedCommand {
  readonly cwd: string;
  /** argv[0] is looked up in PATH. */
  readonly argv: readonly string[];
}

/** What one command cost, children that it waited for included. */
export interface CommandCost {
  /** Exit status, or 128 + signal. */
  readonly status: number;
  readonly cpuMs: number;
  readonly wallMs: number;
}

/** The driver's executable, built unless it is there. */
export function buildListRunner(cacheDirectory: string): Promise<string> {
  return buildNativeProgram({ name: 'bench-run-list', source: 'bench/run-list.c' }, cacheDirectory);
}

async function textOf(child: ChildProcess): Promise<string> {
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  const [code, signal] = await once(child, 'close');
  if (code !== 0) throw new BenchError(`the list runner ended with ${signal ?? code}`);
  return text;
}

/**
 * Runs all commands, at most `jobs` at once, started in order.
 * @param runner from {@link buildListRunner}
 * @param options environment and standard error of the commands, whose standard output must stay unused, and how many
 *   may be started in a second
 * @returns costs in the order of the commands
 * @throws BenchError if a command cannot be started
 */
export async function runList(
  runner: string,
  commands: readonly ListedCommand[],
  jobs: number,
  options: Pick<SpawnOptions, 'env'> & {
    readonly stderr: number | 'inherit' | 'ignore';
    readonly perSecond?: number;
  },
): Promise<CommandCost[]> {
  const pace = options.perSecond === undefined ? [] : [String(options.perSecond)];
  const child = spawn(runner, [String(jobs), ...pace], {
    env: options.env,
    stdio: ['pipe', 'pipe', options.stderr],
  });
  const words = commands.flatMap(({ cwd, argv }) => [cwd, String(argv.length), ...argv]);
  child.stdin?.end(words.map((word) => `${word}\0`).join(''));
  const costs: CommandCost[] = [];
  for (const line of (await textOf(child)).trim().split('\n')) {
    const [index = 0, status = -1, userUs = 0, systemUs = 0, wallUs = 0] = line.split(' ').map(Number);
    costs[index] = { status, cpuMs: (userUs + systemUs) / 1000, wallMs: wallUs / 1000 };
  }
  return costs;
}
