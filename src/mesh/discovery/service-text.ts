/**
 * The TXT record of a node: what it says of itself, in both directions. It is a hint from anybody on the
 * network and gives no trust: every value is checked for form and length, and one bad value refuses all.
 */
import { isMeshId, isNodeId, isNodeName } from '../identity/index.ts';

/** What a node announces, besides its address and port. */
export interface ServiceText {
  readonly nodeId: string;
  readonly name: string;
  readonly version: string;
  /** Absent while the node belongs to no mesh. */
  readonly meshId?: string;
  /** True if the node speaks without TLS. */
  readonly insecure: boolean;
  /** Absent unless an invitation is open. */
  readonly pairingPort?: number;
}

interface TextKey {
  readonly key: string;
  readonly what: string;
  readonly required: boolean;
  readonly accepts: (value: string) => boolean;
}

/** The keys of the TXT record. Others are ignored, so that a later version may add some. */
export const TEXT_KEYS: readonly TextKey[] = [
  { key: 'id', what: 'node id, 32 base32 characters', required: true, accepts: isNodeId },
  { key: 'n', what: 'display name, at most 63 characters', required: true, accepts: isNodeName },
  { key: 'v', what: 'version of meshcc', required: true, accepts: (v) => /^[0-9A-Za-z.+-]{1,32}$/.test(v) },
  { key: 'mesh', what: 'mesh id, 16 hexadecimal digits', required: false, accepts: isMeshId },
  { key: 'ins', what: '1 if the node speaks without TLS', required: false, accepts: (v) => /^[01]$/.test(v) },
  {
    key: 'pair',
    what: 'TCP port of the open invitation',
    required: false,
    accepts: (v) => /^[1-9]\d{0,4}$/.test(v) && Number(v) <= 65535,
  },
];

const MAX_ENTRIES = 16;
const MAX_ENTRY_BYTES = 128;

/** The key-value pairs to publish. */
export function formatServiceText(text: ServiceText): Record<string, string> {
  return {
    id: text.nodeId,
    n: text.name,
    v: text.version,
    ins: text.insecure ? '1' : '0',
    ...(text.meshId === undefined ? {} : { mesh: text.meshId }),
    ...(text.pairingPort === undefined ? {} : { pair: String(text.pairingPort) }),
  };
}

/**
 * Reads the strings of a TXT record (RFC 6763, section 6: `key=value`, the first of a repeated key counts).
 * @param entries as decoded from the packet: hostile, of any type
 */
export function parseServiceText(
  entries: unknown,
): { readonly text: ServiceText } | { readonly refused: string } {
  const list = Array.isArray(entries) ? entries : [entries];
  if (list.length > MAX_ENTRIES) return { refused: `${list.length} TXT entries` };
  const values = new Map<string, string>();
  for (const entry of list) {
    if (!(entry instanceof Uint8Array)) return { refused: 'a TXT entry that is not bytes' };
    if (entry.length > MAX_ENTRY_BYTES) return { refused: `a TXT entry of ${entry.length} bytes` };
    const text = Buffer.from(entry).toString('latin1');
    const at = text.indexOf('=');
    const key = at < 0 ? text : text.slice(0, at);
    if (!values.has(key)) values.set(key, at < 0 ? '' : text.slice(at + 1));
  }
  for (const { key, required, accepts } of TEXT_KEYS) {
    const value = values.get(key);
    if (value === undefined ? required : !accepts(value)) {
      return { refused: value === undefined ? `no TXT key ${key}` : `a bad value of the TXT key ${key}` };
    }
  }
  const meshId = values.get('mesh');
  const pair = values.get('pair');
  return {
    text: {
      nodeId: values.get('id') ?? '',
      name: values.get('n') ?? '',
      version: values.get('v') ?? '',
      insecure: values.get('ins') === '1',
      ...(meshId === undefined ? {} : { meshId }),
      ...(pair === undefined ? {} : { pairingPort: Number(pair) }),
    },
  };
}
