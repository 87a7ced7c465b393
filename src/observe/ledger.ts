/** Where every compiler call of this user went, and why: counted per build, with the latest local ones in detail. */
import { LRUCache } from 'lru-cache';
import type { LocalReasonId } from '../compiler/index.ts';
import { type ComparisonEnd, VerificationCounts, type VerificationSummary } from './verification-counts.ts';

/** A finished compiler call. */
export interface JobRecord {
  /** Build that the call belongs to; empty outside `meshcc run`. */
  readonly buildId: string;
  /** What was compiled, or the arguments' gist where there is no source. */
  readonly subject: string;
  readonly place:
    | { readonly kind: 'remote'; readonly nodeName: string; readonly cpuUs: number }
    | { readonly kind: 'local'; readonly reason: LocalReasonId; readonly detail: string };
  /** Remote attempts that came to nothing before this, each in words. */
  readonly failedAttempts: readonly string[];
  readonly wallMs: number;
}

/** A build in numbers. */
export interface BuildSummary {
  readonly buildId: string;
  readonly remoteJobs: number;
  readonly localJobs: number;
  readonly failedAttempts: number;
  readonly nodes: readonly { name: string; jobs: number; cpuSeconds: number }[];
  readonly local: readonly { reason: LocalReasonId; jobs: number; example: string }[];
  /** Second compiles for comparison; they are no jobs, and counted here only. */
  readonly verification: VerificationSummary;
}

/** Calls that a person can ask about. */
const RECENT_JOBS = 5_000;
const RECENT_BUILDS = 200;

/** Longest text that is kept, in UTF-16 units: 5000 calls then take some tens of megabytes at most. */
const MAX_TEXT = 1_000;

/** Name of the build that collects all calls since the agent started. */
export const ALL_BUILDS = 'all';

class BuildCounts {
  remoteJobs = 0;
  localJobs = 0;
  failedAttempts = 0;
  readonly nodes = new Map<string, { jobs: number; cpuUs: number }>();
  readonly local = new Map<LocalReasonId, { jobs: number; example: string }>();
  readonly verification = new VerificationCounts();

  add(record: JobRecord): void {
    this.failedAttempts += record.failedAttempts.length;
    if (record.place.kind === 'remote') {
      this.remoteJobs++;
      const node = this.nodes.get(record.place.nodeName) ?? { jobs: 0, cpuUs: 0 };
      this.nodes.set(record.place.nodeName, { jobs: node.jobs + 1, cpuUs: node.cpuUs + record.place.cpuUs });
      return;
    }
    this.localJobs++;
    const reason = this.local.get(record.place.reason);
    if (reason !== undefined) reason.jobs++;
    else this.local.set(record.place.reason, { jobs: 1, example: exampleOf(record, record.place.detail) });
  }

  summary(buildId: string): BuildSummary {
    const nodes = [...this.nodes].map(([name, { jobs, cpuUs }]) => ({ name, jobs, cpuSeconds: cpuUs / 1e6 }));
    const local = [...this.local].map(([reason, { jobs, example }]) => ({ reason, jobs, example }));
    return {
      buildId,
      remoteJobs: this.remoteJobs,
      localJobs: this.localJobs,
      failedAttempts: this.failedAttempts,
      nodes: nodes.sort((a, b) => b.jobs - a.jobs),
      local: local.sort((a, b) => b.jobs - a.jobs),
      verification: this.verification.summary,
    };
  }
}

/** Texts that compilers and other nodes chose are kept for people: no longer than a person reads. */
function clipped(job: JobRecord): JobRecord {
  const { place } = job;
  return {
    ...job,
    subject: clip(job.subject),
    place: place.kind === 'local' ? { ...place, detail: clip(place.detail) } : place,
    failedAttempts: job.failedAttempts.map(clip),
  };
}

/** A copy: a slice would keep the whole text in memory. */
function clip(text: string): string {
  return text.length <= MAX_TEXT ? text : Buffer.from(`${text.slice(0, MAX_TEXT - 1)}…`).toString();
}

function exampleOf(record: JobRecord, detail: string): string {
  return detail === '' || detail === record.subject ? record.subject : `${record.subject} (${detail})`;
}

export class Ledger {
  readonly #all = new BuildCounts();
  readonly #builds = new LRUCache<string, BuildCounts>({ max: RECENT_BUILDS });
  readonly #recent: JobRecord[] = [];
  #next = 0;

  record(finished: JobRecord): void {
    const job = clipped(finished);
    for (const counts of this.#countsOf(job.buildId)) counts.add(job);
    this.#recent[this.#next] = job;
    this.#next = (this.#next + 1) % RECENT_JOBS;
  }

  /** A comparison of the result of a call has ended. @param finding what a person should know of it, in a sentence */
  recordComparison(buildId: string, end: ComparisonEnd, finding?: string): void {
    const text = finding === undefined ? undefined : clip(finding);
    for (const counts of this.#countsOf(buildId)) counts.verification.add(end, text);
  }

  #countsOf(buildId: string): BuildCounts[] {
    if (buildId === '') return [this.#all];
    let build = this.#builds.get(buildId);
    if (build === undefined) {
      build = new BuildCounts();
      this.#builds.set(buildId, build);
    }
    return [this.#all, build];
  }

  /** Counts of one build, or of everything since the start with {@link ALL_BUILDS}. */
  summary(buildId: string): BuildSummary {
    const counts = buildId === ALL_BUILDS ? this.#all : this.#builds.get(buildId);
    return (counts ?? new BuildCounts()).summary(buildId);
  }

  /** The latest calls, oldest first, at most as many as are kept. */
  recent(): readonly JobRecord[] {
    return [...this.#recent.slice(this.#next), ...this.#recent.slice(0, this.#next)];
  }
}
