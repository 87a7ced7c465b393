/** A part of the micro-benchmark: a piece of meshcc, and beside it the references that it is measured against. */

/** One thing that is measured again in each round. */
export interface Series {
  readonly name: string;
  /** Of each value, e.g. `ms of CPU per call`. */
  readonly unit: string;
  /** Does the work and tells what it cost. Those of a part are called in their order, round after round. */
  readonly measure: () => Promise<number>;
}

/** A ratio that is reported: one series beside another of the same rounds. */
export interface Line {
  readonly series: string;
  readonly reference: string;
}

/** A part that is ready to be measured. */
export interface OpenPart {
  readonly series: readonly Series[];
  readonly lines: readonly Line[];
  /** What a reader must know, such as a reference that this machine does not have. */
  readonly notes: readonly string[];
  close(): Promise<void>;
}

export interface PartContext {
  /** An empty directory of the part's own, removed afterwards. */
  readonly directory: string;
  /** How much of the usual work a round does: 1, or less for a run that only shows that everything works. */
  readonly scale: number;
}

export interface Part {
  readonly name: string;
  /** One sentence: what is measured. */
  readonly what: string;
  open(context: PartContext): Promise<OpenPart>;
}

/** A part of the usual amount of work, at least 1. */
export function scaled({ scale }: PartContext, usual: number): number {
  return Math.max(1, Math.round(usual * scale));
}

/** CPU time that this process, its threads included, takes for some work. */
export async function cpuMsOf(work: () => Promise<void> | void): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
