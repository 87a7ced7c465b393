/** Runs a compiler or loader to ask it about itself, free of everything in the environment that could sway it. */
import { execFile } from 'node:child_process';

/** What a program said. */
export interface ProgramAnswer {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A compiler answers in milliseconds; one that hangs shall not hang the agent. */
const TIMEOUT_MS = 30_000;
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

/** What a child may inherit. Everything else (CPATH, COMPILER_PATH, GCC_EXEC_PREFIX, LD_PRELOAD, …) is dropped. */
const INHERITED = ['PATH', 'HOME', 'TMPDIR'];

/** The environment for asking: messages in English, and no shim on the way answers in the compiler's place. */
export function askingEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const inherited = INHERITED.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]]));
  return { ...Object.fromEntries(inherited), LC_ALL: 'C', MESHCC_RECURSION: '1' };
}

/**
 * Runs a program to its end, with `input` as its standard input (default: nothing). Its exit code is part of the answer.
 * @throws Error if it cannot be started, is killed by a signal, takes longer than 30 s or says more than 16 MiB
 */
export function askProgram(
  program: string,
  args: readonly string[],
  options: { readonly env: NodeJS.ProcessEnv; readonly cwd?: string; readonly input?: string },
): Promise<ProgramAnswer> {
  return new Promise((resolve, reject) => {
    const settings = {
      env: askingEnvironment(options.env),
      cwd: options.cwd ?? '/',
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL' as const,
      maxBuffer: MAX_OUTPUT_BYTES,
    };
    const child = execFile(program, [...args], settings, (error, stdout, stderr) => {
      if (error === null) resolve({ exitCode: 0, stdout, stderr });
      else if (typeof error.code === 'number') resolve({ exitCode: error.code, stdout, stderr });
      else reject(error.killed ? new Error(`it did not answer within ${TIMEOUT_MS / 1000} s`) : error);
    });
    // One that ends before it has read everything says by its status what was wrong.
    child.stdin?.on('error', () => {});
    child.stdin?.end(options.input ?? '');
  });
}
