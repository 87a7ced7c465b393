/** Typed arguments back to argv, whole or in part. */
import type { Invocation, InvocationArg } from './invocation.ts';
import { nativeReplacement, type ProcessorWords } from './native-processor.ts';
import { OPTION_INDEX, PREPROCESSOR_INDEX } from './option-index.ts';
import type { Dialect, OptionEffect } from './option-row.ts';

/** Argv without argv[0]: the exact inverse of parsing. */
export function renderArguments(args: readonly InvocationArg[]): string[] {
  const result: string[] = [];
  for (const arg of args) {
    switch (arg.form) {
      case 'flag':
        result.push(arg.name);
        break;
      case 'source':
        result.push(arg.value);
        break;
      case 'joined':
        result.push(arg.name + arg.value);
        break;
      case 'separate':
        result.push(arg.name, arg.value);
        break;
      case 'list':
        result.push(arg.name + renderArguments(arg.list).join(','));
        break;
    }
  }
  return result;
}

/**
 * What a worker runs: the user's own arguments, less those of a link that is not made.
 * @param processor what the user's processor is called, if options mean it (`-march=native`)
 */
export function workerArguments(
  invocation: Invocation,
  dialect: Dialect,
  processor: ProcessorWords | undefined,
): string[] {
  const args = invocation.args.filter((arg) => {
    return arg.form === 'source' || OPTION_INDEX[dialect].row(arg.name)?.effect !== 'link-only';
  });
  return renderArguments(withProcessor(args, dialect, processor));
}

/** The arguments with the processor spelled out where they mean that of the machine. */
function withProcessor(
  args: readonly InvocationArg[],
  dialect: Dialect,
  processor: ProcessorWords | undefined,
): readonly InvocationArg[] {
  if (processor === undefined) return args;
  return args.flatMap((arg): InvocationArg[] => {
    if (arg.form === 'source' || OPTION_INDEX[dialect].row(arg.name)?.effect !== 'native') return [arg];
    const words = nativeReplacement(arg.name, processor, dialect);
    return words.map((name) => ({ ...arg, name, form: 'flag' }));
  });
}

const DEPFILE_EFFECTS: ReadonlySet<OptionEffect> = new Set(['depfile', 'depfile-path', 'depfile-detail']);
const OUTPUT_EFFECTS: ReadonlySet<OptionEffect> = new Set([
  'action',
  'output',
  'side-output',
  'save-temps',
  'aux-dir',
  'aux-base',
  'aux-ext',
  'link-only',
]);

/** The arguments without those that ask for a dependency file, also inside `-Wp,`. */
function withoutDepfile(args: readonly InvocationArg[], dialect: Dialect): InvocationArg[] {
  const result: InvocationArg[] = [];
  for (const arg of args) {
    const effect = OPTION_INDEX[dialect].row(arg.name)?.effect;
    if (effect !== undefined && arg.form !== 'source' && DEPFILE_EFFECTS.has(effect)) continue;
    if (effect !== 'preprocessor-list') {
      result.push(arg);
      continue;
    }
    const list = arg.list.filter((piece) => {
      const pieceEffect = PREPROCESSOR_INDEX.row(piece.name)?.effect;
      return pieceEffect === undefined || !DEPFILE_EFFECTS.has(pieceEffect);
    });
    if (list.length > 0) result.push({ ...arg, list });
  }
  return result;
}

/** The target in the rules that {@link dependencyArguments} asks for. */
export const DEPENDENCY_TARGET = 'x';

/**
 * Arguments that make the compiler list everything that this call would read, system headers included, on
 * standard output in make's format, and write no file.
 * @param processor as for {@link workerArguments}
 * @returns argv without argv[0]
 */
export function dependencyArguments(
  invocation: Invocation,
  dialect: Dialect = 'gcc',
  processor?: ProcessorWords,
): string[] {
  const kept = withoutDepfile(invocation.args, dialect).filter((arg) => {
    const effect = OPTION_INDEX[dialect].row(arg.name)?.effect;
    return arg.form === 'source' || effect === undefined || !OUTPUT_EFFECTS.has(effect);
  });
  // -M implies -E; said aloud, the driver does not look for what it would need to link.
  return [
    '-E',
    '-M',
    '-MT',
    DEPENDENCY_TARGET,
    '-w',
    ...renderArguments(withProcessor(kept, dialect, processor)),
  ];
}
