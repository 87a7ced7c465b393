/**
 * Coverage and profiles: options that make the object count, that read what was counted, and that name lists of
 * what to count or to instrument. Found by trying GCC 12 and Clang 14.
 */
import type { OptionMeaning, OptionRow } from './option-row.ts';
import { flags, joined, local, refuse, stems } from './option-row.ts';

const BOTH: OptionMeaning = { effect: 'both' };
const NOTES = { effect: 'side-output', output: 'coverage-notes' } as const;
const GCC = { dialect: 'gcc' } as const;
const CLANG = { dialect: 'clang' } as const;

/** GCC stamps counters and notes with the time of day. */
const COUNTING: readonly OptionRow[] = [
  ...flags('--coverage -coverage -ftest-coverage -fprofile-arcs', { ...NOTES, ...GCC, needsSeed: 'stamp' }),
  ...flags('--coverage -coverage -ftest-coverage -fprofile-arcs', { ...NOTES, ...CLANG }),
  ...flags('-fpath-coverage -fcondition-coverage', { ...NOTES, ...GCC, needsSeed: 'stamp' }),
  ...joined('-fprofile-note=', { ...NOTES, ...GCC, value: 'path' }),
  ...flags('-fprofile-generate', { ...BOTH, ...GCC, needsSeed: 'stamp' }),
  ...joined('-fprofile-generate=', { effect: 'profile-dir', value: 'path', ...GCC, needsSeed: 'stamp' }),
  ...joined('-fprofile-dir=', { effect: 'profile-dir', value: 'path', ...GCC }),
  // Where a program will write its counts is text in the object.
  ...flags('-fprofile-generate -fcs-profile-generate -fprofile-instr-generate', { ...BOTH, ...CLANG }),
  ...joined('-fprofile-generate= -fcs-profile-generate= -fprofile-instr-generate=', {
    effect: 'both',
    value: 'text',
    ...CLANG,
  }),
  ...flags('-fcoverage-mapping', { ...BOTH, ...CLANG }),
  ...flags('-fprofile-abs-path -fprofile-partial-training -fprofile-reorder-functions', BOTH),
  ...flags('-fprofile-correction -fprofile-values -fprofile-info-section', { ...BOTH, ...GCC }),
  ...joined('-fprofile-info-section=', { effect: 'both', value: 'word', ...GCC }),
  ...joined('-fprofile-update= -fprofile-reproducible=', { effect: 'both', value: 'word' }),
  ...joined('-fprofile-filter-files= -fprofile-exclude-files=', { effect: 'both', value: 'text', ...GCC }),
  ...joined('-fprofile-prefix-path=', local('profile-use')),
  ...joined('-fprofile-', local('unknown-option')),
  ...flags('-fcreate-profile -a -ax', refuse('unknown-option')),
];

/** Options that read what was counted. */
const USING: readonly OptionRow[] = [
  ...flags('-fprofile-use -fbranch-probabilities', { effect: 'profile-use', ...GCC }),
  ...joined('-fprofile-use=', { effect: 'profile-use', value: 'path', ...GCC }),
  ...flags('-fauto-profile', { effect: 'data-file', file: 'fbdata.afdo' }),
  ...joined('-fauto-profile= -fprofile-sample-use=', { effect: 'data-file', value: 'path' }),
  ...flags('-fprofile-use -fprofile-instr-use', { effect: 'data-file', file: 'default.profdata', ...CLANG }),
  ...joined('-fprofile-use= -fprofile-instr-use=', {
    effect: 'data-file',
    value: 'path',
    fileInDirectory: 'default.profdata',
    ...CLANG,
  }),
  ...flags('-fno-profile-use -fno-auto-profile -fno-profile-instr-use -fno-profile-sample-use', BOTH),
  ...stems('-fmemory-profile', refuse('profile-use')),
];

/** Clang's lists of functions and files. */
const LISTS: readonly OptionRow[] = [
  '-fprofile-list= -fprofile-remapping-file= -fsanitize-blacklist= -fsanitize-ignorelist=',
  '-fsanitize-system-blacklist= -fsanitize-system-ignorelist= -fsanitize-coverage-allowlist=',
  '-fsanitize-coverage-ignorelist= -fsanitize-coverage-whitelist= -fsanitize-coverage-blacklist=',
  '-fxray-attr-list= -fxray-always-instrument= -fxray-never-instrument=',
].flatMap((names) => joined(names, { effect: 'data-file', value: 'path', ...CLANG }));

/** All rows of this file. */
export const PROFILE_OPTIONS: readonly OptionRow[] = [...COUNTING, ...USING, ...LISTS];
