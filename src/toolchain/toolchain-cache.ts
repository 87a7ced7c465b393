/**
 * Remembers on disk what compilers said about themselves, and believes it for as long as nothing that the
 * answer rests on has changed by its stat: a warm start runs no compiler and hashes nothing.
 */
import { mkdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type Digest, isDigest } from '../base/digest.ts';
import { MeshError, messageOf } from '../base/errors.ts';
import { isLanguageScope, type LanguageScope } from '../compiler/index.ts';
import { FileDigests } from './file-digests.ts';
import { stampOf } from './file-stamp.ts';
import { findInPath } from './find-in-path.ts';
import { probeToolchain } from './probe-toolchain.ts';
import { type Toolchain, toolchainIdOf } from './toolchain.ts';

/** Changes whenever {@link Toolchain} does; a file of another format is ignored. */
const CACHE_FORMAT = 4;
const CACHE_FILE = 'toolchains.json';

interface CachedToolchain {
  readonly toolchain: Toolchain;
  /** One per `toolchain.watched`. */
  readonly stamps: readonly string[];
}

/** How to ask a cache. */
export interface CachedProbeOptions {
  readonly env: NodeJS.ProcessEnv;
  /** Default: what the compiler's name stands for. */
  readonly scope?: LanguageScope | undefined;
}

/** Answers to probes, kept between runs. */
export interface ToolchainCache {
  /** As `probeToolchain`, from memory if nothing has changed. Concurrent calls for one compiler share a probe. */
  readonly probe: (compilerPath: string, options: CachedProbeOptions) => Promise<Toolchain>;
  /** How many compilers had to be asked since the cache was opened. */
  readonly probes: number;
  /** Writes the cache file if anything is new. @throws MeshError MESHCC_COMPILER if it cannot be written */
  save(): Promise<void>;
}

/** Opens the cache in `<cacheDirectory>/toolchains.json`; a missing or damaged file is an empty cache. */
export async function openToolchainCache(options: { cacheDirectory: string }): Promise<ToolchainCache> {
  const path = join(options.cacheDirectory, CACHE_FILE);
  const text = await readFile(path, 'utf8').catch(() => '');
  return new FileToolchainCache(options.cacheDirectory, parseCache(text));
}

interface CacheContent {
  readonly toolchains: readonly CachedToolchain[];
  readonly digests: ReadonlyMap<string, Digest>;
}

class FileToolchainCache implements ToolchainCache {
  probes = 0;
  readonly #cacheDirectory: string;
  readonly #entries = new Map<string, CachedToolchain>();
  readonly #digests: FileDigests;
  readonly #running = new Map<string, Promise<Toolchain>>();
  #changed = false;

  constructor(cacheDirectory: string, content: CacheContent) {
    this.#cacheDirectory = cacheDirectory;
    this.#digests = new FileDigests(content.digests);
    for (const entry of content.toolchains) this.#remember(entry);
  }

  readonly probe = (compilerPath: string, options: CachedProbeOptions): Promise<Toolchain> => {
    const key = `${entryKey(compilerPath, options.scope)}\0${options.env.PATH ?? ''}`;
    const running = this.#running.get(key);
    if (running !== undefined) return running;
    const started = this.#probe(compilerPath, options).finally(() => this.#running.delete(key));
    this.#running.set(key, started);
    return started;
  };

  async save(): Promise<void> {
    if (!this.#changed) return;
    const entries = [...new Set(this.#entries.values())];
    for (const stamp of entries.flatMap((entry) => entry.stamps)) this.#digests.keep(stamp);
    const text = JSON.stringify({
      format: CACHE_FORMAT,
      toolchains: entries,
      digests: [...this.#digests.used],
    });
    const path = join(this.#cacheDirectory, CACHE_FILE);
    const temporary = `${path}.${process.pid}.tmp`;
    this.#changed = false;
    try {
      await mkdir(this.#cacheDirectory, { recursive: true, mode: 0o700 });
      await writeFile(temporary, text, { mode: 0o600 });
      await rename(temporary, path);
    } catch (error) {
      this.#changed = true;
      await unlink(temporary).catch(() => {});
      throw new MeshError(
        'MESHCC_COMPILER',
        `cannot remember the compilers of this machine in ${path}: ${messageOf(error)}. Check that the directory can be written; until then every start asks them again.`,
        { cause: error },
      );
    }
  }

  async #probe(compilerPath: string, { env, scope }: CachedProbeOptions): Promise<Toolchain> {
    const cached = this.#entries.get(entryKey(compilerPath, scope));
    if (cached !== undefined && (await isCurrent(cached, env))) return cached.toolchain;
    this.probes++;
    const toolchain = await probeToolchain(compilerPath, { env, scope, digests: this.#digests });
    const stamps = await Promise.all(toolchain.watched.map(stampOf));
    if (this.#describes(toolchain, stamps)) {
      this.#remember({ toolchain, stamps });
      this.#changed = true;
    }
    return toolchain;
  }

  /** Under its scope, and as the answer to a question without one if that is its own. */
  #remember(entry: CachedToolchain): void {
    const { compilerPath, scope, scopes } = entry.toolchain;
    this.#entries.set(entryKey(compilerPath, scope), entry);
    if (scope === scopes[0]) this.#entries.set(entryKey(compilerPath, undefined), entry);
  }

  /** False if a component was replaced between its digest and its stamp: the next call asks again. */
  #describes(toolchain: Toolchain, stamps: readonly string[]): boolean {
    const stampByPath = new Map(toolchain.watched.map(({ aspect, path }, at) => [aspect + path, stamps[at]]));
    return toolchain.components.every(({ path, digest }) => {
      const stamp = stampByPath.get(`content${path}`);
      return stamp !== undefined && this.#digests.used.get(stamp) === digest;
    });
  }
}

function entryKey(compilerPath: string, scope: LanguageScope | undefined): string {
  return `${compilerPath}\0${scope ?? ''}`;
}

async function isCurrent(cached: CachedToolchain, env: NodeJS.ProcessEnv): Promise<boolean> {
  const { toolchain, stamps } = cached;
  const now = await Promise.all(toolchain.watched.map(stampOf));
  if (now.some((stamp, at) => stamp !== stamps[at])) return false;
  for (const component of toolchain.components) {
    if (component.lookup !== 'PATH') continue;
    if ((await findInPath(basename(component.path), env.PATH)) !== component.path) return false;
  }
  return true;
}

/** Reads a cache file. What does not fit together is left out: the worst that follows is a probe. */
function parseCache(text: string): CacheContent {
  const empty: CacheContent = { toolchains: [], digests: new Map() };
  try {
    const content: unknown = JSON.parse(text);
    if (!isRecord(content) || content.format !== CACHE_FORMAT) return empty;
    const { toolchains, digests } = content;
    if (!Array.isArray(toolchains) || !Array.isArray(digests)) return empty;
    return {
      toolchains: toolchains.filter(isCachedToolchain),
      digests: new Map(digests.filter(isDigestEntry)),
    };
  } catch {
    return empty;
  }
}

/** The id is computed anew, so an entry of which a part was changed is not believed. */
function isCachedToolchain(entry: unknown): entry is CachedToolchain {
  if (!isRecord(entry) || !isRecord(entry.toolchain) || !Array.isArray(entry.stamps)) return false;
  const toolchain = entry.toolchain as unknown as Toolchain;
  return (
    entry.stamps.length === toolchain.watched.length &&
    toolchain.watched.every(({ path }) => typeof path === 'string') &&
    isLanguageScope(toolchain.scope) &&
    Array.isArray(toolchain.scopes) &&
    toolchainIdOf(toolchain) === toolchain.id
  );
}

function isDigestEntry(entry: unknown): entry is [string, Digest] {
  return (
    Array.isArray(entry) && typeof entry[0] === 'string' && typeof entry[1] === 'string' && isDigest(entry[1])
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
