/**
 * A toolchain of this worker, shown in a submitter's tree at the paths where the submitter has its own. The
 * files are this worker's: equal content is what makes the toolchain the same, and nothing executable is ever
 * taken from a submitter.
 */
import { randomBytes } from 'node:crypto';
import { copyFile, link, lstat, mkdir, readlink, rm, stat, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type Digest, digestFromBytes, digestOf } from '../base/digest.ts';
import { MeshError } from '../base/errors.ts';
import { digestOfFile } from '../base/file-digest.ts';
import { type PathNode, walkPath } from '../base/path-walk.ts';
import type { WireToolchainUse } from '../mesh/index.ts';
import {
  isPlacedByRole,
  isRunSupport,
  type RunSupport,
  supportOf,
  type Toolchain,
  type ToolchainComponent,
} from '../toolchain/index.ts';
import { isMade, makeDirectory } from './make-once.ts';
import type { Mirror } from './mirror.ts';
import { viewPathProblem } from './view-paths.ts';

export interface InstalledToolchain {
  readonly toolchain: Toolchain;
  /** Path of the driver in the view, as the submitter starts it. */
  readonly driverPath: string;
  /** Basename of that path: it decides the language of some sources. */
  readonly compilerName: string;
  /** Canonical paths in the view of those components that the submitter's compiler has with the same content. */
  readonly componentPaths: ReadonlySet<string>;
  /** PATH for the driver, which starts some programs by bare name. */
  readonly searchPath: string;
  /** Set if the compiler would look for headers elsewhere than the submitter's. */
  readonly toldDirectories?: ToldDirectories;
  /** What lies in the tree besides, so that it runs. */
  readonly support: {
    readonly directories: readonly string[];
    readonly links: RunSupport['links'];
    /** Canonical paths. */
    readonly files: readonly string[];
  };
}

/** The use of a toolchain in the place of one of another host. */
export type OtherHostUse = WireToolchainUse & {
  readonly otherHost: NonNullable<WireToolchainUse['otherHost']>;
};

/** Where a compiler is told to look for headers, as it stands for another one. */
export interface ToldDirectories {
  readonly options: readonly string[];
  /** Where it, or the submitter's, would look as well: as soon as one of them exists, neither list is right. */
  readonly absent: readonly string[];
}

/** Bound of what one request may list. */
const MAX_ITEMS = 4_096;
/** Bounds of where a compiler of another host looks for headers; real ones have a dozen. */
const MAX_SEARCH_DIRECTORIES = 128;
const MAX_SEARCH_PATH = 4_096;

/**
 * Puts a toolchain into a tree. If it stands for one of another host architecture, its programs go by their roles to
 * where the submitter has its own, and only what they need to run is taken from this machine besides.
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
  const support = use.otherHost ? supportOf(toolchain) : ownSupportOf(toolchain);
  for (const path of [...use.directories, ...support.directories]) await view.directory(path);
  for (const { path, target } of [...use.links, ...support.links]) await view.link(path, target);
  const drivers = new Set<string>();
  const componentPaths = new Set<string>();
  for (const file of use.files) {
    const component = componentFor(file, toolchain, use);
    if (component === undefined)
      throw new MeshError('MESHCC_PROTOCOL', `${file.path} is no part of this toolchain`);
    const canonical = await view.file(file.path, component.realPath, component.digest);
    if (!use.otherHost || !isPlacedByRole(component.role)) componentPaths.add(canonical);
    if (component.role === 'driver') drivers.add(canonical);
  }
  const supportFiles: string[] = [];
  for (const { path, realPath, digest } of support.files)
    supportFiles.push(await view.file(path, realPath, digest));
  // Else a link could make any program of the toolchain, its loader for one, run under the compiler's name.
  if (!drivers.has(view.resolve(use.compilerPath))) {
    throw new MeshError('MESHCC_PROTOCOL', `${use.compilerPath} does not lead to this toolchain's driver`);
  }
  // A driver that was built to be elsewhere finds its programs by PATH, if at all.
  const programs = use.otherHost ? use.files.map(({ path }) => dirname(path)) : [];
  const directories = new Set([
    ...use.programDirectories,
    ...programs,
    dirname(use.compilerPath),
    '/usr/bin',
    '/bin',
  ]);
  return {
    toolchain,
    driverPath: use.compilerPath,
    compilerName: basename(use.compilerPath),
    componentPaths,
    searchPath: [...directories].join(':'),
    support: { directories: support.directories, links: support.links, files: supportFiles },
  };
}

/** What an equal toolchain needs besides the components, which the submitter lists all. */
function ownSupportOf({ libraries, directories, links }: Toolchain): RunSupport {
  return { files: libraries, directories, links };
}

/** The file of this worker that is meant: by its content or, of a program for another host, by what it is for. */
function componentFor(
  { sha256, role = '' }: WireToolchainUse['files'][number],
  { components }: Toolchain,
  { otherHost }: WireToolchainUse,
): ToolchainComponent | undefined {
  if (otherHost && role !== '')
    return components.find((component) => component.role === role && isPlacedByRole(component.role));
  const digest = digestFromBytes(sha256);
  return components.find(
    (component) => component.digest === digest && !(otherHost && isRunSupport(component.role)),
  );
}

/** @throws MeshError MESHCC_PROTOCOL */
export function checkDescription(use: WireToolchainUse): void {
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
  if (!use.otherHost) return;
  const { includeDirectories, absentIncludeDirectories } = use.otherHost;
  const searched = [...includeDirectories, ...absentIncludeDirectories];
  if (searched.length > MAX_SEARCH_DIRECTORIES) throw impossible('it searches too many directories');
  for (const path of searched) {
    // They become arguments of the compiler: a word with another beginning would be an option, or a file of them.
    if (!path.startsWith('/') || /[\0\r\n]/.test(path) || path.length > MAX_SEARCH_PATH)
      throw impossible(`the directory of headers ${path.slice(0, 100)}`);
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
    const place = join(this.#mirror.directory, path);
    if (await makeDirectory(place, () => collision(path))) await this.#mirror.own(place);
  }

  async link(path: string, target: string): Promise<void> {
    if (target === '' || target.includes('\0'))
      throw new MeshError('MESHCC_PROTOCOL', `${path} links to nowhere`);
    this.#claim(path, { kind: 'symlink', target });
    const place = join(this.#mirror.directory, path);
    if (await isMade(symlink(target, place))) return;
    if ((await readlink(place).catch(() => undefined)) !== target) throw collision(path);
  }

  /**
   * Puts one of this machine's files at a path.
   * @param digest its content if that is part of the toolchain's identity
   * @returns the canonical path in the tree
   */
  async file(path: string, source: string, digest: Digest | undefined): Promise<string> {
    const canonical = this.resolve(path);
    const file: PathNode = { kind: 'file' };
    // What is missing must be the file itself, not a directory on the way to it.
    const found = walkPath(path, (at) => (at === canonical ? file : this.#mirror.baseAt(at))).node;
    if (found !== file) throw placeless(path);
    this.#claim(canonical, file);
    const copy = await this.#keep(source, digest);
    const place = join(this.#mirror.directory, canonical);
    // Two toolchains may have the same file at one path, but not different ones.
    if (!(await isMade(link(copy, place))) && !(await isSameContent(copy, place))) throw collision(canonical);
    return canonical;
  }

  /** Where a path leads through the worker's own part of the tree. */
  resolve(path: string): string {
    return walkPath(path, (at) => this.#mirror.baseAt(at)).canonicalPath;
  }

  /** Two toolchains may share directories, links and (this worker's) files, not put different things at one path. */
  #claim(path: string, node: PathNode): void {
    const parent = dirname(path);
    // A link of the submitter in the place of a directory would lead out of the tree.
    if (parent !== '/' && this.#mirror.baseAt(parent)?.kind !== 'directory') throw placeless(path);
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

  /**
   * A copy of one of this machine's files, made once: trees link to it. Named by what stat says of the original,
   * and held against the digest: a compiler that was upgraded since it was identified is another one.
   */
  async #keep(source: string, digest: Digest | undefined): Promise<string> {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(source, { bigint: true });
    const stamp = digestOf([source, dev, ino, size, mtimeNs, ctimeNs, digest ?? ''].join('\0')).slice(0, 24);
    const copy = join(this.#keepDirectory, `${stamp}-${basename(source)}`);
    const present = await lstat(copy).catch(() => undefined);
    if (present !== undefined) return copy;
    await mkdir(this.#keepDirectory, { recursive: true, mode: 0o700 });
    const temporary = `${copy}.${randomBytes(4).toString('hex')}.tmp`;
    try {
      await copyFile(source, temporary);
      if (digest !== undefined && (await digestOfFile(temporary)) !== digest) {
        throw new MeshError(
          'MESHCC_COMPILER',
          `${source} has changed since this worker looked at it: restart its agent to offer the new compiler`,
        );
      }
      // No rename: it would replace a copy that another session made meanwhile, and whose tree is about to link to it.
      await isMade(link(temporary, copy));
    } finally {
      await rm(temporary, { force: true });
    }
    return copy;
  }
}

function placeless(path: string): MeshError {
  return new MeshError('MESHCC_COMPILER', `${path} of the toolchain has no place in the submitter's tree`);
}

function collision(path: string): MeshError {
  return new MeshError('MESHCC_COMPILER', `something else lies at ${path} of the toolchain already`);
}

async function isSameContent(a: string, b: string): Promise<boolean> {
  const [first, second] = [await lstat(a), await lstat(b)];
  if (first.ino === second.ino && first.dev === second.dev) return true;
  if (!second.isFile() || first.size !== second.size) return false;
  return (await digestOfFile(a)) === (await digestOfFile(b));
}
