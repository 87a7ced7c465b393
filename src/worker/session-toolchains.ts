/** The toolchains that one submitter uses, in its tree; those that stand for one of another host are tried at first. */
import type { Logger } from 'pino';
import { MeshError, messageOf } from '../base/errors.ts';
import type { WireToolchainTrial, WireToolchainUse } from '../mesh/index.ts';
import type { Toolchain } from '../toolchain/index.ts';
import {
  checkDescription,
  type InstalledToolchain,
  installToolchain,
  type OtherHostUse,
} from './installed-toolchain.ts';
import type { Mirror } from './mirror.ts';
import type { TrialOutcome } from './toolchain-trial.ts';

/** Compilers, at their paths, that one stream may use; each takes some hundred files in the tree. */
export const MAX_TOOLCHAINS = 256;

const NOTHING = { directories: [], links: [], files: [], isToldDirectories: false };

interface SessionToolchainParts {
  readonly toolchains: ReadonlyMap<string, Toolchain>;
  readonly toolchainFilesDirectory: string;
  readonly mirror: Mirror;
  /** Resolves when the tree is there. */
  readonly treeMade: Promise<void>;
  /**
   * Tries a toolchain in a tree of its own, which is thrown away: one that is refused, here or by the submitter, must not
   * lie in the way of others. Undefined: the owner does not let compilers stand for others.
   */
  readonly tryOut: ((toolchain: Toolchain, use: OtherHostUse) => Promise<TrialOutcome>) | undefined;
  readonly tell: (trial: WireToolchainTrial) => void;
  readonly log: Logger;
}

export class SessionToolchains {
  readonly #parts: SessionToolchainParts;
  /** By number; what is put into the tree only when a job needs it is a question until then. */
  readonly #installed = new Map<number, () => Promise<InstalledToolchain>>();

  constructor(parts: SessionToolchainParts) {
    this.#parts = parts;
  }

  /** The toolchain under a number; rejects if it cannot be used. */
  get(ref: number): Promise<InstalledToolchain> | undefined {
    return this.#installed.get(ref)?.();
  }

  /** @throws MeshError MESHCC_PROTOCOL for more toolchains than anybody has, or two of one number */
  use(use: WireToolchainUse): void {
    const { ref, toolchainId } = use;
    if (this.#installed.size >= MAX_TOOLCHAINS)
      throw new MeshError('MESHCC_PROTOCOL', `more than ${MAX_TOOLCHAINS} toolchains in one stream`);
    if (this.#installed.has(ref))
      throw new MeshError('MESHCC_PROTOCOL', `two toolchains of the number ${ref}`);
    const complain = (error: unknown): void =>
      this.#parts.log.warn(`toolchain ${toolchainId.slice(0, 12)}: ${messageOf(error)}`);
    if (isForOtherHost(use)) {
      const tried = this.#try(use);
      tried.catch(complain);
      this.#tell(ref, tried);
      this.#installed.set(
        ref,
        once(async () => this.#installTried(use, await tried)),
      );
    } else {
      const installed = this.#install(use);
      installed.catch(complain);
      this.#installed.set(ref, () => installed);
    }
  }

  async #install(use: WireToolchainUse): Promise<InstalledToolchain> {
    const { treeMade, mirror, toolchainFilesDirectory } = this.#parts;
    const toolchain = this.#toolchainOf(use);
    await treeMade;
    return installToolchain(toolchain, use, mirror, toolchainFilesDirectory);
  }

  /** At last in the tree of the jobs, as it was tried. */
  async #installTried(
    use: OtherHostUse,
    { toldDirectories }: InstalledToolchain,
  ): Promise<InstalledToolchain> {
    const installed = await this.#install(use);
    return toldDirectories === undefined ? installed : { ...installed, toldDirectories };
  }

  async #try(use: OtherHostUse): Promise<InstalledToolchain> {
    const { tryOut } = this.#parts;
    const toolchain = this.#toolchainOf(use);
    if (tryOut === undefined)
      throw new MeshError(
        'MESHCC_COMPILER',
        'the owner of this node does not let its compilers stand for others (--compare-hosts)',
      );
    // Before anything of it waits for its turn.
    checkDescription(use);
    const outcome = await tryOut(toolchain, use);
    if ('refusal' in outcome) throw new MeshError('MESHCC_COMPILER', outcome.refusal);
    return outcome;
  }

  #toolchainOf({ toolchainId }: WireToolchainUse): Toolchain {
    const toolchain = this.#parts.toolchains.get(toolchainId);
    if (toolchain === undefined) throw new MeshError('MESHCC_COMPILER', 'this worker has no such toolchain');
    return toolchain;
  }

  #tell(ref: number, tried: Promise<InstalledToolchain>): void {
    tried.then(
      ({ support: { directories, links, files }, toldDirectories }) =>
        this.#parts.tell({
          ref,
          refusal: '',
          directories: [...directories],
          links: [...links],
          files: [...files],
          isToldDirectories: toldDirectories !== undefined,
        }),
      (error) => this.#parts.tell({ ...NOTHING, ref, refusal: messageOf(error) }),
    );
  }
}

function isForOtherHost(use: WireToolchainUse): use is OtherHostUse {
  return use.otherHost !== undefined && use.otherHost !== null;
}

function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined;
  return () => {
    if (made === undefined) {
      made = make();
      // Whoever asks hears of it; a job that is refused before that does not.
      made.catch(() => {});
    }
    return made;
  };
}
