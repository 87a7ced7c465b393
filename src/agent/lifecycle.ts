/** An agent as a process: claims its sockets, obeys signals, drains, and leaves nothing behind. */
import { mkdirSync, rmSync } from 'node:fs';
import { MeshError } from '../base/errors.ts';
import { type AgentPaths, makePrivateDirectory } from '../base/paths.ts';
import { type Agent, startAgent } from './agent.ts';
import type { AgentConfig } from './config.ts';
import { serveControl } from './control-server.ts';

/** How often, within the time after which it ends, an agent looks whether it was used. */
const IDLE_CHECKS = 10;

/**
 * Runs an agent until it is told to stop: SIGTERM or SIGINT drain it, a second one ends it at once.
 * @param onReady called when it serves
 * @returns the exit code
 * @throws MeshError if it cannot start; MESHCC_AGENT_RUNNING if one runs already
 */
export async function runAgent(
  config: AgentConfig,
  paths: AgentPaths,
  onReady: (agent: Agent) => void,
): Promise<number> {
  mkdirSync(paths.runtimeDirectory, { recursive: true, mode: 0o700 });
  makePrivateDirectory(paths.runtimeDirectory);
  let requestStop: (drain: boolean) => void = () => {};
  const stopRequested = new Promise<boolean>((resolve) => {
    requestStop = resolve;
  });
  const starting = deferredAgent();
  const control = await serveControl(paths.controlSocket, starting.promise, (drain) => requestStop(drain));
  let signals = 0;
  const onSignal = (): void => {
    if (++signals > 1) process.exit(130);
    requestStop(true);
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  process.on('SIGHUP', onSignal);
  try {
    const agent = await startAgent(config, paths, process.env);
    starting.resolve(agent);
    const idle = watchIdleness(agent, config.idleExitMs, () => requestStop(true));
    onReady(agent);
    const drain = await stopRequested;
    clearInterval(idle);
    agent.log.info(drain ? 'stopping: finishing what is under way' : 'stopping now');
    await agent.stop(drain);
    return 0;
  } catch (error) {
    starting.reject(error instanceof Error ? error : new MeshError('MESHCC_PROTOCOL', String(error)));
    throw error;
  } finally {
    control.close();
    for (const socket of [paths.controlSocket, paths.shimSocket]) rmSync(socket, { force: true });
  }
}

function deferredAgent(): {
  promise: Promise<Agent>;
  resolve: (agent: Agent) => void;
  reject: (error: Error) => void;
} {
  let resolve: (agent: Agent) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<Agent>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  promise.catch(() => {});
  return { promise, resolve, reject };
}

function watchIdleness(agent: Agent, idleExitMs: number, stop: () => void): NodeJS.Timeout | undefined {
  if (idleExitMs === 0) return undefined;
  return setInterval(() => {
    if (!agent.idle) agent.lastUsedAtMs = Date.now();
    else if (Date.now() - agent.lastUsedAtMs > idleExitMs) {
      agent.log.info('nothing to do for a while');
      stop();
    }
  }, idleExitMs / IDLE_CHECKS);
}
