/** Digests of files, remembered by their stat: a compiler proper has 30 MB and rarely changes. */
import type { Digest } from '../base/digest.ts';
import { MeshError, messageOf } from '../base/errors.ts';
import { digestOfFile } from '../base/file-digest.ts';
import { stampOf } from './file-stamp.ts';

/** Digests by {@link stampOf} a file's content. */
export class FileDigests {
  readonly #known: Map<string, Digest>;
  readonly #used = new Map<string, Digest>();

  /** @param known what {@link used} returned in an earlier run */
  constructor(known: ReadonlyMap<string, Digest> = new Map()) {
    this.#known = new Map(known);
  }

  /** What was asked for in this run. */
  get used(): ReadonlyMap<string, Digest> {
    return this.#used;
  }

  /** Keeps what an earlier run knew of a file that was not asked for now. */
  keep(stamp: string): void {
    const digest = this.#known.get(stamp);
    if (digest !== undefined) this.#used.set(stamp, digest);
  }

  /**
   * The digest of a file.
   * @throws MeshError MESHCC_COMPILER if it cannot be read, or changes while it is read
   */
  async digestOf(path: string): Promise<Digest> {
    try {
      const stamp = await stampOf({ path, aspect: 'content' });
      const known = this.#used.get(stamp) ?? this.#known.get(stamp);
      const digest = known ?? (await digestOfFile(path));
      if (known === undefined && (await stampOf({ path, aspect: 'content' })) !== stamp) {
        throw new Error('it changed while it was read');
      }
      this.#known.set(stamp, digest);
      this.#used.set(stamp, digest);
      return digest;
    } catch (error) {
      throw new MeshError(
        'MESHCC_COMPILER',
        `cannot take the digest of ${path}: ${messageOf(error)}. If a package is being installed, try again afterwards.`,
        { cause: error },
      );
    }
  }
}
