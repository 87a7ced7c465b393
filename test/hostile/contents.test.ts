/** Lies about the contents of files: what is stored is what its digest says, and nobody else's content suffers. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { digestOf, digestToBytes } from '../../src/base/digest.ts';
import { agentPaths } from '../../src/base/paths.ts';
import { until } from '../mesh/transport-peers.ts';
import { file } from '../worker/raw-submitter.ts';
import { type Arena, type Cases, openArena, runCases } from './arena.ts';
import { type Liar, outcome } from './liar.ts';

/** A source whose content is asked for and does not come by itself; no two have the same. */
function unsent(liar: Liar): { text: string; jobId: number; sha256: Uint8Array; sizeBytes: number } {
  const text = `int of_${liar.home.replaceAll(/\W/g, '_')}_${liar.freshId()};\n`;
  const job = liar.jobFor(liar.withheld(`${liar.home}/${liar.sourceName}`, text));
  liar.send({ job });
  return { text, jobId: job.jobId, ...file(text) };
}

async function resultOf(liar: Liar, jobId: number) {
  await until(() => liar.resultOf(jobId) !== undefined, `the end of job ${jobId}`);
  return liar.resultOf(jobId)!;
}

async function isAskedFor(liar: Liar, text: string): Promise<void> {
  await until(() => liar.asked.includes(digestOf(text)), 'the worker asks');
}

function halfBlobs(arena: Arena): number {
  return readdirSync(join(agentPaths(arena.worker.env).cacheDirectory, 'store', 'temporary')).length;
}

/** Bytes that are not those of the digest: what is sent for a source of some length. */
const WRONG: Record<string, (text: string) => { data: Buffer; sizeBytes: number }[]> = {
  'other bytes of the same length': (text) => [
    { data: Buffer.alloc(text.length, 120), sizeBytes: text.length },
  ],
  'fewer bytes than were announced': (text) => [
    { data: Buffer.from(text.slice(0, -1)), sizeBytes: text.length },
  ],
  'more bytes than were announced': (text) => [{ data: Buffer.from(`${text}x`), sizeBytes: text.length }],
  'no bytes': () => [{ data: Buffer.alloc(0), sizeBytes: 0 }],
  'another size in the second piece': (text) => [
    { data: Buffer.from(text.slice(0, 4)), sizeBytes: text.length },
    { data: Buffer.from(`${text.slice(4)} `), sizeBytes: 1_000_000 },
  ],
  'a size of a tebibyte': () => [{ data: Buffer.from('x'), sizeBytes: 2 ** 40 }],
  'a size beyond all numbers': () => [{ data: Buffer.from('x'), sizeBytes: 2 ** 63 }],
  'a piece of three megabytes for a small file': (text) => [
    { data: Buffer.alloc(3_000_000, 32), sizeBytes: text.length },
  ],
};

const wrongBytes: Cases = Object.fromEntries(
  Object.entries(WRONG).map(([what, piecesOf]) => [
    `a content of ${what}`,
    async (liar) => {
      const { text, jobId, sha256 } = unsent(liar);
      await isAskedFor(liar, text);
      const pieces = piecesOf(text);
      for (const [index, piece] of pieces.entries())
        liar.link.blobs.send({ sha256, ...piece, last: index === pieces.length - 1 });
      outcome.incomplete(await resultOf(liar, jobId), /./);
      // The right bytes are taken afterwards: the lie has left nothing.
      outcome.compiled(await liar.compile(text));
    },
  ]),
);

const lies: Cases = {
  'a content that poisons what another submitter has': async (liar, arena) => {
    const text = 'int the_same_in_both_projects;\n';
    const { jobId, sha256, sizeBytes } = ((): { jobId: number; sha256: Uint8Array; sizeBytes: number } => {
      const job = liar.jobFor(liar.withheld(`${liar.home}/${liar.sourceName}`, text));
      liar.send({ job });
      return { jobId: job.jobId, ...file(text) };
    })();
    await isAskedFor(liar, text);
    liar.link.blobs.send({ sha256, sizeBytes, data: Buffer.alloc(sizeBytes, 120), last: true });
    outcome.incomplete(await resultOf(liar, jobId), /./);
    const other = await arena.liar();
    const result = await other.compile(`#include "same.h"\nint *p = &the_same_in_both_projects;\n`, {}, [
      ...other.file(`${other.home}/same.h`, text),
    ]);
    other.link.close();
    outcome.compiled(result);
  },

  'contents that nobody asked for': async (liar) => {
    for (let index = 0; index < 500; index++) {
      const data = Buffer.alloc(1000, index);
      liar.link.blobs.send({ ...file(data), data, last: index % 2 === 0 });
    }
    liar.link.blobs.send({ sha256: Buffer.alloc(5), sizeBytes: 3, data: Buffer.from('abc'), last: true });
    outcome.compiled(await liar.compile('int x;\n'));
  },

  'a content that is sent twice': async (liar) => {
    const { text, jobId, sha256, sizeBytes } = unsent(liar);
    await isAskedFor(liar, text);
    for (let round = 0; round < 2; round++)
      liar.link.blobs.send({ sha256, sizeBytes, data: Buffer.from(text), last: true });
    outcome.compiled(await resultOf(liar, jobId));
  },

  'a content that is announced and then said to be gone': async (liar) => {
    const { jobId, text, sha256 } = unsent(liar);
    await isAskedFor(liar, text);
    liar.send({
      blobUnavailable: { sha256: [sha256, Buffer.alloc(3), digestToBytes(digestOf('never asked for'))] },
    });
    outcome.incomplete(await resultOf(liar, jobId), /no longer has/);
  },

  'a hundred contents that are begun and never ended': async (liar, arena) => {
    const ids: number[] = [];
    const texts = Array.from({ length: 100 }, (_, index) => `${liar.home} ${index} `.repeat(30_000));
    for (const [index, text] of texts.entries())
      ids.push(...liar.withheld(`${liar.home}/part-${index}.h`, text));
    const job = liar.jobFor([...liar.withheld(`${liar.home}/${liar.sourceName}`, '\n'), ...ids]);
    liar.send({ job });
    await until(() => liar.asked.length >= 100, 'the worker asks for all');
    for (const text of texts) {
      const { sha256, sizeBytes } = file(text);
      liar.link.blobs.send({ sha256, sizeBytes, data: Buffer.from(text.slice(0, 100_000)), last: false });
    }
    // The first ones are kept open; for the rest there is no room, and so none for the job.
    outcome.incomplete(await resultOf(liar, job.jobId), /on the way already|at once/);
    assert.ok(halfBlobs(arena) <= 8, `${halfBlobs(arena)} half contents`);
  },

  'contents that claim the whole store': async (liar, arena) => {
    const { text, jobId, sha256 } = unsent(liar);
    await isAskedFor(liar, text);
    liar.link.blobs.send({ sha256, sizeBytes: 200 << 20, data: Buffer.from('x'), last: false });
    outcome.incomplete(await resultOf(liar, jobId), /contents of 209715200 bytes at once/);
    await arena.honest.goesOn();
  },

  'a store that is filled to its bound': async (liar, arena) => {
    // 300 MB through a store of 256 MB: what is used least goes, and what the honest one needs is asked for again.
    for (let round = 0; round < 5; round++) {
      const ids: number[] = [];
      for (let index = 0; index < 3; index++) {
        const content = Buffer.alloc(20 << 20, `// ${liar.home} ${round} ${index}\n`);
        ids.push(...liar.file(`${liar.home}/large-${round}-${index}.h`, content));
      }
      outcome.compiled(await liar.compile('int x;\n', {}, ids));
    }
    await arena.honest.goesOn();
  },
};

test('a liar about contents', async (t) => {
  const arena = await openArena(t);
  await runCases(t, arena, wrongBytes);
  await runCases(t, arena, lies);
});
