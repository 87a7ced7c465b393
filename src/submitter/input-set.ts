/**
 * From the spelled paths of a closure to what travels: dictionary ids of every file, directory and link that
 * the compiler's lookups touch, and the paths that the worker must not show any more.
 */
import { dirname } from 'node:path';
import { IdSet } from '../base/id-set.ts';
import { walkPath } from '../base/path-walk.ts';
import { type Invocation, type LocalReasonId, profilePaths } from '../compiler/index.ts';
import {
  asksBeyondIncludes,
  type FileNumbers,
  type InputClosure,
  type SourceFile,
  type SourceView,
  StillReading,
} from '../include-scan/index.ts';
import type { EntryTable } from './entry-table.ts';
import { areInputsOnDisk } from './input-check.ts';

/** Inputs of one job, ready to travel. */
export interface JobInputs {
  /** In the submitter's dictionary. */
  readonly entryIds: IdSet;
  /** Canonical paths that jobs listed before, and that are gone or something else now. */
  readonly absentPaths: readonly string[];
  /** That of the dictionary: in a later one the ids mean nothing. */
  readonly generation: number;
}

export type InputOutcome =
  /** A large file is still being read: look for the inputs again when it has arrived. */
  | { readonly kind: 'reading'; readonly arrived: Promise<void> }
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
  /** What the compiler of the call consists of: equal, and in the same place, on every node that takes the job. */
  readonly compiler: readonly { readonly realPath: string }[];
}

/** Where a spelled directory leads, and the entries of everything on the way. */
interface DirectoryWalk {
  /** Small number of this walk. */
  readonly number: number;
  /** Undefined if there is no such directory. */
  readonly canonicalPath: string | undefined;
  readonly entryIds: IdSet;
}

/** What travels for one file. */
interface FileOnItsWay {
  readonly file: SourceFile;
  /** Undefined for a file of a compiler: workers show their own in its place, and take no other. */
  readonly entryId: number | undefined;
  readonly way: DirectoryWalk;
  /** For a file that is reached through a link of its own. */
  readonly link: DirectoryWalk | undefined;
}

/** The entries of one job, each once. */
class JobIds {
  readonly #ids = new IdSet();
  readonly #walks = new IdSet();

  /** Files of compilers, which do not travel. */
  readonly ofCompilers: SourceFile[] = [];

  add({ file, entryId, way, link }: FileOnItsWay): void {
    if (entryId === undefined) this.ofCompilers.push(file);
    else this.#ids.add(entryId);
    this.addWalk(way);
    if (link !== undefined) this.addWalk(link);
  }

  addWalk({ number, entryIds }: DirectoryWalk): void {
    if (this.#walks.has(number)) return;
    this.#walks.add(number);
    this.#ids.addAll(entryIds);
  }

  get all(): IdSet {
    return this.#ids;
  }
}

export class InputCollector {
  readonly #entries: EntryTable;
  readonly #view: SourceView;
  readonly #isOfCompiler: (path: string) => boolean;
  readonly #directories = new Map<string, DirectoryWalk>();
  /** By number of the file; for each meaning of numbers that is in use. */
  #numbered = new WeakMap<FileNumbers, (FileOnItsWay | undefined)[]>();
  #absentPaths: readonly string[] = [];
  /** Structure of the disk, and kinds in the dictionary, that all this rests on. */
  #version = '';

  /** @param isOfCompiler tells of a canonical path whether workers may show a file of a compiler there */
  constructor(entries: EntryTable, view: SourceView, isOfCompiler: (path: string) => boolean) {
    this.#entries = entries;
    this.#view = view;
    this.#isOfCompiler = isOfCompiler;
  }

  /** Turns a closure into dictionary ids, or names why the unit stays local. Call it in the turn in which the closure was found. */
  collect(request: InputRequest): InputOutcome {
    this.#entries.limit();
    this.#followStructure();
    const { invocation, workingDirectory, logicalDirectory, closure } = request;
    const ids = new JobIds();
    const directories = new Set(closure.directories).add(workingDirectory);
    for (const { path } of invocation.outputs) directories.add(dirname(absolute(workingDirectory, path)));
    if (logicalDirectory !== undefined) directories.add(logicalDirectory);
    for (const directory of directories) this.#addDirectory(directory, ids);
    const trouble = closure.numbered
      ? this.#addNumbered(closure.numbered, ids)
      : this.#addListed(closure.files, ids);
    const named = trouble ?? this.#addNamed(request, ids);
    if (named !== undefined) return named;
    const foreign = ids.ofCompilers.find(({ path }) =>
      request.compiler.every(({ realPath }) => realPath !== path),
    );
    if (foreign !== undefined) return { kind: 'local', reason: 'compiler-file', detail: foreign.path };
    const { generation } = this.#entries;
    return { kind: 'inputs', inputs: { entryIds: ids.all, absentPaths: this.#absentPaths, generation } };
  }

  /** False if the dictionary has been begun anew since: the inputs must be collected again. */
  isCurrent({ generation }: JobInputs): boolean {
    return generation === this.#entries.generation;
  }

  /** Reads all files of a job: true if each has the content that was told. For rare cases; it takes a while. */
  areOnDisk(inputs: JobInputs): Promise<boolean> {
    return areInputsOnDisk(this.#entries, inputs);
  }

  /** Files that the finder has read and numbered: all but a few are those of earlier jobs. */
  #addNumbered(
    { numbers, meaning }: NonNullable<InputClosure['numbered']>,
    ids: JobIds,
  ): InputOutcome | undefined {
    let known = this.#numbered.get(meaning);
    if (known === undefined) {
      known = [];
      this.#numbered.set(meaning, known);
    }
    const files = known;
    let lost: string | undefined;
    numbers.forEach((number) => {
      const file = meaning.file(number);
      let way = files[number];
      if (file === undefined) lost ??= meaning.path(number);
      else {
        if (way?.file !== file) {
          way = this.#onItsWay(meaning.path(number), file);
          files[number] = way;
        }
        ids.add(way);
      }
    });
    return lost === undefined ? undefined : changed(lost);
  }

  /** Files of a finder that did not look into them: it knows of includes only. */
  #addListed(paths: readonly string[], ids: JobIds): InputOutcome | undefined {
    let traits = 0;
    for (const path of paths) {
      const walk = walkPath(path, (at) => this.#view.node(at));
      const file = walk.node?.kind === 'file' ? this.#fileAt(walk.canonicalPath) : undefined;
      if (file instanceof StillReading) return { kind: 'reading', arrived: file.arrived };
      if (file === undefined) return changed(path);
      traits |= file.scan.traits;
      const reason = asksBeyondIncludes(file.scan, traits);
      if (reason !== undefined) return { kind: 'local', reason, detail: path };
      this.#addDirectory(dirname(walk.canonicalPath), ids);
      ids.add(this.#onItsWay(path, file));
    }
    return undefined;
  }

  /** Files that options name, as far as they exist; where they do not, the worker has none either. */
  #addNamed(
    { invocation, workingDirectory, logicalDirectory }: InputRequest,
    ids: JobIds,
  ): InputOutcome | undefined {
    const { dataFiles, profile } = invocation;
    if (dataFiles.length === 0 && profile === undefined) return undefined;
    const paths = dataFiles.map((path) => absolute(workingDirectory, path));
    const directories =
      logicalDirectory === undefined ? [workingDirectory] : [workingDirectory, logicalDirectory];
    if (profile !== undefined) paths.push(...profilePaths(profile, directories));
    for (const path of paths) {
      const walk = walkPath(path, (at) => this.#view.node(at));
      if (walk.node?.kind !== 'file') continue;
      const file = this.#fileAt(walk.canonicalPath);
      if (file instanceof StillReading) return { kind: 'reading', arrived: file.arrived };
      if (file === undefined) return changed(path);
      this.#addDirectory(dirname(walk.canonicalPath), ids);
      ids.add(this.#onItsWay(path, file));
    }
    return undefined;
  }

  #fileAt(path: string): SourceFile | StillReading | undefined {
    try {
      return this.#view.file(path);
    } catch (error) {
      if (error instanceof StillReading) return error;
      throw error;
    }
  }

  /** What was learnt of directories, and which known paths are gone, holds as long as nothing came, went or changed its kind. */
  #followStructure(): void {
    const version = `${this.#view.structureVersion} ${this.#entries.kindVersion}`;
    if (version === this.#version) return;
    this.#directories.clear();
    this.#numbered = new WeakMap();
    const gone: string[] = [];
    for (const [path, kind] of this.#entries.latestKinds()) {
      if (this.#view.node(path)?.kind !== kind) gone.push(path);
    }
    this.#absentPaths = gone;
    // Asking may itself have learnt something new; then the next call looks again.
    this.#version = version;
  }

  #addDirectory(spelled: string, ids: JobIds): void {
    ids.addWalk(this.#walkTo(spelled));
  }

  #walkTo(spelled: string): DirectoryWalk {
    let walk = this.#directories.get(spelled);
    if (walk === undefined) {
      walk = this.#walk(spelled);
      this.#directories.set(spelled, walk);
    }
    return walk;
  }

  #walk(spelled: string): DirectoryWalk {
    const { canonicalPath, node, steps } = walkPath(spelled, (path) => this.#view.node(path));
    const entryIds = new IdSet();
    for (const { path, node: step } of steps) {
      entryIds.add(
        step.kind === 'directory'
          ? this.#entries.directoryId(path)
          : this.#entries.symlinkId(path, step.target),
      );
    }
    return {
      number: this.#directories.size,
      canonicalPath: node?.kind === 'directory' ? canonicalPath : undefined,
      entryIds: entryIds.compact(),
    };
  }

  /** The file itself, and whatever its spelled path leads through. */
  #onItsWay(spelled: string, file: SourceFile): FileOnItsWay {
    const entryId = this.#isOfCompiler(file.path) ? undefined : this.#entries.fileId(file);
    const slash = spelled.lastIndexOf('/');
    const way = this.#walkTo(spelled.slice(0, slash) || '/');
    const direct =
      way.canonicalPath === '/' ? spelled.slice(slash) : `${way.canonicalPath}${spelled.slice(slash)}`;
    // Not there itself: the last component is a link, or the path ends in something unusual.
    return { file, entryId, way, link: direct === file.path ? undefined : this.#walkTo(spelled) };
  }
}

function changed(path: string): InputOutcome {
  return { kind: 'local', reason: 'input-changed', detail: `${path} is no regular file any more` };
}

function absolute(workingDirectory: string, path: string): string {
  return path.startsWith('/') ? path : `${workingDirectory}/${path}`;
}
