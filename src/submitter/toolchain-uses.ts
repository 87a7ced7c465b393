/**
 * The compilers that one worker has been told to use in the place of this machine's: equal ones, announced with the
 * first job, and those of another host architecture, which the worker tries before any job is sent.
 */
import { lstat, readlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { digestToBytes } from '../base/digest.ts';
import { errnoOf } from '../base/errors.ts';
import { printable } from '../base/printable.ts';
import type { FromSubmitter, WireToolchainTrial, WireToolchainUse } from '../mesh/index.ts';
import { isPlacedByRole, isRunSupport, type OfferedToolchain, type Toolchain } from '../toolchain/index.ts';
import { type OtherHostDemand, otherHostKey } from './compiler-demand.ts';

/** What a worker may have put into the tree for one compiler: loader, libraries and locale, and the way to them. */
const MAX_SUPPORT = 256;
/** No translation unit reads such a file, so that nobody misses one that a worker shows in its place. */
const LIBRARY = /(?:\.so(?:\.[\w.]+)?|\/ld[\w.-]*|\/locale\/[^/]+\/LC_[\w/]+)$/;

/** How a compiler of another host stands on the worker. */
export type OtherHostUse =
  | { readonly state: 'being tried' }
  /**
   * @property theirId that of the worker's own compiler
   * @property files canonical paths where the worker shows files of its own
   * @property isToldDirectories it would look for headers elsewhere, and is told where with each job
   */
  | {
      readonly state: 'ready';
      readonly theirId: string;
      readonly files: readonly string[];
      readonly isToldDirectories: boolean;
    }
  | { readonly state: 'refused'; readonly detail: string };

interface Trial {
  readonly ref: number;
  readonly theirId: string;
  use: OtherHostUse;
  readonly settle: (use: OtherHostUse) => void;
}

export class ToolchainUses {
  readonly #send: (message: FromSubmitter) => void;
  readonly #equal = new Map<string, number>();
  readonly #otherHost = new Map<string, Trial>();
  #refs = 0;

  constructor(send: (message: FromSubmitter) => void) {
    this.#send = send;
  }

  /** The number of a compiler that the worker has too; announced at first use. */
  refOf(toolchain: Toolchain): number {
    const key = otherHostKey(toolchain);
    let ref = this.#equal.get(key);
    if (ref === undefined) {
      ref = ++this.#refs;
      this.#equal.set(key, ref);
      const files = toolchain.components.map(({ digest, path }) => ({ sha256: digestToBytes(digest), path }));
      this.#send({ toolchainUse: { ...placeOf(toolchain), ref, toolchainId: toolchain.id, files } });
    }
    return ref;
  }

  /** What is known of a compiler of another host, by {@link otherHostKey}; undefined: never tried. */
  otherHost(key: string): OtherHostUse | undefined {
    return this.#otherHost.get(key)?.use;
  }

  /** The number of a compiler of another host that may be used. */
  otherHostRef(key: string): number | undefined {
    const trial = this.#otherHost.get(key);
    return trial?.use.state === 'ready' ? trial.ref : undefined;
  }

  /** Why a job does not go to a compiler of another host, in words; undefined if it may, or there is none to go to. */
  obstacleTo({ key, obstacle, searchObstacle }: OtherHostDemand): string | undefined {
    const use = this.otherHost(key);
    if (use?.state !== 'ready') return undefined;
    return obstacle ?? (use.isToldDirectories ? searchObstacle : undefined);
  }

  /** Has the worker try one of its compilers in the place of this machine's, once for a connection. Never rejects. */
  tryOtherHost(own: Toolchain, theirs: Pick<OfferedToolchain, 'id'>): Promise<OtherHostUse> {
    return new Promise((settle) => {
      const ref = ++this.#refs;
      this.#otherHost.set(otherHostKey(own), {
        ref,
        theirId: theirs.id,
        use: { state: 'being tried' },
        settle,
      });
      const files = own.components
        .filter(({ role }) => !isRunSupport(role))
        .map(({ role, path, digest }) =>
          isPlacedByRole(role)
            ? { sha256: new Uint8Array(), path, role }
            : { sha256: digestToBytes(digest), path, role: '' },
        );
      const otherHost = {
        includeDirectories: [...own.builtinIncludeDirectories],
        absentIncludeDirectories: [...own.absentIncludeDirectories],
      };
      this.#send({ toolchainUse: { ...placeOf(own), ref, toolchainId: theirs.id, files, otherHost } });
    });
  }

  /** The worker has tried one; an answer that nobody waits for is dropped. */
  receive(answer: WireToolchainTrial): void {
    const trial = [...this.#otherHost.values()].find(({ ref }) => ref === answer.ref);
    if (trial?.use.state !== 'being tried') return;
    if (answer.refusal === '') void this.#accept(trial, answer);
    else this.#settle(trial, { state: 'refused', detail: printable(answer.refusal) });
  }

  async #accept(trial: Trial, answer: WireToolchainTrial): Promise<void> {
    const detail = await collisionHere(answer);
    if (trial.use.state !== 'being tried') return;
    const { theirId } = trial;
    const { files, isToldDirectories } = answer;
    this.#settle(
      trial,
      detail === undefined
        ? { state: 'ready', theirId, files, isToldDirectories }
        : { state: 'refused', detail },
    );
  }

  /** The connection is gone. */
  lose(detail: string): void {
    for (const trial of this.#otherHost.values()) this.#settle(trial, { state: 'refused', detail });
  }

  #settle(trial: Trial, use: OtherHostUse): void {
    trial.use = use;
    trial.settle(use);
  }
}

/** Where this machine has a compiler. */
function placeOf(toolchain: Toolchain): Omit<WireToolchainUse, 'ref' | 'toolchainId' | 'files'> {
  const byName = toolchain.components.filter((component) => component.lookup === 'PATH');
  return {
    compilerPath: toolchain.compilerPath,
    directories: [...toolchain.directories],
    links: [...toolchain.links],
    programDirectories: [...new Set(byName.map((component) => dirname(component.path)))],
  };
}

/**
 * What the worker's programs need would lie where this machine has something else: a later job that names it would end
 * the connection.
 */
async function collisionHere({ directories, links, files }: WireToolchainTrial): Promise<string | undefined> {
  if (directories.length + links.length + files.length > MAX_SUPPORT) return 'it needs too many files to run';
  const other = files.find((path) => !LIBRARY.test(path));
  if (other !== undefined) return `it needs ${printable(other)} to run, which is no library`;
  const wanted = [
    ...files.map((path) => ({ path, kind: 'file', words: `a file ${printable(path)}` })),
    ...directories.map((path) => ({ path, kind: 'directory', words: `a directory ${printable(path)}` })),
    ...links.map(({ path, target }) => ({
      path,
      kind: `link to ${target}`,
      words: `a link ${printable(path)} to ${printable(target)}`,
    })),
  ];
  for (const { path, kind, words } of wanted) {
    const present = await kindAt(path);
    if (present !== kind && present !== 'nothing')
      return `it needs ${words}, where this machine has something else`;
  }
  return undefined;
}

async function kindAt(path: string): Promise<string> {
  if (!path.startsWith('/') || path.includes('\0')) return 'no path';
  try {
    const stat = await lstat(path);
    if (stat.isSymbolicLink()) return `link to ${await readlink(path)}`;
    return stat.isDirectory() ? 'directory' : 'file';
  } catch (error) {
    const errno = errnoOf(error);
    return errno === 'ENOENT' || errno === 'ENOTDIR' ? 'nothing' : 'something that cannot be looked at';
  }
}
