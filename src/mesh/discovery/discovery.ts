/**
 * Finding other agents on the networks of this machine, by mDNS (DNS-SD type `_meshcc._tcp`). It only
 * sights: whether a node lives is known from its stream, whether it may be trusted from its certificate.
 */
import { messageOf } from '../../base/errors.ts';
import { PACKAGE_VERSION } from '../../base/package-root.ts';
import { MdnsLink, type Publication } from './mdns-link.ts';
import {
  type InterfaceSource,
  interfaceOfSender,
  listInterfaces,
  type MulticastInterface,
} from './network-interfaces.ts';
import { readPacket } from './service-records.ts';
import { formatServiceText } from './service-text.ts';
import type { Sighting } from './sighting.ts';
import { MAX_PEERS, SightingTable } from './sighting-table.ts';

/** The part of a logger that is used here. */
export interface DiscoveryLog {
  warn(fields: object, message: string): void;
  debug(fields: object, message: string): void;
}

/** What a node says of itself; everything but the id and the name may change while it runs. */
export interface DiscoveryOptions {
  readonly nodeId: string;
  /** As {@link nodeNameFrom} makes it. */
  readonly name: string;
  /** TCP port of the peer streams. */
  readonly port: number;
  readonly meshId?: string | undefined;
  readonly insecure: boolean;
  readonly pairingPort?: number | undefined;
  /** Names of interfaces to work on. Default: all with an IPv4 address but the virtual ones; the loopback too. */
  readonly interfaces?: readonly string[] | undefined;
  readonly log: DiscoveryLog;
  /** How long a silent node stays in sight. Default: 120 s. */
  readonly expiryMs?: number | undefined;
  /** Lists the interfaces; the system's own list if left out. */
  readonly interfaceSource?: InterfaceSource | undefined;
}

/** What {@link Discovery.update} can change; a key that is left out stays as it was. */
export type DiscoveryUpdate = Partial<Pick<DiscoveryOptions, 'port' | 'meshId' | 'insecure' | 'pairingPort'>>;

export const DEFAULT_EXPIRY_MS = 120_000;

const INTERFACE_POLL_MS = 3000;
/** What is due at nearly the same time is done at once: each wake-up of an idle agent costs. */
const MIN_TICK_MS = 250;
const FIRST_QUERY_DELAY_MS = 1000;
const MAX_QUERY_DELAY_MS = 60_000;
/** A node whose answer was lost has two more chances before it expires: multicast on Wi-Fi is not repeated. */
const QUERIES_PER_EXPIRY = 3;
const RETRY_FAILED_MS = 30_000;
const MAX_LABEL_BYTES = 63;

/** Starts nothing yet; see {@link Discovery.start}. */
export function createDiscovery(options: DiscoveryOptions): Discovery {
  return new Discovery(options);
}

/** Announces this node, and tells of others. Degrades to silence, with one warning, where there is no multicast. */
export class Discovery {
  #options: DiscoveryOptions;
  readonly #expiryMs: number;
  readonly #table: SightingTable;
  readonly #links = new Map<string, { readonly on: MulticastInterface; readonly link: MdnsLink }>();
  readonly #failedUntilMs = new Map<string, number>();
  readonly #sightingListeners = new Set<(sighting: Sighting) => void>();
  readonly #expiryListeners = new Set<(nodeId: string) => void>();
  readonly #warned = new Set<string>();
  #interfaces: readonly MulticastInterface[] = [];
  #ownAddresses: ReadonlySet<string> = new Set();
  #timer: NodeJS.Timeout | undefined;
  #nextPollMs = 0;
  #nextQueryMs = 0;
  #queryDelayMs = FIRST_QUERY_DELAY_MS;

  constructor(options: DiscoveryOptions) {
    this.#options = options;
    this.#expiryMs = options.expiryMs ?? DEFAULT_EXPIRY_MS;
    this.#table = new SightingTable(this.#expiryMs);
  }

  /** Opens the sockets, announces this node and asks for others. Never throws for want of a network. */
  start(): void {
    if (this.#timer !== undefined) return;
    this.#nextPollMs = 0;
    this.#tick();
  }

  /** Changes what this node announces. */
  update(change: DiscoveryUpdate): void {
    this.#options = { ...this.#options, ...change };
    this.#publishAll();
  }

  /** Says goodbye and closes everything. Never rejects. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const links = [...this.#links.values()];
    this.#links.clear();
    await Promise.all(links.map(({ link }) => link.close()));
  }

  /** Every node in sight now. */
  sightings(): Sighting[] {
    return this.#table.sightings();
  }

  /**
   * Calls back for every node in sight now, for each new or changed one, and again (at most once a second)
   * whenever a known one is heard.
   * @returns a function that ends it
   */
  onSighting(listener: (sighting: Sighting) => void): () => void {
    this.#sightingListeners.add(listener);
    for (const sighting of this.#table.sightings()) listener(sighting);
    return () => this.#sightingListeners.delete(listener);
  }

  /** Calls back when a node said goodbye or fell silent. Returns a function that ends it. */
  onExpired(listener: (nodeId: string) => void): () => void {
    this.#expiryListeners.add(listener);
    return () => this.#expiryListeners.delete(listener);
  }

  #tick(): void {
    // Monotonic: a board whose clock jumps from 1970 to today must not lose all its peers.
    const nowMs = performance.now();
    if (nowMs >= this.#nextPollMs) {
      this.#nextPollMs = nowMs + INTERFACE_POLL_MS;
      this.#followInterfaces(nowMs);
    }
    if (nowMs >= this.#nextQueryMs) {
      for (const { link } of this.#links.values()) link.query();
      this.#nextQueryMs = nowMs + this.#queryDelayMs * (0.8 + 0.2 * Math.random());
      const maxDelayMs = Math.min(MAX_QUERY_DELAY_MS, this.#expiryMs / QUERIES_PER_EXPIRY);
      this.#queryDelayMs = Math.min(this.#queryDelayMs * 2, maxDelayMs);
    }
    for (const nodeId of this.#table.sweep(nowMs)) {
      for (const listener of this.#expiryListeners) listener(nodeId);
    }
    this.#sleep(nowMs);
  }

  /** Until the next thing is due. */
  #sleep(nowMs: number): void {
    clearTimeout(this.#timer);
    const dueMs = Math.min(this.#nextPollMs, this.#nextQueryMs, this.#table.nextExpiryMs ?? Infinity);
    this.#timer = setTimeout(() => this.#tick(), Math.max(MIN_TICK_MS, dueMs - nowMs));
  }

  /** Opens and closes links as interfaces come and go. */
  #followInterfaces(nowMs: number): void {
    const listing = listInterfaces(this.#options.interfaces, this.#options.interfaceSource);
    if ('refused' in listing) {
      this.#warnOnce(
        'interfaces',
        { reason: listing.refused },
        'the system does not tell its network interfaces: no discovery; name the other nodes by address',
      );
      return;
    }
    const before = JSON.stringify(this.#interfaces);
    this.#interfaces = listing.interfaces;
    this.#ownAddresses = listing.ownAddresses;
    if (listing.interfaces.length === 0) {
      this.#warnOnce(
        'none',
        { wanted: this.#options.interfaces },
        'no network interface to discover other nodes on; waiting for one',
      );
    }
    const changed = JSON.stringify(this.#interfaces) !== before;
    for (const [name, { on, link }] of this.#links) {
      if (this.#interfaces.some((now) => now.name === name && now.address === on.address)) continue;
      this.#links.delete(name);
      link.abandon();
    }
    const opened: MdnsLink[] = [];
    for (const on of this.#interfaces) {
      if (this.#links.has(on.name) || nowMs < (this.#failedUntilMs.get(on.name) ?? 0)) continue;
      const link = this.#open(on);
      if (link !== undefined) opened.push(link);
    }
    if (!changed) {
      for (const link of opened) {
        link.publish(this.#publication());
        link.query();
      }
      return;
    }
    // The announced addresses are those of all interfaces, so a change of one concerns every link.
    this.#publishAll();
    this.#queryDelayMs = FIRST_QUERY_DELAY_MS;
    this.#nextQueryMs = nowMs;
  }

  #open(on: MulticastInterface): MdnsLink | undefined {
    const fail = (reason: string) => {
      this.#failedUntilMs.set(on.name, performance.now() + RETRY_FAILED_MS);
      const failed = this.#links.get(on.name);
      this.#links.delete(on.name);
      failed?.link.abandon();
      this.#warnOnce(
        `socket ${on.name}`,
        { interface: on.name, reason },
        'cannot use mDNS on this interface; trying again from time to time',
      );
    };
    try {
      const link = new MdnsLink(on.address, {
        onResponse: (packet, sourceAddress) => this.#receive(packet, sourceAddress, on.name),
        isOwn: (address) => interfaceOfSender(address, this.#interfaces)?.name === on.name,
        onFailure: fail,
      });
      this.#failedUntilMs.delete(on.name);
      this.#links.set(on.name, { on, link });
      return link;
    } catch (error) {
      fail(messageOf(error));
      return undefined;
    }
  }

  #receive(packet: unknown, sourceAddress: string, interfaceName: string): void {
    const nowMs = performance.now();
    const { announcements, goodbyes, refusals } = readPacket(packet);
    for (const instance of goodbyes) this.#table.dismiss(instance, sourceAddress, nowMs);
    // A node that leaves is forgotten sooner than anything else was due.
    if (goodbyes.length > 0 && this.#timer !== undefined) this.#sleep(nowMs);
    for (const reason of refusals) {
      this.#options.log.debug({ reason, sourceAddress, interfaceName }, 'passed over an mDNS announcement');
    }
    for (const announcement of announcements) {
      if (announcement.text.nodeId === this.#options.nodeId) continue;
      const origin = { address: sourceAddress, interfaceName };
      const observation = this.#table.observe(announcement, origin, this.#ownAddresses, nowMs);
      if (observation.kind === 'full') {
        this.#warnOnce('full', { limit: MAX_PEERS }, 'too many nodes in sight; further ones are left out');
      } else if (observation.kind !== 'repeated') {
        for (const listener of this.#sightingListeners) listener(observation.sighting);
      }
    }
  }

  #publishAll(): void {
    const publication = this.#publication();
    for (const { link } of [...this.#links.values()]) link.publish(publication);
  }

  #publication(): Publication {
    const { nodeId, name, port, meshId, insecure, pairingPort } = this.#options;
    const shortId = nodeId.slice(0, 8);
    const text = formatServiceText({
      nodeId,
      name,
      version: PACKAGE_VERSION,
      insecure,
      ...(meshId === undefined ? {} : { meshId }),
      ...(pairingPort === undefined ? {} : { pairingPort }),
    });
    return {
      instanceName: `${shortId}-${name.replaceAll('.', '-')}`.slice(0, MAX_LABEL_BYTES),
      hostName: `meshcc-${shortId}.local`,
      port,
      text,
    };
  }

  #warnOnce(key: string, fields: object, message: string): void {
    if (this.#warned.has(key)) return;
    this.#warned.add(key);
    this.#options.log.warn(fields, message);
  }
}
