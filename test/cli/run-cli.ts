/** The command line as a user runs it, with a home of its own. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

export interface CliResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `meshcc` to its end. No agent runs in `home` unless the test has started one. */
export function meshcc(home: string, ...args: string[]): CliResult {
  return meshccWith({}, home, ...args);
}

/** The same with more in the environment. */
export function meshccWith(more: NodeJS.ProcessEnv, home: string, ...args: string[]): CliResult {
  const env = { PATH: '/usr/bin:/bin', HOME: home, MESHCC_HOME: home, ...more };
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    env,
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { status, stdout, stderr };
}
