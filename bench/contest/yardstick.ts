/**
 * What a CPU second is worth: on shared, hyperthreaded or throttled processors it buys a varying amount of work.
 * One fixed compile, timed before, during and after a run, tells how much.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BenchError } from '../bench-error.ts';
import { type ListedCommand, runList } from '../run-list.ts';
import { plainEnvironment } from '../workloads/index.ts';
import { median } from './statistics.ts';

const FUNCTIONS = 30;
const FIRST_SAMPLE_MS = 1_000;
const PERIOD_MS = 6_000;

/** The CPU time that the yardstick took around and during a run, in milliseconds. */
export interface Calibration {
  readonly beforeMs: number;
  readonly duringMs: readonly number[];
  readonly afterMs: number;
}

/** Loops, branches and tables, the same every time: about a quarter of a second for GCC on a processor of 2020. */
function source(): string {
  const lines = ['static const int table[16] = {3,1,4,1,5,9,2,6,5,3,5,8,9,7,9,3};'];
  for (let index = 0; index < FUNCTIONS; index += 1) {
    lines.push(
      `int f${index}(int *a, int n) {`,
      `  int s = ${index};`,
      '  for (int i = 0; i < n; i++) {',
      `    switch ((a[i] + ${index}) & 7) {`,
      `      case 0: s += a[i] * ${index + 3}; break;`,
      '      case 1: s ^= table[s & 15]; break;',
      `      case 2: if (s > a[i]) s -= ${index}; else a[i] = s; break;`,
      '      case 3: a[i] = s << 1; break;',
      '      case 4: s = s / 3 + table[i & 15]; break;',
      '      default: s += i;',
      '    }',
      '  }',
      '  return s;',
      '}',
    );
  }
  return `${lines.join('\n')}\n`;
}

/** The compile that is timed. It runs outside the hosts' control groups. */
export class Yardstick {
  readonly #runner: string;
  readonly #command: ListedCommand;

  constructor(listRunner: string, directory: string) {
    this.#runner = listRunner;
    writeFileSync(join(directory, 'yardstick.c'), source());
    this.#command = {
      cwd: directory,
      argv: ['/usr/bin/gcc', '-O2', '-c', 'yardstick.c', '-o', 'yardstick.o'],
    };
  }

  /** CPU milliseconds of one compile. */
  async once(): Promise<number> {
    const options = { env: plainEnvironment(), stderr: 'ignore' } as const;
    const [cost] = await runList(this.#runner, [this.#command], 1, options);
    if (cost?.status !== 0)
      throw new BenchError(`the yardstick does not compile: ${this.#command.argv.join(' ')}`);
    return cost.cpuMs;
  }

  /** The best of three: what a CPU second buys when nothing but the load from outside disturbs. */
  async quiet(): Promise<number> {
    return Math.min(await this.once(), await this.once(), await this.once());
  }

  /** Takes samples until the run is over. */
  async during(run: Promise<unknown>): Promise<number[]> {
    const samples: number[] = [];
    const over = new AbortController();
    const end = run.then(
      () => over.abort(),
      () => over.abort(),
    );
    const pause = (ms: number): Promise<void> =>
      sleep(ms, undefined, { signal: over.signal }).catch(() => undefined);
    for (await pause(FIRST_SAMPLE_MS); !over.signal.aborted; await pause(PERIOD_MS)) {
      samples.push(await this.once());
    }
    await end;
    return samples;
  }
}

/** The one figure that a run is corrected with. A run too short for two samples goes by those around it. */
export function calibrationMs({ beforeMs, duringMs, afterMs }: Calibration): number {
  return duringMs.length >= 2 ? median(duringMs) : (beforeMs + afterMs) / 2;
}
