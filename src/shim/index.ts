/** The gcc shim: building and installing it, and its wire. The program itself is meshcc-shim.c. */
export { compilerNamesInPath, findCompiler, isShim } from './compiler-lookup.ts';
export {
  HEARTBEAT_MS,
  MAX_DIAGNOSTIC_BYTES,
  MAX_FRAME_BYTES,
  MAX_OUTPUTS,
  MAX_TEXT_BYTES,
  SHIM_FRAMES,
  SHIM_LOCAL_CAUSES,
  SHIM_PROTOCOL_VERSION,
  SHIM_REASONS,
  type ShimFrameName,
  type ShimLocalCause,
  type ShimReason,
  STALL_MS,
} from './frames.ts';
export {
  buildShim,
  CLI_SIDECAR,
  type InstalledShims,
  installShims,
  type ShimInstallOptions,
} from './install.ts';
export { renderShimTables } from './render-tables.ts';
export { decodeRequest, type ShimRequest } from './request.ts';
export * from './wire.ts';
