/** The thread that reads and scans large sources, one after the other. Its other side: large-sources.ts. */
import { parentPort } from 'node:worker_threads';
import type { LargeAnswer, LargeQuestion } from './large-sources.ts';
import { readWhole } from './source-reader.ts';

parentPort?.on('message', ({ number, path, limits, knownDigest }: LargeQuestion) => {
  const answer: LargeAnswer = { number, content: readWhole(path, limits, knownDigest) };
  parentPort?.postMessage(answer);
});
