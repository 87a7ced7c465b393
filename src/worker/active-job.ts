/** A job in a session's hands, and what is told of its outputs and troubles. */
import { digestOf, digestToBytes } from '../base/digest.ts';
import { MeshError, messageOf } from '../base/errors.ts';
import { OUTPUT_WINDOW_BYTES, type WireOutputDigest, type WireResult } from '../mesh/index.ts';
import type { CompileOutput } from './compile.ts';

export interface ActiveJob {
  readonly abort: AbortController;
  /** Resolves when the job is aborted. */
  readonly aborted: Promise<'aborted'>;
  /** Bytes of output that may still be sent. */
  windowBytes: number;
  wakeSender: (() => void) | undefined;
}

/** A small output, to travel with the result: a message less for each. */
export async function readOutput(index: number, { path, file }: CompileOutput): Promise<WireOutputDigest> {
  const data = await file.read(0, file.sizeBytes);
  return { index, sha256: digestToBytes(digestOf(data)), sizeBytes: data.length, path, data };
}

/** A disk that is full or broken is this node's fault; anything else is content that never came. */
export function inputTrouble(error: unknown): Omit<WireResult, 'jobId'> {
  const detail = messageOf(error);
  const isOurs = error instanceof MeshError && error.code === 'MESHCC_STORE';
  return isOurs ? { nodeFault: { cause: 'store', detail } } : { inputIncomplete: { paths: [detail] } };
}

export function startJob(): ActiveJob {
  const abort = new AbortController();
  const job: ActiveJob = {
    abort,
    aborted: new Promise((resolve) => {
      abort.signal.addEventListener('abort', () => {
        resolve('aborted');
        job.wakeSender?.();
      });
    }),
    windowBytes: OUTPUT_WINDOW_BYTES,
    wakeSender: undefined,
  };
  return job;
}
