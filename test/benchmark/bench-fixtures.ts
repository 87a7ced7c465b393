/** Results of `meshcc bench` that were made up. */
import type { BenchResult, CompileSpeed, Measured, NodeResult } from '../../src/benchmark/index.ts';

function speed(linesPerSecond: number | undefined, atOnce: number): Measured<CompileSpeed> {
  if (linesPerSecond === undefined) return { notMeasured: 'it was lost' };
  const values = [linesPerSecond, linesPerSecond, linesPerSecond];
  const figure = { median: linesPerSecond, spread: 0.01, agrees: true, values };
  return { value: { linesPerSecond: figure, atOnce, state: undefined } };
}

/** A node that compiles so much with all its slots; undefined: it could not be measured. */
export function nodeResult(
  name: string,
  linesPerSecond: number | undefined,
  { isHere = false, slots = 2 } = {},
): NodeResult {
  return {
    nodeId: `id-of-${name}`,
    name,
    isHere,
    slots,
    oneCore: speed(linesPerSecond === undefined ? undefined : linesPerSecond / slots, 1),
    allSlots: speed(linesPerSecond, slots),
    machine: { notMeasured: 'jobs run there' },
  };
}

export function benchResult(nodes: readonly NodeResult[]): BenchResult {
  return {
    corpus: 1,
    isWhole: true,
    measuredAt: '2025-01-01T00:00:00.000Z',
    meshcc: '0.1.0',
    compiler: { name: 'gcc', version: '12.2.0', targetTriple: 'x86_64-linux-gnu' },
    nodes,
  };
}
