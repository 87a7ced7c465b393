/**
 * What one call of the gcc shim costs: CPU time of the shim itself, start included, for a result of 40 KB, of each
 * of its builds, beside the cheapest program there is and beside Node. The programs take turns, round after round,
 * so that whatever else the machine does meets all of them.
 * Objects go to TMPDIR; one in memory leaves out what the file system costs, which a compiler pays as well.
 * Usage: node dist/bench/shim.js [calls per round] [rounds]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildNativeProgram } from '../src/base/native-program.ts';
import { CACHE, measure, type Round, type Subject, startAgent, subjects } from './shim/shim-bench.ts';

/** The round that is in the middle by CPU time. */
function median(sorted: readonly Round[]): Round {
  const round = sorted[sorted.length >> 1];
  if (round === undefined) throw new Error('a program was measured in no round');
  return round;
}

function print(results: ReadonlyMap<Subject, readonly Round[]>): void {
  const heads = ['CPU min', 'median', 'user', 'system', 'wall'].map((head) => head.padStart(8));
  console.log(`${'program'.padEnd(40)} ${heads.join(' ')}  ms per call`);
  for (const [subject, rounds] of results) {
    const sorted = [...rounds].sort((left, right) => left.cpuMs - right.cpuMs);
    const { cpuMs, userMs, systemMs, wallMs } = median(sorted);
    const numbers = [sorted[0]?.cpuMs ?? cpuMs, cpuMs, userMs, systemMs, wallMs];
    console.log(`${subject.name.padEnd(40)} ${numbers.map((ms) => ms.toFixed(3).padStart(8)).join(' ')}`);
  }
  const rows = [...results].map(([{ name, callsPerRound }, rounds]) => ({ name, callsPerRound, rounds }));
  console.log(JSON.stringify({ bench: 'shim', node: process.version, rows }));
}

async function main(): Promise<void> {
  const [calls = 1000, rounds = 7] = process.argv.slice(2).map(Number);
  const root = mkdtempSync(join(tmpdir(), 'meshcc-bench-'));
  const objects = join(root, 'objects');
  const socketPath = join(root, 'agent.sock');
  const server = await startAgent(socketPath, objects);
  try {
    const driver = await buildNativeProgram({ name: 'spawn-many', source: 'bench/spawn-many.c' }, CACHE);
    const results = new Map((await subjects(calls)).map((subject) => [subject, [] as Round[]]));
    for (let round = 0; round < rounds; round++) {
      for (const [subject, measured] of results) {
        measured.push(await measure(driver, subject, { ...process.env, MESHCC_SOCKET: socketPath }));
      }
    }
    print(results);
  } finally {
    server.close();
    rmSync(root, { recursive: true, force: true });
  }
}

await main();
