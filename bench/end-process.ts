/** Ends a program that a benchmark started. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

const STOP_TIMEOUT_MS = 10_000;

/** True if the program has ended, or never began. */
export function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}

/**
 * SIGTERM, and SIGKILL if that takes too long; resolves when the program is gone.
 * @param wholeGroup its process group, which it must lead, instead of the program alone
 */
export async function endProcess(child: ChildProcess, wholeGroup = false): Promise<void> {
  const { pid } = child;
  if (pid === undefined || hasEnded(child)) return;
  const ended = once(child, 'exit');
  const send = (signal: NodeJS.Signals): void => {
    process.kill(wholeGroup ? -pid : pid, signal);
  };
  send('SIGTERM');
  const killer = setTimeout(() => send('SIGKILL'), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(killer);
}
