/** A mirror on a real disk with a real store; contents arrive when the test says so. */
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Digest, digestOf, digestToBytes } from '../../src/base/digest.ts';
import type { WireEntry } from '../../src/mesh/index.ts';
import { type BlobStore, openBlobStore } from '../../src/store/index.ts';
import { type Hold, Mirror } from '../../src/worker/mirror.ts';

interface Waiting {
  readonly arrived: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class MirrorBench {
  readonly mirror: Mirror;
  /** A directory of this machine that no submitter must ever reach. */
  readonly outside: string;
  /** The test's own directory. */
  readonly directory: string;
  readonly store: BlobStore;
  readonly #waiting = new Map<Digest, Waiting>();
  #nextId = 0;

  constructor(directory: string, store: BlobStore) {
    this.directory = directory;
    this.store = store;
    this.outside = join(directory, 'outside');
    mkdirSync(this.outside);
    mkdirSync(join(directory, 'tree'));
    this.mirror = new Mirror(join(directory, 'tree'), {
      need: (digest) => this.#need(digest),
      materialise: async (digest, path, options) => {
        const outcome = await store.materialise(digest, path, options);
        if (outcome !== 'done') throw new Error(`blob ${digest} is ${outcome}`);
      },
    });
  }

  #need(digest: Digest): Promise<void> {
    if (this.store.has(digest)) return Promise.resolve();
    let waiting = this.#waiting.get(digest);
    if (waiting === undefined) {
      let resolve: () => void = () => {};
      let reject: (error: Error) => void = () => {};
      const arrived = new Promise<void>((onResolve, onReject) => {
        resolve = onResolve;
        reject = onReject;
      });
      waiting = { arrived, resolve, reject };
      this.#waiting.set(digest, waiting);
    }
    return waiting.arrived;
  }

  /** Content that arrives. */
  async deliver(text: string): Promise<void> {
    const digest = digestOf(text);
    await this.store.put(digest, Buffer.from(text));
    this.#waiting.get(digest)?.resolve();
    this.#waiting.delete(digest);
  }

  /** Content that the submitter cannot deliver. */
  refuse(text: string): void {
    const digest = digestOf(text);
    this.#waiting.get(digest)?.reject(new Error('the submitter no longer has this content'));
    this.#waiting.delete(digest);
  }

  entry(path: string, node: Omit<WireEntry, 'id' | 'path'>): WireEntry {
    return { id: this.#nextId++, path, ...node };
  }

  #announce(path: string, node: Omit<WireEntry, 'id' | 'path'>): number {
    const entry = this.entry(path, node);
    this.mirror.announce(entry);
    return entry.id;
  }

  /** Announces directories; returns their ids. */
  directories(...paths: string[]): number[] {
    return paths.map((path) => this.#announce(path, { directory: {} }));
  }

  /** Announces a link; returns its id. */
  link(path: string, target: string): number {
    return this.#announce(path, { symlink: { target } });
  }

  /** Announces a file whose content is not here yet; returns its id. */
  undelivered(path: string, text: string, mtimeSeconds = 1_700_000_000): number {
    const sha256 = digestToBytes(digestOf(text));
    return this.#announce(path, { file: { sha256, sizeBytes: Buffer.byteLength(text), mtimeSeconds } });
  }

  /** Announces a file and delivers its content; returns its id. */
  async file(path: string, text: string, mtimeSeconds?: number): Promise<number> {
    await this.deliver(text);
    return this.undelivered(path, text, mtimeSeconds);
  }

  /** A job that lists these entries and has them on disk. */
  async job(...ids: number[]): Promise<Hold> {
    const hold = this.mirror.hold(ids);
    await hold.ready;
    return hold;
  }

  /** Content of a file of the tree; undefined if there is nothing. */
  read(path: string): string | undefined {
    try {
      return readFileSync(join(this.mirror.directory, path), 'utf8');
    } catch {
      return undefined;
    }
  }

  /** Everything in the tree: path -> content, `@target` or `/`. */
  get tree(): Record<string, string> {
    return listing(this.mirror.directory);
  }
}

/** Everything below a directory of this machine, links not followed: path -> content, `@target` or `/`. */
export function listing(directory: string, prefix = ''): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(directory).sort()) {
    const path = join(directory, name);
    const stat = lstatSync(path);
    const place = `${prefix}/${name}`;
    if (stat.isSymbolicLink()) found[place] = `@${readlinkSync(path)}`;
    else if (stat.isDirectory()) Object.assign(found, { [place]: '/' }, listing(path, place));
    else found[place] = readFileSync(path, 'utf8');
  }
  return found;
}

/** A bench that is gone after the test. */
export async function mirrorBench(t: TestContext): Promise<MirrorBench> {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'meshcc-mirror-')));
  const store = await openBlobStore({
    directory: join(directory, 'store'),
    maxBytes: 256 * 1024 * 1024,
    log: { info: () => {}, warn: () => {} },
  });
  t.after(async () => {
    await store.close();
    rmSync(directory, { recursive: true, force: true });
  });
  return new MirrorBench(directory, store);
}

/** What has become of a promise after everything that can run by itself has run. */
export async function stateOf(promise: Promise<unknown>): Promise<'fulfilled' | 'rejected' | 'pending'> {
  let state: 'fulfilled' | 'rejected' | 'pending' = 'pending';
  promise.then(
    () => {
      state = 'fulfilled';
    },
    () => {
      state = 'rejected';
    },
  );
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setTimeout(resolve, 2));
  return state;
}
