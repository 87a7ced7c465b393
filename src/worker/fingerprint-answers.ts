/** Answers a submitter that asks what a compiler of this worker does. */
import { digestToBytes } from '../base/digest.ts';
import { messageOf } from '../base/errors.ts';
import type { WireFingerprint } from '../mesh/index.ts';
import type { Fingerprints, Toolchain } from '../toolchain/index.ts';

/**
 * Never rejects. However often members ask, each compiler is looked at once, one after the other.
 * @param fingerprints undefined: the owner of this node has not allowed it
 */
export async function fingerprintAnswer(
  toolchainId: string,
  toolchain: Toolchain | undefined,
  fingerprints: Fingerprints | undefined,
): Promise<WireFingerprint> {
  const refused = (refusal: string): WireFingerprint => ({ toolchainId, refusal, parts: [] });
  if (fingerprints === undefined) return refused('its owner has not allowed it (--compare-hosts)');
  if (toolchain === undefined) return refused('it has no such toolchain');
  try {
    const { parts } = await fingerprints.of(toolchain);
    const wire = parts.map(({ name, digest }) => ({ name, sha256: digestToBytes(digest) }));
    return { toolchainId, refusal: '', parts: wire };
  } catch (error) {
    return refused(messageOf(error));
  }
}
