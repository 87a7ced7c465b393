/** The shape of a row of the option table, and short ways to write many alike rows. */
import type { OutputKind } from './invocation.ts';
import type { LocalReasonId } from './local-reasons.ts';
import type { ValueKind } from './value-kinds.ts';

/** The two families of command lines that are understood. */
export type Dialect = 'gcc' | 'clang';

/** Ways in which an option may be spelled; `list` is comma-separated (`-Wp,a,b`). */
export type OptionForm = 'flag' | 'joined' | 'separate' | 'list';

/**
 * What an option means for distribution.
 * `both`: goes along. `action`: -c or -S. `search-dir`: its value is an include directory.
 * `input-file`: its value is a file that is read before the source. `output`, `language`: -o, -x.
 * `depfile`: asks for a dependency file; its value, if it has one, is the path. `depfile-path`: -MF.
 * `depfile-detail`: shapes the dependency file. `side-output`: makes the compile write one more file; a value of
 * kind `path` names it. `data-file`: its value is a file that is read as data. `profile-use`: counts of a training
 * run are read; `profile-dir`: its value is where they may lie. `native`: means the processor of this machine.
 * `aux-dir`, `aux-base`, `aux-ext`: -dumpdir, -dumpbase, -dumpbase-ext. `save-temps`: keeps temporary files.
 * `link-only`: a worker leaves it out. `external-assembler`, `own-assembler`: which of the two Clang uses. `assembler-dir`: where the assembler looks for
 * files. `preprocessor-list`, `assembler-list`, `frontend-list`, `backend-list`: the pieces have a table of their own.
 * `local`: the job stays local. `refuse`: the same, and it could harm a worker: it never runs one.
 */
export type OptionEffect =
  | 'both'
  | 'action'
  | 'search-dir'
  | 'input-file'
  | 'output'
  | 'language'
  | 'depfile'
  | 'depfile-path'
  | 'depfile-detail'
  | 'side-output'
  | 'data-file'
  | 'profile-use'
  | 'profile-dir'
  | 'native'
  | 'aux-dir'
  | 'aux-base'
  | 'aux-ext'
  | 'save-temps'
  | 'link-only'
  | 'external-assembler'
  | 'own-assembler'
  | 'assembler-dir'
  | 'preprocessor-list'
  | 'assembler-list'
  | 'frontend-list'
  | 'backend-list'
  | 'local'
  | 'refuse';

/** What a row says beside its name and forms. */
export interface OptionMeaning {
  readonly effect: OptionEffect;
  readonly value?: ValueKind;
  readonly dialect?: Dialect;
  /** Why a `local` or `refuse` row stays local, or another one whose value does not fit. */
  readonly reason?: LocalReasonId;
  /** The file that a `side-output` row adds. */
  readonly output?: OutputKind;
  /**
   * GCC makes another object each time, unless -frandom-seed= is there too. `stamp`: it holds the time of day.
   * `names`: its sections have names of chance.
   */
  readonly needsSeed?: 'stamp' | 'names';
  /** GCC makes another object, or says something else, each time, whatever else is given. */
  readonly varies?: boolean;
  /** A `data-file` row without a value: the file that is read. */
  readonly file?: string;
  /** A `data-file` row whose value may be a directory: the name of the file in it. */
  readonly fileInDirectory?: string;
  /** Adds comments to assembly. */
  readonly annotatesAssembly?: boolean;
  /** A `save-temps` row that keeps the files in the working directory. */
  readonly keepsInWorkingDirectory?: boolean;
  /** Is that seed. */
  readonly givesSeed?: boolean;
  /** The user chose a colour mode. */
  readonly choosesColor?: boolean;
  /** Has a say in where headers are looked for. */
  readonly searchPath?: boolean;
}

/** One option. A name with `=` at its end takes its value after it. */
export interface OptionRow extends OptionMeaning {
  readonly name: string;
  readonly forms: readonly OptionForm[];
  readonly value: ValueKind;
}

function rows(names: string, forms: readonly OptionForm[], meaning: OptionMeaning): OptionRow[] {
  return names.split(' ').map((name) => ({ value: 'none', ...meaning, name, forms }));
}

/** Options without a value. `names` are separated by single spaces, here and below. */
export function flags(names: string, meaning: OptionMeaning): OptionRow[] {
  return rows(names, ['flag'], meaning);
}

/** Options whose value follows in the same argument. */
export function joined(names: string, meaning: OptionMeaning): OptionRow[] {
  return rows(names, ['joined'], meaning);
}

/** Options whose value is the next argument. */
export function separate(names: string, meaning: OptionMeaning): OptionRow[] {
  return rows(names, ['separate'], meaning);
}

/** Options whose value follows in the same argument or is the next one. */
export function eitherWay(names: string, meaning: OptionMeaning): OptionRow[] {
  return rows(names, ['joined', 'separate'], meaning);
}

/** Options that stand alone or have more text behind them: `-O` and `-O2`, `-fopt-info` and `-fopt-info-vec`. */
export function stems(names: string, meaning: OptionMeaning): OptionRow[] {
  return rows(names, ['flag', 'joined'], meaning);
}

/** Options with comma-separated pieces. */
export function lists(names: string, meaning: OptionMeaning): OptionRow[] {
  return rows(names, ['list'], meaning);
}

/** The meaning "stays local", for a reason. */
export function local(reason: LocalReasonId, dialect?: Dialect): OptionMeaning {
  return { effect: 'local', reason, value: 'text', ...(dialect === undefined ? {} : { dialect }) };
}

/** The meaning "stays local, and a worker must never see it", for a reason. */
export function refuse(reason: LocalReasonId, dialect?: Dialect): OptionMeaning {
  return { effect: 'refuse', reason, value: 'text', ...(dialect === undefined ? {} : { dialect }) };
}
