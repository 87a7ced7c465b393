/** One attempt to list what a unit may read: from its arguments to the closure, without a pause in between. */
import type { LocalReasonId } from '../compiler/index.ts';
import type { ClosureRequest } from './closure.ts';
import { ClosureOfWalk } from './closure-of-walk.ts';
import { compiledHeaderFor } from './compiled-headers.ts';
import type { BuiltInDirectories } from './compiler-questions.ts';
import type { OuterDefinitions } from './computed-include.ts';
import { type FileScan, scanDirectives } from './directive-scan.ts';
import type { ChainMemory } from './include-graph.ts';
import { IncludeWalk, type WalkEnd } from './include-walk.ts';
import { macroDefinitionsIn } from './macro-definitions.ts';
import type { NumberedDefinition } from './macro-index.ts';
import type { FoundProbe } from './path-probe.ts';
import type { ScanMemory } from './scan-memory.ts';
import { DEFINED_TRAITS, SCAN_TRAIT, TRAIT_REASONS, withWholes } from './scan-traits.ts';
import { absolutePath, type SearchPlan, searchPlanOf } from './search-plan.ts';
import type { SourceFile } from './source-view-port.ts';

/** A call, prepared for any number of attempts. */
export interface Unit {
  readonly request: ClosureRequest;
  readonly plan: SearchPlan;
  /** What the macros on the command line ask for. */
  readonly commandLine: FileScan;
  /** Traits that the macros on the command line settle. */
  readonly definedTraits: number;
}

/** What an attempt may build on; each is had from the compiler when an attempt asks for it. */
export interface CompilerKnowledge {
  readonly builtIn: BuiltInDirectories;
  /** Predefined macros as a source text. */
  readonly macros: string | undefined;
  /** Everything that the compiler itself says it reads; settles includes that cannot be told from the text. */
  readonly answer: readonly string[] | undefined;
}

/**
 * How an attempt ended. `late`: to be repeated after others had a turn. `stale-directories`, `wants-macros`,
 * `wants-answer`: to be repeated with newer or more knowledge; `files` is what is known to be read so far.
 * `reading`: to be repeated when a large file has arrived.
 */
export type Attempt =
  | { readonly kind: 'local'; readonly reason: LocalReasonId; readonly detail: string }
  | { readonly kind: 'closure'; readonly closure: ClosureOfWalk }
  | { readonly kind: 'late' | 'stale-directories' | 'wants-macros' }
  | { readonly kind: 'reading'; readonly arrived: Promise<void> }
  | { readonly kind: 'wants-answer'; readonly files: readonly SourceFile[] };

/** Included before everything else by GCC on systems that have it. */
const IMPLICIT_HEADER = 'stdc-predef.h';

/** How often files that computed includes add may add definitions that computed includes depend on. */
const MAX_ROUNDS = 12;

/** Takes a call apart. */
export function unitOf(request: ClosureRequest): Unit {
  const plan = searchPlanOf(request.invocation, request.workingDirectory);
  const { definitions } = plan;
  let definedTraits = 0;
  for (const [name, bits] of Object.entries(DEFINED_TRAITS))
    if (definitions.includes(`#define ${name} `)) definedTraits |= bits;
  return { request, plan, commandLine: scanDirectives(Buffer.from(definitions)), definedTraits };
}

export class UnitScan {
  readonly #unit: Unit;
  readonly #knowledge: CompilerKnowledge;
  readonly #memory: ScanMemory;
  readonly #chain: ReturnType<ScanMemory['chainOf']>;
  readonly #walk: IncludeWalk;
  readonly #deadlineMs: number;
  /** Traits that keep this unit local. */
  readonly #localTraits: number;

  constructor(unit: Unit, knowledge: CompilerKnowledge, memory: ScanMemory, deadlineMs: number) {
    this.#unit = unit;
    this.#knowledge = knowledge;
    this.#memory = memory;
    this.#deadlineMs = deadlineMs;
    this.#chain = memory.chainOf(unit.plan, knowledge.builtIn);
    this.#walk = new IncludeWalk(memory.graph, this.#chain.memory, deadlineMs);
    this.#localTraits = localTraitsOf(unit, knowledge.builtIn.isClang);
  }

  run(): Attempt {
    const trouble =
      this.#addRoots() ??
      this.#runWalk() ??
      this.#traitsTrouble() ??
      this.#addComputed() ??
      this.#addEmbedded() ??
      this.#traitsTrouble();
    if (trouble !== undefined) return trouble;
    const closure = this.#closure();
    return 'kind' in closure ? closure : { kind: 'closure', closure };
  }

  #addRoots(): Attempt | undefined {
    const { graph } = this.#memory;
    const { memory } = this.#chain;
    const { request, plan, commandLine } = this.#unit;
    const directory = graph.probe.directory(request.workingDirectory).canonical;
    const { sourcePath } = request.invocation;
    const source = graph.probe.find(request.workingDirectory, sourcePath);
    if (source.node === undefined) return local('closure-failed', `${sourcePath}: there is no such file`);
    const compiled = compiledHeaderFor(source.node, plan.preincludes, directory, memory, this.#memory);
    if (compiled !== undefined) return local('precompiled-header', compiled);
    for (const name of plan.preincludes) {
      const found = graph.findQuoted(memory, directory, name);
      if (found?.node === undefined) return local('closure-failed', `${name}: there is no such file`);
      this.#walk.add(found);
    }
    const implicit = graph.findAngled(memory, IMPLICIT_HEADER);
    if (implicit?.node !== undefined) this.#walk.add(implicit);
    this.#walk.addSource(source);
    for (const path of this.#knowledge.answer ?? []) {
      const found = graph.probe.find('/', path);
      if (found.node === undefined) return local('input-changed', `${path} is gone`);
      this.#walk.add(found);
    }
    if (commandLine.computedQuestions.length > 0) return local('computed-has-include', 'command line');
    for (const { name } of commandLine.questions)
      for (const found of graph.findAll(memory, directory, name)) this.#addAsked(found);
    return undefined;
  }

  #addAsked(probe: ReturnType<ChainMemory['angled']['get']>): void {
    if (probe?.node !== undefined) this.#walk.addAsked(probe);
  }

  #runWalk(): Attempt | undefined {
    const end: WalkEnd = this.#walk.run();
    if (end.kind === 'late') return end;
    return end.kind === 'unreadable' ? local('closure-failed', `cannot read ${end.path}`) : undefined;
  }

  #traitsTrouble(): Attempt | undefined {
    const { commandLine } = this.#unit;
    const localTraits = this.#localTraits;
    const traits = withWholes(commandLine.traits | this.#walk.traits);
    if ((traits & localTraits) === 0) return undefined;
    for (const { bit, reason } of TRAIT_REASONS) {
      if ((bit & localTraits & traits) === 0) continue;
      if ((commandLine.traits & bit) !== 0) return local(reason, 'command line');
      // A whole that stands in no single file is shown by its rarer half.
      const shown = [bit, SCAN_TRAIT.pastedEnd].find((each) => (this.#walk.traits & each) !== 0) ?? bit;
      const file = this.#walk.files.find(({ scan }) => (scan.traits & shown) !== 0);
      return local(reason, file?.path ?? '');
    }
    return undefined;
  }

  #addComputed(): Attempt | undefined {
    const walk = this.#walk;
    // Nothing is preprocessed: what looks like a directive is a comment.
    if (this.#unit.request.invocation.language === 'assembler') return undefined;
    if (walk.computing.length === 0) return undefined;
    const { macros, answer } = this.#knowledge;
    if (macros === undefined) return { kind: 'wants-macros' };
    const hasUnclearMacros = (): boolean => (walk.traits & SCAN_TRAIT.unclearMacros) !== 0;
    const outer = this.#outerDefinitions(macros);
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const computed = this.#memory.computed.find(walk, this.#chain.memory, outer, this.#deadlineMs);
      if (computed === undefined) return { kind: 'late' };
      if (computed.unclearQuestion !== undefined)
        return local('computed-has-include', computed.unclearQuestion.path);
      const isUnclear = computed.unclearInclude !== undefined || hasUnclearMacros();
      if (isUnclear && answer === undefined) return { kind: 'wants-answer', files: walk.files };
      const filesBefore = walk.nodes.size;
      for (const found of computed.found) {
        if (found.isAsked) walk.addAsked(found);
        else walk.add(found);
      }
      const trouble = this.#runWalk() ?? this.#compiledHeaderTrouble(computed.found);
      if (trouble !== undefined) return trouble;
      if (walk.nodes.size === filesBefore) return undefined;
    }
    return { kind: 'wants-answer', files: walk.files };
  }

  /** Files that assembler text names, in every place where the assembler would look. */
  #addEmbedded(): Attempt | undefined {
    const walk = this.#walk;
    const { workingDirectory, invocation } = this.#unit.request;
    const directories = [
      workingDirectory,
      ...invocation.assemblerDirectories.map((path) => absolutePath(workingDirectory, path)),
    ];
    for (let filesBefore = -1; walk.nodes.size !== filesBefore; ) {
      if ((walk.traits & SCAN_TRAIT.embedding) === 0) return undefined;
      filesBefore = walk.nodes.size;
      for (const { name, role } of walk.embedding.flatMap(({ scan }) => scan.embedded)) {
        for (const directory of directories) {
          const found = this.#memory.graph.probe.find(directory, name);
          if (found.node === undefined) continue;
          if (role === 'text') walk.add(found);
          else walk.addAsked(found);
        }
      }
      const trouble = this.#runWalk();
      if (trouble !== undefined) return trouble;
    }
    return undefined;
  }

  #compiledHeaderTrouble(found: readonly FoundProbe[]): Attempt | undefined {
    const compiled = found.find(({ node }) => this.#memory.graph.probe.exists('/', `${node.path}.gch`));
    return compiled === undefined ? undefined : local('precompiled-header', `${compiled.node.path}.gch`);
  }

  #outerDefinitions(macros: string): OuterDefinitions {
    const predefined = this.#memory.predefined(macros);
    const own = new Map<string, NumberedDefinition[]>();
    for (const definition of macroDefinitionsIn(this.#unit.plan.definitions, () => true)) {
      const numbered = this.#memory.graph.macros.numbered(definition);
      const known = own.get(definition.name);
      if (known === undefined)
        own.set(definition.name, [numbered, ...(predefined.get(definition.name) ?? [])]);
      else known.push(numbered);
    }
    return { get: (name) => own.get(name) ?? predefined.get(name) };
  }

  #closure(): ClosureOfWalk | Attempt {
    const { request } = this.#unit;
    const { graph } = this.#memory;
    const numbers = this.#walk.nodes;
    const askedOnly = this.#walk.askedOnly;
    for (const node of askedOnly) {
      if (graph.fileOf(node) === undefined) return local('closure-failed', `cannot read ${node.path}`);
      numbers.add(node.id);
    }
    if (askedOnly.length > 0 && graph.revise(numbers)) return { kind: 'late' };
    const { chain, memory } = this.#chain;
    const directories = request.invocation.includeDirectories.map((path) =>
      absolutePath(request.workingDirectory, path),
    );
    for (const { spelled } of chain.angle) directories.push(spelled);
    directories.push(...this.#walk.directories);
    return new ClosureOfWalk(graph, memory, numbers, directories);
  }
}

/** Traits that a call has an answer to itself do not keep it local. */
function localTraitsOf({ request, definedTraits }: Unit, isClang: boolean): number {
  let bits = 0;
  for (const { bit, isForClang } of TRAIT_REASONS) if (isClang || !isForClang) bits |= bit;
  // Clang heeds it since version 16 only.
  const hasFixedClock = request.environment.some((entry) => /^SOURCE_DATE_EPOCH=./.test(entry));
  if (hasFixedClock && !isClang) bits &= ~(SCAN_TRAIT.date | SCAN_TRAIT.time);
  return bits & ~definedTraits;
}

function local(reason: LocalReasonId, detail: string): Attempt {
  return { kind: 'local', reason, detail };
}
