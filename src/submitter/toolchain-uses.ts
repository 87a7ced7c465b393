/**
 * The compilers that one worker has been told to use in the place of this machine's: equal ones, announced with the
 * first job, and those of another host architecture, which the worker tries before any job is sent.
 */
import { lstatSync, readlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { digestToBytes } from '../base/digest.ts';
import { errnoOf } from '../base/errors.ts';
import { printable } from '../base/printable.ts';
import type { FromSubmitter, WireToolchainTrial, WireToolchainUse } from '../mesh/index.ts';
import { isPlacedByRole, isRunSupport, type OfferedToolchain, type Toolchain } from '../toolchain/index.ts';
import { type OtherHostDemand, otherHostKey } from './compiler-demand.ts';

/** What a worker may have put into the tree for one compiler. */
const MAX_SUPPORT = 4_096;

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
    const detail = answer.refusal === '' ? collisionHere(answer) : printable(answer.refusal);
    this.#settle(
      trial,
      detail === undefined
        ? {
            state: 'ready',
            theirId: trial.theirId,
            files: answer.files,
            isToldDirectories: answer.isToldDirectories,
          }
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
function collisionHere({ directories, links, files }: WireToolchainTrial): string | undefined {
  if (directories.length + links.length + files.length > MAX_SUPPORT) return 'its answer cannot be read';
  for (const path of files)
    if (kindAt(path) !== 'file' && kindAt(path) !== 'nothing')
      return `it needs a file ${printable(path)}, where this machine has something else`;
  for (const path of directories)
    if (kindAt(path) !== 'directory' && kindAt(path) !== 'nothing')
      return `it needs a directory ${printable(path)}, where this machine has something else`;
  for (const { path, target } of links)
    if (kindAt(path) !== `link to ${target}` && kindAt(path) !== 'nothing')
      return `it needs a link ${printable(path)} to ${printable(target)}, where this machine has something else`;
  return undefined;
}

function kindAt(path: string): string {
  if (!path.startsWith('/') || path.includes('\0')) return 'no path';
  try {
    const stat = lstatSync(path);
    if (stat.isSymbolicLink()) return `link to ${readlinkSync(path)}`;
    return stat.isDirectory() ? 'directory' : 'file';
  } catch (error) {
    const errno = errnoOf(error);
    return errno === 'ENOENT' || errno === 'ENOTDIR' ? 'nothing' : 'something that cannot be looked at';
  }
}
