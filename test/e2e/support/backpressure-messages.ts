/** What the test and its two child processes tell each other about a transfer. */

/** From the receiver. */
export type ReceiverMessage =
  | { readonly kind: 'listening'; readonly port: number }
  /** Everything that was asked for is here. */
  | { readonly kind: 'done'; readonly receivedBytes: number };

/** From the sender, once it is connected and before it sends a single byte of content. */
export interface SenderMessage {
  readonly kind: 'connected';
}

/** To the receiver: ask for so many blobs now, none of which was asked for before. */
export interface StartMessage {
  readonly kind: 'start';
  readonly blobs: number;
}

/** How the transfers go; the same for all of a test. */
export interface TransferPlan {
  readonly blobBytes: number;
  /** The receiver takes no more than this. */
  readonly bytesPerSecond: number;
}

/** The made-up digest of a blob; nobody checks it here. */
export function digestBytesOf(index: number): Buffer {
  const bytes = Buffer.alloc(32);
  bytes.writeUInt32BE(index + 1, 0);
  return bytes;
}
