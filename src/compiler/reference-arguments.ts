/**
 * The command line of a call with its outputs elsewhere, for a compile whose result is only compared: it must make the
 * same bytes, and leave the files of the user alone.
 */
import type { Invocation, InvocationArg } from './invocation.ts';
import { OPTION_INDEX, PREPROCESSOR_INDEX } from './option-index.ts';
import type { Dialect, OptionEffect } from './option-row.ts';
import { renderArguments } from './render-arguments.ts';

/** Where the outputs go: absolute paths without commas and white space. */
export interface ReferencePlaces {
  /** The object, or the assembly. */
  readonly outputPath: string;
  readonly depfilePath: string;
}

/** Options from whose value, or from the name of the object, other names follow. */
const NAMING_EFFECTS: ReadonlySet<OptionEffect> = new Set([
  'side-output',
  'save-temps',
  'aux-dir',
  'aux-base',
  'aux-ext',
  'profile-use',
  'profile-dir',
]);

const DEPFILE_TARGETS: ReadonlySet<string> = new Set(['-MT', '-MQ']);

/**
 * Argv without argv[0] for the same compile with its outputs at other places.
 * @returns undefined if the call has outputs besides the object and the depfile, or if where they are decides about
 * what is in them (split debug information, coverage, profiles), or if no two compiles of it are the same
 */
export function referenceArguments(
  invocation: Invocation,
  dialect: Dialect,
  places: ReferencePlaces,
): string[] | undefined {
  if (!canMoveOutputs(invocation, dialect)) return undefined;
  const own = invocation.args.flatMap((arg) => moved(arg, dialect, places));
  const args = [...renderArguments(own), '-o', places.outputPath];
  if (invocation.depfile === undefined) return args;
  const isFromDriver = invocation.args.some((arg) => effectOf(arg, dialect) === 'depfile');
  if (isFromDriver) args.push('-MF', places.depfilePath);
  // What GCC's driver hands on from -Wp, it does not look into: cc1 then makes up a target of the source's name.
  else if (dialect === 'gcc') return args;
  const namesTarget = invocation.args.some(
    ({ form, name }) => form !== 'source' && DEPFILE_TARGETS.has(name),
  );
  // The drivers name the object as it is spelled in the call.
  if (!namesTarget) args.push('-MQ', invocation.outputPath);
  return args;
}

/** True if a second compile could write elsewhere and make the same bytes. */
export function canMoveOutputs(invocation: Invocation, dialect: Dialect): boolean {
  const { outputs, depfile, outputPath, profile, isRepeatable, args } = invocation;
  if (!isRepeatable || profile !== undefined) return false;
  const main = outputs.find(({ path }) => path === outputPath);
  if (outputs.length !== (depfile === undefined ? 1 : 2) || main === undefined) return false;
  // Without -o, what the rule of -S names differs between drivers.
  if (depfile !== undefined && main.kind !== 'object') return false;
  return args.every((arg) => {
    const row = arg.form === 'source' ? undefined : OPTION_INDEX[dialect].row(arg.name);
    if (row === undefined) return true;
    return !NAMING_EFFECTS.has(row.effect) && row.needsSeed !== 'stamp';
  });
}

function effectOf(arg: InvocationArg, dialect: Dialect): OptionEffect | undefined {
  return arg.form === 'source' ? undefined : OPTION_INDEX[dialect].row(arg.name)?.effect;
}

/** What becomes of one argument: those that name an output go, or name the other place. */
function moved(arg: InvocationArg, dialect: Dialect, { depfilePath }: ReferencePlaces): InvocationArg[] {
  const effect = effectOf(arg, dialect);
  if (effect === 'output' || effect === 'depfile-path') return [];
  if (effect !== 'preprocessor-list') return [arg];
  const list = arg.list.map((piece) =>
    PREPROCESSOR_INDEX.row(piece.name)?.effect === 'depfile' && piece.value !== ''
      ? { ...piece, value: depfilePath }
      : piece,
  );
  return [{ ...arg, list }];
}
