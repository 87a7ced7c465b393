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
import { processorOf } from './native-specs.ts';
import { absolutePath } from './view-paths.ts';
import { countsOf } from './watchful-options.ts';

/** Asks the compiler of a job, in the view of the job. */
type Ask = (argv: readonly string[]) => Promise<CellResult>;

/** Contents of which it is known whether they may make a file a system header. */
const MARKS = new LRUCache<Digest, boolean>({ max: 50_000 });

/** Looking through a larger file would hold the event loop; it counts as one that may. */
const MAX_LOOKED_AT_BYTES = 256 * 1024;

const NO_LIST = '(the compiler wrote no dependencies)';

/** GCC on counts that are not there. */
const MISSING_PROFILE = /^[^\n]*?['‘]([^\n'’]+\.gcda)['’] profile count data file not found/m;

/** Where the compiler and the assembler told what they read. */
export interface Evidence {
  readonly depfile: CellOutput | undefined;
  readonly embedded: CellOutput | undefined;
}

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
   * @param stderr what the compiler printed
   */
  async outside({ depfile, embedded }: Evidence, stderr: Buffer): Promise<string[]> {
    const { invocation } = this.#request;
    const isPreprocessed = invocation.language !== 'assembler';
    if (depfile === undefined && isPreprocessed) return [NO_LIST];
    const listed = depfile === undefined ? [] : this.#absolute(parseDepfile(await textOf(depfile)));
    const assembled = embedded === undefined ? [] : this.#assembled(await textOf(embedded));
    const outside = [...this.#unlisted([...listed, ...assembled]), ...this.#namedOutside(stderr)];
    if (outside.length > 0 || !invocation.depfile?.omitsSystemHeaders) return outside;
    // No system header can have been read, or the compiler is asked once more: that costs about 7 % of a compile.
    if (await this.#namesEverything(listed)) return [];
    const everything = await this.#listEverything();
    return everything === undefined ? [NO_LIST] : this.#unlisted(this.#absolute(everything));
  }

  #absolute(paths: readonly string[]): string[] {
    return paths.map((path) => absolutePath(this.#request.job.workingDirectory, path));
  }

  /** Files of the compiler itself are the same on every node. */
  #unlisted(paths: readonly string[]): string[] {
    const { hold, toolchain } = this.#request;
    return paths.filter((path) => {
      const canonical = this.#mirror.resolve(path);
      return !hold.lists(canonical) && !toolchain.componentPaths.has(canonical);
    });
  }

  /** Files that options name, and which no list shows: they are in the tree only by chance if the job lists them not. */
  #namedOutside(stderr: Buffer): string[] {
    const { job, invocation } = this.#request;
    const counts = countsOf(this.#request);
    const named = [...this.#absolute(invocation.dataFiles), ...counts];
    const outside = this.#unlisted(named.filter((path) => this.#isInTree(path)));
    const missing = invocation.profile && MISSING_PROFILE.exec(stderr.toString('utf8'))?.[1];
    if (missing !== undefined && !counts.includes(absolutePath(job.workingDirectory, missing)))
      outside.push(missing);
    return outside;
  }

  #assembled(text: string): string[] {
    const { invocation } = this.#request;
    // GCC names the source in the assembler text by its last component; that is no file that was read.
    const named = invocation.language === 'assembler' ? undefined : basename(invocation.sourcePath);
    const written = new Set(this.#absolute(invocation.outputs.map(({ path }) => path)));
    return this.#absolute(
      parseDepfile(text).filter((path) => path !== named && !path.startsWith(`${CELL_TEMPORARY_DIRECTORY}/`)),
      // The name in a .file directive is listed, too, whether there is such a file or not.
    ).filter((path) => !written.has(path) && this.#isInTree(path));
  }

  #isInTree(path: string): boolean {
    return this.#mirror.hasFile(this.#mirror.resolve(path));
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
    const { dialect } = this.#request.toolchain.toolchain;
    const { invocation } = this.#request;
    const answer = await this.#ask(dependencyArguments(invocation, dialect, processorOf(this.#request)));
    if (answer.kind === 'fault') return undefined;
    answer.release();
    if (answer.exitStatus !== 0 || answer.signal !== 0) return undefined;
    return parseDepfile(answer.stdout.toString('utf8'));
  }
}

async function textOf(file: CellOutput): Promise<string> {
  return (await file.read(0, file.sizeBytes)).toString('utf8');
}
