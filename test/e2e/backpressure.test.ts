/** Whoever sends waits for whoever is slow: memory does not grow with what is on its way. */
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { killQuietly, onProcessEnd } from '../support/process-end.ts';
import { unfinishedOutputs } from '../support/unfinished-outputs.ts';
import type {
  ReceiverMessage,
  SenderMessage,
  StartMessage,
  TransferPlan,
} from './support/backpressure-messages.ts';
import { writeFiles } from './support/file-tree.ts';
import { MemoryWatch } from './support/memory-watch.ts';
import { assertRemote } from './support/same-as-plain.ts';
import { TestMesh } from './support/test-mesh.ts';
import { pause, until, untilTrue } from './support/until.ts';

const MIB = 1024 ** 2;
const GROWTH_LIMIT_BYTES = 50 * MIB;

const PLAN: TransferPlan = { blobBytes: 16 * MIB, bytesPerSecond: 80 * MIB };
/** Lets both processes load and compile their code before memory is counted. */
const WARM_UP_BLOBS = 6;
/** Together 1 GiB. */
const BLOBS = 64;
const TRANSFER_LIMIT_MS = 300_000;

function start(program: string, args: readonly string[]): ChildProcess {
  const child = fork(fileURLToPath(new URL(`./support/${program}.js`, import.meta.url)), [...args]);
  const pid = child.pid ?? 0;
  const forget = onProcessEnd(() => {
    if (child.exitCode === null && child.signalCode === null) killQuietly(pid);
  });
  child.once('exit', forget);
  return child;
}

function message<T extends { kind: string }>(
  child: ChildProcess,
  kind: T['kind'],
  limitMs: number,
): Promise<T> {
  let found: T | undefined;
  child.on('message', (received: T) => {
    if (received.kind === kind) found = received;
  });
  return until(`the message ${kind}`, limitMs, () => {
    if (child.exitCode !== null) throw new Error(`the child process has ended with ${child.exitCode}`);
    return found;
  });
}

/** Has so many further blobs sent. @returns what has arrived altogether, in bytes */
async function transfer(receiver: ChildProcess, blobs: number): Promise<number> {
  const done = message<ReceiverMessage & { kind: 'done' }>(receiver, 'done', TRANSFER_LIMIT_MS);
  receiver.send({ kind: 'start', blobs } satisfies StartMessage);
  return (await done).receivedBytes;
}

test('a submitter that sends 1 GiB to a slow worker does not grow', async (context) => {
  const directory = mkdtempSync(join(tmpdir(), 'mc-e2e-'));
  const file = join(directory, 'content');
  const descriptor = openSync(file, 'w');
  ftruncateSync(descriptor, PLAN.blobBytes);
  closeSync(descriptor);
  const receiver = start('slow-receiver', [JSON.stringify(PLAN)]);
  let sender: ChildProcess | undefined;
  try {
    const { port } = await message<ReceiverMessage & { kind: 'listening' }>(receiver, 'listening', 20_000);
    sender = start('blob-sender', [String(port), file]);
    await message<SenderMessage>(sender, 'connected', 20_000);
    await transfer(receiver, WARM_UP_BLOBS);
    const sending = new MemoryWatch(sender.pid ?? 0);
    const receiving = new MemoryWatch(receiver.pid ?? 0);
    assert.ok(sending.startBytes > 0 && receiving.startBytes > 0);
    const receivedBytes = await transfer(receiver, BLOBS);
    const grownBytes = { sender: sending.stop(), receiver: receiving.stop() };
    context.diagnostic(`grown, in bytes: ${JSON.stringify(grownBytes)}`);
    assert.equal(receivedBytes, (WARM_UP_BLOBS + BLOBS) * PLAN.blobBytes);
    assert.ok(grownBytes.sender <= GROWTH_LIMIT_BYTES, `the sender grew by ${grownBytes.sender} bytes`);
    assert.ok(grownBytes.receiver <= GROWTH_LIMIT_BYTES, `the receiver grew by ${grownBytes.receiver} bytes`);
  } finally {
    sender?.kill('SIGKILL');
    receiver.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  }
});

const OBJECT_BYTES = 200 * MIB;
const WARM_UP_OBJECT_BYTES = 48 * MIB;
const HELD_MS = 3_000;

test('a large object for a shim that does not read makes neither worker nor submitter grow', async (context) => {
  const mesh = await TestMesh.start();
  try {
    writeFiles(mesh.work, {
      'warm-up.c': `char large[${WARM_UP_OBJECT_BYTES}] = {1, 2, 3};\n`,
      'large.c': `char large[${OBJECT_BYTES}] = {1, 2, 3};\n`,
    });
    // Compilers, connections and trees are set up, and code is compiled, by a first job.
    assertRemote((await mesh.compile(['-c', 'warm-up.c'])).job);
    const agents = [mesh.laptop, ...mesh.boards];
    const watches = agents.map(({ pid }) => new MemoryWatch(pid));
    for (const { startBytes } of watches) assert.ok(startBytes > 0);
    const build = mesh.begin(['gcc', '-c', 'large.c', '-o', 'large.o'], { timeoutMs: 300_000 });
    const writtenBytes = (): number =>
      unfinishedOutputs(build.pid, mesh.work).reduce((sum, sizeBytes) => sum + sizeBytes, 0);
    await untilTrue('the shim has begun to write', 60_000, () => writtenBytes() > 0);
    process.kill(build.pid, 'SIGSTOP');
    await pause(HELD_MS);
    assert.ok(writtenBytes() < OBJECT_BYTES, 'the shim was too fast for this test');
    process.kill(build.pid, 'SIGCONT');
    const ended = await build.ended;
    assert.equal(ended.status, 0, ended.stderr.toString('utf8'));
    for (const [index, watch] of watches.entries()) {
      const grownBytes = watch.stop();
      context.diagnostic(`${agents[index]?.name} has grown by ${grownBytes} bytes`);
      assert.ok(grownBytes <= GROWTH_LIMIT_BYTES, `${agents[index]?.name} grew by ${grownBytes} bytes`);
    }
    for (const job of await mesh.laptop.jobs(build.buildId)) assertRemote(job);
    const meshed = readFileSync(join(mesh.work, 'large.o'));
    assert.equal((await mesh.plain(['gcc', '-c', 'large.c', '-o', 'large.o'])).status, 0);
    assert.ok(meshed.equals(readFileSync(join(mesh.work, 'large.o'))));
  } finally {
    await mesh.close();
  }
});
