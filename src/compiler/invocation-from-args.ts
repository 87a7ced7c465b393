/**
 * Everything that an invocation says beyond its arguments is derived from them, here and nowhere else:
 * the submitter derives it once, and a worker derives it again and compares.
 */
import { isCompilerName } from './compiler-names.ts';
import type { DepfileRequest, ExpectedOutput, Invocation, InvocationArg, OutputKind } from './invocation.ts';
import type { LocalReasonId } from './local-reasons.ts';
import { OPTION_INDEX, PREPROCESSOR_INDEX } from './option-index.ts';
import type { Dialect, OptionRow } from './option-row.ts';
import { defaultDepfileName, defaultOutputName, sideOutputName } from './output-names.ts';
import { languageOf } from './source-language.ts';

/** An invocation, or why there is none. */
export type Derivation =
  | { readonly ok: true; readonly invocation: Invocation }
  | { readonly ok: false; readonly reason: LocalReasonId; readonly detail: string };

/** Suffixes of the files that side-output options add. */
const SIDE_SUFFIXES: Readonly<Partial<Record<OutputKind, string>>> = {
  'split-dwarf': '.dwo',
  'coverage-notes': '.gcno',
  'stack-usage': '.su',
  'callgraph-info': '.ci',
};

/** What the walk over the arguments gathers. */
interface Gathered {
  readonly sources: string[];
  readonly actions: string[];
  readonly outputs: string[];
  readonly includeDirectories: string[];
  /** Requests of the driver: -MD, -MMD. */
  readonly driverRequests: string[];
  /** Requests inside `-Wp,`, with the path that cc1 takes as their argument. */
  readonly listRequests: DepfileRequest[];
  readonly depfilePaths: string[];
  readonly sideOutputs: Set<OutputKind>;
  depfileDetails: boolean;
  depfilePathInList: boolean;
  /** The -x in force at the source. */
  sourceLanguageName: string | undefined;
  languageName: string | undefined;
  needsSeed: string | undefined;
  givesSeed: boolean;
  choosesColor: boolean;
}

function refusal(reason: LocalReasonId, detail: string): Derivation & { ok: false } {
  return { ok: false, reason, detail };
}

function gatherList(list: readonly InvocationArg[], gathered: Gathered): void {
  for (const piece of list) {
    switch (PREPROCESSOR_INDEX.row(piece.name)?.effect) {
      case 'depfile':
        gathered.listRequests.push({ path: piece.value, omitsSystemHeaders: piece.name === '-MMD' });
        break;
      case 'depfile-path':
        gathered.depfilePathInList = true;
        break;
      case 'depfile-detail':
        gathered.depfileDetails = true;
        break;
    }
  }
}

function gatherEffect(arg: InvocationArg, row: OptionRow, gathered: Gathered): void {
  switch (row.effect) {
    case 'action':
      if (!gathered.actions.includes(arg.name)) gathered.actions.push(arg.name);
      break;
    case 'output':
      gathered.outputs.push(arg.value);
      break;
    case 'language':
      gathered.languageName = arg.value;
      break;
    case 'search-dir':
      gathered.includeDirectories.push(arg.value);
      break;
    case 'depfile':
      if (!gathered.driverRequests.includes(arg.name)) gathered.driverRequests.push(arg.name);
      break;
    case 'depfile-path':
      gathered.depfilePaths.push(arg.value);
      break;
    case 'depfile-detail':
      gathered.depfileDetails = true;
      break;
    case 'preprocessor-list':
      gatherList(arg.list, gathered);
      break;
    case 'side-output':
      if (row.output !== undefined) gathered.sideOutputs.add(row.output);
      break;
  }
}

function gather(args: readonly InvocationArg[], dialect: Dialect): Gathered {
  const gathered: Gathered = {
    sources: [],
    actions: [],
    outputs: [],
    includeDirectories: [],
    driverRequests: [],
    listRequests: [],
    depfilePaths: [],
    sideOutputs: new Set(),
    depfileDetails: false,
    depfilePathInList: false,
    sourceLanguageName: undefined,
    languageName: undefined,
    needsSeed: undefined,
    givesSeed: false,
    choosesColor: false,
  };
  const index = OPTION_INDEX[dialect];
  for (const arg of args) {
    if (arg.form === 'source') {
      gathered.sources.push(arg.value);
      gathered.sourceLanguageName = gathered.languageName;
      continue;
    }
    const row = index.row(arg.name);
    if (row === undefined) continue;
    if (row.effect !== 'both') gatherEffect(arg, row, gathered);
    if (row.needsSeed) gathered.needsSeed ??= arg.name;
    if (row.givesSeed) gathered.givesSeed = true;
    if (row.choosesColor) gathered.choosesColor = true;
  }
  return gathered;
}

/** A path that names something other than a file below a directory. */
function isSpecial(path: string): boolean {
  return path === '-' || path.startsWith('/dev/') || path.endsWith('/');
}

/**
 * The dependency file. Two requests at once are left to the compiler: which one wins depends on the order in
 * which the driver hands them to cc1.
 */
function depfileOf(gathered: Gathered, sourcePath: string): DepfileRequest | undefined | string {
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

function outputsOf(
  gathered: Gathered,
  sourcePath: string,
  outputPath: string,
  depfile: DepfileRequest | undefined,
  assembles: boolean,
): ExpectedOutput[] {
  const outputs: ExpectedOutput[] = [];
  if (depfile !== undefined) outputs.push({ kind: 'depfile', path: depfile.path, required: true });
  for (const kind of gathered.sideOutputs) {
    // The .dwo is cut out of the object after assembling, so that -S makes none.
    if (kind === 'split-dwarf' && !assembles) continue;
    const path = sideOutputName(sourcePath, gathered.outputs[0], SIDE_SUFFIXES[kind] ?? '');
    outputs.push({ kind, path, required: false });
  }
  outputs.push({ kind: assembles ? 'object' : 'assembly', path: outputPath, required: true });
  return outputs;
}

/** What contradicts itself in the shape of the call, if anything. */
function shapeRefusal(gathered: Gathered): (Derivation & { ok: false }) | undefined {
  const { sources, actions, outputs } = gathered;
  if (sources.length === 0) return refusal('no-source', 'no input file');
  if (sources.length > 1) return refusal('several-inputs', sources.slice(0, 3).join(' '));
  if (actions.length === 0) return refusal('link', 'neither -c nor -S');
  if (actions.length > 1) return refusal('contradicting-options', 'both -c and -S');
  if (outputs.length > 1) return refusal('contradicting-options', `-o ${outputs.join(' -o ')}`);
  if (gathered.needsSeed !== undefined && !gathered.givesSeed)
    return refusal('coverage-or-lto-without-random-seed', gathered.needsSeed);
  return undefined;
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
  const gathered = gather(args, dialect);
  const shape = shapeRefusal(gathered);
  if (shape !== undefined) return shape;
  const sourcePath = gathered.sources[0] ?? '';
  if (sourcePath === '-') return refusal('stdin-source', '-');
  const driver = isCompilerName(compilerName)?.driver ?? 'c';
  const source = languageOf(sourcePath, gathered.sourceLanguageName, driver, dialect);
  if ('reason' in source) return refusal(source.reason, source.detail);
  const assembles = gathered.actions[0] === '-c';
  const outputPath = gathered.outputs[0] ?? defaultOutputName(sourcePath, assembles ? '.o' : '.s');
  const depfile = depfileOf(gathered, sourcePath);
  if (typeof depfile === 'string') return refusal('contradicting-options', depfile);
  const outputs = outputsOf(gathered, sourcePath, outputPath, depfile, assembles);
  const special = outputs.find((output) => isSpecial(output.path));
  if (special !== undefined) return refusal('output-not-regular', special.path);
  const paths = new Set([sourcePath, ...outputs.map((output) => output.path)]);
  if (paths.size !== outputs.length + 1) return refusal('contradicting-options', 'one path for two files');
  const { includeDirectories, choosesColor } = gathered;
  const { language } = source;
  return {
    ok: true,
    invocation: {
      args,
      language,
      sourcePath,
      outputPath,
      outputs,
      depfile,
      includeDirectories,
      choosesColor,
    },
  };
}
