/**
 * What may stand inside -Wp, and -Wa, lists, and behind -Xpreprocessor, -Xassembler, -Xclang and -mllvm. `-Wp,` goes
 * to cc1 itself, where -MD and -MMD take the path as their argument (GCC's c.opt: NoDriverArg), not to the driver,
 * where they take none.
 */
import type { OptionMeaning, OptionRow } from './option-row.ts';
import { eitherWay, flags, joined, refuse, separate, stems } from './option-row.ts';

const BOTH: OptionMeaning = { effect: 'both' };
const WORD: OptionMeaning = { effect: 'both', value: 'option' };

/** The pieces of `-Wp,` and `-Xpreprocessor`. */
export const PREPROCESSOR_TABLE: readonly OptionRow[] = [
  ...separate('-MD -MMD', { effect: 'depfile', value: 'path' }),
  ...separate('-MT -MQ', { effect: 'depfile-detail', value: 'text' }),
  ...separate('-MF', { effect: 'depfile-path', value: 'path' }),
  ...flags('-MP', { effect: 'depfile-detail' }),
  ...eitherWay('-D', { effect: 'both', value: 'macro' }),
  ...eitherWay('-U', { effect: 'both', value: 'identifier' }),
  ...flags('-w -undef -trigraphs -pedantic -pedantic-errors', BOTH),
  ...stems('-W', { effect: 'both', value: 'warning' }),
];

/**
 * The pieces of `-Wa,` and `-Xassembler`. `-a…` prints listings that name temporary files, `--MD` and `-o` write
 * files; `-I` is where `.include` and `.incbin` look.
 */
export const ASSEMBLER_TABLE: readonly OptionRow[] = [
  ...flags(
    '--32 --64 --x32 --noexecstack --execstack --fatal-warnings --warn --no-warn -W -k -n -q -s',
    BOTH,
  ),
  ...flags('--gdwarf-2 --gdwarf-3 --gdwarf-4 --gdwarf-5 --gen-debug -g -gdwarf-2 -gdwarf-3', BOTH),
  ...flags('-gdwarf-4 -gdwarf-5 --divide --nocompress-debug-sections -EB -EL --strip-local-absolute', BOTH),
  ...flags('--reduce-memory-overheads --trap --no-trap -KPIC -Qy -Qn --dlx-abort --alternate', BOTH),
  ...flags('--keep-locals -L --gdwarf-sections --sectname-subst --no-pad-sections -J -R -Z --gstabs', BOTH),
  ...flags('--compress-debug-sections -EB -EL -be -le -little -big -many -mt -no-warn', BOTH),
  ...joined(
    '--compress-debug-sections= --size-check= --generate-missing-build-notes= --elf-stt-common= --multibyte-handling= --gdwarf-cie-version=',
    WORD,
  ),
  ...joined('-m', WORD),
  ...separate('--defsym', { effect: 'both', value: 'symbol' }),
  ...separate('--hash-size', { effect: 'both', value: 'number' }),
  ...joined('--hash-size=', { effect: 'both', value: 'number' }),
  ...eitherWay('-I', { effect: 'assembler-dir', value: 'directory' }),
];

/**
 * The pieces of `-Xclang`: options of Clang's front end that read and write nothing. What loads code or names a
 * file is refused by name, so that it is told why; anything else that is not here stays local too.
 */
export const FRONTEND_TABLE: readonly OptionRow[] = [
  ...flags(
    '-disable-O0-optnone -disable-llvm-passes -disable-llvm-optzns -disable-free -no-opaque-pointers',
    BOTH,
  ),
  ...flags('-opaque-pointers -fno-pch-timestamp -fallow-half-arguments-and-returns -fnative-half-type', BOTH),
  ...flags('-fexperimental-max-bitint-width -mconstructor-aliases -fforbid-guard-variables', BOTH),
  ...flags('-fdenormal-fp-math=ieee -menable-no-infs -menable-no-nans -discard-value-names', BOTH),
  ...flags('-fno-validate-pch -relaxed-aliasing -finclude-default-header -fdeclare-opencl-builtins', BOTH),
  ...joined('-debug-info-kind= -dwarf-version= -debugger-tuning= -fsanitize-coverage-type=', WORD),
  ...joined('-femit-dwarf-unwind= -mframe-pointer= -std= -W -fdebug-default-version=', WORD),
  ...separate('-target-feature', { effect: 'both', value: 'feature' }),
  ...separate('-target-cpu -tune-cpu -target-abi -mrelocation-model -ferror-limit', {
    effect: 'both',
    value: 'word',
  }),
  ...separate('-load -plugin -add-plugin', refuse('plugin')),
  ...joined('-fpass-plugin= -fplugin= -plugin-arg-', refuse('plugin')),
];

/**
 * The pieces of `-mllvm`: settings of passes, by the first word of their name. `-load`, `-o`, `-info-output-file`
 * and all others that could read or write a file begin otherwise.
 */
export const BACKEND_TABLE: readonly OptionRow[] = [
  ...[
    '-asan-',
    '-hwasan-',
    '-msan-',
    '-tsan-',
    '-inline-threshold',
    '-inlinehint-threshold',
    '-inlinecold-threshold',
    '-hot-cold-split',
    '-instcombine-',
    '-unroll-',
    '-enable-',
    '-disable-',
    '-slp-',
    '-vectorize-',
    '-force-vector-',
    '-split-threshold-',
    '-treat-scalable-',
    '-x86-',
    '-aarch64-',
    '-arm-',
    '-align-',
    '-tail-merge-',
    '-regalloc=',
    '-import-instr-limit',
    '-max-',
    '-sanitizer-coverage-',
    '-structurizecfg-',
    '-amdgpu-',
  ].flatMap((name) => stems(name, { effect: 'both', value: 'tuning' })),
  ...stems('-load', refuse('plugin')),
];
