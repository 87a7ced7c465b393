/** The outputs of a job while they arrive, and whether they are what its result says. */
import { type Digest, digestFromBytes, finishDigest, type startDigest } from '../base/digest.ts';
import { OUTPUT_WINDOW_BYTES, type WireCompiled, type WireJob } from '../mesh/index.ts';

/** One output while it arrives. */
export interface IncomingOutput {
  readonly hash: ReturnType<typeof startDigest>;
  readonly path: string;
  readonly sizeBytes: number;
  receivedBytes: number;
  /** Of what arrived, once all has and it is what the result says. */
  digest?: Digest;
}

/** What has arrived of one job. */
export interface IncomingOutputs {
  readonly expected: WireJob['outputs'];
  readonly hashes: ReadonlyMap<number, IncomingOutput>;
  /** Arrived, and not yet credited to the worker: never above the window. */
  readonly pendingBytes: number;
}

/** Says what is too much about what has arrived so far, if anything: memory and disk here are bounded. */
export function excessOf(output: IncomingOutput, job: IncomingOutputs): string | undefined {
  const { path, sizeBytes, receivedBytes } = output;
  if (receivedBytes > sizeBytes) return `${path} is longer than the ${sizeBytes} bytes that were announced`;
  if (job.pendingBytes > OUTPUT_WINDOW_BYTES) return `it sent more than the window of ${path} allows`;
  return undefined;
}

/** Holds what arrived against the digests of the result, and against what the job was to make. */
export function outputProblem(
  job: IncomingOutputs,
  { exitStatus, signal, outputs }: WireCompiled,
): string | undefined {
  if (outputs.length !== job.hashes.size) {
    return `its result names ${outputs.length} outputs, ${job.hashes.size} arrived`;
  }
  const named = new Set(outputs.map(({ index }) => index));
  if (named.size !== outputs.length) return 'its result names an output twice';
  if (exitStatus === 0 && signal === 0) {
    const arrived = new Set([...job.hashes.values()].map(({ path }) => path));
    const missing = job.expected.find(({ path, required }) => required && !arrived.has(path));
    if (missing !== undefined) return `it reports success without ${missing.path}`;
  }
  for (const { index, sha256, sizeBytes } of outputs) {
    const output = job.hashes.get(index);
    if (output === undefined) return `output ${index} never arrived`;
    if (output.receivedBytes !== sizeBytes || output.sizeBytes !== sizeBytes) {
      return `${output.path} has ${output.receivedBytes} bytes instead of ${sizeBytes}`;
    }
    const digest: Digest = finishDigest(output.hash);
    if (digest !== digestFromBytes(sha256)) return `${output.path} does not match its digest`;
    output.digest = digest;
  }
  return undefined;
}
