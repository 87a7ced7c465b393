/** What different machines made of one unit, kept for a report: bounded, the oldest goes first. */
import { lstat, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { renderArguments } from '../compiler/index.ts';
import type { ReferenceUnit } from './local-reference.ts';
import { printOf, type UnitProduct } from './unit-product.ts';

/** What one machine made. */
export interface Exhibit {
  /** Name of the node, or `local`, and a number where one machine made several. */
  readonly by: string;
  readonly agentVersion: string;
  readonly product: UnitProduct;
}

const MAX_CASES = 10;
const MAX_BYTES = 256 * 1024 * 1024;

export class MismatchEvidence {
  readonly #directory: string;
  readonly #maxCases: number;
  readonly #maxBytes: number;
  #last = 0;

  /** @param directory is made when it is first needed */
  constructor(directory: string, maxCases = MAX_CASES, maxBytes = MAX_BYTES) {
    this.#directory = directory;
    this.#maxCases = maxCases;
    this.#maxBytes = maxBytes;
  }

  /**
   * Writes a case down: the call, the digests, and every file whose bytes were kept.
   * @param verdict in words
   * @returns its directory
   * @throws the system's error if it cannot be written
   */
  async keep(
    { invocation, job, compilerPath }: ReferenceUnit,
    exhibits: readonly Exhibit[],
    verdict: string,
    nowMs: number,
  ): Promise<string> {
    this.#last = Math.max(nowMs, this.#last + 1);
    const unit = basename(invocation.sourcePath).replace(/[^A-Za-z0-9._-]/g, '_');
    const directory = join(this.#directory, `${this.#last}-${unit}`.slice(0, 200));
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const report = {
      verdict,
      at: new Date(nowMs).toISOString(),
      workingDirectory: job.workingDirectory,
      command: [compilerPath, ...renderArguments(invocation.args)],
      environment: job.environment,
      toolchain: { id: job.toolchain.id, version: job.toolchain.versionText },
      results: exhibits.map(({ by, agentVersion, product }) => ({
        by,
        agentVersion,
        print: printOf(product),
        stdout: product.stdout.toString('latin1'),
        stderr: product.stderr.toString('latin1'),
        files: product.files.map(({ path, digest, content }) => ({
          path,
          sha256: digest,
          isKept: content !== undefined,
        })),
      })),
    };
    await writeFile(join(directory, 'report.json'), `${JSON.stringify(report, null, 2)}\n`, { mode: 0o600 });
    for (const [number, { by, product }] of exhibits.entries()) {
      const own = join(directory, `${number}-${by.replace(/[^A-Za-z0-9._-]/g, '_')}`.slice(0, 200));
      await mkdir(own, { mode: 0o700 });
      for (const [index, { path, content }] of product.files.entries()) {
        // The number keeps two files of one name apart.
        if (content !== undefined)
          await writeFile(join(own, `${index}-${basename(path)}`), content, { mode: 0o600 });
      }
    }
    await this.#trim();
    return directory;
  }

  /** Keeps the latest cases, as many as the bounds allow; the latest one in any case. */
  async #trim(): Promise<void> {
    const cases = (await readdir(this.#directory)).sort().reverse();
    let sizeBytes = 0;
    for (const [index, name] of cases.entries()) {
      const path = join(this.#directory, name);
      sizeBytes += await sizeOf(path);
      if (index === 0 || (index < this.#maxCases && sizeBytes <= this.#maxBytes)) continue;
      await rm(path, { recursive: true, force: true });
    }
  }
}

async function sizeOf(path: string): Promise<number> {
  const { size } = await lstat(path);
  const names = await readdir(path).catch(() => []);
  const sizes = await Promise.all(names.map((name) => sizeOf(join(path, name))));
  return sizes.reduce((sum, each) => sum + each, size);
}
