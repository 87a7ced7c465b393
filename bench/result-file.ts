/** Files that results are written to. */
import { closeSync, openSync } from 'node:fs';
import { BenchError } from './bench-error.ts';

/**
 * Finds out before minutes of measuring that a result could not be written; what the file holds stays as it is.
 * @param path undefined if no file is wanted
 * @throws BenchError if it cannot be written
 */
export function checkWritable(path: string | undefined): void {
  if (path === undefined) return;
  try {
    closeSync(openSync(path, 'a'));
  } catch (error) {
    throw new BenchError(
      `--json ${path} cannot be written: ${error instanceof Error ? error.message : error}`,
    );
  }
}
