/** What the scanner needs to see of the disk: a view that is cached and provably fresh, without a say in how. */
import type { Digest } from '../base/digest.ts';
import type { PathNode } from '../base/path-walk.ts';
import type { FileScan } from './directive-scan.ts';

/** One state of a file's content; a new object whenever the content may have changed. */
export interface SourceFile {
  /** Canonical. */
  readonly path: string;
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly mtimeSeconds: number;
  /** What its text asks for; made once per content. */
  readonly scan: FileScan;
}

/** A file is so large that it is read beside the event loop: the question is to be asked again when it has arrived. */
export class StillReading extends Error {
  readonly arrived: Promise<void>;

  /** @param arrived never rejects */
  constructor(path: string, arrived: Promise<void>) {
    super(`${path} is still being read`);
    this.arrived = arrived;
  }
}

/** The disk as of the last refresh. */
export interface SourceView {
  /** What is at a canonical absolute path; undefined: nothing. */
  node(path: string): PathNode | undefined;
  /**
   * A number that stays the same as long as nothing was heard of a change of what is at a canonical path; undefined if
   * nothing would be heard. Changes in silence are those of docs/freshness.md: look at the file itself now and then.
   */
  changesAt(path: string): number | undefined;
  /**
   * A regular file's state, read and scanned at first use; undefined if it cannot be read.
   * @throws StillReading if it is a large one that was not known yet
   */
  file(path: string): SourceFile | undefined;
  /**
   * Canonical paths of files of which the last answer of file() may not hold any more, as of the last refresh. Asking
   * file() again settles it; some (see docs/freshness.md) are doubtful after each refresh.
   */
  readonly doubtful: ReadonlySet<string>;
  /** Grows whenever any path that node() was ever asked about may now be answered differently. Content changes do not count. */
  readonly structureVersion: number;
  /** Resolves when every change made before the call is reflected in node(), file() and structureVersion. */
  refresh(): Promise<void>;
}
