/** Why none of the connected nodes can compile with a compiler of this machine, for the reason of a job. */
import { mismatchInWords, type OwnToolchain } from '../toolchain/index.ts';
import type { RemoteWorker } from './remote-worker.ts';

/** Further nodes are counted: `meshcc toolchains` shows all of them. */
const MAX_NAMED = 2;

/** One clause for each of the first nodes, e.g. `board2's /usr/bin/gcc 12.2.0 (c) differs from /usr/bin/gcc here: …`. */
export function mismatchesInWords(own: OwnToolchain, workers: readonly RemoteWorker[]): string {
  const named = workers
    .slice(0, MAX_NAMED)
    .flatMap(({ toolchains, nodeName }) => mismatchInWords(own, toolchains, nodeName) ?? []);
  const rest = workers.length - named.length;
  return [...named, ...(rest > 0 ? [`${rest} more: see \`meshcc toolchains\``] : [])].join('. ');
}
