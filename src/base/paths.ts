/** Where an agent keeps its things. The gcc shim finds the socket by the same rule (src/shim/meshcc-shim.c). */
import { lstatSync, mkdirSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { MeshError } from './errors.ts';

/** The directories of one agent. */
export interface AgentPaths {
  /** Keys, certificates and remembered peers; survives everything. */
  readonly stateDirectory: string;
  /** Which nodes passed their comparisons, and results that differed. */
  readonly verificationDirectory: string;
  /** Content store and built helpers; may be deleted at any time while no agent runs. */
  readonly cacheDirectory: string;
  /** Sockets; mode 0700. */
  readonly runtimeDirectory: string;
  /** What an agent keeps while it runs; the next one finds it empty. */
  readonly scratchDirectory: string;
  /** The socket that the gcc shim connects to. */
  readonly shimSocket: string;
  /** The socket that `meshcc status` and the like connect to. */
  readonly controlSocket: string;
}

/**
 * The directories that the environment asks for: `MESHCC_HOME` puts everything below one directory
 * (several agents on one machine), else the XDG base directories.
 */
export function agentPaths(env: NodeJS.ProcessEnv = process.env): AgentPaths {
  const home = env.MESHCC_HOME;
  const runtimeDirectory = home
    ? join(home, 'run')
    : env.XDG_RUNTIME_DIR
      ? join(env.XDG_RUNTIME_DIR, 'meshcc')
      : `/tmp/meshcc-${userInfo().uid}`;
  const stateDirectory = home
    ? join(home, 'state')
    : join(env.XDG_STATE_HOME || join(homedir(), '.local/state'), 'meshcc');
  return {
    stateDirectory,
    verificationDirectory: join(stateDirectory, 'verification'),
    cacheDirectory: home
      ? join(home, 'cache')
      : join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'meshcc'),
    runtimeDirectory,
    scratchDirectory: join(runtimeDirectory, 'scratch'),
    shimSocket: env.MESHCC_SOCKET || join(runtimeDirectory, 'agent.sock'),
    controlSocket: join(runtimeDirectory, 'control.sock'),
  };
}

/**
 * Makes a directory that only this user can enter, or checks that it is one.
 * @throws MeshError MESHCC_SOCKET_UNSAFE if it belongs to another user, is a link, or is open to others
 */
export function makePrivateDirectory(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const stat = lstatSync(directory);
  const uid = userInfo().uid;
  if (!stat.isDirectory() || stat.uid !== uid || (stat.mode & 0o077) !== 0) {
    throw new MeshError(
      'MESHCC_SOCKET_UNSAFE',
      `will not use ${directory}: it must be a directory of uid ${uid} with mode 0700, and is ${stat.isDirectory() ? 'one' : 'not one'} of uid ${stat.uid} with mode ${(stat.mode & 0o777).toString(8)}. Remove it, or set MESHCC_HOME to a directory of your own.`,
    );
  }
}
