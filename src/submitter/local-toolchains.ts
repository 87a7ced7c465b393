/** The identity of the compiler that a call uses, asked once and believed as long as its files stay as they are. */
import { statSync } from 'node:fs';
import { walkPath } from '../base/path-walk.ts';
import { type Invocation, scopeOf } from '../compiler/index.ts';
import type { SourceView } from '../include-scan/index.ts';
import type { Toolchain, ToolchainCache } from '../toolchain/index.ts';

/** How often the files of a compiler are looked at although no change of them was announced. */
const LOOK_INTERVAL_MS = 10_000;

interface Known {
  /** Undefined: the compiler has no programs for such calls. */
  readonly toolchain: Toolchain | undefined;
  /** What stat said of the driver as called and of each component. */
  readonly stamp: string;
  /** Where those files really are, and what the view had heard of them when stat was asked. */
  heard: Heard;
  lookedAtMs: number;
}

interface Heard {
  readonly structureVersion: number;
  readonly paths: readonly string[];
  readonly changes: readonly (number | undefined)[];
}

/** What of a call decides which programs it needs. */
export type ProgramNeeds = Pick<Invocation, 'language' | 'usesOwnAssembler'>;

export class LocalToolchains {
  readonly #cache: ToolchainCache;
  readonly #env: NodeJS.ProcessEnv;
  readonly #view: SourceView;
  readonly #known = new Map<string, Known>();
  /** Canonical paths of all that belongs to the compilers that were identified, or that they need to run. */
  readonly #files = new Set<string>();
  readonly #onIdentified: (toolchain: Toolchain) => void;
  readonly #failed = new Map<string, { stamp: string; error: unknown }>();

  /** @param onIdentified called for a compiler that was not known before, or is another one now */
  constructor(
    cache: ToolchainCache,
    env: NodeJS.ProcessEnv,
    view: SourceView,
    onIdentified: (toolchain: Toolchain) => void = () => {},
  ) {
    this.#cache = cache;
    this.#env = env;
    this.#view = view;
    this.#onIdentified = onIdentified;
  }

  /**
   * As of the view's last refresh.
   * @param compilerPath absolute path of the real compiler as it is called
   * @returns undefined if it has no programs for the language, or no assembler beside its own
   * @throws MeshError MESHCC_COMPILER if it does not answer as a compiler does
   */
  async identify(compilerPath: string, needs: ProgramNeeds): Promise<Toolchain | undefined> {
    const key = `${needs.language} ${needs.usesOwnAssembler} ${compilerPath}`;
    const known = this.#known.get(key);
    if (known !== undefined && this.#isCurrent(compilerPath, known)) return known.toolchain;
    const failed = this.#failed.get(compilerPath);
    if (failed !== undefined && failed.stamp === statText(compilerPath)) throw failed.error;
    try {
      const toolchain = await this.#ask(compilerPath, needs);
      for (const { realPath } of [...(toolchain?.components ?? []), ...(toolchain?.libraries ?? [])])
        this.#files.add(realPath);
      const heard = this.#listen(compilerPath, toolchain);
      const stamp = stampOf(compilerPath, toolchain);
      this.#known.set(key, { toolchain, stamp, heard, lookedAtMs: performance.now() });
      await this.#cache.save();
      if (toolchain !== undefined) this.#onIdentified(toolchain);
      return toolchain;
    } catch (error) {
      this.#failed.set(compilerPath, { stamp: statText(compilerPath), error });
      throw error;
    }
  }

  /** Those that calls have asked for, as they were then. */
  get identified(): readonly Toolchain[] {
    return [...this.#known.values()].flatMap(({ toolchain }) => toolchain ?? []);
  }

  /** Workers may show files of their own at further canonical paths. */
  claim(paths: readonly string[]): void {
    for (const path of paths) this.#files.add(path);
  }

  /** True if a worker may show a file of its own at a canonical path, to run one of the compilers that were identified. */
  readonly owns = (path: string): boolean => this.#files.has(path);

  async #ask(compilerPath: string, needs: ProgramNeeds): Promise<Toolchain | undefined> {
    const own = await this.#cache.probe(compilerPath, { env: this.#env });
    const scope = scopeOf(needs, own.dialect);
    if (scope === own.scope) return own;
    return own.scopes.includes(scope)
      ? this.#cache.probe(compilerPath, { env: this.#env, scope })
      : undefined;
  }

  #isCurrent(compilerPath: string, known: Known): boolean {
    const nowMs = performance.now();
    if (nowMs - known.lookedAtMs < LOOK_INTERVAL_MS && this.#heardNothing(known.heard)) return true;
    // Before stat is asked: what changes after that will be heard of.
    known.heard = this.#listen(compilerPath, known.toolchain);
    known.lookedAtMs = nowMs;
    return known.stamp === stampOf(compilerPath, known.toolchain);
  }

  #heardNothing({ structureVersion, paths, changes }: Heard): boolean {
    if (structureVersion !== this.#view.structureVersion) return false;
    return paths.every((path, at) => {
      const now = this.#view.changesAt(path);
      return now !== undefined && now === changes[at];
    });
  }

  #listen(compilerPath: string, toolchain: Toolchain | undefined): Heard {
    const paths = pathsOf(compilerPath, toolchain).map(
      (path) => walkPath(path, (at) => this.#view.node(at)).canonicalPath,
    );
    const changes = paths.map((path) => this.#view.changesAt(path));
    return { structureVersion: this.#view.structureVersion, paths, changes };
  }
}

function pathsOf(compilerPath: string, toolchain: Toolchain | undefined): string[] {
  return [compilerPath, ...(toolchain?.components ?? []).map((component) => component.path)];
}

function stampOf(compilerPath: string, toolchain: Toolchain | undefined): string {
  return pathsOf(compilerPath, toolchain).map(statText).join(' ');
}

function statText(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? '-' : `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeMs}:${stat.ctimeMs}`;
}
