/** What `meshcc bench` measures, and with which compiler: as the user says, and so that figures compare. */
import { basename } from 'node:path';
import { MeshError } from '../base/errors.ts';
import { isCompilerName } from '../compiler/index.ts';
import { nodeNameFrom } from '../mesh/index.ts';
import type { RemoteNode, Submitter } from '../submitter/index.ts';
import type { DiscoveredToolchain } from '../toolchain/index.ts';

/** Drivers for this machine itself: others name their target or version. */
const PLAIN_NAMES: ReadonlySet<string> = new Set(['cc', 'gcc', 'clang']);

/** Its name, which another node has said, and which is meant for a terminal. */
export function nameOf(worker: RemoteNode): string {
  return nodeNameFrom(worker.nodeName.slice(0, 128));
}

/** @throws MeshError if there is none, or none of a name */
export function chosenWorkers(submitter: Submitter, names: readonly string[]): RemoteNode[] {
  const connected = (submitter.pool?.nodes ?? []).flatMap(({ worker }) => worker ?? []);
  if (connected.length === 0)
    throw new MeshError(
      'MESHCC_PEER',
      'no other node is connected, so there is nothing to measure. `meshcc nodes` shows those in sight, and why they are not.',
    );
  const sorted = [...connected].sort((a, b) => nameOf(a).localeCompare(nameOf(b)));
  if (names.length === 0) return sorted;
  const isCalled = (worker: RemoteNode, name: string): boolean =>
    nameOf(worker) === name || worker.nodeId === name;
  const unknown = names.find((name) => !connected.some((worker) => isCalled(worker, name)));
  if (unknown !== undefined)
    throw new MeshError(
      'MESHCC_BAD_CONFIG',
      `no node called ${unknown} is connected; there are ${sorted.map(nameOf).join(', ')}`,
    );
  return sorted.filter((worker) => names.some((name) => isCalled(worker, name)));
}

/** Its path under a name that says what it is: `cc` may be anything. */
export function plainName({ names }: DiscoveredToolchain): string {
  return names.find((path) => isCompilerName(basename(path))?.isGuess !== true) ?? names[0] ?? '';
}

/**
 * The compiler for C that most of the nodes have, so that their figures compare. If there is a choice, the one that a
 * build uses which says nothing else, no cross compiler; then GCC.
 * @throws MeshError MESHCC_COMPILER if this machine has none in common with any of them
 */
export function commonCompiler(
  own: readonly DiscoveredToolchain[],
  workers: readonly RemoteNode[],
): DiscoveredToolchain {
  const forC = own.filter(
    ({ toolchain: { driver, languages } }) => driver === 'c' && languages.includes('c'),
  );
  const nodesWith = ({ toolchain }: DiscoveredToolchain): number =>
    workers.filter(({ toolchainIds }) => toolchainIds.has(toolchain.id)).length;
  const isPlain = ({ names }: DiscoveredToolchain): number =>
    names.some((path) => PLAIN_NAMES.has(basename(path))) ? 1 : 0;
  const isGcc = ({ toolchain }: DiscoveredToolchain): number => (toolchain.dialect === 'gcc' ? 1 : 0);
  const [best] = [...forC].sort(
    (a, b) => nodesWith(b) - nodesWith(a) || isPlain(b) - isPlain(a) || isGcc(b) - isGcc(a),
  );
  if (best !== undefined && nodesWith(best) > 0) return best;
  const names = forC.map((each) => `${basename(plainName(each))} ${each.toolchain.version}`);
  throw new MeshError(
    'MESHCC_COMPILER',
    `none of the ${workers.length} nodes has a C compiler of this machine (${names.join(', ') || 'it has none'}), so there is nothing to compile with. Install the same package of the same distribution there; \`meshcc nodes\` counts common compilers.`,
  );
}
