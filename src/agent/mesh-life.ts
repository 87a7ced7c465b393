/** This agent's part in its mesh: the listener, the announcements, the connections, invitations and joining. */

import type { Logger } from 'pino';
import { MeshError, messageOf } from '../base/errors.ts';
import { formatHostPort, type HostPort, parseHostPort } from '../base/host-port.ts';
import {
  createDiscovery,
  type Discovery,
  foundMesh,
  type Invitation,
  type JoinedMembership,
  type JoinOptions,
  joinMesh,
  type MeshServer,
  type NodeIdentity,
  openIdentity,
  openInvitation,
  type Security,
  type Sighting,
  serveMesh,
  sightingStream,
} from '../mesh/index.ts';
import type { Submitter } from '../submitter/index.ts';
import type { Worker } from '../worker/index.ts';
import { type AgentConfig, DEFAULT_PORT } from './config.ts';
import { StaticPeers, type UnansweredPeer } from './static-peers.ts';

/** Announced by a node that compiles for nobody: mDNS wants a port, and this is the one of the discard service. */
export const NO_SERVICE_PORT = 9;

interface MeshLifeParts {
  readonly config: AgentConfig;
  readonly log: Logger;
  readonly identity: NodeIdentity;
  readonly hello: { nodeId: string; nodeName: string; agentVersion: string };
  readonly submitter: Submitter | undefined;
  readonly worker: Worker | undefined;
}

export class MeshLife {
  readonly #parts: MeshLifeParts;
  #identity: NodeIdentity;
  #server: MeshServer | undefined;
  #discovery: Discovery | undefined;
  #staticPeers: StaticPeers | undefined;
  #invitation: Invitation | undefined;
  readonly #sightings = new Map<string, Sighting>();

  constructor(parts: MeshLifeParts) {
    this.#parts = parts;
    this.#identity = parts.identity;
  }

  /** Id of the mesh that this node belongs to. */
  get meshId(): string | undefined {
    return this.#identity.membership?.meshId;
  }

  /** True if this node can invite others. */
  get canInvite(): boolean {
    return this.#identity.membership === undefined || this.#identity.membership.caKeyPem !== undefined;
  }

  /** TCP port of the peer streams; undefined while this node serves nobody. */
  get port(): number | undefined {
    return this.#server?.port;
  }

  /** Every node that announces itself, of this mesh or not. */
  get sightings(): readonly Sighting[] {
    return [...this.#sightings.values()];
  }

  /** Nodes that were named by address and have not answered yet. */
  get unansweredPeers(): readonly UnansweredPeer[] {
    return this.#staticPeers?.unanswered ?? [];
  }

  async start(): Promise<void> {
    const { config, log } = this.#parts;
    if (config.insecure)
      log.warn(
        'INSECURE: no encryption, no identities. Anyone on this network can use this node and forge objects.',
      );
    await this.#enter();
    const discovery = createDiscovery({
      nodeId: this.#identity.nodeId,
      name: this.#identity.name,
      port: this.#server?.port ?? NO_SERVICE_PORT,
      meshId: this.meshId,
      insecure: config.insecure,
      interfaces: config.interfaces.length > 0 ? config.interfaces : undefined,
      log,
    });
    this.#discovery = discovery;
    discovery.onSighting((sighting) => this.#sighted(sighting));
    discovery.onExpired((nodeId) => {
      this.#sightings.delete(nodeId);
      this.#parts.submitter?.pool?.forgotten(nodeId);
    });
    discovery.start();
  }

  /** No longer announced: nobody new comes. */
  withdraw(): void {
    this.#discovery?.stop();
  }

  async stop(): Promise<void> {
    await this.#invitation?.close();
    this.#staticPeers?.stop();
    this.#discovery?.stop();
    await this.#server?.stop();
  }

  /**
   * Opens an invitation; founds the mesh if there is none yet.
   * @throws MeshError MESHCC_PAIRING if another node holds the right to invite
   */
  async invite(validityMs: number): Promise<Invitation> {
    if (this.#identity.membership === undefined) {
      await foundMesh(this.#identity);
      await this.#reopenIdentity();
    }
    await this.#invitation?.close();
    const invitation = await openInvitation({
      identity: this.#identity,
      validityMs,
      onJoined: (joiner) => this.#parts.log.info(`${joiner.name} has joined the mesh`),
    });
    this.#invitation = invitation;
    this.#discovery?.update({ pairingPort: invitation.port });
    void invitation.closed.then((end) => {
      this.#parts.log.info(`invitation ${end}`);
      if (this.#invitation !== invitation) return;
      this.#invitation = undefined;
      this.#discovery?.update({ pairingPort: undefined });
    });
    return invitation;
  }

  /**
   * Joins the mesh of a code.
   * @param address `host:port` of the inviter's pairing listener; undefined: find it by its announcements
   * @param follower who is told what is being done, and ends it
   * @throws MeshError MESHCC_PAIRING
   */
  async join(
    code: string,
    address: string | undefined,
    force: boolean,
    follower: Pick<JoinOptions, 'signal' | 'onProgress'>,
  ): Promise<JoinedMembership> {
    const joined = await joinMesh({
      identity: this.#identity,
      code,
      addresses: address === undefined ? this.#pairingSightings() : [splitAddress(address)],
      force,
      ...follower,
    });
    if (!joined.alreadyMember) await this.#reopenIdentity();
    return joined;
  }

  /** What pairing needs of the announcements, as they come. */
  #pairingSightings(): ReturnType<typeof sightingStream> {
    if (this.#discovery === undefined) throw new Error('discovery has not started');
    return sightingStream(this.#discovery);
  }

  async #reopenIdentity(): Promise<void> {
    const { config } = this.#parts;
    this.#identity = await openIdentity(stateDirectoryOf(this.#identity), { hostname: config.name });
    await this.#enter();
    this.#discovery?.update({ meshId: this.meshId, port: this.#server?.port ?? NO_SERVICE_PORT });
    for (const sighting of this.#sightings.values()) this.#sighted(sighting);
  }

  /** Listens and connects with what this node is entitled to now. */
  async #enter(): Promise<void> {
    const security = this.#security();
    await this.#server?.stop();
    this.#server = undefined;
    this.#staticPeers?.stop();
    if (security === undefined) return;
    const { config, worker, submitter, hello, log } = this.#parts;
    if (worker !== undefined) this.#server = await this.#serve(security, worker);
    if (submitter === undefined) return;
    submitter.enterMesh(security);
    this.#staticPeers = new StaticPeers(
      config.peers,
      { security, hello },
      (node) => submitter.pool?.sighted(node),
      (line) => log.warn(line),
    );
  }

  async #serve(security: Security, worker: Worker): Promise<MeshServer> {
    const { config, hello, log } = this.#parts;
    const options = {
      security,
      host: '0.0.0.0',
      port: config.port,
      welcome: () => ({
        ...hello,
        slots: worker.slots,
        toolchains: worker.toolchains,
        sandbox: worker.sandbox.rung,
        answersMachineQuestions: true,
        servesOtherHosts: true,
      }),
      accept: worker.accept.bind(worker),
      log: (line: string) => log.debug(line),
    };
    try {
      return await serveMesh(options);
    } catch (error) {
      if (config.port !== DEFAULT_PORT) throw error;
      log.debug(messageOf(error));
      return serveMesh({ ...options, port: 0 });
    }
  }

  #security(): Security | undefined {
    if (this.#parts.config.insecure) return { kind: 'insecure' };
    const { membership, keyPem } = this.#identity;
    if (membership === undefined) return undefined;
    return { kind: 'mutual-tls', caPem: membership.caPem, certificatePem: membership.certificatePem, keyPem };
  }

  #sighted(sighting: Sighting): void {
    this.#sightings.set(sighting.nodeId, sighting);
    const { insecure } = this.#parts.config;
    const ours = insecure
      ? sighting.insecure
      : !sighting.insecure && sighting.meshId !== undefined && sighting.meshId === this.meshId;
    if (!ours || sighting.port === NO_SERVICE_PORT) return;
    this.#parts.submitter?.pool?.sighted({
      nodeId: sighting.nodeId,
      name: sighting.name,
      addresses: sighting.addresses.map((address) => formatHostPort(address, sighting.port)),
    });
  }
}

/** @throws MeshError MESHCC_BAD_CONFIG if it is not `host:port` */
function splitAddress(address: string): HostPort {
  const parts = parseHostPort(address);
  if (parts !== undefined) return parts;
  throw new MeshError(
    'MESHCC_BAD_CONFIG',
    `--at is "${address}"; expected HOST:PORT, as \`meshcc invite\` printed it on the other node`,
  );
}

function stateDirectoryOf(identity: NodeIdentity): string {
  return identity.directory.slice(0, identity.directory.lastIndexOf('/'));
}
