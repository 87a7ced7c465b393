/** The compiler room: what is known about GCC and Clang, without touching a file or a process. */
export { boundToHost, HOST_BOUND_OPTIONS, hasHostBoundOption, mayMoveSearch } from './bound-to-host.ts';
export type { Classification, CompilerCall } from './classify.ts';
export { classify } from './classify.ts';
export type { CompilerName } from './compiler-names.ts';
export { DRIVER_NAMES, isCompilerName } from './compiler-names.ts';
export { parseDepfile } from './depfile.ts';
export type { PlannedCommand } from './driver-commands.ts';
export { driverCommands, driverComplaints } from './driver-commands.ts';
export type { Environment, EnvironmentEffect, EnvironmentRow } from './environment-table.ts';
export {
  ENVIRONMENT_TABLE,
  environmentObstacle,
  forwardedEnvironment,
  renderEnvironmentHeader,
  validateForwarded,
} from './environment-table.ts';
export { GENERATED_FILES } from './generated-files.ts';
export type {
  ArgForm,
  DepfileRequest,
  ExpectedOutput,
  Invocation,
  InvocationArg,
  Language,
  OutputKind,
  ProfileRequest,
} from './invocation.ts';
export { ARG_FORMS, LANGUAGES, OUTPUT_KINDS } from './invocation.ts';
export type { Derivation } from './invocation-from-args.ts';
export { invocationFromArgs } from './invocation-from-args.ts';
export type { LanguageScope } from './language-scopes.ts';
export { isLanguageScope, LANGUAGE_SCOPES, scopeOf, scopesOf } from './language-scopes.ts';
export type { LocalReason, LocalReasonId, LocalReasonKind } from './local-reasons.ts';
export { explainLocalReason, isLocalReasonId, LOCAL_REASONS } from './local-reasons.ts';
export type { ProcessorWords } from './native-processor.ts';
export {
  arePlansEqual,
  isProcessorWords,
  nativeSpecs,
  processorWordsOf,
} from './native-processor.ts';
export type { Dialect, OptionRow } from './option-row.ts';
export { OPTION_TABLE } from './option-table.ts';
export { isDumpOf } from './output-names.ts';
export type { Finding, ParsedArguments } from './parse-arguments.ts';
export { parseArguments } from './parse-arguments.ts';
export { profilePaths } from './profile-inputs.ts';
export type { ReferencePlaces } from './reference-arguments.ts';
export { referenceArguments } from './reference-arguments.ts';
export {
  DEPENDENCY_TARGET,
  dependencyArguments,
  renderArguments,
  workerArguments,
} from './render-arguments.ts';
export type { ResponseFileReader } from './response-file.ts';
export { expandResponseFiles } from './response-file.ts';
export type { SearchPath } from './search-path.ts';
export { parseSearchPath, searchPathArguments } from './search-path.ts';
export { mayFindSystemHeaders, mayMarkSystemHeaders } from './system-headers.ts';
export { withoutUnit } from './unit-options.ts';
export type { Validation } from './validate-invocation.ts';
export { validateInvocation } from './validate-invocation.ts';
