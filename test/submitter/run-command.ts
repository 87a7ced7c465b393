/** Runs a short command of this machine, as the agent's runner does. */
import { execFile } from 'node:child_process';
import type { RunCommand } from '../../src/include-scan/index.ts';

export const runCommand: RunCommand = (command, signal) =>
  new Promise((resolve) => {
    const env = Object.fromEntries(
      command.environment.map((entry) => [
        entry.slice(0, entry.indexOf('=')),
        entry.slice(entry.indexOf('=') + 1),
      ]),
    );
    const options = {
      cwd: command.workingDirectory,
      env: { PATH: '/usr/bin:/bin', ...env },
      encoding: 'buffer' as const,
      maxBuffer: 1 << 26,
      signal,
    };
    execFile(command.executable, command.argv.slice(1), options, (error, stdout, stderr) => {
      const exitStatus = error === null ? 0 : typeof error.code === 'number' ? error.code : 255;
      resolve({ exitStatus, stdout, stderr });
    });
  });
