/** Where a joiner looks for its inviter: addresses that a person gave, or those of nodes as they are sighted. */
import { isIP } from 'node:net';

/** A pairing listener to try. */
export interface PairingAddress {
  readonly host: string;
  readonly port: number;
  /** The node that announced it as one of the right mesh; undefined if a person or a nameless node did. */
  readonly announcedBy?: string | undefined;
}

/** What is used of a sighting; the sightings of discovery have this shape. */
export interface PairingSighting {
  readonly name?: string;
  readonly meshId?: string;
  /** Absent while the node has no open invitation. */
  readonly pairingPort?: number;
  readonly addresses: readonly string[];
}

export type PairingAddresses = readonly PairingAddress[] | AsyncIterable<PairingSighting>;

/** Hostile sightings must not keep a joiner busy for ever. */
const MAX_TRIED = 64;

/**
 * The addresses to try, each once. Sightings of other meshes and of nodes without an invitation are left
 * out. Ends with the source, after 64 addresses, or at the abort signal.
 * @param meshId the mesh that the code belongs to
 * @param onUninviting told of nodes of that mesh that have no open invitation
 */
export async function* addressesToTry(
  source: PairingAddresses,
  meshId: string,
  signal: AbortSignal,
  onUninviting: (name: string) => void,
): AsyncGenerator<PairingAddress> {
  if (!(Symbol.asyncIterator in source)) {
    yield* source;
    return;
  }
  const tried = new Set<string>();
  const sightings = source[Symbol.asyncIterator]();
  try {
    while (tried.size < MAX_TRIED) {
      const next = await nextUnlessAborted(sightings, signal);
      if (next === undefined) return;
      const { pairingPort, addresses } = next;
      if (next.meshId !== undefined && next.meshId !== meshId) continue;
      if (pairingPort === undefined) {
        if (next.meshId !== undefined) onUninviting(next.name ?? addresses[0] ?? 'a node');
        continue;
      }
      for (const host of addresses) {
        const key = `${host} ${pairingPort}`;
        if (isIP(host) === 0 || tried.has(key)) continue;
        tried.add(key);
        yield { host, port: pairingPort, announcedBy: next.meshId === undefined ? undefined : next.name };
      }
    }
  } finally {
    // Not awaited: a generator that waits for its next sighting would only finish with it.
    sightings.return?.().catch(() => {});
  }
}

async function nextUnlessAborted(
  sightings: AsyncIterator<PairingSighting>,
  signal: AbortSignal,
): Promise<PairingSighting | undefined> {
  if (signal.aborted) return undefined;
  let onAbort = () => {};
  const aborted = new Promise<undefined>((resolve) => {
    onAbort = () => resolve(undefined);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    const result = await Promise.race([sightings.next(), aborted]);
    return result === undefined || result.done === true ? undefined : result.value;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
