/**
 * Everything that an invocation says beyond its arguments is derived from them, here and nowhere else:
 * the submitter derives it once, and a worker derives it again and compares.
 */
import { isCompilerName } from './compiler-names.ts';
import { depfileOf, expectedOutputs } from './expected-outputs.ts';
import { GatheredArguments } from './gathered-arguments.ts';
import type { ExpectedOutput, Invocation, InvocationArg, Language } from './invocation.ts';
import type { LocalReasonId } from './local-reasons.ts';
import type { Dialect } from './option-row.ts';
import type { AuxiliaryNames } from './output-names.ts';
import { auxiliaryNames, defaultOutputName } from './output-names.ts';
import { languageOf } from './source-language.ts';

/** An invocation, or why there is none. */
export type Derivation =
  | { readonly ok: true; readonly invocation: Invocation }
  | { readonly ok: false; readonly reason: LocalReasonId; readonly detail: string };

type Refusal = Derivation & { ok: false };

function refusal(reason: LocalReasonId, detail: string): Refusal {
  return { ok: false, reason, detail };
}

/** A path that names something other than a file below a directory. */
function isSpecial(path: string): boolean {
  return path === '-' || path.startsWith('/dev/') || path.endsWith('/');
}

/** What contradicts itself in the shape of the call, if anything. */
function shapeRefusal(gathered: GatheredArguments): Refusal | undefined {
  const { sources, actions, outputs } = gathered;
  if (sources.length === 0) return refusal('no-source', 'no input file');
  if (sources[0] === '-') return refusal('stdin-source', '-');
  if (sources.length > 1) return refusal('several-inputs', sources.slice(0, 3).join(' '));
  if (actions.length === 0) return refusal('link', 'neither -c nor -S');
  if (actions.length > 1) return refusal('contradicting-options', 'both -c and -S');
  if (outputs.length > 1) return refusal('contradicting-options', `-o ${outputs.join(' -o ')}`);
  if (gathered.drawsNames !== undefined && !gathered.givesSeed)
    return refusal('lto-without-random-seed', gathered.drawsNames);
  const { auxiliaryDirectory, auxiliaryBase, auxiliaryExtension, savesTemporaries } = gathered;
  const naming = auxiliaryDirectory ?? auxiliaryBase ?? auxiliaryExtension;
  // How these work together was only tried with an output, and not with each other.
  if (naming !== undefined && (outputs.length === 0 || savesTemporaries !== undefined))
    return refusal('dump-output', naming);
  return undefined;
}

/** What the call makes of an assembly text that a person may look at. */
function assemblyRefusal(
  gathered: GatheredArguments,
  language: Language,
  assembles: boolean,
): Refusal | undefined {
  const isAssembler = language === 'assembler' || language === 'assembler-with-cpp';
  if (isAssembler && !assembles) return refusal('assembler-source', '-S');
  const { annotatesAssembly, savesTemporaries } = gathered;
  if (annotatesAssembly !== undefined && (!assembles || savesTemporaries !== undefined))
    return refusal('host-dependent-text', annotatesAssembly);
  return undefined;
}

/** What stands against the files that the call would write, if anything. */
function outputRefusal(outputs: readonly ExpectedOutput[], sourcePath: string): Refusal | undefined {
  const special = outputs.find((output) => isSpecial(output.path));
  if (special !== undefined) return refusal('output-not-regular', special.path);
  const files = outputs.filter(({ kind }) => kind !== 'dump');
  const paths = new Set([sourcePath, ...files.map((output) => output.path)]);
  if (paths.size !== files.length + 1) return refusal('contradicting-options', 'one path for two files');
  return undefined;
}

/**
 * True if two compiles make the same. GCC stamps what counts with the time of day; and the id of split debug
 * information, the texts of the analyzer and CTF depend on where its memory happens to lie (tried: GCC 12; the first as
 * soon as variables have lists of places).
 */
function isRepeatable(gathered: GatheredArguments, dialect: Dialect): boolean {
  if (gathered.varies) return false;
  if (gathered.isStamped && !gathered.givesSeed) return false;
  const splits = gathered.sideOutputs.some(({ kind }) => kind === 'split-dwarf');
  return dialect === 'clang' || !splits || !gathered.optimises || !gathered.tracksVariables;
}

function namesOf(gathered: GatheredArguments, sourcePath: string, dialect: Dialect): AuxiliaryNames {
  const { auxiliaryDirectory, auxiliaryBase, auxiliaryExtension, savesTemporaries } = gathered;
  const naming = {
    sourcePath,
    outputPath: gathered.outputs[0],
    directory: savesTemporaries === 'in-working-directory' ? '' : auxiliaryDirectory,
    base: auxiliaryBase,
    extension: auxiliaryExtension,
  };
  return auxiliaryNames(naming, dialect);
}

/**
 * Derives an invocation from parsed arguments. The arguments must have been parsed without findings.
 * @param compilerName basename of the driver: it decides the language of `.c` files
 * @returns the invocation with its outputs in the order in which they are put in place (dependency file
 * first, object last), or the reason why the call stays local
 */
export function invocationFromArgs(
  args: readonly InvocationArg[],
  dialect: Dialect,
  compilerName: string,
): Derivation {
  const gathered = new GatheredArguments(args, dialect);
  const shape = shapeRefusal(gathered);
  if (shape !== undefined) return shape;
  const sourcePath = gathered.sources[0] ?? '';
  const driver = isCompilerName(compilerName)?.driver ?? 'c';
  const source = languageOf(sourcePath, gathered.sourceLanguageName, driver, dialect);
  if ('reason' in source) return refusal(source.reason, source.detail);
  const { language } = source;
  const assembles = gathered.actions[0] === '-c';
  const assembly = assemblyRefusal(gathered, language, assembles);
  if (assembly !== undefined) return assembly;
  const outputPath = gathered.outputs[0] ?? defaultOutputName(sourcePath, assembles ? '.o' : '.s');
  const depfile = depfileOf(gathered, sourcePath, language);
  if (typeof depfile === 'string') return refusal('contradicting-options', depfile);
  const names = namesOf(gathered, sourcePath, dialect);
  const outputs = expectedOutputs({
    gathered,
    dialect,
    language,
    sourcePath,
    outputPath,
    names,
    depfile,
    assembles,
  });
  const trouble = outputRefusal(outputs, sourcePath);
  if (trouble !== undefined) return trouble;
  const { profileDirectories: directories, usesProfile } = gathered;
  return {
    ok: true,
    invocation: {
      args,
      language,
      sourcePath,
      outputPath,
      outputs,
      depfile,
      includeDirectories: gathered.includeDirectories,
      choosesColor: gathered.choosesColor,
      dataFiles: gathered.dataFiles,
      profile: usesProfile ? { directories, stem: names.stem } : undefined,
      assemblerDirectories: gathered.assemblerDirectories,
      nativeOptions: gathered.nativeOptions,
      usesOwnAssembler: gathered.usesOwnAssembler,
      isRepeatable: isRepeatable(gathered, dialect),
    },
  };
}
