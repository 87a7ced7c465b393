/** What a contestant is: a way to build the same tree, on the laptop alone or with the boards. */
import type { Log, Recording } from '../workloads/index.ts';
import type { BenchHosts } from './hosts.ts';

/** One row of the results. A contestant has two when its second build profits from the first. */
export interface Leg {
  /** Stable; names runs and files. */
  readonly name: string;
  readonly title: string;
}

/** What a contestant works with during its runs of one round. */
export interface ContestContext {
  readonly hosts: BenchHosts;
  readonly recording: Recording;
  /** Compiles that each board takes at once. */
  readonly slotsPerBoard: number;
  /** Prepared things that outlive a run. */
  readonly cacheDirectory: string;
  readonly log: Log;
  /**
   * Runs something that users pay once, not with every build, and tells what it cost.
   * @param what the end of a sentence that begins with "Once for many builds"
   */
  measureSetup(what: string, action: () => Promise<void>): Promise<SetupCost>;
}

/** Cost of what happens once for many builds. */
export interface SetupCost {
  readonly what: string;
  readonly wallSeconds: number;
  readonly laptopCpuSeconds: number;
  readonly totalCpuSeconds: number;
  readonly laptopSentBytes: number;
}

/** How the laptop starts the build. */
export interface BuildRecipe {
  readonly env: NodeJS.ProcessEnv;
  /** Puts the tool around the build's command. */
  wrap(command: readonly string[]): readonly string[];
}

/** What only the contestant itself can tell about a build. */
export interface BuildFacts {
  /** Units that boards did not compile; undefined if that is no question for this contestant. */
  readonly localUnits?: number;
  readonly setup?: SetupCost;
  /** Further counts under names of their own, e.g. cache hits. */
  readonly notes?: Readonly<Record<string, number | string>>;
  /** Files to keep beside the result. */
  readonly logs?: readonly string[];
}

/** A contestant during its runs of one round. */
export interface Session {
  /** Everything that is not measured: daemons are up when it resolves. */
  ready(leg: Leg): Promise<BuildRecipe>;
  /** After the build. */
  facts(leg: Leg): Promise<BuildFacts>;
  close(): Promise<void>;
}

/** A row, or two, of the comparison. */
export interface Contestant {
  readonly name: string;
  readonly legs: readonly Leg[];
  /** Decides about `make -j`: boards can take many jobs, the laptop as many as it has processors. */
  readonly compilesOn: 'laptop' | 'boards';
  /** Debian packages that it needs. */
  readonly packages: readonly string[];
  /** One more step before the first run, unless it was done before. @throws BenchError if it is not to be had */
  prepare?(cacheDirectory: string, log: Log): Promise<void>;
  open(context: ContestContext): Promise<Session>;
}

/** For contestants that put nothing around the command. */
export const unwrapped = (command: readonly string[]): readonly string[] => command;
