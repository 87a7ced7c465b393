/** Decides about one compiler call: an invocation that any node may run, or the reason why it stays here. */
import { NULL_DEVICE, probeMaker } from './configure-probe.ts';
import type { Environment } from './environment-table.ts';
import { environmentObstacle } from './environment-table.ts';
import type { Invocation, InvocationArg } from './invocation.ts';
import { invocationFromArgs } from './invocation-from-args.ts';
import type { LocalReasonId } from './local-reasons.ts';
import { OPTION_INDEX } from './option-index.ts';
import type { Dialect } from './option-row.ts';
import type { Finding } from './parse-arguments.ts';
import { parseArguments } from './parse-arguments.ts';
import type { ResponseFileReader } from './response-file.ts';
import { expandResponseFiles } from './response-file.ts';

/** A compiler call as the shim saw it. */
export interface CompilerCall {
  /** Basename of the driver as it was called. */
  readonly compilerName: string;
  readonly dialect: Dialect;
  /** Without argv[0]. */
  readonly args: readonly string[];
  readonly environment: Environment;
  /** Reads `@file`; paths are relative to the working directory of the call. */
  readonly readResponseFile?: ResponseFileReader;
}

/** What becomes of a call. */
export type Classification =
  | { readonly kind: 'distributable'; readonly invocation: Invocation }
  | {
      readonly kind: 'local';
      readonly reason: LocalReasonId;
      /** What in this call is meant, e.g. the option; may be empty. */
      readonly detail: string;
      /** The call is real work that waits for a local slot; false if it has to start at once. */
      readonly slot: boolean;
    };

type LocalClassification = Classification & { kind: 'local' };

/** Reasons whose calls are short and often asked one after another: waiting would hold up the whole build. */
const STARTS_AT_ONCE: ReadonlySet<LocalReasonId> = new Set<LocalReasonId>([
  'compiler-query',
  'configure-probe',
  'dependencies-only',
  'no-source',
  'preprocess-only',
  'stdin-source',
]);

/** Findings that decide what the whole call is, most telling first. */
const MODES: readonly LocalReasonId[] = [
  'compiler-query',
  'dependencies-only',
  'preprocess-only',
  'syntax-only',
];

function local(reason: LocalReasonId, detail: string): LocalClassification {
  return { kind: 'local', reason, detail, slot: !STARTS_AT_ONCE.has(reason) };
}

/** What the arguments are, seen from far: names of inputs and outputs, and whether something is compiled. */
interface Outline {
  readonly sources: readonly string[];
  readonly outputs: readonly string[];
  readonly acts: boolean;
}

function outlineOf(args: readonly InvocationArg[], dialect: Dialect): Outline {
  const index = OPTION_INDEX[dialect];
  const sources: string[] = [];
  const outputs: string[] = [];
  let acts = false;
  for (const arg of args) {
    if (arg.form === 'source') sources.push(arg.value);
    else if (arg.name === '-o') outputs.push(arg.value);
    else if (index.row(arg.name)?.effect === 'action') acts = true;
  }
  return { sources, outputs, acts };
}

/** `-v` prints, and compiles all the same if there is something to compile. */
function isVerboseCompile(mode: Finding, outline: Outline): boolean {
  const verbose = mode.detail === '-v' || mode.detail === '--verbose';
  return verbose && outline.sources.length > 0;
}

function classifyMode(findings: readonly Finding[], outline: Outline): LocalClassification | undefined {
  for (const reason of MODES) {
    const modes = findings.filter((finding) => finding.reason === reason);
    const [mode] = modes;
    if (mode === undefined) continue;
    const slot = modes.every((each) => isVerboseCompile(each, outline)) || !STARTS_AT_ONCE.has(reason);
    return { kind: 'local', reason, detail: mode.detail, slot };
  }
  return undefined;
}

function classifyProbe(outline: Outline, environment: Environment): LocalClassification | undefined {
  if (outline.sources.includes(NULL_DEVICE)) return local('configure-probe', 'an empty file');
  const directory = environment.PWD;
  const paths = [...outline.sources, ...outline.outputs, ...(directory === undefined ? [] : [directory])];
  for (const path of paths) {
    const maker = probeMaker(path);
    if (maker !== undefined) return local('configure-probe', maker);
  }
  return undefined;
}

/** As the shim sees it: `MESHCC_DISABLE=0` switches nothing off. */
function isDisabled({ MESHCC_DISABLE: value }: Environment): boolean {
  return value !== undefined && value !== '' && value !== '0';
}

function classifyShape(
  findings: readonly Finding[],
  outline: Outline,
  environment: Environment,
): LocalClassification | undefined {
  const mode = classifyMode(findings, outline);
  if (mode !== undefined) return mode;
  const { sources } = outline;
  if (sources.length === 0) return local('no-source', '');
  const probe = classifyProbe(outline, environment);
  if (probe !== undefined) return probe;
  if (sources.includes('-')) return local('stdin-source', '-');
  if (!outline.acts) return local('link', '');
  if (sources.length > 1) return local('several-inputs', sources.slice(0, 3).join(' '));
  if (outline.outputs.includes(NULL_DEVICE)) return local('output-not-regular', NULL_DEVICE);
  return undefined;
}

/**
 * Classifies one compiler call. Pure: what is on disk is looked at later.
 * The most telling reason comes first: a question or probe, then the shape of the call, then the
 * environment, then the first argument that cannot be carried over.
 */
export function classify(call: CompilerCall): Classification {
  const expanded = expandResponseFiles(call.args, call.readResponseFile);
  if (!expanded.ok) return local('response-file-unreadable', `@${expanded.path}`);
  const { args, findings } = parseArguments(expanded.args, call.dialect);
  const outline = outlineOf(args, call.dialect);
  const shape = classifyShape(findings, outline, call.environment);
  if (shape !== undefined) return shape;
  if (isDisabled(call.environment)) return local('disabled', '');
  const obstacle = environmentObstacle(call.environment);
  if (obstacle !== undefined) return local('environment-variable', obstacle);
  const [finding] = findings;
  if (finding !== undefined) return local(finding.reason, finding.detail);
  const derivation = invocationFromArgs(args, call.dialect, call.compilerName);
  if (!derivation.ok) return local(derivation.reason, derivation.detail);
  return { kind: 'distributable', invocation: derivation.invocation };
}
