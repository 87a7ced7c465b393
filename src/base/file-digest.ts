/** SHA-256 of a file in pieces small enough that the event loop is never held for long. */
import { open } from 'node:fs/promises';
import { type Digest, finishDigest, startDigest } from './digest.ts';

/** Hashing this much takes well under a millisecond. */
const PIECE_BYTES = 256 * 1024;

/**
 * The digest of a file's content.
 * @param expectedBytes its size, if it is what it should be: a small file gets a small buffer
 * @throws the system's error if it cannot be read
 */
export async function digestOfFile(path: string, expectedBytes = PIECE_BYTES): Promise<Digest> {
  const file = await open(path, 'r');
  try {
    const hash = startDigest();
    const piece = Buffer.allocUnsafe(Math.max(1, Math.min(expectedBytes, PIECE_BYTES)));
    for (;;) {
      const { bytesRead } = await file.read(piece, 0, piece.length, null);
      if (bytesRead === 0) return finishDigest(hash);
      hash.update(piece.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}
