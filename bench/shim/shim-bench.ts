/** Programs that are called over and over, the shim's builds among them, and an agent that answers those at once. */
import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PACKAGE_ROOT } from '../../src/base/package-root.ts';
import {
  buildShim,
  encodeAccepted,
  encodeCommit,
  encodeOutputBegin,
  encodeOutputData,
  ShimFrameDecoder,
} from '../../src/shim/index.ts';

/** One program, called over and over. */
export interface Subject {
  readonly name: string;
  readonly callsPerRound: number;
  readonly command: readonly string[];
}

/** Milliseconds per call in one round. */
export interface Round {
  readonly userMs: number;
  readonly systemMs: number;
  readonly cpuMs: number;
  readonly wallMs: number;
}

const OBJECT = Buffer.alloc(40 * 1024, 7);
const OBJECTS_PER_DIRECTORY = 100;
/** Native programs of benchmarks. */
export const CACHE = join(PACKAGE_ROOT, 'dist', 'bench-cache');

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

/** Listens for shims, and answers each with an object. */
export async function startAgent(socketPath: string, outputDirectory: string): Promise<Server> {
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

/** @param driver bench/spawn-many.c, built. @throws Error if a call failed */
export async function measure(driver: string, subject: Subject, env: NodeJS.ProcessEnv): Promise<Round> {
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

/** The builds of the shim that this machine can make. */
export async function subjects(calls: number): Promise<Subject[]> {
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
