/** The content store against a real directory: bound, order, pins, restart, damage, full disk. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { type Digest, digestOf } from '../../src/base/digest.ts';
import { MeshError } from '../../src/base/errors.ts';
import { type BlobStore, openBlobStore } from '../../src/store/index.ts';

interface LoggedLine {
  readonly level: string;
  readonly message: string;
}

function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'meshcc-store-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function open(directory: string, maxBytes = 1_000_000, lines: LoggedLine[] = []): Promise<BlobStore> {
  const note = (level: string) => (_fields: object, message: string) => lines.push({ level, message });
  return openBlobStore({ directory, maxBytes, log: { info: note('info'), warn: note('warn') } });
}

function blob(letter: string, sizeBytes: number): { bytes: Buffer; digest: Digest } {
  const bytes = Buffer.alloc(sizeBytes, letter);
  return { bytes, digest: digestOf(bytes) };
}

async function put(store: BlobStore, letter: string, sizeBytes: number): Promise<Digest> {
  const { bytes, digest } = blob(letter, sizeBytes);
  await store.put(digest, bytes);
  return digest;
}

function isStoreError(pattern: RegExp): (error: unknown) => boolean {
  return (error) =>
    error instanceof MeshError && error.code === 'MESHCC_STORE' && pattern.test(error.message);
}

function temporaries(directory: string): string[] {
  return readdirSync(join(directory, 'temporary'));
}

test('a blob that was put comes back, read-only, at the documented place', async (t) => {
  const directory = scratch(t);
  const store = await open(directory);
  const { bytes, digest } = blob('a', 1000);
  const other = blob('b', 10).digest;
  assert.deepEqual(store.missing([digest, other, digest]), [digest, other]);
  await store.put(digest, bytes);
  assert.deepEqual(store.missing([digest, other]), [other]);
  assert.equal(store.path(digest), join(directory, 'blobs', digest.slice(0, 2), digest.slice(2)));
  assert.equal(statSync(store.path(digest)).mode & 0o777, 0o444 & ~process.umask());
  assert.deepEqual(await store.read(digest), bytes);
  assert.equal(store.sizeBytes(digest), 1000);
  assert.deepEqual(temporaries(directory), []);
});

test('an empty blob is a blob', async (t) => {
  const store = await open(scratch(t));
  const digest = await put(store, 'a', 0);
  assert.deepEqual(await store.read(digest), Buffer.alloc(0));
});

for (const sizeBytes of [300, 900_000]) {
  test(`${sizeBytes} bytes in pieces: stored if right, nothing stored if wrong, long, short or aborted`, async (t) => {
    const directory = scratch(t);
    const store = await open(directory);
    const { bytes, digest } = blob('a', sizeBytes);
    const send = async (announcedBytes: number, wanted: Digest, pieces: Buffer[]): Promise<void> => {
      const writer = store.startWrite(wanted, announcedBytes);
      for (const piece of pieces) await writer.write(piece);
      await writer.finish();
    };
    const pieces = [bytes.subarray(0, 100), bytes.subarray(100, 101), bytes.subarray(101)];
    const wrong = blob('b', sizeBytes).digest;
    await assert.rejects(send(sizeBytes, wrong, pieces), isStoreError(new RegExp(`digest ${digest}`)));
    await assert.rejects(send(sizeBytes - 1, digest, pieces), isStoreError(/longer than the announced/));
    await assert.rejects(send(sizeBytes + 1, digest, pieces), isStoreError(/bytes came/));
    const aborted = store.startWrite(digest, sizeBytes);
    await aborted.write(bytes);
    await aborted.abort();
    await assert.rejects(aborted.finish(), isStoreError(/already ended/));
    assert.deepEqual(store.missing([digest, wrong]), [digest, wrong]);
    assert.deepEqual(temporaries(directory), []);
    assert.equal(store.stats().reservedBytes, 0);

    await send(sizeBytes, digest, pieces);
    assert.deepEqual(await store.read(digest), bytes);
    assert.equal(store.stats().sizeBytes, sizeBytes);
    assert.equal(store.stats().reservedBytes, 0);
  });

  test(`several writers of the same ${sizeBytes} bytes at once all succeed`, async (t) => {
    const directory = scratch(t);
    const store = await open(directory, 10_000_000);
    const { bytes, digest } = blob('a', sizeBytes);
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        const writer = store.startWrite(digest, sizeBytes);
        await writer.write(bytes);
        await writer.finish();
      }),
    );
    assert.equal(store.stats().blobs, 1);
    assert.equal(store.stats().sizeBytes, sizeBytes);
    assert.deepEqual(await store.read(digest), bytes);
    assert.deepEqual(temporaries(directory), []);
  });
}

test('the least recently used blob goes when the bound is reached, and its file goes too', async (t) => {
  const store = await open(scratch(t), 1000);
  const [a, b, c] = [await put(store, 'a', 400), await put(store, 'b', 400), blob('c', 400)];
  store.touch([a]);
  await store.put(c.digest, c.bytes);
  assert.deepEqual(store.missing([a, b, c.digest]), [b]);
  assert.equal(store.stats().sizeBytes, 800);
  assert.equal(store.stats().evictedBlobs, 1);
  await store.close();
  assert.equal(existsSync(store.path(b)), false);
  assert.equal(existsSync(store.path(a)), true);
});

test('a blob that comes back while its deletion is pending stays', async (t) => {
  const store = await open(scratch(t), 1000);
  const a = blob('a', 600);
  for (let round = 0; round < 20; round++) {
    await store.put(a.digest, a.bytes);
    await put(store, String(round), 600);
  }
  await store.put(a.digest, a.bytes);
  await store.close();
  assert.deepEqual(readFileSync(store.path(a.digest)), a.bytes);
});

test('a blob over the whole bound is refused before a byte is taken', async (t) => {
  const store = await open(scratch(t), 1000);
  assert.throws(() => store.startWrite(blob('a', 1).digest, 1001), isStoreError(/1001 bytes.*1000/));
  assert.throws(() => store.startWrite(blob('a', 1).digest, -1), isStoreError(/not a size/));
});

test('pinned blobs outlive the bound; the bound holds again when they are released', async (t) => {
  const store = await open(scratch(t), 1000);
  const late = blob('d', 400);
  const [a, b] = [await put(store, 'a', 400), await put(store, 'b', 400)];
  const release = store.pin([a, b, late.digest]);
  const releaseAgain = store.pin([a]);
  const c = await put(store, 'c', 300);
  assert.deepEqual(store.missing([a, b, c]), [c], 'there is no room for c beside what is pinned');
  await store.put(late.digest, late.bytes);
  assert.equal(store.stats().pinnedBytes, 1200, 'a blob pinned before it came is pinned');
  release();
  release();
  assert.deepEqual(store.missing([a, b, late.digest]), [b]);
  assert.equal(store.stats().sizeBytes, 800);
  assert.equal(store.stats().pinnedBlobs, 1, 'the second pin of a still holds');
  releaseAgain();
  await put(store, 'e', 900);
  assert.deepEqual(store.missing([a, late.digest]), [a, late.digest]);
});

test('after a restart the blobs are there, in the order of their use', async (t) => {
  const directory = scratch(t);
  const first = await open(directory);
  const [a, b, c] = [await put(first, 'a', 400), await put(first, 'b', 400), await put(first, 'c', 400)];
  await first.close();
  // What is written within one tick of the filesystem's clock has the same age.
  for (const [digest, timeS] of [
    [a, 1000],
    [b, 2000],
    [c, 3000],
  ] as const) {
    utimesSync(first.path(digest), timeS, timeS);
  }
  const second = await open(directory);
  second.touch([a]);
  await second.close();
  const third = await open(directory, 1000);
  assert.deepEqual(third.missing([a, b, c]), [b]);
  assert.equal(third.stats().sizeBytes, 800);
  await third.close();
  const fourth = await open(directory, 500);
  assert.deepEqual(fourth.missing([a, c]), [c]);
});

test('opening clears half-written files and files that are no blobs, and keeps directories and blobs', async (t) => {
  const directory = scratch(t);
  const first = await open(directory);
  const a = await put(first, 'a', 400);
  await first.close();
  const fanOut = join(directory, 'blobs', a.slice(0, 2));
  const foreign = [join(directory, 'blobs', 'x'), join(fanOut, 'short'), join(fanOut, `${a.slice(2)}.tmp`)];
  for (const path of [...foreign, join(directory, 'temporary', '1-1')]) writeFileSync(path, 'half');
  mkdirSync(join(directory, 'blobs', 'a-directory'));
  const lines: LoggedLine[] = [];
  const second = await open(directory, 1_000_000, lines);
  assert.deepEqual(foreign.filter(existsSync), []);
  assert.deepEqual(temporaries(directory), []);
  assert.equal(existsSync(join(directory, 'blobs', 'a-directory')), true);
  assert.equal(lines.filter((line) => line.level === 'warn').length, 4);
  assert.deepEqual(second.missing([a]), []);
  assert.equal(second.stats().blobs, 1);
});

test("a stranger's directory called blobs is not taken for a store", async (t) => {
  const directory = scratch(t);
  mkdirSync(join(directory, 'blobs'));
  const precious = join(directory, 'blobs', 'precious');
  writeFileSync(precious, 'x');
  await assert.rejects(open(directory), isStoreError(/Choose another directory/));
  assert.equal(existsSync(precious), true);
});

test('materialise copies content, time and mode, and replaces what is there', async (t) => {
  const directory = scratch(t);
  const store = await open(join(directory, 'store'));
  const digest = await put(store, 'a', 400);
  const target = join(directory, 'target.h');
  writeFileSync(target, 'old', { mode: 0o400 });
  const mtimeMs = Date.UTC(2020, 1, 2, 3, 4, 5, 678);
  assert.equal(await store.materialise(digest, target, { mtimeMs, mode: 0o555 }), 'done');
  const stat = statSync(target);
  assert.deepEqual([readFileSync(target, 'latin1'), stat.mode & 0o7777], ['a'.repeat(400), 0o555]);
  assert.equal(Math.round(stat.mtimeMs), mtimeMs);
  assert.deepEqual(readdirSync(directory).sort(), ['store', 'target.h']);
  const absent = blob('b', 1).digest;
  assert.equal(await store.materialise(absent, target, { mtimeMs, mode: 0o444 }), 'missing');
  await assert.rejects(
    store.materialise(digest, join(directory, 'no/such/target'), { mtimeMs, mode: 0o444 }),
    isStoreError(/Check that its directory exists/),
  );
  rmSync(store.path(digest));
  assert.equal(await store.materialise(digest, target, { mtimeMs, mode: 0o444 }), 'missing');
  assert.equal(store.has(digest), false);
});

test('a byte that flipped on disk is found at the first use after a restart', async (t) => {
  const directory = scratch(t);
  const first = await open(directory);
  const digests = [await put(first, 'a', 400), await put(first, 'b', 400), await put(first, 'c', 400_000)];
  await first.close();
  const [a, b, c] = digests as [Digest, Digest, Digest];
  for (const digest of [a, c]) {
    const bytes = readFileSync(first.path(digest));
    bytes[200] = 0;
    rmSync(first.path(digest));
    writeFileSync(first.path(digest), bytes);
  }
  const lines: LoggedLine[] = [];
  const second = await open(directory, 1_000_000, lines);
  const target = join(directory, 'target');
  const options = { mtimeMs: 0, mode: 0o444 };
  const outcomes = await Promise.all(
    [a, b, a].map((digest, n) => second.materialise(digest, target + n, options)),
  );
  assert.deepEqual(outcomes.slice(0, 2), ['corrupt', 'done']);
  assert.notEqual(outcomes[2], 'done');
  assert.equal(existsSync(`${target}0`), false);
  assert.equal(await second.read(c), undefined);
  assert.deepEqual(second.missing(digests), [a, c]);
  assert.equal(second.stats().corruptBlobs, 2);
  assert.equal(lines.filter((line) => /did not have its digest/.test(line.message)).length, 2);
  await put(second, 'a', 400);
  assert.equal(await second.materialise(a, target, options), 'done');
});

test('a full disk is an error that leaves no file behind, and the store works on', async (t) => {
  const directory = scratch(t);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'meshcc-test', directory], { stdio: 'pipe' });
  } catch {
    t.skip('a small filesystem can be mounted by root only');
    return;
  }
  try {
    const store = await open(directory, 10_000_000);
    for (const sizeBytes of [250_000, 900_000]) {
      const filler = blob('f', 300_000);
      writeFileSync(join(directory, 'filler'), filler.bytes);
      const { bytes, digest } = blob('a', sizeBytes);
      const writer = store.startWrite(digest, sizeBytes);
      await assert.rejects(
        async () => {
          for (let at = 0; at < sizeBytes; at += 100_000)
            await writer.write(bytes.subarray(at, at + 100_000));
          await writer.finish();
        },
        isStoreError(/ENOSPC.*Free some disk space/),
      );
      assert.deepEqual(temporaries(directory), []);
      assert.deepEqual([store.has(digest), store.stats().reservedBytes], [false, 0]);
      rmSync(join(directory, 'filler'));
      const small = await put(store, String(sizeBytes), 1000);
      assert.equal((await store.read(small))?.length, 1000);
    }
    await store.close();
  } finally {
    execFileSync('umount', [directory]);
  }
});

test('blobs are usable while the listing still goes on, and old ones are older than new ones', async (t) => {
  const directory = scratch(t);
  const first = await open(directory);
  const old = await Promise.all(['a', 'b', 'c', 'd'].map((letter) => put(first, letter, 200)));
  await first.close();
  const quiet = { info: () => {}, warn: () => {} };
  const second = await openBlobStore({ directory, maxBytes: 900, log: quiet, listingWaitMs: 0 });
  const fresh = await put(second, 'e', 300);
  await second.listed;
  assert.equal(second.has(fresh), true);
  assert.equal(second.missing(old).length, 1);
  assert.equal(second.stats().sizeBytes, 900);
});

test('a store that another thread was killed in the middle of writing to opens clean', async (t) => {
  const directory = scratch(t);
  const first = await open(directory, 50_000_000);
  await first.close();
  const module = JSON.stringify(new URL('../../src/store/index.js', import.meta.url).href);
  const worker = new Worker(
    `const { createHash } = require('node:crypto');
     const { parentPort } = require('node:worker_threads');
     import(${module}).then(async ({ openBlobStore }) => {
       const log = { info() {}, warn() {} };
       const store = await openBlobStore({ directory: ${JSON.stringify(directory)}, maxBytes: 50_000_000, log });
       for (let n = 0; ; n++) {
         const bytes = Buffer.alloc(300_000 + n, n);
         await store.put(createHash('sha256').update(bytes).digest('hex'), bytes);
         if (n === 5) parentPort.postMessage('busy');
       }
     });`,
    { eval: true },
  );
  await once(worker, 'message');
  await worker.terminate();
  const second = await open(directory, 50_000_000);
  assert.deepEqual(temporaries(directory), []);
  assert.ok(second.stats().blobs >= 6);
});
