/**
 * What one call of the gcc shim costs: CPU time of the shim itself, start included, for a result of 40 KB, of each
 * of its builds, beside the cheapest program there is and beside Node. The programs take turns, round after round,
 * so that whatever else the machine does meets all of them.
 * Objects go to TMPDIR; one in memory leaves out what the file system costs, which a compiler pays as well.
 * Usage: node dist/bench/shim.js [calls per round] [rounds]
 */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildNativeProgram } from '../src/base/native-program.ts';
import { PACKAGE_ROOT } from '../src/base/package-root.ts';
import {
  buildShim,
  encodeAccepted,
  encodeCommit,
  encodeOutputBegin,
  encodeOutputData,
  ShimFrameDecoder,
} from '../src/shim/index.ts';

/** One program, called over and over. */
interface Subject {
  readonly name: string;
  readonly callsPerRound: number;
  readonly command: readonly string[];
}

/** Milliseconds per call in one round. */
interface Round {
  readonly userMs: number;
  readonly systemMs: number;
  readonly cpuMs: number;
  readonly wallMs: number;
}

const OBJECT = Buffer.alloc(40 * 1024, 7);
const OBJECTS_PER_DIRECTORY = 100;
const CACHE = join(PACKAGE_ROOT, 'dist', 'bench-cache');

/**
 * The answer to one call. Each object has a path of its own and stays to the end: on ext4, to replace a file starts
 * to write it to the disk, and to delete many makes the next ones dear.
 */
function answer(outputDirectory: string, call: number): Buffer {
  const directory = join(outputDirectory, String(Math.floor(call / OBJECTS_PER_DIRECTORY)));
  if (call % OBJECTS_PER_DIRECTORY === 0) mkdirSync(directory, { recursive: true });
  const output = {
    index: 0,
    sizeBytes: OBJECT.length,
    finalPath: join(directory, `${call}.o`),
    temporaryPath: join(directory, `.${call}.o.tmp`),
  };
  const frames = [encodeAccepted(), encodeOutputBegin(output), encodeOutputData(0, OBJECT), encodeCommit(0)];
  return Buffer.concat(frames);
}

async function startAgent(socketPath: string, outputDirectory: string): Promise<Server> {
  let calls = 0;
  const server = createServer((socket) => {
    const decoder = new ShimFrameDecoder();
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      const isRequest = decoder.push(chunk).some((frame) => frame.name === 'REQUEST');
      if (isRequest) socket.write(answer(outputDirectory, calls++));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(socketPath, resolve);
  });
  return server;
}

async function measure(driver: string, subject: Subject, env: NodeJS.ProcessEnv): Promise<Round> {
  const args = [String(subject.callsPerRound), ...subject.command];
  const { stdout } = await promisify(execFile)(driver, args, { env });
  const [userUs = 0, systemUs = 0, wallUs = 0, failures = 0] = stdout.trim().split(' ').map(Number);
  if (failures > 0) throw new Error(`${subject.name}: ${failures} of ${subject.callsPerRound} calls failed`);
  const perCallMs = (us: number) => us / subject.callsPerRound / 1000;
  return {
    userMs: perCallMs(userUs),
    systemMs: perCallMs(systemUs),
    cpuMs: perCallMs(userUs + systemUs),
    wallMs: perCallMs(wallUs),
  };
}

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

/** The builds of the shim that this machine can make. */
async function subjects(calls: number): Promise<Subject[]> {
  const compile = ['/usr/bin/gcc', '-O2', '-g', '-Iinclude', '-DKBUILD', '-c', 'a.c', '-o', 'a.o'];
  const all: Subject[] = [{ name: '/bin/true', callsPerRound: calls, command: ['/bin/true'] }];
  for (const build of ['freestanding', 'static'] as const) {
    const shim = await buildShim(CACHE, [build]).catch(() => undefined);
    if (shim === undefined) console.error(`the ${build} build cannot be made here`);
    else
      all.push(
        { name: `shim, ${build}, object of 40 KB`, callsPerRound: calls, command: [shim, ...compile] },
        { name: `shim, ${build}, becomes /bin/true`, callsPerRound: calls, command: [shim, '/bin/true'] },
      );
  }
  const node = [process.execPath, '-e', '0'];
  return [...all, { name: 'node -e 0', callsPerRound: Math.ceil(calls / 100), command: node }];
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
