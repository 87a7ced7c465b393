/** The JSON that an agent answers to commands; `--json` prints it as it is. */
import type { BuildSummary, JobRecord, LoopDelayFigures } from '../observe/index.ts';
import type { HostComparison } from '../submitter/index.ts';
import type { SandboxView } from './worker-role.ts';

export interface StatusView {
  readonly version: string;
  readonly nodeId: string;
  readonly name: string;
  readonly pid: number;
  readonly uptimeSeconds: number;
  readonly insecure: boolean;
  readonly meshId: string | undefined;
  readonly port: number | undefined;
  readonly shimSocket: string;
  readonly connectedNodes: number;
  readonly worker: {
    readonly on: boolean;
    readonly detail: string;
    readonly sandbox?: SandboxView;
    readonly slots: number;
    readonly running: number;
    readonly waiting: number;
    readonly submitters: readonly { name: string; jobs: number }[];
  };
  readonly submitter:
    | {
        readonly openCalls: number;
        readonly waitingForNode: number;
        readonly localRunning: number;
        readonly localWaiting: number;
        readonly localSlots: number;
      }
    | undefined;
  /** One for each set of languages that a compiler needs other programs for. */
  readonly compilers: readonly {
    id: string;
    names: string[];
    languages: string[];
    version: string;
    targetTriple: string;
  }[];
  readonly unusableCompilers: readonly { path: string; reason: string }[];
  /** How long the agent's event loop was held up while there was work. */
  readonly eventLoopDelay: LoopDelayFigures;
  readonly quarantine: readonly QuarantineView[];
  /** Compilers that nodes have for another host architecture only; empty unless the owner lets them be used. */
  readonly otherHosts: readonly OtherHostCompilerView[];
  readonly jobs: BuildSummary;
}

/** A compiler of this machine that a node has for another host architecture only. */
export interface OtherHostCompilerView {
  readonly nodeId: string;
  readonly nodeName: string;
  /** Its name here, and what it is identified for. */
  readonly compiler: string;
  readonly scope: string;
  /** What the node's compiler runs on. */
  readonly host: string;
  /** Jobs go there. */
  readonly used: boolean;
  /** What was found, and what is made of it. */
  readonly why: string;
}

/** A compiler of another node that gets no jobs, because a result of its was wrong. */
export interface QuarantineView {
  readonly nodeId: string;
  readonly nodeName: string;
  readonly toolchainId: string;
  /** Name of this machine's equal compiler; empty if it has none any more. */
  readonly compiler: string;
  readonly sinceMs: number;
  /** The unit that it compiled wrongly. */
  readonly unit: string;
  /** Directory with what both sides made. */
  readonly evidence: string;
}

export interface NodeView {
  /** Empty for an address (`--peer`) whose node has not answered yet. */
  readonly nodeId: string;
  readonly name: string;
  readonly address: string;
  readonly state: 'connected' | 'draining' | 'unreachable' | 'sighted' | 'not paired' | 'other mesh';
  readonly detail: string;
  readonly slots?: number;
  /** How it confines the compiles of others; empty if it does not say. */
  readonly sandbox?: string;
  readonly inFlight?: number;
  /** Compilers that this machine and the node have in common. */
  readonly commonCompilers?: number;
  /** Further ones that it has for another host architecture, and that are used. */
  readonly otherHostCompilers?: number;
  /** Those of them that get no jobs. */
  readonly quarantined?: readonly QuarantineView[];
  /** File contents sent to it. */
  readonly sentBytes?: number;
}

/** How one node stands to one compiler of this machine. */
export interface ToolchainCell {
  readonly nodeId: string;
  readonly verdict: 'same' | 'other version' | 'other content' | 'other host' | 'absent' | 'unknown';
  /** True if jobs of the compiler go to the node. */
  readonly used: boolean;
  /** In words, why they do not; empty if they do, save for another host: then also what lets them. */
  readonly why: string;
  /** Version of the node's nearest compiler, if it is not the same one. */
  readonly theirVersion?: string;
  /** With `other host`: what is known of whether both make the same code. */
  readonly comparison?: HostComparison['state'];
}

export interface ToolchainsView {
  /** The nodes of this mesh: the columns. */
  readonly nodes: readonly {
    nodeId: string;
    name: string;
    state: NodeView['state'];
    detail: string;
    /** What the node says of its own compilers. */
    offers: readonly {
      id: string;
      name: string;
      version: string;
      targetTriple: string;
      host: string;
      scope: string;
    }[];
  }[];
  /** The compilers of this machine, one for each set of languages: the rows. */
  readonly compilers: readonly {
    id: string;
    names: string[];
    scope: string;
    languages: string[];
    version: string;
    targetTriple: string;
    host: string;
    /** One per node, in the order of `nodes`. */
    cells: readonly ToolchainCell[];
  }[];
  readonly unusableCompilers: readonly { path: string; reason: string }[];
}

export type JobView = JobRecord;
