/** What a machine is good for apart from compiling: the clock of its cores, and how long memory of some size takes. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { buildNativeProgram } from '../base/native-program.ts';

/** Time of one load that needs the one before, in a walk through so many bytes in random order. */
export interface Latency {
  readonly sizeBytes: number;
  readonly ns: number;
}

/** A data cache of a core, or shared by several. */
export interface Cache {
  readonly level: number;
  readonly sizeBytes: number;
}

/** A property that is missing is one that the machine does not tell. */
export interface MachineFigures {
  /** Those that the agent may use. */
  readonly processors: number;
  /** Of one core while the others rest, by counting dependent additions. */
  readonly clockMhz: number;
  /** Of one core while all are busy. */
  readonly busyClockMhz: number;
  readonly latencies: readonly Latency[];
  /** As the kernel says; empty: it does not. */
  readonly caches: readonly Cache[];
}

/** Latency of each level. Missing: the kernel does not tell the size of that cache, or it was not walked out of. */
export interface MemoryLatencies {
  readonly l1Ns?: number;
  readonly l2Ns?: number;
  readonly l3Ns?: number;
  readonly dramNs?: number;
}

/** The program ends itself after 15 s of CPU or 50 s (its alarms). */
const TIMEOUT_MS = 55_000;
const MIB = 1024 * 1024;
/** More than all but the largest last caches; and no board shall swap for it. */
const MOST_WALKED_BYTES = 128 * MIB;
const MOST_OF_MEMORY = 1 / 16;

/** A walk is in DRAM when it is this many times the last cache. */
const BEYOND_CACHE = 4;
/** Without a word of the kernel on caches, a walk of this size is taken for DRAM. */
const SURELY_DRAM_BYTES = 64 * MIB;

/**
 * Builds the program that measures unless it is there already.
 * @throws MeshError MESHCC_NATIVE_BUILD if no C compiler of this machine can build it
 */
export function buildMachineProgram(cacheDirectory: string): Promise<string> {
  return buildNativeProgram(
    { name: 'meshcc-machine', source: 'src/benchmark/meshcc-machine.c', statusWithoutArguments: 2 },
    cacheDirectory,
  );
}

/**
 * Measures this machine, some seconds long, with all cores for half a second of that.
 * @param program as {@link buildMachineProgram} made it
 * @throws Error if the program fails or says something that cannot be read
 */
export async function measureMachine(program: string, signal: AbortSignal): Promise<MachineFigures> {
  const limitBytes = Math.min(MOST_WALKED_BYTES, totalmem() * MOST_OF_MEMORY);
  const walkedBytes = 2 ** Math.floor(Math.log2(limitBytes));
  const output = await new Promise<string>((resolve, reject) => {
    const options = { timeout: TIMEOUT_MS, killSignal: 'SIGKILL' as const, signal };
    execFile(program, ['measure', String(walkedBytes)], options, (error, stdout) => {
      if (error === null) resolve(stdout);
      else reject(error);
    });
  });
  return { ...parseFigures(output), caches: readCaches() };
}

/** Reads what the program printed. @throws Error if something is missing */
export function parseFigures(output: string): Omit<MachineFigures, 'caches'> {
  const rows = output.split('\n').map((line) => line.split(' '));
  const single = (name: string): number => {
    const value = Number(rows.find(([first]) => first === name)?.[1]);
    if (Number.isFinite(value) && value > 0) return value;
    throw new Error(`the measuring program did not say its ${name}: ${JSON.stringify(output.slice(0, 200))}`);
  };
  const latencies = rows
    .filter(([first]) => first === 'latency')
    .map(([, size, ns]) => ({ sizeBytes: Number(size), ns: Number(ns) }));
  return {
    processors: single('processors'),
    clockMhz: single('clock_mhz'),
    busyClockMhz: single('busy_clock_mhz'),
    latencies,
  };
}

const CACHE_SIZE = /^(\d{1,9})([KM]?)$/;

/** The data caches of the first processor, as the kernel says. @param root where sysfs is mounted */
export function readCaches(root = '/sys'): Cache[] {
  const directory = join(root, 'devices/system/cpu/cpu0/cache');
  try {
    const caches = readdirSync(directory)
      .filter((name) => /^index\d+$/.test(name))
      .map((name) => {
        const read = (file: string): string => readFileSync(join(directory, name, file), 'utf8').trim();
        const [, count = '', unit = ''] = CACHE_SIZE.exec(read('size')) ?? [];
        const factor = unit === 'M' ? MIB : unit === 'K' ? 1024 : 1;
        return { level: Number(read('level')), sizeBytes: Number(count) * factor, type: read('type') };
      });
    return caches
      .filter(({ type, sizeBytes }) => type !== 'Instruction' && sizeBytes > 0)
      .map(({ level, sizeBytes }) => ({ level, sizeBytes }))
      .sort((a, b) => a.level - b.level);
  } catch {
    return [];
  }
}

/** The latency of each cache: that of the largest walk which fits into half of it, and not into the one before. */
export function memoryLatencies({ latencies, caches }: MachineFigures): MemoryLatencies {
  const within = (level: number): number | undefined => {
    const cache = caches.find((each) => each.level === level);
    if (cache === undefined) return undefined;
    const before = Math.max(
      0,
      ...caches.filter((each) => each.level < level).map(({ sizeBytes }) => sizeBytes),
    );
    return latencies.filter(({ sizeBytes }) => sizeBytes > before && sizeBytes <= cache.sizeBytes / 2).at(-1)
      ?.ns;
  };
  const last = caches.at(-1)?.sizeBytes;
  const beyond = last === undefined ? SURELY_DRAM_BYTES : BEYOND_CACHE * last;
  const dramNs = latencies.find(({ sizeBytes }) => sizeBytes >= beyond)?.ns;
  const [l1Ns, l2Ns, l3Ns] = [within(1), within(2), within(3)];
  return {
    ...(l1Ns === undefined ? {} : { l1Ns }),
    ...(l2Ns === undefined ? {} : { l2Ns }),
    ...(l3Ns === undefined ? {} : { l3Ns }),
    ...(dramNs === undefined ? {} : { dramNs }),
  };
}
