/** Runs a program on a terminal of a given size (script of util-linux makes it) and returns what it shows. */
import { existsSync } from 'node:fs';

const SCRIPT = '/usr/bin/script';

/** True if this machine can make terminals for tests. */
export function hasTerminals(): boolean {
  return existsSync(SCRIPT);
}

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/**
 * The command that runs `argv` on a new terminal, which becomes its standard output and error.
 * @param stdin whether standard input is the terminal too; the compiler asks that one for its width
 */
export function onTerminal(
  argv: readonly string[],
  size: TerminalSize,
  stdin: 'terminal' | 'null',
): string[] {
  const quoted = argv.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  const redirect = stdin === 'null' ? ' </dev/null' : '';
  const line = `stty cols ${size.columns} rows ${size.rows} -onlcr; ${quoted}${redirect}`;
  return [SCRIPT, '--quiet', '--return', '--echo', 'never', '--command', line, '/dev/null'];
}
