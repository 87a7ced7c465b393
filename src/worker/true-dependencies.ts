/**
 * What a compile really read, held against what its job listed. The tree is shared by all jobs of a submitter: a file
 * that merely happened to be there is proved by nobody to be current, and a job that read one is worth nothing.
 */
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { LRUCache } from 'lru-cache';
import type { Digest } from '../base/digest.ts';
import {
  dependencyArguments,
  mayFindSystemHeaders,
  mayMarkSystemHeaders,
  parseDepfile,
} from '../compiler/index.ts';
import { CELL_TEMPORARY_DIRECTORY, type CellOutput, type CellResult } from '../sandbox/index.ts';
import type { CompileRequest } from './compile.ts';
import type { Mirror } from './mirror.ts';

/** Asks the compiler of a job, in the view of the job. */
type Ask = (argv: readonly string[]) => Promise<CellResult>;

/** Contents of which it is known whether they may make a file a system header. */
const MARKS = new LRUCache<Digest, boolean>({ max: 50_000 });

/** Looking through a larger file would hold the event loop; it counts as one that may. */
const MAX_LOOKED_AT_BYTES = 256 * 1024;

const NO_LIST = '(the compiler wrote no dependencies)';

export class TrueDependencies {
  readonly #request: CompileRequest;
  readonly #mirror: Mirror;
  readonly #ask: Ask;

  constructor(request: CompileRequest, mirror: Mirror, ask: Ask) {
    this.#request = request;
    this.#mirror = mirror;
    this.#ask = ask;
  }

  /**
   * Paths that the compile read although the job did not list them.
   * @param depfile of the compiler
   * @param embedded what the assembler says that it read
   */
  async outside(depfile: CellOutput | undefined, embedded: CellOutput | undefined): Promise<string[]> {
    if (depfile === undefined) return [NO_LIST];
    const listed = this.#absolute(parseDepfile(await textOf(depfile)));
    const assembled = embedded === undefined ? [] : this.#assembled(await textOf(embedded));
    const outside = this.#unlisted([...listed, ...assembled]);
    if (outside.length > 0 || !this.#request.invocation.depfile?.omitsSystemHeaders) return outside;
    // No system header can have been read, or the compiler is asked once more: that costs about 7 % of a compile.
    if (await this.#namesEverything(listed)) return [];
    const everything = await this.#listEverything();
    return everything === undefined ? [NO_LIST] : this.#unlisted(this.#absolute(everything));
  }

  #absolute(paths: readonly string[]): string[] {
    return paths.map((path) => absolute(this.#request.job.workingDirectory, path));
  }

  #unlisted(paths: readonly string[]): string[] {
    return paths.filter((path) => !this.#request.hold.lists(this.#mirror.resolve(path)));
  }

  #assembled(text: string): string[] {
    // GCC names the source in the assembler text by its last component; that is no file that was read.
    const named = basename(this.#request.invocation.sourcePath);
    return this.#absolute(
      parseDepfile(text).filter((path) => path !== named && !path.startsWith(`${CELL_TEMPORARY_DIRECTORY}/`)),
    );
  }

  /** True if a list without system headers leaves nothing out: the first header that is one stands in the list. */
  async #namesEverything(listed: readonly string[]): Promise<boolean> {
    if (mayFindSystemHeaders(this.#request.invocation)) return false;
    for (const path of listed) if (await this.#mayMark(this.#mirror.resolve(path))) return false;
    return true;
  }

  async #mayMark(canonical: string): Promise<boolean> {
    const digest = this.#request.hold.digestAt(canonical);
    if (digest === undefined) return true;
    const known = MARKS.get(digest);
    if (known !== undefined) return known;
    const content = await readFile(join(this.#mirror.directory, canonical)).catch(() => undefined);
    if (content === undefined) return true;
    const may = content.length > MAX_LOOKED_AT_BYTES || mayMarkSystemHeaders(content.toString('latin1'));
    MARKS.set(digest, may);
    return may;
  }

  /** @returns undefined if the compiler does not tell */
  async #listEverything(): Promise<string[] | undefined> {
    const { invocation, toolchain } = this.#request;
    const answer = await this.#ask(dependencyArguments(invocation, toolchain.toolchain.dialect));
    if (answer.kind === 'fault') return undefined;
    answer.release();
    if (answer.exitStatus !== 0 || answer.signal !== 0) return undefined;
    return parseDepfile(answer.stdout.toString('utf8'));
  }
}

/** A path as a compiler spells it, from its working directory. */
export function absolute(workingDirectory: string, path: string): string {
  return path.startsWith('/') ? path : `${workingDirectory}/${path}`;
}

async function textOf(file: CellOutput): Promise<string> {
  return (await file.read(0, file.sizeBytes)).toString('utf8');
}
