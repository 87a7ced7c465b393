/** Which options say how a unit is compiled, and which only name it: questions to the compiler are about the former. */
import type { Invocation, InvocationArg } from './invocation.ts';
import { OPTION_INDEX } from './option-index.ts';
import type { Dialect, OptionEffect } from './option-row.ts';

/** What belongs to one unit, and would make each a question of its own. */
const OF_THE_UNIT: ReadonlySet<OptionEffect> = new Set<OptionEffect>([
  'action',
  'output',
  'language',
  'search-dir',
  'input-file',
  'depfile',
  'depfile-path',
  'depfile-detail',
  'side-output',
  'data-file',
  'profile-use',
  'profile-dir',
  'preprocessor-list',
  'aux-dir',
  'aux-base',
  'aux-ext',
  'save-temps',
  'link-only',
]);
const MACRO_OPTIONS: ReadonlySet<string> = new Set(['-D', '-U', '-frandom-seed=']);

/** An invocation without what belongs to its unit: the same for all that are compiled alike. */
export function withoutUnit(invocation: Invocation, dialect: Dialect): Invocation {
  const args = invocation.args.filter((arg: InvocationArg) => {
    if (arg.form === 'source' || MACRO_OPTIONS.has(arg.name)) return false;
    const effect = OPTION_INDEX[dialect].row(arg.name)?.effect;
    return effect === undefined || !OF_THE_UNIT.has(effect);
  });
  return { ...invocation, args };
}
