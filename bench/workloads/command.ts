/** One external program, run to its end with its output in a log file. */
import { type SpawnOptions, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { BenchError } from '../bench-error.ts';

/** How a program is run. */
export interface CommandOptions {
  readonly cwd: string;
  /** Everything that it prints is appended here. */
  readonly logFile: string;
  /** Default: the plain environment, and no shim of ours takes part. */
  readonly env?: NodeJS.ProcessEnv;
}

/** Variables of the caller that would change what a build does, or that make, npm or a shim would take for its own. */
const UNWANTED = [
  /^(MAKE|GNUMAKE|MFLAGS|KBUILD|KCONFIG|GCC_|npm_|MESHCC_)/,
  /^(CC|CXX|CPP|CFLAGS|CXXFLAGS|CPPFLAGS|LDFLAGS|ARFLAGS|ARCH|CROSS_COMPILE|V|O)$/,
  /^(CPATH|C_INCLUDE_PATH|CPLUS_INCLUDE_PATH|LIBRARY_PATH|COMPILER_PATH|SOURCE_DATE_EPOCH)$/,
];

/** The environment of both builds that are compared: the caller's, less what would steer a build. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !UNWANTED.some((pattern) => pattern.test(name)),
  );
  return { ...Object.fromEntries(kept), LC_ALL: 'C' };
}

/** The same for a build that must be local even if a shim is on the caller's PATH. */
function localEnvironment(): NodeJS.ProcessEnv {
  return { ...plainEnvironment(), MESHCC_DISABLE: '1' };
}

/** The last lines of a log, for a message. */
export function logTail(logFile: string, lines = 12): string {
  try {
    return readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return '(no log)';
  }
}

/**
 * Runs a program to its end.
 * @returns its wall time in seconds
 * @throws BenchError with the end of the log if it cannot be started or does not exit with 0
 */
export async function runCommand(argv: readonly string[], options: CommandOptions): Promise<number> {
  mkdirSync(dirname(options.logFile), { recursive: true });
  const log = openSync(options.logFile, 'a');
  const started = performance.now();
  let outcome: string;
  try {
    const spawnOptions: SpawnOptions = {
      cwd: options.cwd,
      env: options.env ?? localEnvironment(),
      stdio: ['ignore', log, log],
    };
    outcome = await outcomeOf(argv, spawnOptions);
  } finally {
    closeSync(log);
  }
  if (outcome !== 'exit 0') {
    throw new BenchError(
      `${argv.join(' ')}\n  in ${options.cwd} ended with ${outcome}. Log: ${options.logFile}, its end:\n${logTail(options.logFile)}`,
    );
  }
  return (performance.now() - started) / 1000;
}

function outcomeOf(argv: readonly string[], options: SpawnOptions): Promise<string> {
  const [program = '', ...rest] = argv;
  return new Promise((resolve) => {
    const child = spawn(program, rest, options);
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ? `signal ${signal}` : `exit ${code}`));
  });
}
