/** Toolchain: what makes two compilers the same, by content, and which files one needs to run elsewhere. */
export {
  compareFingerprints,
  type Fingerprint,
  type FingerprintPart,
  fingerprintDifference,
} from './behaviour-fingerprint.ts';
export { describeDifference, type SideNames } from './describe-difference.ts';
export {
  type DiscoveredToolchain,
  type DiscoverOptions,
  type DiscoveryResult,
  discoverToolchains,
  type IsCompilerName,
  type UnusableCompiler,
} from './discover-toolchains.ts';
export { Fingerprints } from './fingerprints.ts';
export { hostArchitectureOf } from './host-architecture.ts';
export { MASQUERADE_PROGRAMS } from './masquerade-programs.ts';
export {
  matchToolchain,
  mismatchInWords,
  type OfferedToolchain,
  type OwnToolchain,
  type ToolchainMatch,
} from './match-toolchain.ts';
export {
  isPlacedByRole,
  isRunSupport,
  otherHostObstacle,
  type RunSupport,
  type SearchList,
  searchDifference,
  searchListIn,
  searchOptions,
  supportOf,
} from './other-host.ts';
export { type ProbeOptions, probeToolchain } from './probe-toolchain.ts';
export {
  COMPONENT_ROLES,
  type CompilerDialect,
  type CompilerDriver,
  type ComponentRole,
  type Toolchain,
  type ToolchainComponent,
  type ToolchainFacts,
  type ToolchainFile,
  type ToolchainId,
  type ToolchainLink,
  toolchainIdOf,
} from './toolchain.ts';
export { openToolchainCache, type ToolchainCache } from './toolchain-cache.ts';
