/** The matrix of nodes and compilers, as `meshcc toolchains` shows it. */
import type { OtherHosts, RemoteNode } from '../submitter/index.ts';
import { matchToolchain, mismatchInWords, type Toolchain } from '../toolchain/index.ts';
import type { Agent } from './agent.ts';
import type { NodeView, OtherHostCompilerView, ToolchainCell, ToolchainsView } from './control-views.ts';
import { nodesOf } from './node-views.ts';

/** A compiler of this machine, for one set of languages. */
interface OwnCompiler {
  readonly toolchain: Toolchain;
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
      cells: nodes.map((node) =>
        cellOf(toolchain, node, workers.get(node.nodeId), agent.submitter?.otherHosts),
      ),
    })),
    unusableCompilers: agent.compilers.unusable.map(({ compilerPath, reason }) => ({
      path: compilerPath,
      reason,
    })),
  };
}

/** What is known of compilers that connected nodes have for another host, if the owner lets them be used. */
export function otherHostsOf(agent: Agent): OtherHostCompilerView[] {
  const { submitter } = agent;
  if (submitter?.otherHosts.isAllowed !== true) return [];
  const workers = (submitter.pool?.nodes ?? []).flatMap(({ worker }) => worker ?? []);
  return compilersOf(agent).flatMap(({ toolchain, names }) =>
    workers.flatMap((worker) => {
      const view = submitter.otherHosts.view(toolchain, worker);
      if (view === undefined) return [];
      const { nodeId, nodeName } = worker;
      const { host, used, words } = view;
      return [{ nodeId, nodeName, compiler: names[0] ?? '', scope: toolchain.scope, host, used, why: words }];
    }),
  );
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
  own: Toolchain,
  node: NodeView,
  worker: RemoteNode | undefined,
  otherHosts: OtherHosts | undefined,
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
  const view = match.kind === 'other host' ? otherHosts?.view(own, worker) : undefined;
  if (view === undefined) return { ...other, verdict: match.kind, why: words };
  const { comparison } = view;
  const used = view.used && !worker.draining;
  return { ...other, used, verdict: match.kind, why: `${words}. ${view.words}`, comparison };
}

function unknownBecause({ name, state, detail }: NodeView): string {
  if (state === 'unreachable') return `${name} cannot be reached: ${detail}`;
  return `${name} ${detail === '' ? `is ${state}` : detail}`;
}
