/**
 * What the value of an option may look like. Both sides check it: the submitter keeps a job with another
 * value local, a worker refuses it. Only paths and texts may hold a slash.
 */

/** One kind: an anchored pattern, and its description for the documentation. */
export interface ValueKindRow {
  readonly pattern: RegExp;
  readonly text: string;
}

/** The kinds. U+FFFD stands for bytes that were not UTF-8: they cannot be handed on unchanged. */
export const VALUE_KINDS = {
  none: { pattern: /^$/, text: 'no value' },
  number: { pattern: /^[0-9]{1,10}$/, text: 'a number' },
  depth: { pattern: /^[0-9]{1,4}$/, text: 'a number below 10000' },
  word: { pattern: /^[A-Za-z0-9_.+-]+$/, text: 'a word of letters, digits and `_ . + -`' },
  option: {
    pattern: /^[A-Za-z0-9][A-Za-z0-9_.,:=+!-]*$/,
    text: 'the rest of an option: letters, digits and `_ . , : = + ! -`',
  },
  warning: {
    pattern: /^[A-Za-z0-9#][A-Za-z0-9_.,:=+#-]*$/,
    text: 'the name of a warning, perhaps with a number or word after `=`',
  },
  parameter: { pattern: /^[a-z0-9-]+=[a-z0-9-]{1,20}$/, text: '`name=value`' },
  level: { pattern: /^(?:[0-9]{1,3}|s|g|z|fast)$/, text: 'an optimisation level' },
  standard: { pattern: /^[a-z0-9+:]{1,20}$/, text: 'the name of a language standard' },
  language: { pattern: /^[a-z0-9+-]{1,30}$/, text: 'the name of a language' },
  charset: { pattern: /^utf-?8$/i, text: '`UTF-8`' },
  diagnostics: {
    pattern: /^(?:text|json|json-stderr|sarif-stderr)$/,
    text: '`text`, `json`, `json-stderr` or `sarif-stderr`',
  },
  'split-kind': { pattern: /^split$/, text: '`split`' },
  sections: { pattern: /^(?:all|none|labels)$/, text: '`all`, `labels` or `none`' },
  macro: {
    pattern: /^[A-Za-z_$\u0080-\ufffc][^\0\r\n\ufffd]*$/,
    text: 'a macro, perhaps with parameters and a definition',
  },
  identifier: { pattern: /^[A-Za-z_$\u0080-\ufffc][^\s\0/\ufffd]*$/, text: 'an identifier' },
  symbol: { pattern: /^[A-Za-z_.$][\w.$]*=[0-9A-Fa-fxX]+$/, text: '`symbol=number`' },
  path: { pattern: /^[^\0\r\n\ufffd@-][^\0\r\n\ufffd]{0,4094}$/, text: 'a path' },
  directory: {
    pattern: /^(?!\$SYSROOT)[^\0\r\n\ufffd@=-][^\0\r\n\ufffd]{0,4094}$/,
    text: 'a directory that does not depend on the system root (`=` or `$SYSROOT` in front)',
  },
  absolute: { pattern: /^\/[^\0\r\n\ufffd]{0,4094}$/, text: 'an absolute path' },
  'tree-dump': {
    pattern:
      /^(?!all|debug|earlydebug)[a-z0-9_]+(?:-(?:raw|slim|vops|lineno|uid|blocks|eh|verbose|gimple))*$/,
    text: 'the name of a pass, perhaps with `-raw`, `-slim`, `-vops`, `-lineno`, `-uid`, `-blocks`, `-eh`, `-verbose` or `-gimple`',
  },
  remarks: { pattern: /^[a-z-]+$/, text: 'kinds of optimisation remarks, without a file' },
  suffix: { pattern: /^\.[A-Za-z0-9_.+-]+$/, text: 'a suffix of a file name with its dot' },
  linker: { pattern: /^(?:bfd|gold|lld|mold)$/, text: '`bfd`, `gold`, `lld` or `mold`' },
  feature: { pattern: /^[+-][A-Za-z0-9.-]+$/, text: 'a feature of a processor with its sign' },
  tuning: {
    pattern: /^(?:[A-Za-z0-9-]*(?:=[A-Za-z0-9.-]{1,40})?)$/,
    text: 'the rest of a name, perhaps with `=` and a number or word',
  },
  'prefix-map': { pattern: /^[^\0\r\n\ufffd=]*=[^\0\r\n\ufffd]*$/, text: '`old=new`' },
  text: { pattern: /^[^\0\r\n\ufffd]{1,65535}$/, text: 'any text on one line' },
} as const satisfies Record<string, ValueKindRow>;

export type ValueKind = keyof typeof VALUE_KINDS;

/** True if a value is inside the pattern of its kind. */
export function isValueOf(kind: ValueKind, value: string): boolean {
  return VALUE_KINDS[kind].pattern.test(value);
}
