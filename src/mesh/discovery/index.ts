/** The discovery part of the mesh room: which nodes are in sight on the networks of this machine. */
export {
  createDiscovery,
  DEFAULT_EXPIRY_MS,
  Discovery,
  type DiscoveryLog,
  type DiscoveryOptions,
  type DiscoveryUpdate,
} from './discovery.ts';
export { type InterfaceSource, VIRTUAL_INTERFACES } from './network-interfaces.ts';
export { formatServiceText, parseServiceText, type ServiceText, TEXT_KEYS } from './service-text.ts';
export type { Sighting } from './sighting.ts';
export { sightingStream } from './sighting-stream.ts';
