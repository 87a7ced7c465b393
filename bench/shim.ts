/**
 * What one call of the gcc shim costs: CPU time of the shim itself, start included, for a result of 40 KB,
 * beside the cheapest program there is and beside Node.
 * Usage: node dist/bench/shim.js [calls]
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
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

interface Row {
  readonly name: string;
  readonly calls: number;
  readonly userMs: number;
  readonly systemMs: number;
  readonly cpuMs: number;
  readonly wallMs: number;
}

const OBJECT = Buffer.alloc(40 * 1024, 7);
const CACHE = join(PACKAGE_ROOT, 'dist', 'bench-cache');

/** An agent that answers every call with the same object. */
async function startAgent(socketPath: string, outputDirectory: string): Promise<Server> {
  const output = {
    index: 0,
    sizeBytes: OBJECT.length,
    finalPath: join(outputDirectory, 'a.o'),
    temporaryPath: join(outputDirectory, '.a.o.tmp'),
  };
  const frames = [encodeAccepted(), encodeOutputBegin(output), encodeOutputData(0, OBJECT), encodeCommit(0)];
  const reply = Buffer.concat(frames);
  const server = createServer((socket) => {
    const decoder = new ShimFrameDecoder();
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      if (decoder.push(chunk).some((frame) => frame.name === 'REQUEST')) socket.write(reply);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(socketPath, resolve);
  });
  return server;
}

async function measure(
  driver: string,
  name: string,
  calls: number,
  command: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<Row> {
  const { stdout } = await promisify(execFile)(driver, [String(calls), ...command], { env });
  const [userUs = 0, systemUs = 0, wallUs = 0, failures = 0] = stdout.trim().split(' ').map(Number);
  if (failures > 0) throw new Error(`${name}: ${failures} of ${calls} calls failed`);
  const perCallMs = (us: number) => us / calls / 1000;
  return {
    name,
    calls,
    userMs: perCallMs(userUs),
    systemMs: perCallMs(systemUs),
    cpuMs: perCallMs(userUs + systemUs),
    wallMs: perCallMs(wallUs),
  };
}

function print(rows: readonly Row[]): void {
  console.log(
    `${'program'.padEnd(34)} ${'calls'.padStart(6)} ${'user'.padStart(8)} ${'system'.padStart(8)} ${'CPU'.padStart(8)} ${'wall'.padStart(8)}  ms per call`,
  );
  for (const row of rows) {
    const numbers = [row.userMs, row.systemMs, row.cpuMs, row.wallMs].map((ms) => ms.toFixed(3).padStart(8));
    console.log(`${row.name.padEnd(34)} ${String(row.calls).padStart(6)} ${numbers.join(' ')}`);
  }
  console.log(JSON.stringify({ bench: 'shim', node: process.version, rows }));
}

async function main(): Promise<void> {
  const calls = Number(process.argv[2] ?? 2000);
  const root = mkdtempSync(join(tmpdir(), 'meshcc-bench-'));
  const socketPath = join(root, 'agent.sock');
  const server = await startAgent(socketPath, root);
  try {
    const shim = await buildShim(CACHE);
    const driver = await buildNativeProgram({ name: 'spawn-many', source: 'bench/spawn-many.c' }, CACHE);
    const env = { ...process.env, MESHCC_SOCKET: socketPath };
    const compile = [shim, '/usr/bin/gcc', '-O2', '-g', '-Iinclude', '-DKBUILD', '-c', 'a.c', '-o', 'a.o'];
    const rows = [
      await measure(driver, '/bin/true', calls, ['/bin/true'], process.env),
      await measure(driver, 'shim, object of 40 KB', calls, compile, env),
      await measure(driver, 'shim, becomes /bin/true at once', calls, [shim, '/bin/true'], process.env),
      await measure(driver, 'node -e 0', Math.ceil(calls / 50), [process.execPath, '-e', '0'], process.env),
    ];
    print(rows);
  } finally {
    server.close();
    rmSync(root, { recursive: true, force: true });
  }
}

await main();
