/** What can become of one remote attempt; every case but `compiled` has a next step in the pipeline. */
import type { Digest } from '../base/digest.ts';

/** Receives the outputs of an attempt while they arrive. */
export interface OutputSink {
  /**
   * A file begins.
   * @returns false if this job may not write that path; the attempt is then given up
   */
  begin(index: number, path: string, sizeBytes: number): boolean;
  /** A piece of it; resolves when the next may come (backpressure). */
  data(index: number, piece: Uint8Array): Promise<void> | void;
}

export type RemoteOutcome =
  | {
      readonly kind: 'compiled';
      readonly exitStatus: number;
      readonly signal: number;
      readonly stdout: Buffer;
      readonly stderr: Buffer;
      readonly cpuUs: number;
      readonly wallUs: number;
      /** The outputs received, which match their digests, with their paths as the worker spelled them. */
      readonly outputs: readonly { readonly path: string; readonly digest: Digest }[];
    }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'busy'; readonly reason: string }
  | { readonly kind: 'input-incomplete'; readonly paths: readonly string[] }
  | { readonly kind: 'node-fault'; readonly cause: string; readonly detail: string }
  /** The connection went, or the worker fell silent. */
  | { readonly kind: 'lost'; readonly detail: string }
  | { readonly kind: 'timeout'; readonly detail: string }
  /** The result contradicts itself: wrong digest, wrong length, a path that was not asked for. */
  | { readonly kind: 'bad-result'; readonly detail: string }
  | { readonly kind: 'unexpected-output'; readonly detail: string }
  /** The user interrupted the compile. */
  | { readonly kind: 'cancelled' };
