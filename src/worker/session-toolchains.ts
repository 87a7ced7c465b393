/** The toolchains that one submitter uses, in its tree; those that stand for one of another host are tried at first. */
import type { Logger } from 'pino';
import { MeshError, messageOf } from '../base/errors.ts';
import type { WireToolchainTrial, WireToolchainUse } from '../mesh/index.ts';
import type { Toolchain } from '../toolchain/index.ts';
import { type InstalledToolchain, installToolchain } from './installed-toolchain.ts';
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
  /** Runs the compiler in the tree. */
  readonly tryOut: (
    installed: InstalledToolchain,
    otherHost: NonNullable<WireToolchainUse['otherHost']>,
  ) => Promise<TrialOutcome>;
  readonly tell: (trial: WireToolchainTrial) => void;
  readonly log: Logger;
}

export class SessionToolchains {
  readonly #parts: SessionToolchainParts;
  readonly #installed = new Map<number, Promise<InstalledToolchain>>();

  constructor(parts: SessionToolchainParts) {
    this.#parts = parts;
  }

  /** The toolchain under a number; rejects if it cannot be used. */
  get(ref: number): Promise<InstalledToolchain> | undefined {
    return this.#installed.get(ref);
  }

  /** @throws MeshError MESHCC_PROTOCOL for more toolchains than anybody has */
  use(use: WireToolchainUse): void {
    if (this.#installed.size >= MAX_TOOLCHAINS)
      throw new MeshError('MESHCC_PROTOCOL', `more than ${MAX_TOOLCHAINS} toolchains in one stream`);
    const installed = this.#install(use);
    installed.catch((error) =>
      this.#parts.log.warn(`toolchain ${use.toolchainId.slice(0, 12)}: ${messageOf(error)}`),
    );
    if (use.otherHost) this.#tell(use.ref, installed);
    this.#installed.set(use.ref, installed);
  }

  async #install(use: WireToolchainUse): Promise<InstalledToolchain> {
    const { toolchains, treeMade, mirror, toolchainFilesDirectory, tryOut } = this.#parts;
    const toolchain = toolchains.get(use.toolchainId);
    if (toolchain === undefined) throw new MeshError('MESHCC_COMPILER', 'this worker has no such toolchain');
    await treeMade;
    const installed = await installToolchain(toolchain, use, mirror, toolchainFilesDirectory);
    if (!use.otherHost) return installed;
    const outcome = await tryOut(installed, use.otherHost);
    if ('refusal' in outcome) throw new MeshError('MESHCC_COMPILER', outcome.refusal);
    return outcome;
  }

  #tell(ref: number, installed: Promise<InstalledToolchain>): void {
    installed.then(
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
