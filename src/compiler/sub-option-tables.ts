/**
 * What may stand inside -Wp, and -Wa, lists. `-Wp,` goes to cc1 itself, where -MD and -MMD take the path as
 * their argument (GCC's c.opt: NoDriverArg), not to the driver, where they take none.
 */
import type { OptionMeaning, OptionRow } from './option-row.ts';
import { eitherWay, flags, joined, separate } from './option-row.ts';

const BOTH: OptionMeaning = { effect: 'both' };

/** The pieces of `-Wp,`. */
export const PREPROCESSOR_TABLE: readonly OptionRow[] = [
  ...separate('-MD -MMD', { effect: 'depfile', value: 'path' }),
  ...separate('-MT -MQ', { effect: 'depfile-detail', value: 'text' }),
  ...separate('-MF', { effect: 'depfile-path', value: 'path' }),
  ...flags('-MP', { effect: 'depfile-detail' }),
  ...eitherWay('-D', { effect: 'both', value: 'macro' }),
  ...eitherWay('-U', { effect: 'both', value: 'identifier' }),
];

/** The pieces of `-Wa,`. None of them takes a path; `-a…` and `--MD` write files, `-I` reads them. */
export const ASSEMBLER_TABLE: readonly OptionRow[] = [
  ...flags('--32 --64 --x32 --noexecstack --execstack --fatal-warnings --warn --no-warn -W -k', BOTH),
  ...flags('--gdwarf-2 --gdwarf-3 --gdwarf-4 --gdwarf-5 --gen-debug -g -gdwarf-2 -gdwarf-3', BOTH),
  ...flags('-gdwarf-4 -gdwarf-5 --divide --nocompress-debug-sections -EB -EL --strip-local-absolute', BOTH),
  ...flags('--reduce-memory-overheads --trap --no-trap -KPIC -Qy -Qn --dlx-abort', BOTH),
  ...flags('--compress-debug-sections', BOTH),
  ...joined(
    '--compress-debug-sections= --size-check= --generate-missing-build-notes= --elf-stt-common= --multibyte-handling=',
    {
      effect: 'both',
      value: 'option',
    },
  ),
  ...joined('-m', { effect: 'both', value: 'option' }),
  ...separate('--defsym', { effect: 'both', value: 'symbol' }),
];
