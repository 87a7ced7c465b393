/** One benchmark at a time works in a cache: two would build in the same trees, and measure each other. */
import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { createServer } from 'node:net';
import { errnoOf } from '../src/base/errors.ts';
import { BenchError } from './bench-error.ts';

/**
 * Holds a directory until this process ends, however it ends: the name of an abstract socket is free again by itself.
 * @throws BenchError if another process holds it
 */
export function holdCache(directory: string): Promise<void> {
  const name = createHash('sha256').update(realpathSync(directory)).digest('hex').slice(0, 32);
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const isHeld = errnoOf(error) === 'EADDRINUSE';
      const what = isHeld
        ? `another benchmark is at work in ${directory}: wait until it has ended, or name another directory with --cache`
        : `${directory} cannot be held against other benchmarks: ${error.message}`;
      reject(new BenchError(what));
    });
    server.listen(`\0meshcc-bench-${name}`, () => {
      server.unref();
      resolve();
    });
  });
}
