/**
 * A toolchain of this worker, shown in a submitter's tree at the paths where the submitter has its own. The
 * files are this worker's: equal content is what makes the toolchain the same, and nothing executable is ever
 * taken from a submitter.
 */
import { randomBytes } from 'node:crypto';
import { copyFile, link, lstat, mkdir, rename, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type Digest, digestFromBytes, digestOf } from '../base/digest.ts';
import { errnoOf, MeshError } from '../base/errors.ts';
import { type PathNode, walkPath } from '../base/path-walk.ts';
import type { WireToolchainUse } from '../mesh/index.ts';
import type { Toolchain } from '../toolchain/index.ts';
import type { Mirror } from './mirror.ts';
import { viewPathProblem } from './view-paths.ts';

export interface InstalledToolchain {
  readonly toolchain: Toolchain;
  /** Path of the driver in the view, as the submitter starts it. */
  readonly driverPath: string;
  /** Basename of that path: it decides the language of some sources. */
  readonly compilerName: string;
  /** PATH for the driver, which starts some programs by bare name. */
  readonly searchPath: string;
}

/** Bound of what one request may list. */
const MAX_ITEMS = 4_096;

/**
 * Puts a toolchain into a tree.
 * @param keepDirectory where copies of this worker's toolchain files are kept, on the file system of the tree
 * @throws MeshError MESHCC_PROTOCOL if the submitter's description is impossible, MESHCC_COMPILER if two descriptions collide
 */
export async function installToolchain(
  toolchain: Toolchain,
  use: WireToolchainUse,
  mirror: Mirror,
  keepDirectory: string,
): Promise<InstalledToolchain> {
  checkDescription(use);
  const view = new BaseLayer(mirror, keepDirectory);
  for (const path of [...use.directories, ...toolchain.directories]) await view.directory(path);
  for (const { path, target } of [...use.links, ...toolchain.links]) await view.link(path, target);
  const own = new Map<Digest, string>();
  for (const component of toolchain.components) own.set(component.digest, component.realPath);
  for (const { sha256, path } of use.files) {
    const digest = digestFromBytes(sha256);
    const source = digest && own.get(digest);
    if (source === undefined) throw new MeshError('MESHCC_PROTOCOL', `${path} is no part of this toolchain`);
    await view.file(path, source);
  }
  for (const { path, realPath } of toolchain.libraries) await view.file(path, realPath);
  const directories = new Set([...use.programDirectories, dirname(use.compilerPath), '/usr/bin', '/bin']);
  return {
    toolchain,
    driverPath: use.compilerPath,
    compilerName: basename(use.compilerPath),
    searchPath: [...directories].join(':'),
  };
}

function checkDescription(use: WireToolchainUse): void {
  const impossible = (what: string): MeshError =>
    new MeshError(
      'MESHCC_PROTOCOL',
      `the description of toolchain ${use.toolchainId.slice(0, 12)} is impossible: ${what}`,
    );
  if (use.directories.length + use.links.length + use.files.length > MAX_ITEMS)
    throw impossible('it is too long');
  for (const path of [...use.directories, ...use.links.map((item) => item.path)]) {
    const problem = viewPathProblem(path);
    if (problem !== undefined) throw impossible(`${path} ${problem}`);
  }
  for (const path of [use.compilerPath, ...use.programDirectories, ...use.files.map((file) => file.path)]) {
    if (!path.startsWith('/') || path.includes('\0') || path.includes(':'))
      throw impossible(`the path ${path}`);
  }
}

/** The worker's own files in a tree: directories, links and copies, never through a link of the tree. */
class BaseLayer {
  readonly #mirror: Mirror;
  readonly #keepDirectory: string;

  constructor(mirror: Mirror, keepDirectory: string) {
    this.#mirror = mirror;
    this.#keepDirectory = keepDirectory;
  }

  async directory(path: string): Promise<void> {
    if (path === '/') return;
    this.#claim(path, { kind: 'directory' });
    await tolerate('EEXIST', mkdir(join(this.#mirror.directory, path), { mode: 0o755 }));
  }

  async link(path: string, target: string): Promise<void> {
    if (target === '' || target.includes('\0'))
      throw new MeshError('MESHCC_PROTOCOL', `${path} links to nowhere`);
    this.#claim(path, { kind: 'symlink', target });
    await tolerate('EEXIST', symlink(target, join(this.#mirror.directory, path)));
  }

  async file(path: string, source: string): Promise<void> {
    const walk = walkPath(path, (at) => this.#mirror.baseAt(at));
    const canonical = walk.canonicalPath;
    const parent = dirname(canonical);
    if (parent !== '/' && this.#mirror.baseAt(parent)?.kind !== 'directory') {
      throw new MeshError('MESHCC_COMPILER', `${path} of the toolchain has no place in the submitter's tree`);
    }
    this.#claim(canonical, { kind: 'file' });
    const copy = await this.#keep(source);
    await tolerate('EEXIST', link(copy, join(this.#mirror.directory, canonical)));
  }

  /** Two toolchains may share directories, links and (this worker's) files, not put different things at one path. */
  #claim(path: string, node: PathNode): void {
    const present = this.#mirror.baseAt(path);
    if (present === undefined) {
      this.#mirror.addBase(path, node);
      return;
    }
    const sameKind = present.kind === node.kind;
    if (
      sameKind &&
      (node.kind !== 'symlink' || (present.kind === 'symlink' && present.target === node.target))
    )
      return;
    throw new MeshError(
      'MESHCC_COMPILER',
      `${path} is a ${present.kind} for one toolchain and a ${node.kind} for another: their trees cannot be joined`,
    );
  }

  /** A copy of one of this machine's files, made once: trees link to it. Named by what stat says of the original. */
  async #keep(source: string): Promise<string> {
    const stat = await lstat(source, { bigint: true });
    const stamp = digestOf(
      [source, stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join('\0'),
    ).slice(0, 24);
    const copy = join(this.#keepDirectory, `${stamp}-${basename(source)}`);
    const present = await lstat(copy).catch(() => undefined);
    if (present !== undefined) return copy;
    await mkdir(this.#keepDirectory, { recursive: true, mode: 0o700 });
    const temporary = `${copy}.${randomBytes(4).toString('hex')}.tmp`;
    await copyFile(source, temporary);
    await rename(temporary, copy);
    return copy;
  }
}

async function tolerate(errno: string, work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (errnoOf(error) !== errno) throw error;
  }
}
