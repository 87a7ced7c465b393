/** Names of nodes and meshes: how they follow from keys, and what they may look like when others send them. */
import { createHash, type KeyObject } from 'node:crypto';
import { base32Encode } from './base32.ts';

const NODE_ID_BYTES = 20;
const NODE_ID_PATTERN = /^[a-z2-7]{32}$/;
const MESH_ID_PATTERN = /^[0-9a-f]{16}$/;
const NODE_NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/** SHA-256 of a public key in its SubjectPublicKeyInfo (DER) form: 32 bytes, the same in every certificate of the key. */
export function publicKeyFingerprint(publicKey: KeyObject): Buffer {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest();
}

/** The id of the node that holds this key: 160 bits of the key's fingerprint as 32 base32 characters. */
export function nodeIdOf(publicKey: KeyObject): string {
  return base32Encode(publicKeyFingerprint(publicKey).subarray(0, NODE_ID_BYTES));
}

/** The id of the mesh of this certificate authority: the first 16 hexadecimal digits of the key's fingerprint. */
export function meshIdOf(caPublicKey: KeyObject): string {
  return meshIdOfFingerprint(publicKeyFingerprint(caPublicKey));
}

/** The mesh id that a CA fingerprint, or its first 8 bytes or more, stands for. */
export function meshIdOfFingerprint(fingerprint: Uint8Array): string {
  return Buffer.from(fingerprint.subarray(0, 8)).toString('hex');
}

/** The DNS name in the certificate of a node; a TLS client that expects it holds the server to this key. */
export function nodeDnsName(nodeId: string): string {
  return `${nodeId}.node.meshcc`;
}

/** True if `text` has the form of a node id. */
export function isNodeId(text: string): boolean {
  return NODE_ID_PATTERN.test(text);
}

/** True if `text` has the form of a mesh id. */
export function isMeshId(text: string): boolean {
  return MESH_ID_PATTERN.test(text);
}

/** True if `text` may stand as the display name of a node: at most 63 of letters, digits, `.`, `_`, `-`. */
export function isNodeName(text: string): boolean {
  return NODE_NAME_PATTERN.test(text);
}

/** The nearest acceptable display name to some host name; `node` if nothing of it is left. */
export function nodeNameFrom(hostname: string): string {
  const cleaned = hostname
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[._-]+/, '')
    .slice(0, 63);
  return cleaned === '' ? 'node' : cleaned;
}
