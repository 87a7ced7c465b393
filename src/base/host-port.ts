/** `HOST:PORT` as people write it. */
import { isIP, isIPv6 } from 'node:net';

export interface HostPort {
  /** A name, or an address without brackets. */
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number;
}

const HOST_NAME = /^[a-z0-9_](?:[a-z0-9_.-]{0,252}[a-z0-9_.])?$/i;

/**
 * Takes `host:port`, `10.0.0.2:9310` or `[fe80::1%eth0]:9310` apart.
 * @returns undefined if it is none of these
 */
export function parseHostPort(text: string): HostPort | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text.trim());
  const [, bracketed, name] = match ?? [];
  const port = Number(match?.[3]);
  if (match === null || port < 1 || port > 65_535) return undefined;
  if (bracketed !== undefined) return isIPv6(bracketed) ? { host: bracketed, port } : undefined;
  if (name === undefined || !HOST_NAME.test(name)) return undefined;
  // 300.1.2.3 looks like an address and is none; as a name it would only be looked up in vain.
  if (/^[\d.]+$/.test(name) && isIP(name) === 0) return undefined;
  return { host: name, port };
}

/** The text that {@link parseHostPort} reads. */
export function formatHostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
