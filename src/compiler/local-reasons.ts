/**
 * Why a job ran on the submitter's own machine: one table of named reasons. Users read the texts
 * (`MESHCC_EXPLAIN=1`, status, documentation); counters and tests use the ids.
 */

/**
 * What sort of reason it is. `by-design`: such a call is never distributed. `probe`: a configure step or a
 * question to the compiler, which must be answered at once. `environment`: something on this machine asks
 * for it. `mesh`: no worker could take the job. `fault`: something went wrong, and a person may want to look.
 */
export type LocalReasonKind = 'by-design' | 'probe' | 'environment' | 'mesh' | 'fault';

/** One reason. */
export interface LocalReason {
  readonly kind: LocalReasonKind;
  /** One sentence for the user. */
  readonly text: string;
  /** What the user can do about it, if anything. */
  readonly advice?: string;
}

/** Reasons that are known from the arguments and the environment alone. */
const CLASSIFIER_REASONS = {
  link: { kind: 'by-design', text: 'The call links; only compiles are distributed.' },
  'several-inputs': {
    kind: 'by-design',
    text: 'The call names more than one input file.',
    advice: 'Compile each source in a call of its own.',
  },
  'preprocess-only': { kind: 'by-design', text: 'The call only preprocesses (-E).' },
  'dependencies-only': { kind: 'by-design', text: 'The call only lists dependencies (-M, -MM).' },
  'syntax-only': { kind: 'by-design', text: 'The call only checks the syntax and writes no object.' },
  'stdin-source': { kind: 'probe', text: 'The source comes from standard input.' },
  'configure-probe': { kind: 'probe', text: 'The call is a probe of a configure step.' },
  'compiler-query': { kind: 'probe', text: 'The call asks the compiler about itself.' },
  'no-source': { kind: 'by-design', text: 'The call names no source file.' },
  'unknown-option': {
    kind: 'by-design',
    text: 'An option, or a value of it, is not in the option table, or is there as one that is not carried over.',
    advice: 'If the option is common, report it so that it enters the table.',
  },
  'unsupported-language': {
    kind: 'by-design',
    text: 'The source is in a language that is not distributed.',
  },
  'assembler-source': {
    kind: 'by-design',
    text: 'The call only preprocesses an assembler source (-S).',
  },
  'preprocessed-source': {
    kind: 'by-design',
    text: 'The source is preprocessed already, so diagnostics and debug information could differ.',
  },
  'contradicting-options': {
    kind: 'by-design',
    text: 'The arguments contradict each other or are incomplete; the compiler itself has to judge them.',
  },
  'march-native': {
    kind: 'by-design',
    text: 'The code is to be fitted to the processor of this machine (=native), in a way that cannot be spelled out for another one.',
    advice: 'Name the processor (-march=x86-64-v3, …) to let other machines help.',
  },
  'save-temps': { kind: 'by-design', text: 'The call keeps its temporary files.' },
  'dump-output': {
    kind: 'by-design',
    text: 'The call writes dumps or reports whose names or contents differ between machines, or from call to call.',
  },
  'recorded-command-line': {
    kind: 'by-design',
    text: 'The output would hold the command line of the compiler, which is not quite the same on another node.',
  },
  measurement: {
    kind: 'by-design',
    text: 'The call measures the compile; what another machine took says nothing about this one.',
  },
  'header-search': {
    kind: 'by-design',
    text: 'The call moves directories where the compiler looks for headers, in a way that is not carried over.',
  },
  'host-dependent-text': {
    kind: 'by-design',
    text: 'The assembly would carry comments that depend on the memory of the machine (-fverbose-asm).',
  },
  'unsupported-output': {
    kind: 'by-design',
    text: 'The call makes something other than an object or assembly.',
  },
  'profile-use': {
    kind: 'by-design',
    text: 'The call reads profile data under a name that is not known in advance.',
  },
  plugin: { kind: 'by-design', text: 'The call loads a compiler plugin.' },
  specs: { kind: 'by-design', text: 'The call reads a file that changes how the compiler works.' },
  'program-path': {
    kind: 'by-design',
    text: 'The call says where the compiler finds its own programs and files (-B, -wrapper, --sysroot, …).',
  },
  'compiler-internals': {
    kind: 'by-design',
    text: 'The call hands options to an inner part of the compiler (-Xclang, -mllvm, …).',
  },
  'precompiled-header': { kind: 'by-design', text: 'The call makes or names a precompiled header.' },
  modules: { kind: 'by-design', text: 'The call uses modules, which read and write files of their own.' },
  'response-file-unreadable': {
    kind: 'by-design',
    text: 'A response file (@file) cannot be read, or compilers disagree about how to read it.',
  },
  'assembler-option': {
    kind: 'by-design',
    text: 'An option for the assembler is not in the table, or names a file.',
  },
  'preprocessor-option': {
    kind: 'by-design',
    text: 'An option handed straight to the preprocessor is not in the table.',
  },
  'linker-option': { kind: 'by-design', text: 'The arguments hold options for the linker.' },
  offload: { kind: 'by-design', text: 'The call compiles for an accelerator with further compilers.' },
  'character-set': {
    kind: 'by-design',
    text: 'The source is to be converted between character sets, with files of this machine.',
  },
  'output-not-regular': {
    kind: 'by-design',
    text: 'An output is there already, and is no ordinary file with the owner and mode of a new one.',
  },
  'environment-variable': {
    kind: 'environment',
    text: 'An environment variable changes the compile in a way that cannot be carried over.',
    advice: 'Unset it for the build, or give the same as an option.',
  },
  disabled: { kind: 'environment', text: 'MESHCC_DISABLE is set.' },
  'time-macro': {
    kind: 'by-design',
    text: 'A source uses __DATE__, __TIME__ or __TIMESTAMP__.',
    advice: 'Set SOURCE_DATE_EPOCH to make __DATE__ and __TIME__ reproducible.',
  },
  'lto-without-random-seed': {
    kind: 'by-design',
    text: 'Link-time optimisation without -frandom-seed= draws the names of sections by lot, and a worker has nothing to draw from.',
    advice: 'Add -frandom-seed= with the name of the source.',
  },
} as const satisfies Record<string, LocalReason>;

/** Reasons that only the scan of the source, a worker or the mesh can give. */
const MESH_REASONS = {
  interrupted: { kind: 'by-design', text: 'The compile was interrupted before it ended.' },
  'diagnostics-in-other-locale': {
    kind: 'environment',
    text: 'The compiler had something to say, in a language or character set that only this machine has.',
    advice: 'Build with LC_ALL=C.UTF-8.',
  },
  'unsupported-encoding': {
    kind: 'by-design',
    text: 'A file name or an argument is not UTF-8.',
  },
  'no-agent': {
    kind: 'environment',
    text: 'No agent runs for this user.',
    advice: 'Start one: meshcc agent.',
  },
  'agent-stalled': { kind: 'fault', text: 'The agent did not answer in time.' },
  'agent-lost': { kind: 'fault', text: 'The connection to the agent broke off.' },
  recursion: { kind: 'environment', text: 'The call comes from a compile that already runs here.' },
  'remote-off': { kind: 'environment', text: 'The agent is told to compile everything locally.' },
  draining: { kind: 'environment', text: 'The agent is about to stop.' },
  'no-peer': { kind: 'mesh', text: 'No other node is connected.' },
  'no-connection-in-time': {
    kind: 'mesh',
    text: 'The node that could take it had just been lost or sighted, and was not connected in time.',
  },
  'no-matching-toolchain': {
    kind: 'mesh',
    text: 'No connected node has the same compiler.',
    advice: 'Install the same package there; `meshcc toolchains` says what differs.',
  },
  'bound-to-host': {
    kind: 'mesh',
    text: 'Only nodes of another host architecture can stand in for the compiler, and they do not do such calls.',
  },
  'toolchain-unknown': { kind: 'fault', text: 'The compiler could not be identified.' },
  'no-credit-in-time': { kind: 'mesh', text: 'All nodes were busy, and a local slot came free first.' },
  'closure-failed': {
    kind: 'by-design',
    text: 'The compiler could not list what the source includes: as a rule a header is missing, and the call fails anyway.',
  },
  incbin: { kind: 'by-design', text: 'A source embeds a file with .incbin.' },
  embed: { kind: 'by-design', text: 'A source embeds a file with #embed.' },
  'compiler-file': {
    kind: 'by-design',
    text: 'A file of another compiler of this machine is an input, or one in whose place a node shows a file of its own compiler.',
  },
  'computed-has-include': {
    kind: 'by-design',
    text: 'A source asks __has_include for a name, or in a way, that only the compile itself can tell.',
  },
  'include-outside-closure': {
    kind: 'fault',
    text: 'The compile wanted a file that was not sent with it, twice, so its result was thrown away.',
  },
  'remote-nonzero-exit': {
    kind: 'mesh',
    text: 'The compile failed on another node; only a local failure counts.',
  },
  'remote-refused': { kind: 'mesh', text: 'The other node refused the job.' },
  'node-fault': { kind: 'mesh', text: 'The other node failed during the job.' },
  'attempts-exhausted': {
    kind: 'mesh',
    text: 'The job failed on the nodes that it was tried on, and there was no other for it.',
  },
  'result-mismatch': {
    kind: 'fault',
    text: 'Two compiles of the unit on different machines gave different results, so none of them was used.',
    advice: 'Ask `meshcc status` what is known about it.',
  },
  unverified: {
    kind: 'fault',
    text: 'The only nodes with this compiler are new, and nothing could show that they compiled the unit rightly.',
    advice: 'The detail tells what was missing; a node that has passed its first comparisons is believed.',
  },
  'node-quarantined': {
    kind: 'fault',
    text: 'The only nodes with this compiler are in quarantine, because a result of theirs was wrong.',
    advice: 'See `meshcc nodes`; `meshcc nodes --release NODE` takes one back.',
  },
  'unexpected-output': {
    kind: 'fault',
    text: 'The compile wrote a file that its arguments do not announce.',
  },
  'output-write-failed': {
    kind: 'environment',
    text: 'An output cannot be written here; the local compiler will say why.',
  },
  'input-changed': { kind: 'environment', text: 'An input file changed while the job ran.' },
  'job-timeout': { kind: 'mesh', text: 'The job took too long on the other node.' },
  'internal-error': {
    kind: 'fault',
    text: 'The agent ran into an error of its own.',
    advice: 'Look into the log of the agent, and report it.',
  },
} as const satisfies Record<string, LocalReason>;

export type LocalReasonId = keyof typeof CLASSIFIER_REASONS | keyof typeof MESH_REASONS;

/** The whole table. The ids are stable: scripts may match on them. */
export const LOCAL_REASONS: Readonly<Record<LocalReasonId, LocalReason>> = {
  ...CLASSIFIER_REASONS,
  ...MESH_REASONS,
};

/** True if `text` is the id of a reason. */
export function isLocalReasonId(text: string): text is LocalReasonId {
  return Object.hasOwn(LOCAL_REASONS, text);
}

/** One line for a user: the sentence, what it was about in this call, and the advice. */
export function explainLocalReason(id: LocalReasonId, detail: string): string {
  const { text, advice } = LOCAL_REASONS[id];
  const about = detail === '' ? text : `${text} (${detail})`;
  return advice === undefined ? about : `${about} ${advice}`;
}
