/** The matrix of nodes and compilers, as `meshcc toolchains` shows it. */
import type { RemoteNode } from '../submitter/index.ts';
import { matchToolchain, mismatchInWords, type OwnToolchain } from '../toolchain/index.ts';
import type { Agent } from './agent.ts';
import type { NodeView, ToolchainCell, ToolchainsView } from './control-views.ts';
import { comparisonInWords, type HostComparisons } from './host-comparisons.ts';
import { nodesOf } from './node-views.ts';

/** A compiler of this machine, for one set of languages. */
interface OwnCompiler {
  readonly toolchain: OwnToolchain & { readonly languages: readonly string[] };
  readonly names: readonly string[];
}

/** Every compiler that this agent knows, against every node of its mesh. */
export function toolchainsOf(agent: Agent): ToolchainsView {
  const nodes = nodesOf(agent).filter(({ state }) => state !== 'other mesh' && state !== 'not paired');
  const workers = new Map<string, RemoteNode>();
  for (const { node, worker } of agent.submitter?.pool?.nodes ?? [])
    if (worker !== undefined) workers.set(node.nodeId, worker);
  const own = compilersOf(agent);
  return {
    nodes: nodes.map((node) => ({
      nodeId: node.nodeId,
      name: node.name,
      state: node.state,
      detail: node.detail,
      offers: (workers.get(node.nodeId)?.toolchains ?? []).map((offered) => ({
        id: offered.id,
        name: offered.name,
        version: offered.version,
        targetTriple: offered.targetTriple,
        host: offered.host,
        scope: offered.scope ?? '',
      })),
    })),
    compilers: own.map(({ toolchain, names }) => ({
      id: toolchain.id,
      names: [...names],
      scope: toolchain.scope,
      languages: [...toolchain.languages],
      version: toolchain.version,
      targetTriple: toolchain.targetTriple,
      host: toolchain.host,
      cells: nodes.map((node) => cellOf(toolchain, node, workers.get(node.nodeId), agent.hostComparisons)),
    })),
    unusableCompilers: agent.compilers.unusable.map(({ compilerPath, reason }) => ({
      path: compilerPath,
      reason,
    })),
  };
}

/** Those of PATH when the agent started, and those that were called since by another path. */
function compilersOf(agent: Agent): OwnCompiler[] {
  const found: OwnCompiler[] = [...agent.compilers.toolchains];
  const known = new Set(found.map(({ toolchain }) => toolchain.id));
  for (const toolchain of agent.submitter?.calledToolchains ?? []) {
    if (known.has(toolchain.id)) continue;
    known.add(toolchain.id);
    found.push({ toolchain, names: [toolchain.compilerPath] });
  }
  return found;
}

function cellOf(
  own: OwnToolchain,
  node: NodeView,
  worker: RemoteNode | undefined,
  comparisons: HostComparisons,
): ToolchainCell {
  const base = { nodeId: node.nodeId };
  if (worker === undefined) return { ...base, verdict: 'unknown', used: false, why: unknownBecause(node) };
  const match = matchToolchain(own, worker.toolchains, node.name);
  if (match.kind === 'same') {
    const used = !worker.draining;
    return { ...base, verdict: 'same', used, why: used ? '' : `${node.name} stops and takes no new jobs` };
  }
  const words = mismatchInWords(own, worker.toolchains, node.name) ?? '';
  if (match.kind === 'absent') return { ...base, verdict: 'absent', used: false, why: words };
  const other = { ...base, used: false, theirVersion: match.theirs.version };
  if (match.kind !== 'other host') return { ...other, verdict: match.kind, why: words };
  const comparison = comparisons.look(own, match.theirs, worker);
  const why = `${words}. ${comparisonInWords(comparison)}`;
  return { ...other, verdict: match.kind, why, comparison: comparison.state };
}

function unknownBecause({ name, state, detail }: NodeView): string {
  if (state === 'unreachable') return `${name} cannot be reached: ${detail}`;
  return `${name} ${detail === '' ? `is ${state}` : detail}`;
}
