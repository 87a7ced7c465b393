/** Runs the parts of the micro-benchmark one after the other, each in rounds that measure everything of it once. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closurePart } from './closure.ts';
import { dictionaryPart } from './dictionary.ts';
import { dispatchPart } from './dispatch.ts';
import type { Part } from './part.ts';
import type { MeasuredPart } from './report.ts';
import { sandboxPart } from './sandbox.ts';
import { scannerPart } from './scanner.ts';
import { shimPart } from './shim.ts';
import { storePart } from './store.ts';
import { streamPart } from './stream.ts';

/** In the order in which a job meets them. */
export const PARTS: readonly Part[] = [
  shimPart,
  scannerPart,
  closurePart,
  dictionaryPart,
  dispatchPart,
  streamPart,
  storePart,
  sandboxPart,
];

/**
 * Measures one part. A first round is not counted: code is compiled and caches are filled in it.
 * @param scale of the usual work of a round
 */
export async function runPart(part: Part, rounds: number, scale: number): Promise<MeasuredPart> {
  const directory = mkdtempSync(join(tmpdir(), `meshcc-micro-${part.name}-`));
  try {
    const open = await part.open({ directory, scale });
    try {
      const values = open.series.map((): number[] => []);
      for (let round = 0; round <= rounds; round++) {
        for (const [index, { measure }] of open.series.entries()) {
          const value = await measure();
          if (round > 0) values[index]?.push(value);
        }
      }
      return {
        name: part.name,
        what: part.what,
        series: open.series.map(({ name, unit }, index) => ({ name, unit, values: values[index] ?? [] })),
        lines: open.lines,
        notes: open.notes,
      };
    } finally {
      await open.close();
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
