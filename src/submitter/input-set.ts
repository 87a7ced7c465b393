/**
 * From the spelled paths of a closure to what travels: dictionary ids of every file, directory and link that
 * the compiler's lookups touch, and the paths that must not exist for the worker.
 */
import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import { type PathNode, type PathWalk, walkPath } from '../base/path-walk.ts';
import type { Invocation, LocalReasonId } from '../compiler/index.ts';
import {
  existenceCandidates,
  type FileTable,
  type InputClosure,
  type InputFile,
} from '../include-scan/index.ts';
import type { EntryTable } from './entry-table.ts';

/** Inputs of one job, ready to travel. */
export interface JobInputs {
  /** Ascending. */
  readonly entryIds: readonly number[];
  /** Canonical paths that jobs listed before, and that do not exist now. */
  readonly absentPaths: readonly string[];
  readonly fileCount: number;
}

export type InputOutcome =
  | { readonly kind: 'inputs'; readonly inputs: JobInputs }
  | { readonly kind: 'local'; readonly reason: LocalReasonId; readonly detail: string };

/** What one job saw of the file system; each path is looked at once, so that a job has one view of it. */
class View {
  readonly #stats = new Map<string, Stats | undefined>();
  readonly #nodes = new Map<string, PathNode | undefined>();

  readonly lookup = (path: string): PathNode | undefined => {
    if (this.#nodes.has(path)) return this.#nodes.get(path);
    const stat = this.stat(path);
    const node = stat === undefined ? undefined : nodeOf(path, stat);
    this.#nodes.set(path, node);
    return node;
  };

  stat(path: string): Stats | undefined {
    if (this.#stats.has(path)) return this.#stats.get(path);
    let stat: Stats | undefined;
    try {
      stat = lstatSync(path, { throwIfNoEntry: false });
    } catch {
      // unreadable directory or over-long name: for the compiler, too, nothing can be read there
    }
    this.#stats.set(path, stat);
    return stat;
  }
}

function nodeOf(path: string, stat: Stats): PathNode {
  if (stat.isFile()) return { kind: 'file' };
  if (stat.isDirectory()) return { kind: 'directory' };
  return stat.isSymbolicLink() ? { kind: 'symlink', target: readlinkSync(path) } : { kind: 'other' };
}

/** Collects the entry ids of one job. */
class Collector {
  readonly view = new View();
  readonly ids = new Set<number>();
  readonly #entries: EntryTable;
  readonly #walkedDirectories = new Map<string, PathWalk>();

  constructor(entries: EntryTable) {
    this.#entries = entries;
  }

  /** Walks a path, noting directories and links on the way. Walks of a common directory are shared. */
  walk(path: string): PathWalk {
    const parent = dirname(path);
    const base = path.slice(path.lastIndexOf('/') + 1);
    if (base === '' || base === '.' || base === '..') return this.#walkWhole(path);
    let directory = this.#walkedDirectories.get(parent);
    if (directory === undefined) {
      directory = this.#walkWhole(parent);
      this.#walkedDirectories.set(parent, directory);
    }
    if (directory.node?.kind !== 'directory') return directory;
    const prefix = directory.canonicalPath === '/' ? '' : directory.canonicalPath;
    return this.#walkWhole(`${prefix}/${base}`, true);
  }

  #walkWhole(path: string, parentKnown = false): PathWalk {
    if (parentKnown) {
      const node = this.view.lookup(path);
      if (node?.kind === 'file' || node === undefined) return { canonicalPath: path, node, steps: [] };
    }
    const walk = walkPath(path, this.view.lookup);
    for (const step of walk.steps) {
      this.ids.add(
        step.node.kind === 'directory'
          ? this.#entries.directoryId(step.path)
          : this.#entries.symlinkId(step.path, step.node.target),
      );
    }
    return walk;
  }
}

/** What {@link collectInputs} needs. */
export interface InputSources {
  readonly entries: EntryTable;
  readonly files: FileTable;
}

/** Turns a closure into dictionary ids, or names why the unit stays local. */
export async function collectInputs(
  invocation: Invocation,
  workingDirectory: string,
  logicalDirectory: string | undefined,
  closure: InputClosure,
  sources: InputSources,
): Promise<InputOutcome> {
  const collector = new Collector(sources.entries);
  const outputDirectories = invocation.outputs.map((output) =>
    dirname(absolute(workingDirectory, output.path)),
  );
  const directories = [workingDirectory, ...outputDirectories, ...closure.directories];
  if (logicalDirectory !== undefined) directories.push(logicalDirectory);
  for (const directory of new Set(directories)) collector.walk(directory);

  const spelled = new Map<string, string>();
  for (const path of closure.files) {
    const walk = collector.walk(path);
    if (walk.node?.kind !== 'file') return changed(path, 'is no regular file any more');
    spelled.set(walk.canonicalPath, path);
  }
  const read = await identifyAll([...spelled.keys()], collector, sources.files);
  if (read.kind === 'local') return read;
  for (const file of read.files) {
    const trouble = traitsTrouble(file);
    if (trouble !== undefined) return { kind: 'local', ...trouble };
  }

  const absent: string[] = [];
  const tested = new Set<string>();
  const search = searchDirectories(invocation, workingDirectory, closure);
  for (const file of read.files) {
    const including = spelled.get(file.path) ?? file.path;
    for (const candidate of existenceCandidates(including, file.traits.existenceTests, search)) {
      const walk = collector.walk(candidate);
      if (walk.node === undefined) absent.push(walk.canonicalPath);
      else if (walk.node.kind === 'file' && !spelled.has(walk.canonicalPath)) tested.add(walk.canonicalPath);
    }
  }
  // A file that is only tested for existence is shipped but not read: its own text does not matter.
  const existing = await identifyAll([...tested], collector, sources.files);
  if (existing.kind === 'local') return existing;

  for (const file of [...read.files, ...existing.files]) collector.ids.add(sources.entries.fileId(file));
  if (invocation.depfile?.omitsSystemHeaders === true) {
    absent.push(...vanishedPaths(sources.entries, collector));
  }
  return {
    kind: 'inputs',
    inputs: {
      entryIds: [...collector.ids].sort((a, b) => a - b),
      absentPaths: absent.filter((path) => sources.entries.knownPathNumber(path) !== undefined),
      fileCount: read.files.length + existing.files.length,
    },
  };
}

/**
 * Files and links that earlier jobs listed and that are gone. The worker's check of a unit's true
 * dependencies would notice a vanished header that is still in its view, except a system header of a unit
 * compiled with -MMD, whose depfile leaves those out; so for these units every known path is looked at.
 */
function vanishedPaths(entries: EntryTable, collector: Collector): string[] {
  const vanished: string[] = [];
  for (const path of entries.paths()) {
    if (collector.view.stat(path) === undefined) vanished.push(path);
  }
  return vanished;
}

/** Content identities of all paths, or the reason why one cannot be had. */
async function identifyAll(
  paths: readonly string[],
  collector: Collector,
  table: FileTable,
): Promise<{ kind: 'files'; files: InputFile[] } | (InputOutcome & { kind: 'local' })> {
  const identities = await table.identify(
    paths,
    paths.map((path) => collector.view.stat(path)),
  );
  const files: InputFile[] = [];
  for (const [index, file] of identities.entries()) {
    if (file === undefined) return changed(String(paths[index]), 'changed while it was read');
    files.push(file);
  }
  return { kind: 'files', files };
}

function changed(path: string, what: string): InputOutcome & { kind: 'local' } {
  return { kind: 'local', reason: 'input-changed', detail: `${path} ${what}` };
}

function searchDirectories(
  invocation: Invocation,
  workingDirectory: string,
  closure: InputClosure,
): InputClosure['searchPath'] {
  // Directories that did not exist when the compiler was asked for its list may exist now.
  const named = invocation.includeDirectories.map((directory) => absolute(workingDirectory, directory));
  return { quote: closure.searchPath.quote, angle: [...new Set([...closure.searchPath.angle, ...named])] };
}

function traitsTrouble(file: InputFile): { reason: LocalReasonId; detail: string } | undefined {
  const { traits, path } = file;
  if (traits.usesClock) return { reason: 'time-macro', detail: path };
  if (traits.embedsByAssembler) return { reason: 'incbin', detail: path };
  if (traits.embeds) return { reason: 'embed', detail: path };
  if (traits.computesExistenceTest) return { reason: 'computed-has-include', detail: path };
  return undefined;
}

function absolute(workingDirectory: string, path: string): string {
  return path.startsWith('/') ? path : `${workingDirectory}/${path}`;
}
