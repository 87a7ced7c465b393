/**
 * Finds the inputs of a compile from memory, by reading the directives of the files instead of running the
 * preprocessor. The compiler is asked for its own directories and macros, once, and for the inputs of the rare
 * unit whose computed includes cannot be told from the text.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { messageOf } from '../base/errors.ts';
import { type LocalReasonId, renderArguments } from '../compiler/index.ts';
import type { ClosureFinder, ClosureOutcome, ClosureRequest } from './closure.ts';
import type { CompilerClosureFinder, RunCommand } from './compiler-closure-finder.ts';
import { CompilerQuestions } from './compiler-questions.ts';
import { ScanMemory } from './scan-memory.ts';
import { type SourceFile, type SourceView, StillReading } from './source-view-port.ts';
import { type Attempt, type CompilerKnowledge, type Unit, UnitScan, unitOf } from './unit-scan.ts';

/** How long a scan may hold the event loop before others get a turn. */
const SLICE_MS = 5;

/** Attempts at one unit; each cold one learns some hundred files. */
const MAX_ATTEMPTS = 5_000;

/** How often the compiler is asked about a unit whose files change meanwhile. */
const MAX_QUESTIONS = 3;

/** Units remembered with what the compiler said about them. */
const MAX_ANSWERS = 512;

/** A file that changed so shortly before it was asked about may have changed after the compiler read it. */
const SETTLED_SECONDS = 2;

/** What the compiler said about a unit, and the state of all files at that time. */
interface CompilerAnswer {
  readonly paths: readonly string[];
  readonly files: readonly SourceFile[];
  readonly structureVersion: number;
}

/** An attempt that was not in vain, and what had to be learnt for it. */
interface KnownAttempt {
  readonly attempt: Extract<Attempt, { kind: 'closure' | 'local' | 'wants-answer' }>;
  readonly knowledge: CompilerKnowledge;
}

export class ScanningClosureFinder implements ClosureFinder {
  readonly #view: SourceView;
  readonly #compiler: CompilerClosureFinder;
  readonly #questions: CompilerQuestions;
  readonly #memory: ScanMemory;
  readonly #answers = new LRUCache<string, CompilerAnswer>({ max: MAX_ANSWERS });
  /** Units of which a scan has missed something: the compiler is asked about them from then on. */
  readonly #missed = new LRUCache<string, true>({ max: MAX_ANSWERS });

  /**
   * @param run starts a compiler for a short question
   * @param compiler for the units that cannot be scanned
   */
  constructor(view: SourceView, run: RunCommand, compiler: CompilerClosureFinder) {
    this.#view = view;
    this.#compiler = compiler;
    this.#questions = new CompilerQuestions(run);
    this.#memory = new ScanMemory(view);
  }

  async find(request: ClosureRequest, signal: AbortSignal): Promise<ClosureOutcome> {
    const unit = unitOf(request);
    if (unit.plan.unsupported !== undefined) return this.#compiler.find(request, signal);
    try {
      return await this.#scan(unit, signal);
    } catch (error) {
      if (signal.aborted) return local('interrupted', '');
      return local('closure-failed', messageOf(error));
    }
  }

  findExactly(request: ClosureRequest, signal: AbortSignal): Promise<ClosureOutcome> {
    this.#missed.set(unitKey(request), true);
    return this.find(request, signal);
  }

  async #scan(unit: Unit, signal: AbortSignal): Promise<ClosureOutcome> {
    const builtIn = await this.#questions.directories(unit.request, undefined);
    const scanned = await this.#untilKnown(unit, { builtIn, macros: undefined, answer: undefined }, signal);
    const { attempt, knowledge } = scanned;
    if (attempt.kind === 'wants-answer') return this.#withAnswer(unit, knowledge, attempt.files, signal);
    if (attempt.kind === 'local' || this.#missed.size === 0) return attempt;
    if (!this.#missed.has(unitKey(unit.request))) return attempt;
    return this.#withAnswer(unit, knowledge, attempt.closure.sourceFiles, signal);
  }

  /** Attempts until one is not late and lacks nothing but the compiler's own list. */
  async #untilKnown(unit: Unit, start: CompilerKnowledge, signal: AbortSignal): Promise<KnownAttempt> {
    const { request } = unit;
    let knowledge = start;
    for (let count = 0; count < MAX_ATTEMPTS; count++) {
      if (signal.aborted) return { attempt: local('interrupted', ''), knowledge };
      const attempt = this.#attempt(unit, knowledge);
      switch (attempt.kind) {
        case 'late':
          await nextTurn();
          break;
        case 'reading':
          await attempt.arrived;
          break;
        case 'stale-directories': {
          const builtIn = await this.#questions.directories(request, knowledge.builtIn);
          knowledge = { ...knowledge, builtIn };
          break;
        }
        case 'wants-macros':
          knowledge = { ...knowledge, macros: await this.#questions.predefinedMacros(request) };
          break;
        default:
          return { attempt, knowledge };
      }
    }
    return { attempt: local('input-changed', 'files kept changing while they were scanned'), knowledge };
  }

  /** One synchronous attempt, good only if the structure of the disk was the same all the time. */
  #attempt(unit: Unit, knowledge: CompilerKnowledge): Attempt {
    this.#memory.sync();
    const version = this.#view.structureVersion;
    if (!this.#memory.isCurrent(knowledge.builtIn)) return { kind: 'stale-directories' };
    let attempt: Attempt;
    try {
      attempt = new UnitScan(unit, knowledge, this.#memory, performance.now() + SLICE_MS).run();
    } catch (error) {
      if (!(error instanceof StillReading)) throw error;
      return { kind: 'reading', arrived: error.arrived };
    }
    return this.#view.structureVersion === version ? attempt : { kind: 'late' };
  }

  /** Closure of a unit with includes that cannot be told from the text: those that the compiler finds, and more. */
  async #withAnswer(
    unit: Unit,
    knowledge: CompilerKnowledge,
    filesBefore: readonly SourceFile[],
    signal: AbortSignal,
  ): Promise<ClosureOutcome> {
    const { request } = unit;
    const key = unitKey(request);
    const known = this.#answers.get(key);
    if (known !== undefined && known.structureVersion === this.#view.structureVersion) {
      const { attempt } = await this.#untilKnown(unit, { ...knowledge, answer: known.paths }, signal);
      if (attempt.kind === 'closure' && isSame(attempt.closure.sourceFiles, known.files)) return attempt;
    }
    let before = new Set(filesBefore);
    for (let question = 0; question < MAX_QUESTIONS; question++) {
      const structureVersion = this.#view.structureVersion;
      const askedAtSeconds = Math.floor(Date.now() / 1000);
      const outcome = await this.#compiler.find(request, signal);
      if (outcome.kind === 'local') return outcome;
      await this.#view.refresh();
      const paths = outcome.closure.files;
      const { attempt } = await this.#untilKnown(unit, { ...knowledge, answer: paths }, signal);
      if (attempt.kind === 'wants-answer') break;
      if (attempt.kind === 'local') return attempt;
      const files = attempt.closure.sourceFiles;
      const now = new Set(files);
      if (this.#view.structureVersion === structureVersion && [...before].every((file) => now.has(file))) {
        const isSettled = files.every((file) => file.mtimeSeconds < askedAtSeconds - SETTLED_SECONDS);
        if (isSettled) this.#answers.set(key, { paths, files, structureVersion });
        return attempt;
      }
      before = now;
    }
    return local('input-changed', 'files kept changing while the compiler was asked');
  }
}

/** One command line in one directory. */
function unitKey({ compilerPath, workingDirectory, invocation }: ClosureRequest): string {
  return [compilerPath, workingDirectory, ...renderArguments(invocation.args)].join('\0');
}

function isSame(files: readonly SourceFile[], others: readonly SourceFile[]): boolean {
  return files.length === others.length && files.every((file, index) => file === others[index]);
}

function local(reason: LocalReasonId, detail: string): ClosureOutcome & { readonly kind: 'local' } {
  return { kind: 'local', reason, detail };
}
