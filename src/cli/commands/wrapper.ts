/**
 * `meshcc gcc -c x.c` through the Node program: hands over to the native shim. With the shims' directory in
 * PATH, `meshcc` is the native program itself and this detour (a Node start) does not happen.
 */
import { spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { installedShims } from '../shims.ts';

/** Runs the wrapped compiler; returns its exit status. */
export async function runWrapped(argv: readonly string[]): Promise<number> {
  const { executable } = await installedShims();
  const result = spawnSync(executable, [...argv], { stdio: 'inherit' });
  if (result.error !== undefined) throw result.error;
  if (result.signal !== null) return 128 + (constants.signals[result.signal] ?? 0);
  return result.status ?? 1;
}
