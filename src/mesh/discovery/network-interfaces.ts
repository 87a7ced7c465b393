/** Which network interfaces discovery works on, and which of them a packet came through. */
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import { messageOf } from '../../base/errors.ts';

/** An interface with an IPv4 address. The system lists only those that are up. */
export interface MulticastInterface {
  readonly name: string;
  /** The address that multicast is sent from. */
  readonly address: string;
  /** Every IPv4 network on it. */
  readonly networks: readonly Ipv4Network[];
}

export interface Ipv4Network {
  readonly address: string;
  readonly netmask: string;
}

/** What the system gave: the interfaces, or why it gave none (some Android versions forbid the question). */
export type InterfaceListing =
  | { readonly interfaces: readonly MulticastInterface[]; readonly ownAddresses: ReadonlySet<string> }
  | { readonly refused: string };

/** Interfaces behind which no board is ever found; they are used only if named. */
export const VIRTUAL_INTERFACES: readonly { readonly pattern: RegExp; readonly what: string }[] = [
  { pattern: /^docker/, what: 'Docker bridge' },
  { pattern: /^veth/, what: 'container end of a virtual pair' },
  { pattern: /^br-/, what: 'Docker or Compose network' },
  { pattern: /^(virbr|vnet|vmnet|vboxnet)/, what: 'virtual machine network' },
  { pattern: /^(lxcbr|lxdbr|podman|cni|flannel|cali)/, what: 'container network' },
  {
    pattern: /^(tun|tap|wg|tailscale|zt|ppp)/,
    what: 'tunnel, which carries no multicast or somebody pays for it',
  },
];

/** More would be a router, not a build machine; every one costs a socket and its share of each query. */
const MAX_INTERFACES = 16;

/** Asks the system for its interfaces. */
export type InterfaceSource = () => NodeJS.Dict<NetworkInterfaceInfo[]>;

/**
 * The interfaces to work on.
 * @param wanted names, or undefined for all but the virtual ones (the loopback interface included)
 */
export function listInterfaces(
  wanted: readonly string[] | undefined,
  source: InterfaceSource = networkInterfaces,
): InterfaceListing {
  let listed: NodeJS.Dict<NetworkInterfaceInfo[]>;
  try {
    listed = source();
  } catch (error) {
    return { refused: messageOf(error) };
  }
  const byName = new Map<string, Ipv4Network[]>();
  const ownAddresses = new Set<string>();
  for (const [label, infos] of Object.entries(listed)) {
    // eth0:1 is a second address of eth0.
    const name = label.split(':', 1)[0] ?? label;
    for (const { family, address, netmask } of infos ?? []) {
      ownAddresses.add(address);
      if (family !== 'IPv4' || !isWanted(name, wanted)) continue;
      byName.set(name, [...(byName.get(name) ?? []), { address, netmask }]);
    }
  }
  const interfaces: MulticastInterface[] = [];
  for (const [name, networks] of byName) {
    const first = networks[0];
    if (first !== undefined && interfaces.length < MAX_INTERFACES) {
      interfaces.push({ name, address: first.address, networks });
    }
  }
  return { interfaces, ownAddresses };
}

function isWanted(name: string, wanted: readonly string[] | undefined): boolean {
  if (wanted !== undefined) return wanted.includes(name);
  return !VIRTUAL_INTERFACES.some(({ pattern }) => pattern.test(name));
}

/**
 * The interface that a packet from this IPv4 address came through. Linux hands every socket the multicast
 * of all interfaces, so the socket says nothing; the sender's network does.
 * @returns undefined if the sender is on none of them: its packet is none of our business
 */
export function interfaceOfSender(
  sender: string,
  interfaces: readonly MulticastInterface[],
): MulticastInterface | undefined {
  const bits = ipv4Bits(sender);
  if (bits === undefined) return undefined;
  const owner = interfaces.find(({ networks }) =>
    networks.some(({ address, netmask }) => {
      const mask = ipv4Bits(netmask);
      const own = ipv4Bits(address);
      return mask !== undefined && own !== undefined && ((own ^ bits) & mask) === 0;
    }),
  );
  // A point-to-point link has no network of its own to compare with.
  return owner ?? interfaces.find(({ networks }) => networks.some((n) => n.netmask === '255.255.255.255'));
}

/** An IPv4 address as a signed 32-bit number, or undefined if the text is none. */
export function ipv4Bits(text: string): number | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let bits = 0;
  for (const part of parts) {
    if (!/^\d{1,3}$/.test(part) || Number(part) > 255) return undefined;
    bits = (bits << 8) | Number(part);
  }
  return bits;
}
