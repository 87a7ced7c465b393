/**
 * The messages of proto/meshcc/v1/mesh.proto as TypeScript sees them after proto-loader
 * (camelCase, 64-bit numbers as number, bytes as Buffer).
 */

/** Version of the stream protocol; a peer that speaks another is not used. */
export const PROTOCOL_VERSION = 2;

export interface WireArgument {
  readonly name: string;
  readonly form: string;
  readonly value: string;
  readonly list: readonly WireArgument[];
}

export interface WireToolchain {
  id: string;
  dialect: string;
  driver: string;
  version: string;
  targetTriple: string;
  /** From here on for people; an older agent leaves it out. */
  scope?: string;
  host?: string;
  name?: string;
  versionText?: string;
  specsSha256?: Uint8Array;
  components?: { role: string; name: string; sha256: Uint8Array }[];
}

export interface WireEntry {
  id: number;
  path: string;
  file?: { sha256: Uint8Array; sizeBytes: number; mtimeSeconds: number };
  directory?: Record<string, never>;
  symlink?: { target: string };
}

export interface WireJob {
  jobId: number;
  toolchainRef: number;
  workingDirectory: string;
  arguments: readonly WireArgument[];
  argumentNumbers?: Uint8Array;
  inputs: Uint8Array;
  environment: string[];
  umask: number;
  terminal?: { columns: number; rows: number; stdinToo: boolean };
  outputs: { kind: string; path: string; required: boolean }[];
  processor: string[];
}

export interface WireToolchainUse {
  ref: number;
  toolchainId: string;
  compilerPath: string;
  files: { sha256: Uint8Array; path: string; role?: string }[];
  directories: string[];
  links: { path: string; target: string }[];
  programDirectories: string[];
  /** Null or left out: the toolchain is the submitter's own. */
  otherHost?: { includeDirectories: string[]; absentIncludeDirectories: string[] } | null;
}

export interface WireToolchainTrial {
  ref: number;
  refusal: string;
  directories: string[];
  links: { path: string; target: string }[];
  files: string[];
  isToldDirectories: boolean;
}

export interface FromSubmitter {
  hello?: { protocolVersion: number; nodeId: string; nodeName: string; agentVersion: string };
  toolchainUse?: WireToolchainUse;
  entries?: { entries: WireEntry[] };
  removed?: { paths: readonly string[] };
  job?: WireJob;
  cancel?: { jobId: number };
  outputCredit?: { jobId: number; sizeBytes: number };
  blobUnavailable?: { sha256: Uint8Array[] };
  knownArguments?: { arguments: readonly WireArgument[] };
  fingerprintQuestion?: { toolchainId: string };
  machineQuestion?: { questionId: number; measure: boolean };
}

/** A field that is missing is one that the machine does not tell. */
export interface WireMachineState {
  clockMhz?: number;
  allowedMhz?: number;
  highestMhz?: number;
  governor?: string;
  throttleCount?: number;
  coolingSteps?: number;
  hottestCelsius?: number;
}

export interface WireMachineFigures {
  processors: number;
  clockMhz: number;
  busyClockMhz: number;
  latencies: readonly { sizeBytes: number; ns: number }[];
  caches: readonly { level: number; sizeBytes: number }[];
}

export interface WireMachineAnswer {
  questionId: number;
  state?: WireMachineState;
  figures?: WireMachineFigures;
  notMeasured?: string;
}

export interface WireOutputDigest {
  index: number;
  sha256: Uint8Array;
  sizeBytes: number;
  /** With `data`: the output itself. Left out or empty if it came in chunks. */
  path?: string;
  data?: Buffer;
}

export interface WireCompiled {
  exitStatus: number;
  signal: number;
  outputs: WireOutputDigest[];
  stdout: Uint8Array;
  stderr: Uint8Array;
  cpuUs: number;
  wallUs: number;
}

export interface WireResult {
  jobId: number;
  compiled?: WireCompiled;
  refused?: { reason: string };
  busy?: { reason: string };
  inputIncomplete?: { paths: string[] };
  nodeFault?: { cause: string; detail: string };
}

export interface WireWelcome {
  protocolVersion: number;
  nodeId: string;
  nodeName: string;
  agentVersion: string;
  sessionId: string;
  slots: number;
  toolchains: WireToolchain[];
  sandbox?: string;
  answersMachineQuestions?: boolean;
  servesOtherHosts?: boolean;
}

export interface WireFingerprint {
  toolchainId: string;
  /** Empty if there are parts. */
  refusal: string;
  parts: { name: string; sha256: Uint8Array }[];
}

export interface WireOutputChunk {
  jobId: number;
  index: number;
  path: string;
  sizeBytes: number;
  data: Buffer;
}

export interface FromWorker {
  welcome?: WireWelcome;
  credits?: { grantedTotal: number };
  needBlobs?: { sha256: Uint8Array[] };
  progress?: { running: number[] };
  outputChunk?: WireOutputChunk;
  result?: WireResult;
  drain?: Record<string, never>;
  renewDictionary?: Record<string, never>;
  fingerprint?: WireFingerprint;
  machineAnswer?: WireMachineAnswer;
  toolchainTrial?: WireToolchainTrial;
}

export interface BlobBatch {
  chunks: readonly BlobChunk[];
}

export interface BlobChunk {
  sha256: Uint8Array;
  sizeBytes: number;
  data: Uint8Array;
  last: boolean;
}
