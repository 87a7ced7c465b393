/** What can become of one remote attempt; every case but `compiled` has a next step in the pipeline. */
import type { Digest } from '../base/digest.ts';
import { printable } from '../base/printable.ts';
import type { WireResult } from '../mesh/index.ts';

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

/** Of a path that a worker names; it is for people only. */
export const MAX_PATH_CHARACTERS = 4096;
const MAX_PATHS = 16;
const MAX_CAUSE = 63;

/** What a result that is no compile means here. Its texts come from another node and are meant for a terminal. */
export function failureOf(
  { refused, busy, inputIncomplete, nodeFault }: WireResult,
  nodeName: string,
): RemoteOutcome {
  if (refused) return { kind: 'refused', reason: printable(refused.reason) };
  if (busy) return { kind: 'busy', reason: printable(busy.reason) };
  if (inputIncomplete) {
    const paths = inputIncomplete.paths.slice(0, MAX_PATHS);
    return { kind: 'input-incomplete', paths: paths.map((path) => printable(path, MAX_PATH_CHARACTERS)) };
  }
  if (nodeFault) {
    const { cause, detail } = nodeFault;
    return { kind: 'node-fault', cause: printable(cause, MAX_CAUSE), detail: printable(detail) };
  }
  return { kind: 'bad-result', detail: `${nodeName} sent a result of a kind unknown here` };
}
