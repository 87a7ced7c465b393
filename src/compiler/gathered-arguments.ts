/** One walk over the arguments that gathers what the parts of an invocation are derived from. */
import type { DepfileRequest, InvocationArg, OutputKind } from './invocation.ts';
import { ASSEMBLER_INDEX, OPTION_INDEX, PREPROCESSOR_INDEX } from './option-index.ts';
import type { Dialect, OptionRow } from './option-row.ts';

/** A file beside the object: under a name that follows from the object's, or that an option spells. */
export interface SideOutput {
  readonly kind: OutputKind;
  /** The option's value: a path, or the pass of a dump; empty if it has none. */
  readonly value: string;
  readonly isNamed: boolean;
}

const NO_TRACKING: ReadonlySet<string> = new Set(['no-var-tracking', 'no-var-tracking-assignments']);

/** What the walk over the arguments gathers. Lists are in the order of the command line. */
export class GatheredArguments {
  readonly sources: string[] = [];
  readonly actions: string[] = [];
  readonly outputs: string[] = [];
  readonly includeDirectories: string[] = [];
  readonly assemblerDirectories: string[] = [];
  /** Requests of the driver: -MD, -MMD. */
  readonly driverRequests: string[] = [];
  /** Requests inside `-Wp,`, with the path that cc1 takes as their argument. */
  readonly listRequests: DepfileRequest[] = [];
  readonly depfilePaths: string[] = [];
  readonly sideOutputs: SideOutput[] = [];
  readonly dataFiles: string[] = [];
  readonly profileDirectories: string[] = [];
  readonly nativeOptions: string[] = [];
  usesProfile = false;
  usesOwnAssembler = true;
  depfileDetails = false;
  depfilePathInList = false;
  /** -save-temps, and whether it keeps the files in the working directory. */
  savesTemporaries: 'beside-output' | 'in-working-directory' | undefined;
  auxiliaryDirectory: string | undefined;
  auxiliaryBase: string | undefined;
  auxiliaryExtension: string | undefined;
  /** The -x in force at the source. */
  sourceLanguageName: string | undefined;
  /** Holds the time of day without a seed. */
  isStamped = false;
  /** No two compiles give the same. */
  varies = false;
  /** The option that draws names by lot without a seed. */
  drawsNames: string | undefined;
  givesSeed = false;
  choosesColor = false;
  annotatesAssembly: string | undefined;
  /** By -O, of which the last one counts. */
  optimises = false;
  /** GCC follows variables through optimised code, for debug information. */
  tracksVariables = true;
  #languageName: string | undefined;

  constructor(args: readonly InvocationArg[], dialect: Dialect) {
    const index = OPTION_INDEX[dialect];
    for (const arg of args) {
      if (arg.form === 'source') {
        this.sources.push(arg.value);
        this.sourceLanguageName = this.#languageName;
        continue;
      }
      const row = index.row(arg.name);
      if (row === undefined) continue;
      if (row.effect !== 'both') this.#gather(arg, row);
      if (row.needsSeed === 'stamp') this.isStamped = true;
      if (row.varies) this.varies = true;
      if (row.needsSeed === 'names') this.drawsNames ??= arg.name;
      if (row.givesSeed) this.givesSeed = true;
      if (row.choosesColor) this.choosesColor = true;
      if (arg.name === '-O') this.optimises = arg.value !== '0';
      if (arg.name === '-f' && NO_TRACKING.has(arg.value)) this.tracksVariables = false;
      if (row.annotatesAssembly) this.annotatesAssembly = arg.name;
    }
  }

  #gather(arg: InvocationArg, row: OptionRow): void {
    switch (row.effect) {
      case 'action':
        if (!this.actions.includes(arg.name)) this.actions.push(arg.name);
        break;
      case 'output':
        this.outputs.push(arg.value);
        break;
      case 'language':
        this.#languageName = arg.value;
        break;
      case 'search-dir':
        this.includeDirectories.push(arg.value);
        // The drivers hand these on to the assembler too.
        if (row.name === '-I') this.assemblerDirectories.push(arg.value);
        break;
      case 'depfile':
        if (!this.driverRequests.includes(arg.name)) this.driverRequests.push(arg.name);
        break;
      case 'depfile-path':
        this.depfilePaths.push(arg.value);
        break;
      case 'depfile-detail':
        this.depfileDetails = true;
        break;
      case 'preprocessor-list':
        for (const piece of arg.list) this.#gatherPreprocessorPiece(piece);
        break;
      case 'assembler-list':
        for (const piece of arg.list) {
          if (ASSEMBLER_INDEX.row(piece.name)?.effect === 'assembler-dir')
            this.assemblerDirectories.push(piece.value);
        }
        break;
      default:
        this.#gatherFile(arg, row);
    }
  }

  #gatherFile(arg: InvocationArg, row: OptionRow): void {
    switch (row.effect) {
      case 'side-output':
        if (row.output !== undefined) {
          const isNamed = row.value === 'path';
          this.sideOutputs.push({ kind: row.output, value: arg.value, isNamed });
        }
        break;
      case 'data-file': {
        const named = arg.value || row.file;
        if (named !== undefined) this.dataFiles.push(named);
        if (row.fileInDirectory !== undefined) this.dataFiles.push(`${arg.value}/${row.fileInDirectory}`);
        break;
      }
      case 'profile-use':
        this.usesProfile = true;
        if (arg.value !== '') this.profileDirectories.push(arg.value);
        break;
      case 'profile-dir':
        this.profileDirectories.push(arg.value);
        break;
      case 'native':
        this.nativeOptions.push(arg.name);
        break;
      case 'save-temps':
        this.savesTemporaries = row.keepsInWorkingDirectory ? 'in-working-directory' : 'beside-output';
        break;
      case 'aux-dir':
        this.auxiliaryDirectory = arg.value;
        break;
      case 'aux-base':
        this.auxiliaryBase = arg.value;
        break;
      case 'aux-ext':
        this.auxiliaryExtension = arg.value;
        break;
      case 'own-assembler':
      case 'external-assembler':
        this.usesOwnAssembler = row.effect === 'own-assembler';
        break;
    }
  }

  #gatherPreprocessorPiece(piece: InvocationArg): void {
    switch (PREPROCESSOR_INDEX.row(piece.name)?.effect) {
      case 'depfile':
        this.listRequests.push({ path: piece.value, omitsSystemHeaders: piece.name === '-MMD' });
        break;
      case 'depfile-path':
        this.depfilePathInList = true;
        break;
      case 'depfile-detail':
        this.depfileDetails = true;
        break;
    }
  }
}
