/** Contents into the store and out of it, beside what a file system does for the same bytes. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { copyFile, link, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, digestOf } from '../../src/base/digest.ts';
import { openBlobStore } from '../../src/store/index.ts';
import { BenchError } from '../bench-error.ts';
import { cpuMsOf, type Part, type Series, scaled } from './part.ts';

/** That of a usual object; headers are smaller. */
const BLOB_BYTES = 40 * 1024;
const BLOBS = 200;
const LOOK = { mtimeMs: 1_000_000_000_000, mode: 0o444 };

const WRITE = 'writing a file';
const COPY = 'copying a file';
const LINK = 'making a hard link';
const PUT = 'put';
const MATERIALISE = 'materialise';

export const storePart: Part = {
  name: 'store',
  what: 'contents of 40 KiB into the store and out of it',
  async open(context) {
    const count = scaled(context, BLOBS);
    const log = { info: () => {}, warn: (_fields: object, text: string) => console.error(text) };
    const store = await openBlobStore({
      directory: join(context.directory, 'store'),
      maxBytes: 2 ** 40,
      log,
    });
    const plain = join(context.directory, 'plain');
    const target = join(context.directory, 'target');
    mkdirSync(plain);
    let blobs: { digest: Digest; bytes: Buffer; file: string }[] = [];
    const renew = (): void => {
      blobs = Array.from({ length: count }, (_, index) => {
        const bytes = randomBytes(BLOB_BYTES);
        return { digest: digestOf(bytes), bytes, file: join(plain, String(index)) };
      });
      rmSync(plain, { recursive: true });
      mkdirSync(plain);
    };
    const series = (
      name: string,
      before: () => void,
      work: (blob: (typeof blobs)[number], to: string) => Promise<unknown>,
    ): Series => ({
      name,
      unit: 'µs of CPU per blob',
      measure: async () => {
        before();
        rmSync(target, { recursive: true, force: true });
        mkdirSync(target);
        const ms = await cpuMsOf(async () => {
          for (const [index, blob] of blobs.entries()) await work(blob, join(target, String(index)));
        });
        return (1000 * ms) / count;
      },
    });
    const nothing = (): void => {};
    return {
      series: [
        series(WRITE, renew, ({ bytes, file }) => writeFile(file, bytes)),
        series(PUT, nothing, ({ digest, bytes }) => store.put(digest, bytes)),
        series(COPY, nothing, ({ file }, to) => copyFile(file, to)),
        series(LINK, nothing, ({ file }, to) => link(file, to)),
        series(MATERIALISE, nothing, async ({ digest }, to) => {
          const outcome = await store.materialise(digest, to, LOOK);
          if (outcome !== 'done') throw new BenchError(`a blob that was put is ${outcome}`);
        }),
      ],
      lines: [
        { series: PUT, reference: WRITE },
        { series: MATERIALISE, reference: COPY },
        { series: MATERIALISE, reference: LINK },
      ],
      notes: ['Files are in TMPDIR; what its file system costs is in every figure.'],
      close: () => store.close(),
    };
  },
};
