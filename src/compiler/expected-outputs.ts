/** The files that a call may write: derived from its arguments, and from nothing else. */
import type { GatheredArguments, SideOutput } from './gathered-arguments.ts';
import type { DepfileRequest, ExpectedOutput, Language, OutputKind } from './invocation.ts';
import type { Dialect } from './option-row.ts';
import type { AuxiliaryNames } from './output-names.ts';
import { defaultDepfileName, defaultOutputName } from './output-names.ts';

/** Suffixes of the files that side-output options add. */
const SIDE_SUFFIXES: Readonly<Partial<Record<OutputKind, string>>> = {
  'split-dwarf': '.dwo',
  'coverage-notes': '.gcno',
  'stack-usage': '.su',
  'callgraph-info': '.ci',
};

/** Suffixes of preprocessed sources that -save-temps keeps. An assembler source needs no second step. */
const PREPROCESSED_SUFFIXES: Readonly<Record<Language, string | undefined>> = {
  c: '.i',
  'c++': '.ii',
  'objective-c': '.mi',
  'objective-c++': '.mii',
  'assembler-with-cpp': '.s',
  assembler: undefined,
};

/** What the outputs are derived from. */
export interface OutputSituation {
  readonly gathered: GatheredArguments;
  readonly dialect: Dialect;
  readonly language: Language;
  readonly sourcePath: string;
  readonly outputPath: string;
  readonly names: AuxiliaryNames;
  readonly depfile: DepfileRequest | undefined;
  /** -c, not -S. */
  readonly assembles: boolean;
}

/**
 * The dependency file, or what contradicts itself about it. Two requests at once are left to the compiler: which one
 * wins depends on the order in which the driver hands them to cc1.
 */
export function depfileOf(
  gathered: GatheredArguments,
  sourcePath: string,
  language: Language,
): DepfileRequest | undefined | string {
  // Nothing is preprocessed, and the drivers pass over such options.
  if (language === 'assembler') return undefined;
  const { driverRequests, listRequests, depfilePaths } = gathered;
  const requests = driverRequests.length + listRequests.length;
  if (requests > 1) return 'two requests for a dependency file';
  if (gathered.depfilePathInList) return '-Wp,-MF';
  if (requests === 0) {
    if (depfilePaths.length === 0 && !gathered.depfileDetails) return undefined;
    return '-MF, -MT, -MQ or -MP without -MD or -MMD';
  }
  const [listRequest] = listRequests;
  if (depfilePaths.length > (listRequest === undefined ? 1 : 0)) return 'two paths for the dependency file';
  if (listRequest !== undefined) return listRequest;
  const path = depfilePaths[0] ?? defaultDepfileName(sourcePath, gathered.outputs[0]);
  return { path, omitsSystemHeaders: driverRequests[0] === '-MMD' };
}

/** The outputs in the order in which they are put in place: dependency file first, object last. */
export function expectedOutputs(situation: OutputSituation): ExpectedOutput[] {
  const { depfile, assembles, outputPath } = situation;
  const outputs: ExpectedOutput[] = [];
  if (depfile !== undefined) outputs.push({ kind: 'depfile', path: depfile.path, required: true });
  outputs.push(...sideOutputs(situation), ...keptTemporaries(situation));
  outputs.push({ kind: assembles ? 'object' : 'assembly', path: outputPath, required: true });
  return outputs;
}

function sideOutputs(situation: OutputSituation): ExpectedOutput[] {
  const { gathered, dialect, assembles } = situation;
  const outputs = new Map<string, ExpectedOutput>();
  for (const side of gathered.sideOutputs) {
    const { kind } = side;
    // GCC cuts the .dwo out of the object after assembling, so that its -S makes none; Clang opens it at once.
    if (kind === 'split-dwarf' && dialect === 'gcc' && !assembles) continue;
    const path = pathOf(side, situation);
    outputs.set(`${kind} ${path}`, { kind, path, required: false });
  }
  return [...outputs.values()];
}

function pathOf(
  { kind, value, isNamed }: SideOutput,
  { names, sourcePath, assembles }: OutputSituation,
): string {
  if (isNamed) return value;
  if (kind === 'dump') return names.dumpStem;
  // Clang's; of assembly it does not look at -o.
  if (kind === 'split-dwarf' && !assembles) return defaultOutputName(sourcePath, '.dwo');
  return names.stem + (SIDE_SUFFIXES[kind] ?? '');
}

function keptTemporaries({ gathered, language, names, assembles }: OutputSituation): ExpectedOutput[] {
  if (gathered.savesTemporaries === undefined) return [];
  const outputs: ExpectedOutput[] = [];
  const suffix = PREPROCESSED_SUFFIXES[language];
  if (suffix !== undefined)
    outputs.push({ kind: 'preprocessed', path: names.stem + suffix, required: false });
  const isCompiled = language !== 'assembler' && language !== 'assembler-with-cpp';
  if (isCompiled && assembles) outputs.push({ kind: 'assembly', path: `${names.stem}.s`, required: false });
  return outputs;
}
