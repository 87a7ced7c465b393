/** The identity of the compiler that a call uses, asked once and believed as long as its files stay as they are. */
import { statSync } from 'node:fs';
import type { Toolchain, ToolchainCache } from '../toolchain/index.ts';

interface Known {
  readonly toolchain: Toolchain;
  /** What stat said of the driver as called and of each component. */
  readonly stamp: string;
}

export class LocalToolchains {
  readonly #cache: ToolchainCache;
  readonly #env: NodeJS.ProcessEnv;
  readonly #known = new Map<string, Known>();
  readonly #failed = new Map<string, { stamp: string; error: unknown }>();

  constructor(cache: ToolchainCache, env: NodeJS.ProcessEnv) {
    this.#cache = cache;
    this.#env = env;
  }

  /**
   * @param compilerPath absolute path of the real compiler as it is called
   * @throws MeshError MESHCC_COMPILER if it does not answer as a compiler does
   */
  async identify(compilerPath: string): Promise<Toolchain> {
    const known = this.#known.get(compilerPath);
    if (known !== undefined && known.stamp === stampOf(compilerPath, known.toolchain)) return known.toolchain;
    const failed = this.#failed.get(compilerPath);
    if (failed !== undefined && failed.stamp === statText(compilerPath)) throw failed.error;
    try {
      const toolchain = await this.#cache.probe(compilerPath, { env: this.#env });
      this.#known.set(compilerPath, { toolchain, stamp: stampOf(compilerPath, toolchain) });
      await this.#cache.save();
      return toolchain;
    } catch (error) {
      this.#failed.set(compilerPath, { stamp: statText(compilerPath), error });
      throw error;
    }
  }
}

function stampOf(compilerPath: string, toolchain: Toolchain): string {
  return [compilerPath, ...toolchain.components.map((component) => component.path)].map(statText).join(' ');
}

function statText(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? '-' : `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeMs}:${stat.ctimeMs}`;
}
