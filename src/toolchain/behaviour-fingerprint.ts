/**
 * What a compiler does, where what it consists of cannot be compared: programs for two host architectures have no byte
 * in common. The fingerprint is a list of digests: of what the compiler says of itself, and of the objects that it
 * makes of a fixed corpus. Compilers of one fingerprint made the same objects of the corpus; that they would of every
 * source is likely and not proven.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Digest, digestOf } from '../base/digest.ts';
import { hasHostBoundOption, LANGUAGE_SCOPES } from '../compiler/index.ts';
import { askProgram, type ProgramAnswer } from './ask-program.ts';
import { type CorpusSource, corpusFor, optionSetsFor } from './behaviour-corpus.ts';
import { tellingConfigureOptions } from './configure-options.ts';
import type { Toolchain } from './toolchain.ts';

/** One comparable thing. */
export interface FingerprintPart {
  /** For people, and equal on both sides: `predefined macros -O2`, `switches.c -O3`, … */
  readonly name: string;
  readonly digest: Digest;
}

export interface Fingerprint {
  readonly parts: readonly FingerprintPart[];
}

/** What of a compiler is needed to take its fingerprint. */
export type FingerprintSubject = Pick<
  Toolchain,
  'compilerPath' | 'dialect' | 'scope' | 'targetTriple' | 'versionText'
> & {
  /** Path of the assembler that it starts; undefined if it has its own. */
  readonly assemblerPath: string | undefined;
};

/** Optimisation levels at which defaults and macros are asked for. */
const LEVELS = ['-O0', '-O1', '-O2', '-O3', '-Os', '-Ofast'];

/**
 * Defaults that the memory of the machine decides, and that change no object (GCC's manual on --param), and the name
 * of a temporary file.
 */
const HOST_DEFAULT = /ggc-min-(?:expand|heapsize)|^ {2}-o /;
/** One option with its value; the lists of names below them have `native` where a compiler knows its own processor. */
const DEFAULT_LINE = /^ {2}-\S+\s+\S/;

/**
 * Takes a fingerprint: some hundreds of compiles, a few seconds of processor time for each language.
 * @param only compiles these sources instead of the whole corpus for the scope
 * @throws Error if the corpus has nothing in the languages of the scope, or the compiler crashes or does not answer
 */
export async function takeFingerprint(
  subject: FingerprintSubject,
  env: NodeJS.ProcessEnv,
  only?: readonly CorpusSource[],
): Promise<Fingerprint> {
  const sources = only ?? (await corpusFor(subject.scope));
  if (sources.length === 0) throw new Error(`there is no corpus for ${subject.scope}`);
  const directory = await mkdtemp(join(tmpdir(), 'meshcc-fingerprint-'));
  try {
    return {
      parts: [
        ...(await selfDescription(subject, env)),
        ...(await defaults(subject, env)),
        ...(await objects(subject, env, sources, join(directory, 'object.o'))),
      ],
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** How two fingerprints differ. */
export interface FingerprintComparison {
  /** How many things were compared. */
  readonly comparisons: number;
  /** Names of what differs, save {@link boundToHost}. */
  readonly differing: readonly string[];
  /** What differs, and is known to depend on what a compiler runs on: no such unit goes to another host. */
  readonly boundToHost: readonly string[];
}

/** Holds two fingerprints against each other. */
export function compareFingerprints(a: Fingerprint, b: Fingerprint): FingerprintComparison {
  const [left, right] = [digestsOf(a), digestsOf(b)];
  const names = [...new Set([...left.keys(), ...right.keys()])];
  const unequal = names.filter((name) => left.get(name) !== right.get(name));
  const isBound = (name: string): boolean => hasHostBoundOption(name.split(' '));
  return {
    comparisons: names.length,
    differing: unequal.filter((name) => !isBound(name)),
    boundToHost: unequal.filter(isBound),
  };
}

/** In words what sets two fingerprints apart; undefined if nothing does but what depends on the host anyway. */
export function fingerprintDifference(a: Fingerprint, b: Fingerprint): string | undefined {
  const { comparisons, differing } = compareFingerprints(a, b);
  const [first] = differing;
  if (first === undefined) return undefined;
  const more = differing.length === 1 ? '' : ` and ${differing.length - 1} more`;
  return `${differing.length} of ${comparisons} comparisons differ: ${first}${more}`;
}

function digestsOf({ parts }: Fingerprint): Map<string, Digest> {
  return new Map(parts.map(({ name, digest }) => [name, digest]));
}

async function selfDescription(
  subject: FingerprintSubject,
  env: NodeJS.ProcessEnv,
): Promise<FingerprintPart[]> {
  const { compilerPath, assemblerPath, versionText, targetTriple, dialect, scope } = subject;
  const description = await askProgram(compilerPath, ['-v'], { env });
  const parts = [
    part('version', `${dialect} ${scope} ${versionText}`),
    part('target', targetTriple),
    part('configuration', tellingConfigureOptions(description.stderr).join('\n')),
  ];
  if (assemblerPath === undefined) return parts;
  const assembler = await askProgram(assemblerPath, ['--version'], { env });
  return [...parts, part('assembler', assembler.stdout.split('\n')[0] ?? '')];
}

async function defaults(subject: FingerprintSubject, env: NodeJS.ProcessEnv): Promise<FingerprintPart[]> {
  const language = subject.scope === 'c++' ? 'c++' : 'c';
  const parts: FingerprintPart[] = [];
  for (const level of LEVELS) {
    const macros = ['-x', language, '-nostdinc', level, '-dM', '-E', '-'];
    const defined = succeeded(await askProgram(subject.compilerPath, macros, { env }), macros);
    parts.push(
      part(
        `predefined macros ${level}`,
        sortedLines(defined, () => true),
      ),
    );
    if (subject.dialect !== 'gcc') continue;
    for (const group of ['target', 'optimizers', 'params', 'common']) {
      const question = ['-Q', level, `--help=${group}`];
      const told = succeeded(await askProgram(subject.compilerPath, question, { env }), question);
      const isTelling = (line: string): boolean => DEFAULT_LINE.test(line) && !HOST_DEFAULT.test(line);
      parts.push(part(`defaults ${group} ${level}`, sortedLines(told, isTelling)));
    }
  }
  return parts;
}

/**
 * Each source with each set. From stdin and in the root directory, so that no path of this machine gets into an
 * object; without the compiler's own name in it, which is compared by itself.
 */
async function objects(
  subject: FingerprintSubject,
  env: NodeJS.ProcessEnv,
  sources: readonly CorpusSource[],
  objectPath: string,
): Promise<FingerprintPart[]> {
  const scopeArguments = subject.dialect === 'clang' ? LANGUAGE_SCOPES[subject.scope].arguments : [];
  const parts: FingerprintPart[] = [];
  for (const { name, language, text } of sources) {
    parts.push(part(`text of ${name}`, text));
    for (const set of optionSetsFor(subject.dialect, subject.targetTriple)) {
      await rm(objectPath, { force: true });
      const fixed = ['-nostdinc', '-fno-ident', '-w'];
      const args = [...scopeArguments, ...fixed, ...set, '-x', language, '-c', '-', '-o', objectPath];
      const answer = await askProgram(subject.compilerPath, args, { env, input: text });
      // A set that this compiler does not know must be unknown to the other one too.
      const object = answer.exitCode === 0 ? await readFile(objectPath) : `exit status ${answer.exitCode}`;
      parts.push(part(`${name} ${set.join(' ')}`, object));
    }
  }
  return parts;
}

function part(name: string, content: Uint8Array | string): FingerprintPart {
  return { name, digest: digestOf(content) };
}

function succeeded(answer: ProgramAnswer, args: readonly string[]): string {
  if (answer.exitCode === 0) return answer.stdout;
  throw new Error(`it does not answer to ${args.join(' ')}: ${answer.stderr.trim().slice(0, 200)}`);
}

function sortedLines(text: string, isWanted: (line: string) => boolean): string {
  return text.split('\n').filter(isWanted).sort().join('\n');
}
