/** Toolchain: what makes two compilers the same, by content, and which files one needs to run elsewhere. */
export { describeDifference } from './describe-difference.ts';
export {
  type DiscoveredToolchain,
  type DiscoverOptions,
  type DiscoveryResult,
  discoverToolchains,
  type IsCompilerName,
  type UnusableCompiler,
} from './discover-toolchains.ts';
export { MASQUERADE_PROGRAMS } from './masquerade-programs.ts';
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
