/** What `meshcc bench` found: as it is printed, and as it is kept for the next time. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf, MeshError, messageOf } from '../base/errors.ts';
import type { AgreedFigure } from './agreement.ts';
import type { MachineFigures } from './machine-figures.ts';
import type { LoadedState } from './machine-state.ts';

/** How fast something compiles the corpus. */
export interface CompileSpeed {
  /** Preprocessed lines per second. */
  readonly linesPerSecond: AgreedFigure;
  /** Compiles at once. */
  readonly atOnce: number;
  /** What the machine said of itself meanwhile; undefined: nothing. */
  readonly state: LoadedState | undefined;
}

/** Figures of a part, or why there are none. */
export type Measured<Value> = { readonly value: Value } | { readonly notMeasured: string };

export interface NodeResult {
  readonly nodeId: string;
  readonly name: string;
  /** This machine itself, without the mesh: what the others are compared with. */
  readonly isHere: boolean;
  readonly slots: number;
  readonly oneCore: Measured<CompileSpeed>;
  readonly allSlots: Measured<CompileSpeed>;
  readonly machine: Measured<MachineFigures>;
}

/** One run of `meshcc bench`. */
export interface BenchResult {
  readonly corpus: number;
  /** All of the corpus, often enough to be compared with others. */
  readonly isWhole: boolean;
  /** ISO 8601. */
  readonly measuredAt: string;
  readonly meshcc: string;
  readonly compiler: { readonly name: string; readonly version: string; readonly targetTriple: string };
  readonly nodes: readonly NodeResult[];
}

const LAST_RESULT = 'bench-result.json';
const NODE_SPEEDS = 'node-speeds.json';

/** Nodes that are remembered; who had more would have the least recently measured forgotten. */
const MAX_NODES = 1000;

interface KnownSpeed {
  readonly name: string;
  readonly corpus: number;
  /** Figures of two compilers do not compare. */
  readonly compiler: string;
  readonly linesPerSecondAndSlot: number;
  readonly measuredAt: string;
}

function writeWhole(directory: string, name: string, value: unknown): void {
  const path = join(directory, name);
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    writeFileSync(`${path}.tmp`, `${JSON.stringify(value, null, 1)}\n`, { mode: 0o600 });
    renameSync(`${path}.tmp`, path);
  } catch (error) {
    throw new MeshError(
      'MESHCC_STORE',
      `cannot keep the result in ${path}: ${messageOf(error)}. Check the disk and the owner of ${directory}.`,
      { cause: error },
    );
  }
}

/** Undefined if there is no such file, or none that can be read as JSON. */
function readWhole(directory: string, name: string): unknown {
  try {
    return JSON.parse(readFileSync(join(directory, name), 'utf8'));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/**
 * Keeps a result as the last one, and, if it is of the whole corpus, the speeds in it for the scheduler: those that
 * repeated runs agreed on. Speeds that another compiler had are forgotten.
 * @throws MeshError MESHCC_STORE
 */
export function keepResult(stateDirectory: string, result: BenchResult): void {
  writeWhole(stateDirectory, LAST_RESULT, result);
  if (!result.isWhole) return;
  const { name: driver, version, targetTriple } = result.compiler;
  const compiler = `${driver} ${version} ${targetTriple}`;
  const stored = Object.entries(storedSpeeds(stateDirectory));
  const speeds = new Map(stored.filter(([, known]) => known.compiler === compiler));
  for (const { nodeId, name, isHere, allSlots } of result.nodes) {
    if (isHere || 'notMeasured' in allSlots) continue;
    const { linesPerSecond, atOnce } = allSlots.value;
    if (!linesPerSecond.agrees) continue;
    speeds.delete(nodeId);
    speeds.set(nodeId, {
      name,
      corpus: result.corpus,
      compiler,
      linesPerSecondAndSlot: linesPerSecond.median / atOnce,
      measuredAt: result.measuredAt,
    });
  }
  writeWhole(stateDirectory, NODE_SPEEDS, Object.fromEntries([...speeds].slice(-MAX_NODES)));
}

/** The last result; undefined if there is none. */
export function lastResult(stateDirectory: string): BenchResult | undefined {
  const value = readWhole(stateDirectory, LAST_RESULT);
  const isResult = typeof value === 'object' && value !== null && 'nodes' in value && 'corpus' in value;
  return isResult ? (value as BenchResult) : undefined;
}

function storedSpeeds(stateDirectory: string): Record<string, KnownSpeed> {
  const value = readWhole(stateDirectory, NODE_SPEEDS);
  return typeof value === 'object' && value !== null ? (value as Record<string, KnownSpeed>) : {};
}

/** Preprocessed lines per second and slot, by node id, of nodes that were measured with one version of the corpus. */
export function knownSpeeds(stateDirectory: string, corpus: number): Map<string, number> {
  const speeds = new Map<string, number>();
  for (const [nodeId, known] of Object.entries(storedSpeeds(stateDirectory))) {
    const { linesPerSecondAndSlot: speed } = known;
    if (known.corpus === corpus && Number.isFinite(speed) && speed > 0) speeds.set(nodeId, speed);
  }
  return speeds;
}
