/**
 * The nodes in sight, by id: merges what arrives through several interfaces, forgets who is silent, and
 * has a bound. Pure: time comes in as a parameter.
 */
import type { Announcement } from './service-records.ts';
import type { Sighting } from './sighting.ts';

/** Where a packet came from. */
export interface PacketOrigin {
  readonly address: string;
  readonly interfaceName: string;
}

/** What became of an announcement. */
export type Observation =
  | { readonly kind: 'new' | 'changed' | 'refreshed'; readonly sighting: Sighting }
  | { readonly kind: 'repeated' }
  | { readonly kind: 'full' };

interface Entry {
  sighting: Sighting;
  instance: string;
  /** Says what would be news: everything in the sighting but its time and the order of addresses. */
  signature: string;
  /** When each packet source was last heard. */
  readonly sources: Map<string, number>;
  seenAtMs: number;
  reportedAtMs: number;
  /** Set by a goodbye: gone at this time unless heard again. */
  leavesAtMs: number | undefined;
}

/** Announcing a million ids must not fill the memory. */
export const MAX_PEERS = 256;
/** RFC 6762, section 10.1: a goodbye takes effect after one second, so that a re-announcement can follow it. */
export const GOODBYE_GRACE_MS = 1000;
/** One answer arrives once per socket and interface; only the first within this time is passed on. */
const REPORT_INTERVAL_MS = 1000;
const MAX_SOURCES = 8;

/** The nodes in sight. */
export class SightingTable {
  readonly #expiryMs: number;
  readonly #entries = new Map<string, Entry>();

  /** @param expiryMs how long a node that is not heard again stays in the table */
  constructor(expiryMs: number) {
    this.#expiryMs = expiryMs;
  }

  /** Every node in sight. */
  sightings(): Sighting[] {
    return [...this.#entries.values()].map((entry) => entry.sighting);
  }

  /**
   * Takes an announcement in.
   * @param ownAddresses addresses of this machine; another machine that names them is not meant
   * @returns whether there is something to report: `full` means that the node was left out
   */
  observe(
    announcement: Announcement,
    origin: PacketOrigin,
    ownAddresses: ReadonlySet<string>,
    nowMs: number,
  ): Observation {
    const { nodeId } = announcement.text;
    const known = this.#entries.get(nodeId);
    if (known === undefined && this.#entries.size >= MAX_PEERS) return { kind: 'full' };
    const sources = known?.sources ?? new Map<string, number>();
    this.#rememberSource(sources, origin.address, nowMs);
    const sighting = sightingOf(announcement, origin, sources, ownAddresses, nowMs);
    const signature = signatureOf(sighting);
    const kind = known === undefined ? 'new' : known.signature === signature ? 'refreshed' : 'changed';
    const quiet =
      kind === 'refreshed' && known !== undefined && nowMs - known.reportedAtMs < REPORT_INTERVAL_MS;
    this.#entries.set(nodeId, {
      sighting,
      instance: announcement.instance,
      signature,
      sources,
      seenAtMs: nowMs,
      reportedAtMs: quiet ? known.reportedAtMs : nowMs,
      leavesAtMs: undefined,
    });
    return quiet ? { kind: 'repeated' } : { kind, sighting };
  }

  /** A node says goodbye. Heeded only from an address where the node itself was heard. */
  dismiss(instance: string, sourceAddress: string, nowMs: number): void {
    for (const entry of this.#entries.values()) {
      if (entry.instance !== instance || !entry.sources.has(sourceAddress)) continue;
      entry.leavesAtMs = nowMs + GOODBYE_GRACE_MS;
    }
  }

  /** When the next node is to be forgotten if it is not heard until then; undefined while none is in sight. */
  get nextExpiryMs(): number | undefined {
    let next: number | undefined;
    for (const entry of this.#entries.values()) {
      const leavesAtMs = this.#leavesAtMs(entry);
      if (next === undefined || leavesAtMs < next) next = leavesAtMs;
    }
    return next;
  }

  /** Forgets who is gone; returns their ids. */
  sweep(nowMs: number): string[] {
    const gone: string[] = [];
    for (const [nodeId, entry] of this.#entries) {
      if (nowMs < this.#leavesAtMs(entry)) continue;
      this.#entries.delete(nodeId);
      gone.push(nodeId);
    }
    return gone;
  }

  #leavesAtMs({ leavesAtMs, seenAtMs }: Entry): number {
    return leavesAtMs ?? seenAtMs + this.#expiryMs;
  }

  #rememberSource(sources: Map<string, number>, address: string, nowMs: number): void {
    for (const [other, heardAtMs] of sources) if (nowMs - heardAtMs >= this.#expiryMs) sources.delete(other);
    // Deleted first, so that the map's order is that of hearing.
    sources.delete(address);
    sources.set(address, nowMs);
    for (const oldest of sources.keys()) {
      if (sources.size <= MAX_SOURCES) break;
      sources.delete(oldest);
    }
  }
}

function sightingOf(
  announcement: Announcement,
  origin: PacketOrigin,
  sources: ReadonlyMap<string, number>,
  ownAddresses: ReadonlySet<string>,
  nowMs: number,
): Sighting {
  const claimed = announcement.addresses.filter((address) => !ownAddresses.has(address));
  return {
    ...announcement.text,
    port: announcement.port,
    addresses: [...new Set([...[...sources.keys()].reverse(), ...claimed])],
    interfaceName: origin.interfaceName,
    seenAtMs: nowMs,
  };
}

function signatureOf(sighting: Sighting): string {
  const { nodeId, name, version, meshId, insecure, port, pairingPort } = sighting;
  const addresses = [...sighting.addresses].sort();
  return JSON.stringify([nodeId, name, version, meshId, insecure, port, pairingPort, addresses]);
}
