/**
 * From a decoded mDNS packet to the nodes in it. Pure, and written for packets from anybody: names, types
 * and counts are checked before use, and a bad record costs only itself.
 */
import { isIPv6 } from 'node:net';
import { ipv4Bits } from './network-interfaces.ts';
import { parseServiceText, type ServiceText } from './service-text.ts';

/** The DNS-SD name of every agent. */
export const SERVICE_NAME = '_meshcc._tcp.local';

/** A node in a packet. */
export interface Announcement {
  /** Full DNS-SD instance name, lower case. */
  readonly instance: string;
  readonly text: ServiceText;
  readonly port: number;
  /** From the A and AAAA records of its host: at most eight that may be reachable from another machine. */
  readonly addresses: readonly string[];
}

/** What a packet says about nodes. */
export interface PacketContent {
  readonly announcements: readonly Announcement[];
  /** Instances (lower case) that say goodbye: their PTR record has a time to live of zero. */
  readonly goodbyes: readonly string[];
  /** Why instances were passed over; for the log. */
  readonly refusals: readonly string[];
}

interface DnsRecord {
  readonly type: string;
  readonly name: string;
  readonly ttl: number;
  readonly data: unknown;
}

const MAX_RECORDS = 256;
const MAX_INSTANCES = 16;
const MAX_ADDRESSES = 8;

/**
 * Reads a packet as the mDNS library decoded it.
 * @param packet hostile, of any shape
 */
export function readPacket(packet: unknown): PacketContent {
  const records = recordsOf(packet);
  const goodbyes: string[] = [];
  const announcements: Announcement[] = [];
  const refusals: string[] = [];
  const pointers = records.filter((r) => r.type === 'PTR' && sameName(r.name, SERVICE_NAME));
  for (const pointer of pointers.slice(0, MAX_INSTANCES)) {
    if (typeof pointer.data !== 'string' || !pointer.data.toLowerCase().endsWith(`.${SERVICE_NAME}`))
      continue;
    const instance = pointer.data.toLowerCase();
    if (pointer.ttl === 0) {
      goodbyes.push(instance);
      continue;
    }
    const read = readInstance(instance, records);
    if ('refused' in read) refusals.push(read.refused);
    else announcements.push(read);
  }
  return { announcements, goodbyes, refusals };
}

function readInstance(
  instance: string,
  records: readonly DnsRecord[],
): Announcement | { readonly refused: string } {
  const own = records.filter((r) => r.ttl > 0 && sameName(r.name, instance));
  const service = own.find((r) => r.type === 'SRV')?.data;
  if (typeof service !== 'object' || service === null) return { refused: 'an instance without SRV record' };
  const { port, target } = service as Record<string, unknown>;
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > 65535) {
    return { refused: 'an instance with a bad port' };
  }
  const parsed = parseServiceText(own.find((r) => r.type === 'TXT')?.data);
  if ('refused' in parsed) return parsed;
  const addresses = new Set<string>();
  for (const { type, name, ttl, data } of records) {
    if (type !== 'A' && type !== 'AAAA') continue;
    if (ttl === 0 || typeof target !== 'string' || !sameName(name, target)) continue;
    if (typeof data === 'string' && isUsableAddress(data) && addresses.size < MAX_ADDRESSES)
      addresses.add(data);
  }
  return { instance, text: parsed.text, port, addresses: [...addresses] };
}

function recordsOf(packet: unknown): DnsRecord[] {
  if (typeof packet !== 'object' || packet === null) return [];
  const { answers, additionals } = packet as Record<string, unknown>;
  const all: unknown[] = [];
  for (const section of [answers, additionals])
    if (Array.isArray(section)) all.push(...section.slice(0, MAX_RECORDS));
  return all.slice(0, MAX_RECORDS).filter(isRecord);
}

function isRecord(value: unknown): value is DnsRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { type, name, ttl } = value as Record<string, unknown>;
  return typeof type === 'string' && typeof name === 'string' && typeof ttl === 'number';
}

/** DNS names compare without regard to ASCII case (RFC 1035, section 2.3.3). */
function sameName(a: string, b: string): boolean {
  return a.length === b.length && a.toLowerCase() === b.toLowerCase();
}

/**
 * True for an address that another machine may be reached at: not loopback, unspecified, multicast or
 * broadcast; not an IPv6 link-local one either, which is worth nothing without its interface.
 */
export function isUsableAddress(address: string): boolean {
  const bits = ipv4Bits(address);
  if (bits !== undefined) {
    const first = bits >>> 24;
    return first !== 0 && first !== 127 && first < 224;
  }
  if (!isIPv6(address) || address.includes('%')) return false;
  const firstGroup = Number.parseInt(address.split(':', 1)[0] || '0', 16);
  const isGlobal = firstGroup >= 0x2000 && firstGroup <= 0x3fff;
  const isUniqueLocal = firstGroup >= 0xfc00 && firstGroup <= 0xfdff;
  return isGlobal || isUniqueLocal;
}
