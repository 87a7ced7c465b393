/** What one compile of a unit made, so that it can be held against another. */
import { type Digest, digestOf } from '../base/digest.ts';
import { isDumpOf } from '../compiler/index.ts';
import type { OutputSink, RemoteOutcome } from './outcome.ts';
import type { PreparedJob } from './remote-worker.ts';

/** One file, with its bytes as far as there was room for them. */
export interface ProducedFile {
  /** As the call spells it. */
  readonly path: string;
  readonly digest: Digest;
  readonly content: Buffer | undefined;
}

/** The result of a compile that ended with status 0. */
export interface UnitProduct {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  readonly files: readonly ProducedFile[];
}

/** The same text for two products if, and only if, all their files and all that was printed are the same. */
export function printOf({ stdout, stderr, files }: UnitProduct): string {
  const named = files.map(({ path, digest }) => `${path}\0${digest}`).sort();
  return JSON.stringify([digestOf(stdout), digestOf(stderr), ...named]);
}

/** How many bytes of outputs are kept at once, over all results that are being compared. */
export class KeepingRoom {
  #freeBytes: number;

  constructor(sizeBytes: number) {
    this.#freeBytes = sizeBytes;
  }

  take(sizeBytes: number): boolean {
    if (sizeBytes > this.#freeBytes) return false;
    this.#freeBytes -= sizeBytes;
    return true;
  }

  giveBack(sizeBytes: number): void {
    this.#freeBytes += sizeBytes;
  }
}

/** Passes outputs on, and keeps them as far as there is room. */
export class KeepingSink implements OutputSink {
  readonly #inner: OutputSink;
  readonly #room: KeepingRoom;
  readonly #kept = new Map<number, { readonly path: string; readonly pieces: Uint8Array[] }>();
  #takenBytes = 0;

  constructor(inner: OutputSink, room: KeepingRoom) {
    this.#inner = inner;
    this.#room = room;
  }

  begin(index: number, path: string, sizeBytes: number): boolean {
    if (!this.#inner.begin(index, path, sizeBytes)) return false;
    if (this.#room.take(sizeBytes)) {
      this.#takenBytes += sizeBytes;
      this.#kept.set(index, { path, pieces: [] });
    }
    return true;
  }

  data(index: number, piece: Uint8Array): Promise<void> | void {
    this.#kept.get(index)?.pieces.push(piece);
    return this.#inner.data(index, piece);
  }

  /** The product of an attempt whose outputs came through here. */
  product({ stdout, stderr, outputs }: RemoteOutcome & { kind: 'compiled' }): UnitProduct {
    const contents = new Map(
      [...this.#kept.values()].map(({ path, pieces }) => [path, Buffer.concat(pieces)]),
    );
    const files = outputs.map(({ path, digest }) => ({ path, digest, content: contents.get(path) }));
    return { stdout, stderr, files };
  }

  /** Forgets what was kept. */
  release(): void {
    this.#kept.clear();
    this.#room.giveBack(this.#takenBytes);
    this.#takenBytes = 0;
  }
}

/** Takes what a job may write, and does nothing with it. */
export class ExpectingSink implements OutputSink {
  readonly #expected: PreparedJob['outputs'];
  readonly #taken = new Set<string>();

  constructor({ outputs }: PreparedJob) {
    this.#expected = outputs;
  }

  begin(_index: number, path: string): boolean {
    if (this.#taken.has(path)) return false;
    this.#taken.add(path);
    return this.#expected.some((output) =>
      output.kind === 'dump' ? isDumpOf(output.path, path) : output.path === path,
    );
  }

  data(): void {}
}
