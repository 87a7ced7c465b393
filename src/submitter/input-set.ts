/**
 * From the spelled paths of a closure to what travels: dictionary ids of every file, directory and link that
 * the compiler's lookups touch, and the paths that the worker must not show any more.
 */
import { dirname } from 'node:path';
import { walkPath } from '../base/path-walk.ts';
import type { Invocation, LocalReasonId } from '../compiler/index.ts';
import {
  asksBeyondIncludes,
  type InputClosure,
  type SourceFile,
  type SourceView,
} from '../include-scan/index.ts';
import type { EntryTable } from './entry-table.ts';

/** Inputs of one job, ready to travel. */
export interface JobInputs {
  /** Ascending. */
  readonly entryIds: readonly number[];
  /** Canonical paths that jobs listed before, and that are gone or something else now. */
  readonly absentPaths: readonly string[];
  readonly fileCount: number;
}

export type InputOutcome =
  | { readonly kind: 'inputs'; readonly inputs: JobInputs }
  | { readonly kind: 'local'; readonly reason: LocalReasonId; readonly detail: string };

/** A job's directories and files. */
export interface InputRequest {
  readonly invocation: Invocation;
  /** Canonical. */
  readonly workingDirectory: string;
  /** PWD, if it names the working directory through a link. */
  readonly logicalDirectory: string | undefined;
  readonly closure: InputClosure;
}

/** Where a spelled directory leads, and the entries of everything on the way. */
interface DirectoryWalk {
  /** Undefined if there is no such directory. */
  readonly canonicalPath: string | undefined;
  readonly entryIds: readonly number[];
}

/** The entries of one job, each once. */
class JobIds {
  readonly #ids = new Set<number>();
  readonly #walks = new Set<DirectoryWalk>();

  addFile(id: number): void {
    this.#ids.add(id);
  }

  addWalk(walk: DirectoryWalk): void {
    if (this.#walks.has(walk)) return;
    this.#walks.add(walk);
    for (const id of walk.entryIds) this.#ids.add(id);
  }

  ascending(): number[] {
    return [...Uint32Array.from(this.#ids).sort()];
  }
}

export class InputCollector {
  readonly #entries: EntryTable;
  readonly #view: SourceView;
  readonly #directories = new Map<string, DirectoryWalk>();
  #absentPaths: readonly string[] = [];
  /** Structure of the disk, and kinds in the dictionary, that all this rests on. */
  #version = '';

  constructor(entries: EntryTable, view: SourceView) {
    this.#entries = entries;
    this.#view = view;
  }

  /** Turns a closure into dictionary ids, or names why the unit stays local. Call it in the turn in which the closure was found. */
  collect(request: InputRequest): InputOutcome {
    this.#followStructure();
    const { invocation, workingDirectory, logicalDirectory, closure } = request;
    const ids = new JobIds();
    const directories = new Set(closure.directories).add(workingDirectory);
    for (const { path } of invocation.outputs) directories.add(dirname(absolute(workingDirectory, path)));
    if (logicalDirectory !== undefined) directories.add(logicalDirectory);
    for (const directory of directories) this.#addDirectory(directory, ids);
    let fileCount = 0;
    for (const [index, path] of closure.files.entries()) {
      const file = closure.sourceFiles?.[index] ?? this.#look(path, ids);
      if (file === undefined) {
        return { kind: 'local', reason: 'input-changed', detail: `${path} is no regular file any more` };
      }
      // A finder that did not read the files itself knows of includes only.
      const trouble = closure.sourceFiles === undefined ? asksBeyondIncludes(file.scan) : undefined;
      if (trouble !== undefined) return { kind: 'local', reason: trouble, detail: path };
      this.#addFile(path, file, ids);
      fileCount++;
    }
    return {
      kind: 'inputs',
      inputs: { entryIds: ids.ascending(), absentPaths: this.#absentPaths, fileCount },
    };
  }

  /** What was learnt of directories, and which known paths are gone, holds as long as nothing came, went or changed its kind. */
  #followStructure(): void {
    const version = `${this.#view.structureVersion} ${this.#entries.kindVersion}`;
    if (version === this.#version) return;
    this.#directories.clear();
    const gone: string[] = [];
    for (const [path, kind] of this.#entries.latestKinds()) {
      if (this.#view.node(path)?.kind !== kind) gone.push(path);
    }
    this.#absentPaths = gone;
    // Asking may itself have learnt something new; then the next call looks again.
    this.#version = version;
  }

  #addDirectory(spelled: string, ids: JobIds): DirectoryWalk {
    let walk = this.#directories.get(spelled);
    if (walk === undefined) {
      walk = this.#walk(spelled);
      this.#directories.set(spelled, walk);
    }
    ids.addWalk(walk);
    return walk;
  }

  #walk(spelled: string): DirectoryWalk {
    const { canonicalPath, node, steps } = walkPath(spelled, (path) => this.#view.node(path));
    const entryIds = steps.map(({ path, node: step }) =>
      step.kind === 'directory'
        ? this.#entries.directoryId(path)
        : this.#entries.symlinkId(path, step.target),
    );
    return { canonicalPath: node?.kind === 'directory' ? canonicalPath : undefined, entryIds };
  }

  /** The file itself, and whatever its spelled path leads through. */
  #addFile(spelled: string, file: SourceFile, ids: JobIds): void {
    ids.addFile(this.#entries.fileId(file));
    const slash = spelled.lastIndexOf('/');
    const directory = this.#addDirectory(spelled.slice(0, slash) || '/', ids);
    const direct =
      directory.canonicalPath === '/'
        ? spelled.slice(slash)
        : `${directory.canonicalPath}${spelled.slice(slash)}`;
    // Not there itself: the last component is a link, or the path ends in something unusual.
    if (direct !== file.path) this.#addDirectory(spelled, ids);
  }

  #look(path: string, ids: JobIds): SourceFile | undefined {
    const walk = walkPath(path, (at) => this.#view.node(at));
    if (walk.node?.kind !== 'file') return undefined;
    this.#addDirectory(dirname(walk.canonicalPath), ids);
    return this.#view.file(walk.canonicalPath);
  }
}

function absolute(workingDirectory: string, path: string): string {
  return path.startsWith('/') ? path : `${workingDirectory}/${path}`;
}
