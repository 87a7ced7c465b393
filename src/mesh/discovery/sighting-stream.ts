/** Sightings as an async iterable, for callers that look for one node and then stop, such as a join. */
import type { Discovery } from './discovery.ts';
import type { Sighting } from './sighting.ts';

/** A reader this far behind gets the newest sightings; older ones come again with the next query. */
const MAX_WAITING = 256;

/** Yields every node in sight, then each further sighting, until the reader stops or the signal aborts. */
export async function* sightingStream(
  discovery: Discovery,
  signal?: AbortSignal,
): AsyncGenerator<Sighting, void> {
  const waiting: Sighting[] = [];
  let wake = () => {};
  const onAbort = () => wake();
  const end = discovery.onSighting((sighting) => {
    waiting.push(sighting);
    if (waiting.length > MAX_WAITING) waiting.shift();
    wake();
  });
  signal?.addEventListener('abort', onAbort);
  try {
    while (signal?.aborted !== true) {
      const next = waiting.shift();
      if (next !== undefined) yield next;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  } finally {
    end();
    signal?.removeEventListener('abort', onAbort);
  }
}
