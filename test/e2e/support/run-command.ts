/** Runs one program to its end, in a process group of its own, and never longer than it was given. */
import { spawn } from 'node:child_process';
import { onProcessEnd } from '../../support/process-end.ts';

export interface CommandOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Standard input; empty if left out. */
  readonly input?: string;
  /** File mode creation mask of the program. */
  readonly umask?: number;
  /** After this the whole process group is killed and the promise rejects. */
  readonly timeoutMs?: number;
}

/** How a program ended, and what it printed. */
export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/** A program that runs. */
export interface RunningCommand {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  /** Signals the process group, as a terminal does at Ctrl-C. */
  signalGroup(signal: NodeJS.Signals): void;
}

const DEFAULT_TIMEOUT_MS = 180_000;

/** Starts a program; what it starts in turn stays in its process group. */
export function startCommand(argv: readonly string[], options: CommandOptions): RunningCommand {
  const masked =
    options.umask === undefined
      ? argv
      : ['/bin/sh', '-c', `umask ${options.umask.toString(8)}; exec "$@"`, 'sh', ...argv];
  const [program = '', ...args] = masked;
  const child = spawn(program, args, { cwd: options.cwd, env: options.env, detached: true, stdio: 'pipe' });
  const pid = child.pid ?? 0;
  const signalGroup = (signal: NodeJS.Signals): void => {
    try {
      if (pid > 0) process.kill(-pid, signal);
    } catch {
      // the group is gone
    }
  };
  const forget = onProcessEnd(() => {
    if (child.exitCode === null && child.signalCode === null) signalGroup('SIGKILL');
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    const limitMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const timer = setTimeout(() => {
      signalGroup('SIGKILL');
      const said = Buffer.concat(stderr).toString('utf8').slice(-2000);
      reject(new Error(`${argv.join(' ')} did not end within ${limitMs} ms; it said: ${said}`));
    }, limitMs);
    child.stdout.on('data', (piece: Buffer) => stdout.push(piece));
    child.stderr.on('data', (piece: Buffer) => stderr.push(piece));
    child.stdin.on('error', () => {});
    child.on('error', reject);
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      forget();
      resolve({ status, signal, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr) });
    });
  });
  ended.catch(() => {});
  child.stdin.end(options.input ?? '');
  return { pid, ended, signalGroup };
}

/** Runs a program and waits for its end. */
export function runCommand(argv: readonly string[], options: CommandOptions): Promise<Ended> {
  return startCommand(argv, options).ended;
}
