/** What is written down: one record for each run, and one file for the whole contest. */

import type { SetupCost } from './contestant.ts';
import type { ClusterShape } from './hosts.ts';
import type { MachineFacts } from './machine.ts';
import type { Measurement } from './measure.ts';

/** How files of a build relate to those of a local one. */
export interface Equality {
  readonly total: number;
  readonly identical: number;
  /** Not made at all. */
  readonly missing: number;
  /** Paths of files that are different, missing or unexpected; the first few. */
  readonly faults: readonly string[];
}

/** One measured build. */
export interface RunRecord extends Measurement {
  readonly contestant: string;
  readonly leg: string;
  readonly round: number;
  /** ISO 8601. */
  readonly startedAt: string;
  /** This project as it was when the contest, or the part of it that was resumed, began; runs of before do not tell. */
  readonly meshcc?: string;
  readonly exitStatus: number | string;
  /** Translation units of the workload. */
  readonly units: number;
  readonly objects: Equality;
  /** Depfiles, or what the build keeps of them. */
  readonly depfiles: Equality;
  /** Units that no board compiled; null if the question makes no sense or the tool cannot tell. */
  readonly localUnits: number | null;
  readonly setup: SetupCost | null;
  readonly notes: Readonly<Record<string, number | string>>;
}

/** What decides about the runs; those of a resumed contest must be equal. */
export interface ContestSettings {
  readonly workload: string;
  readonly shape: ClusterShape;
  readonly slotsPerBoard: number;
  /** `make -j` of contestants that compile on the boards, and of those that compile on the laptop. */
  readonly boardJobs: number;
  readonly laptopJobs: number;
}

/** The file that a contest leaves. */
export interface ContestResult {
  readonly bench: 'mesh';
  /** The command line that leads to such a result. */
  readonly command: string;
  readonly settings: ContestSettings;
  readonly workload: { readonly description: string; readonly units: number; readonly objects: number };
  readonly machine: MachineFacts;
  readonly legs: readonly { readonly name: string; readonly title: string }[];
  /** Contestants that could not take part, and why. */
  readonly unavailable: readonly { readonly contestant: string; readonly reason: string }[];
  readonly runs: readonly RunRecord[];
}
