/** The agent: all rooms put together, as one process with a control socket. */
export { type Agent, notInMesh, startAgent } from './agent.ts';
export {
  type AgentConfig,
  DEFAULT_PORT,
  defaultConfig,
  loadConfig,
  SETTINGS,
  type SettingName,
  type WrittenSettings,
} from './config.ts';
export type {
  JobView,
  NodeView,
  QuarantineView,
  StatusView,
  ToolchainCell,
  ToolchainsView,
} from './control-views.ts';
export { runAgent } from './lifecycle.ts';
export type { BenchQuestion } from './node-bench.ts';
