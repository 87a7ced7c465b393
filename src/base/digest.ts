/** Content identity: SHA-256, written as 64 lower-case hexadecimal digits. */
import { createHash, type Hash } from 'node:crypto';

/** SHA-256 of some bytes as 64 lower-case hexadecimal digits. */
export type Digest = string & { readonly __digest: unique symbol };

const DIGEST_PATTERN = /^[0-9a-f]{64}$/;

/** True if `text` has the form of a digest. */
export function isDigest(text: string): text is Digest {
  return DIGEST_PATTERN.test(text);
}

/** The digest of bytes held in memory. */
export function digestOf(bytes: Uint8Array | string): Digest {
  return createHash('sha256').update(bytes).digest('hex') as Digest;
}

/** A running SHA-256; finish it with {@link finishDigest}. */
export function startDigest(): Hash {
  return createHash('sha256');
}

/** Ends a running SHA-256 and returns its digest. */
export function finishDigest(hash: Hash): Digest {
  return hash.digest('hex') as Digest;
}

/** The 32 raw bytes of a digest, as they travel on the wire. */
export function digestToBytes(digest: Digest): Buffer {
  return Buffer.from(digest, 'hex');
}

/** The digest that 32 raw bytes stand for, or undefined if there are not 32 of them. */
export function digestFromBytes(bytes: Uint8Array): Digest | undefined {
  if (bytes.length !== 32) return undefined;
  return Buffer.from(bytes.buffer, bytes.byteOffset, 32).toString('hex') as Digest;
}
