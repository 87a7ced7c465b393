/** What a node with bad memory sends: everything as it should be, but for a bit of the object. */
import { digestOf, digestToBytes } from '../../src/base/digest.ts';
import type { FromWorker } from '../../src/mesh/index.ts';

/** Flips a bit in the last output of a compile, the object, and says the digest of what it then is. */
export function wrongObject(message: FromWorker): FromWorker {
  const compiled = message.result?.compiled;
  const last = compiled?.outputs.at(-1);
  if (message.result === undefined || compiled === undefined || last?.data === undefined) return message;
  const data = Buffer.from(last.data);
  data[data.length >> 1] = (data[data.length >> 1] ?? 0) ^ 1;
  const outputs = [
    ...compiled.outputs.slice(0, -1),
    { ...last, data, sha256: digestToBytes(digestOf(data)) },
  ];
  return { result: { ...message.result, compiled: { ...compiled, outputs } } };
}
