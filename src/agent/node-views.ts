/** The other machines as `meshcc nodes` shows them: announced, named by address, connected or in vain. */
import { formatHostPort } from '../base/host-port.ts';
import type { Sighting } from '../mesh/index.ts';
import { otherHostKey, ownIdOf, type QuarantinedToolchain, type RemoteNode } from '../submitter/index.ts';
import type { Toolchain } from '../toolchain/index.ts';
import type { Agent } from './agent.ts';
import type { NodeView, QuarantineView } from './control-views.ts';
import { NO_SERVICE_PORT } from './mesh-life.ts';

/** Every node in sight, sorted by name. */
export function nodesOf(agent: Agent): NodeView[] {
  const views = new Map<string, NodeView>();
  for (const sighting of agent.mesh.sightings) {
    const ours = agent.config.insecure
      ? sighting.insecure
      : !sighting.insecure && sighting.meshId !== undefined && sighting.meshId === agent.mesh.meshId;
    views.set(sighting.nodeId, {
      nodeId: sighting.nodeId,
      name: sighting.name,
      address: addressOf(sighting),
      ...(ours ? { state: 'sighted', detail: detailOfOurs(sighting) } : stateOfForeign(sighting)),
    });
  }
  const quarantine = (agent.submitter?.quarantined ?? []).map((each) => quarantineView(agent, each));
  for (const { node, worker, lastError } of agent.submitter?.pool?.nodes ?? []) {
    const base = { nodeId: node.nodeId, name: node.name, address: node.addresses[0] ?? '' };
    if (worker === undefined) {
      views.set(node.nodeId, { ...base, ...stateOfUnconnected(lastError) });
      continue;
    }
    // A compiler that serves several languages counts once.
    const shared = namesOf(agent, ({ id }) => worker.toolchainIds.has(id));
    const otherHost = namesOf(agent, (own) => standsInFor(worker, own));
    const quarantined = quarantine.filter(({ nodeId }) => nodeId === node.nodeId);
    views.set(node.nodeId, {
      ...base,
      address: worker.address,
      state: worker.draining ? 'draining' : 'connected',
      detail: detailOf(shared, otherHost, quarantined),
      slots: worker.slots,
      // Said by another node, and meant for a terminal: nothing but a word.
      sandbox: /^[a-z]{1,20}$/.exec(worker.sandbox)?.[0] ?? '',
      inFlight: worker.inFlight,
      commonCompilers: shared.length,
      otherHostCompilers: otherHost.length,
      quarantined,
      sentBytes: worker.sentBytes,
    });
  }
  const unanswered = agent.mesh.unansweredPeers.map(({ address, trouble }) => {
    return { nodeId: '', name: address, address, ...stateOfUnconnected(trouble) };
  });
  return [...views.values(), ...unanswered].sort((a, b) => a.name.localeCompare(b.name));
}

/** This machine's compilers of a kind: one that serves several languages counts once. */
function namesOf({ compilers }: Agent, isWanted: (own: Toolchain) => boolean): string[] {
  const wanted = compilers.toolchains.filter(({ toolchain }) => isWanted(toolchain));
  return [...new Set(wanted.map(({ names }) => names[0] ?? ''))];
}

/** True if a node has a compiler for another host only, and it is used. */
function standsInFor({ toolchainIds, uses }: RemoteNode, own: Toolchain): boolean {
  return !toolchainIds.has(own.id) && uses.otherHostRef(otherHostKey(own)) !== undefined;
}

function detailOf(
  shared: readonly string[],
  otherHost: readonly string[],
  quarantined: readonly QuarantineView[],
): string {
  if (shared.length + otherHost.length === 0) return 'has none of the compilers of this machine';
  const built = otherHost.length === 0 ? '' : `for another host: ${otherHost.join(', ')}`;
  return [built, quarantineText(quarantined)].filter((text) => text !== '').join('; ');
}

/** With the name that the compiler has here. */
export function quarantineView(agent: Agent, each: QuarantinedToolchain): QuarantineView {
  const own = agent.compilers.toolchains.find(({ toolchain }) => toolchain.id === ownIdOf(each.toolchainId));
  return { ...each, compiler: own?.names[0] ?? '' };
}

function quarantineText(quarantined: readonly QuarantineView[]): string {
  if (quarantined.length === 0) return '';
  const names = quarantined.map(({ compiler, toolchainId }) => compiler || toolchainId.slice(0, 8));
  return `in quarantine: ${names.join(', ')} (meshcc status)`;
}

/** A node that serves nobody announces a port that is none. */
function addressOf({ addresses, port }: Sighting): string {
  const [address] = addresses;
  if (address === undefined) return '';
  return port === NO_SERVICE_PORT ? address : formatHostPort(address, port);
}

function detailOfOurs({ port }: Sighting): string {
  return port === NO_SERVICE_PORT ? 'does not compile for others' : '';
}

function stateOfUnconnected(trouble: string | undefined): Pick<NodeView, 'state' | 'detail'> {
  if (trouble === undefined) return { state: 'sighted', detail: 'is being connected to' };
  return { state: 'unreachable', detail: trouble };
}

function stateOfForeign({ meshId, insecure }: Sighting): Pick<NodeView, 'state' | 'detail'> {
  if (insecure) return { state: 'other mesh', detail: 'runs with --insecure' };
  if (meshId !== undefined) return { state: 'other mesh', detail: `belongs to mesh ${meshId}` };
  return { state: 'not paired', detail: 'belongs to no mesh yet: `meshcc join CODE` there' };
}
