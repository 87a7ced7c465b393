/** The job runner as a native program of this package. */
import { buildNativeProgram } from '../base/native-program.ts';

/**
 * Compiles the job runner unless it is there already.
 * @param cacheDirectory where native programs are kept
 * @returns its absolute path
 * @throws MeshError MESHCC_NATIVE_BUILD if this machine has no C compiler that can build it
 */
export function buildRunner(cacheDirectory: string): Promise<string> {
  const headers = [
    'frames',
    'request',
    'landlock',
    'filter',
    'filter-calls',
    'walls',
    'outputs',
    'view',
    'job-tree',
    'supervisor',
    'job',
    'check',
  ];
  return buildNativeProgram(
    {
      name: 'meshcc-runner',
      source: 'src/sandbox/meshcc-runner.c',
      includes: headers.map((name) => `src/sandbox/runner-${name}.h`),
    },
    cacheDirectory,
  );
}
