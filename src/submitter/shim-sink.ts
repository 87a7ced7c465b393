/** Where the outputs of a remote attempt go: through the shim, and only to paths that the call may write. */
import { isDumpOf } from '../compiler/index.ts';
import type { OutputSink } from './outcome.ts';
import { outputObstacle } from './output-obstacle.ts';
import type { PreparedJob } from './remote-worker.ts';
import type { ShimSession } from './shim-session.ts';

/** Passes outputs on to the shim. */
export class ShimSink implements OutputSink {
  began = false;
  readonly #session: ShimSession;
  readonly #job: PreparedJob;
  readonly #taken = new Set<string>();

  constructor(session: ShimSession, job: PreparedJob) {
    this.#session = session;
    this.#job = job;
  }

  begin(index: number, path: string, sizeBytes: number): boolean {
    if (this.#taken.has(path) || index !== this.#taken.size || !this.#expects(path)) return false;
    this.#taken.add(path);
    this.began = true;
    this.#session.beginOutput(index, absolute(this.#job.workingDirectory, path), sizeBytes);
    return true;
  }

  #expects(path: string): boolean {
    const { outputs, workingDirectory, umask } = this.#job;
    return outputs.some((output) => {
      if (output.kind !== 'dump') return output.path === path;
      // The names of dumps are known only now.
      const place = absolute(workingDirectory, path);
      return isDumpOf(output.path, path) && outputObstacle(place, 'dump', umask) === undefined;
    });
  }

  data(index: number, piece: Uint8Array): Promise<void> | void {
    return this.#session.outputData(index, piece);
  }
}

/** A path of a call made absolute, otherwise as spelled. */
export function absolute(workingDirectory: string, path: string): string {
  return path.startsWith('/') ? path : `${workingDirectory}/${path}`;
}
