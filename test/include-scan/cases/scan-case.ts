/** The shape of one scanner case: a few files, a call, and what the scanner must find. */
import type { LocalReasonId } from '../../../src/compiler/index.ts';

/** One case. Paths are relative to a fresh directory, which `$DIR` stands for in texts and arguments. */
export interface ScanCase {
  readonly name: string;
  /** Texts by path; the source is `main.c` or `main.cc` unless `source` says otherwise. */
  readonly files: Readonly<Record<string, string | Buffer>>;
  /** Targets of symbolic links by path. */
  readonly links?: Readonly<Record<string, string>>;
  /** Arguments besides -c, the source and -o. */
  readonly args?: readonly string[];
  readonly source?: string;
  /** `NAME=value`, besides the locale. */
  readonly environment?: readonly string[];
  /** Headers that the compiler reads, by its own account: they must be in its list, so that no case is empty. */
  readonly reads?: readonly string[];
  /** Files that must be in the closure though the compiler does not list them. */
  readonly alsoFinds?: readonly string[];
  /** Files that must not be in the closure. */
  readonly leavesOut?: readonly string[];
  /** Paths that must be among those where nothing was found. */
  readonly absent?: readonly string[];
  /** The unit must stay local for this reason. */
  readonly local?: LocalReasonId;
  /** The assembler reads files of its own; what it says that it read must be in the closure too. */
  readonly assembles?: true;
  /** The compiler must be asked for the closure; without it, it must not be. */
  readonly asksCompiler?: true;
}
