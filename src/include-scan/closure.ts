/** The port between a job and whatever finds its inputs. */
import type { IdSet } from '../base/id-set.ts';
import type { Invocation, LocalReasonId } from '../compiler/index.ts';
import type { SourceFile } from './source-view-port.ts';

/** A compile whose inputs are wanted. */
export interface ClosureRequest {
  readonly invocation: Invocation;
  /** Absolute path of the compiler as the user runs it. */
  readonly compilerPath: string;
  /** Another one once the compiler at that path is another one. */
  readonly compilerId: string;
  /** Absolute. */
  readonly workingDirectory: string;
  /** "NAME=value" of everything that the compiler may look at. */
  readonly environment: readonly string[];
}

/** What the numbers of files stand for. A number keeps its path; its content may become another one. */
export interface FileNumbers {
  /** Absolute, as the compiler will spell it. */
  path(number: number): string;
  /** Its content as of the closure that was found last; undefined if it cannot be read. */
  file(number: number): SourceFile | undefined;
}

/** Everything that the compile may read. Paths are absolute but spelled as the compiler will spell them. */
export interface InputClosure {
  readonly files: readonly string[];
  /** Directories that must exist for the compiler if they exist here (search path, working directory). */
  readonly directories: readonly string[];
  /** The directories that the compiler searches, in order; absolute, as spelled. */
  readonly searchPath: { readonly quote: readonly string[]; readonly angle: readonly string[] };
  /** What the files hold, in the order of `files`; undefined if the finder did not look into them itself. */
  readonly sourceFiles?: readonly SourceFile[];
  /** The same files as numbers, for whoever remembers something about each; undefined if they have none. */
  readonly numbered?: { readonly numbers: IdSet; readonly meaning: FileNumbers };
  /**
   * Canonical paths where a header was looked for and not found: a file there would change what is read.
   * Made when first asked for; it takes milliseconds.
   */
  readonly probedAbsent?: readonly string[];
}

/** A closure, or the named reason why this unit stays local. */
export type ClosureOutcome =
  | { readonly kind: 'closure'; readonly closure: InputClosure }
  | { readonly kind: 'local'; readonly reason: LocalReasonId; readonly detail: string };

/**
 * Finds the inputs of a compile without missing any; over-approximation is allowed. It must not block the
 * event loop, may be called for many units at once, and stops early when the signal fires.
 */
export interface ClosureFinder {
  /** As of the view's last refresh before the call. */
  find(request: ClosureRequest, signal: AbortSignal): Promise<ClosureOutcome>;
  /**
   * Like `find`, for a unit whose closure turned out to lack something: includes what the compiler itself
   * lists, now and whenever this unit is asked about again.
   */
  findExactly(request: ClosureRequest, signal: AbortSignal): Promise<ClosureOutcome>;
}
