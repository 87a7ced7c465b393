/**
 * `-march=native` and its kin, spelled out. GCC's driver asks the processor and hands what it finds to cc1, which
 * records all of it in debug information, in this order. The same options on the driver's command line would reach
 * cc1 in another order; a specs file that names them in the place of the question gives the same command line.
 * Clang's driver hands on a processor and a set of features, whose order does not matter, and records nothing.
 */
import type { PlannedCommand } from './driver-commands.ts';
import type { Dialect } from './option-row.ts';

/**
 * What the user's own compiler makes of his processor: for GCC words of cc1's command line, for Clang the processor
 * (`-march=znver3`, `-mtune=znver3`) and its features (`feature:+avx`).
 */
export type ProcessorWords = readonly string[];

const WORD =
  /^(?:-m[a-z0-9][a-z0-9_.-]*(?:=[A-Za-z0-9_.+-]+)?|--param|l[12]-cache-(?:line-)?size=[0-9]+|feature:[+-][a-z0-9._-]+)$/;
const MAXIMUM_WORDS = 512;
const FEATURE = 'feature:';

/** True if words can stand in a specs file and on a command line without meaning anything else. */
export function isProcessorWords(words: readonly string[]): boolean {
  return words.length > 0 && words.length <= MAXIMUM_WORDS && words.every((word) => WORD.test(word));
}

function settingOf(words: ProcessorWords, name: string): string | undefined {
  return words.find((word) => word.startsWith(name))?.slice(name.length);
}

/** What stands in the place of one option on a worker's command line. */
export function nativeReplacement(option: string, words: ProcessorWords, dialect: Dialect): string[] {
  const name = option.slice(0, option.indexOf('=') + 1);
  const replaced = name + (settingOf(words, name === '-mtune=' ? '-mtune=' : '-march=') ?? 'native');
  if (dialect === 'gcc')
    return [name === '-mcpu=' ? name + (settingOf(words, '-mtune=') ?? 'native') : replaced];
  if (name === '-mtune=') return [replaced];
  const features = words.filter((word) => word.startsWith(FEATURE)).map((word) => word.slice(FEATURE.length));
  return [replaced, ...features.flatMap((word) => ['-Xclang', '-target-feature', '-Xclang', word])];
}

/** The specs file that makes GCC's driver hand the words to cc1 as it would have handed its own answer. */
export function nativeSpecs(options: readonly string[], words: ProcessorWords): string {
  const switches = options.map((option) => {
    const name = option.startsWith('-march=') ? 'march=' : 'mtune=';
    return `%>${name}${settingOf(words, `-${name}`) ?? 'native'}`;
  });
  return `*cc1_cpu:\n${[...new Set(switches), ...words].join(' ')}\n\n`;
}

/**
 * Reads the words out of what a driver would run.
 * @returns undefined if they are not recognised
 */
export function processorWordsOf(
  commands: readonly PlannedCommand[],
  dialect: Dialect,
): ProcessorWords | undefined {
  const words = dialect === 'gcc' ? wordsOfGcc(commands) : wordsOfClang(commands);
  return words !== undefined && isProcessorWords(words) ? words : undefined;
}

/** cc1's words between the name of the source and `-quiet`, which begins what the driver adds after the answer. */
function wordsOfGcc(commands: readonly PlannedCommand[]): string[] | undefined {
  const front = commands.find((command) => command.includes('-dumpbase'));
  if (front === undefined) return undefined;
  const end = front.indexOf('-quiet', front.indexOf('-dumpbase') - 1);
  let start = end;
  while (start > 0 && WORD.test(front[start - 1] ?? '')) start--;
  return front.slice(start, end);
}

function wordsOfClang(commands: readonly PlannedCommand[]): string[] | undefined {
  const front = commands.find((command) => command[1] === '-cc1');
  if (front === undefined) return undefined;
  const valuesAfter = (name: string): string[] =>
    front.flatMap((word, at) => (word === name ? [front[at + 1] ?? ''] : []));
  const [processor] = valuesAfter('-target-cpu');
  if (processor === undefined) return undefined;
  const features = valuesAfter('-target-feature').map((feature) => FEATURE + feature);
  return [`-march=${processor}`, ...features, ...valuesAfter('-tune-cpu').map((name) => `-mtune=${name}`)];
}

/** True if two plans lead to the same object. Names of temporary files do not count, nor for Clang the order of features. */
export function arePlansEqual(
  a: readonly PlannedCommand[],
  b: readonly PlannedCommand[],
  dialect: Dialect,
): boolean {
  return planText(a, dialect) === planText(b, dialect);
}

const TEMPORARY = /^\/.*\/(?:cc|x-)[A-Za-z0-9]{6}\.(?:s|o)$/;

function planText(commands: readonly PlannedCommand[], dialect: Dialect): string {
  const lines = commands.map((command) => {
    const words = command.map((word) => (TEMPORARY.test(word) ? 'TEMPORARY' : word));
    if (dialect === 'gcc') return words.join('\0');
    const features = words.flatMap((word, at) => (word === '-target-feature' ? [words[at + 1] ?? ''] : []));
    const others = words.filter(
      (word, at) => word !== '-target-feature' && words[at - 1] !== '-target-feature',
    );
    return [...others, ...features.sort()].join('\0');
  });
  return lines.join('\n');
}
