/** `meshcc run` and `meshcc shims`: builds that use the mesh. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fstatSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import type { StatusView } from '../../agent/index.ts';
import { errnoOf, MeshError, messageOf } from '../../base/errors.ts';
import { type AgentPaths, agentPaths, makePrivateDirectory } from '../../base/paths.ts';
import type { BuildSummary } from '../../observe/index.ts';
import { askAgent } from '../control-client.ts';
import { installedShims } from '../shims.ts';
import { summaryText } from '../summary.ts';

/** An agent that `run` had to start stays for the next build, this long. */
const IDLE_EXIT_SECONDS = 900;
/** What shells exit with for a command that is not there, and for one that cannot be run. */
const NOT_FOUND_STATUS = 127;
const NOT_RUNNABLE_STATUS = 126;
const AGENT_START_MS = 60_000;
/** How long a young agent is given to find its nodes: mDNS answers within one or two seconds. */
const DISCOVERY_MS = 4_000;

interface RunOptions {
  readonly jsonSummary?: string;
  readonly quiet?: boolean;
}

export function addBuildCommands(program: Command): void {
  program
    .command('run')
    .description('run a build command with the mesh behind every compiler it calls')
    .argument('<command...>', 'the command, e.g. make -j40')
    .option('--json-summary <file>', 'write what was compiled where as JSON into a file')
    .option('-q, --quiet', 'print no summary')
    .passThroughOptions()
    .addHelpText('after', '\nExamples:\n  meshcc run -- make -j40\n  meshcc run -- cmake --build build -j40')
    .action(async (command: string[], options: RunOptions) => {
      process.exitCode = await runBuild(command, options);
    });

  program
    .command('shims')
    .description('install the compiler shims and print their directory, to put first in PATH')
    .addHelpText('after', '\nExample:\n  export PATH="$(meshcc shims):$PATH"')
    .action(async () => {
      process.stdout.write(`${(await installedShims()).directory}\n`);
    });
}

async function runBuild(command: readonly string[], options: RunOptions): Promise<number> {
  const writeSummary = openSummary(options.jsonSummary);
  const startedMs = performance.now();
  const wallSeconds = (): number => (performance.now() - startedMs) / 1000;
  if (isSwitchedOff()) {
    if (options.quiet !== true) process.stderr.write('meshcc: MESHCC_DISABLE is set: a build without it\n');
    const exitStatus = await runCommand(command, process.env);
    writeSummary({ isDisabled: true, wallSeconds: wallSeconds(), exitStatus });
    return exitStatus;
  }
  const paths = agentPaths();
  const shims = await installedShims();
  const status = await readyAgent(paths);
  if (status.connectedNodes === 0 && options.quiet !== true) {
    process.stderr.write(
      'meshcc: no other node is connected; compiling here (meshcc nodes tells what is in sight)\n',
    );
  }
  if (status.insecure) {
    process.stderr.write(
      'meshcc: INSECURE: no encryption, no identities; anyone on this network can forge your objects\n',
    );
  }
  const buildId = randomUUID();
  const exitStatus = await runCommand(command, {
    ...process.env,
    PATH: `${shims.directory}:${process.env.PATH ?? ''}`,
    MESHCC_SOCKET: paths.shimSocket,
    MESHCC_BUILD: buildId,
  });
  const seconds = wallSeconds();
  const summary = await askAgent<BuildSummary>(paths.controlSocket, 'GET', `/v1/builds?id=${buildId}`).catch(
    () => undefined,
  );
  writeSummary({ ...summary, isAgentLost: summary === undefined, wallSeconds: seconds, exitStatus });
  if (options.quiet !== true) report(summary, seconds);
  return exitStatus;
}

/**
 * Opens the file of --json-summary before the build, so that nobody learns after an hour that it cannot be written.
 * @returns writes the summary; a failure then is told, and the build's own end stays what it is
 * @throws MeshError MESHCC_BAD_CONFIG if it cannot be opened
 */
function openSummary(path: string | undefined): (value: object) => void {
  if (path === undefined) return () => {};
  let descriptor: number;
  try {
    descriptor = openSync(path, 'w');
  } catch (error) {
    throw new MeshError(
      'MESHCC_BAD_CONFIG',
      `cannot write --json-summary: ${messageOf(error)}. Name a file in a directory that exists and is yours.`,
      { cause: error },
    );
  }
  return (value) => {
    try {
      writeFileSync(descriptor, `${JSON.stringify(value, null, 2)}\n`);
    } catch (error) {
      process.stderr.write(`meshcc: cannot write ${path}: ${messageOf(error)}\n`);
    }
  };
}

function report(summary: BuildSummary | undefined, wallSeconds: number): void {
  if (summary === undefined) {
    process.stderr.write(
      `\nmeshcc, ${wallSeconds.toFixed(1)} s: the agent ended during the build, and with it the counts; calls after that were compiled here, with the same results\n`,
    );
  } else process.stderr.write(`\n${summaryText(summary, `meshcc, ${wallSeconds.toFixed(1)} s`)}`);
}

/** As the shim reads it. */
function isSwitchedOff(): boolean {
  const word = process.env.MESHCC_DISABLE ?? '';
  return word !== '' && word !== '0';
}

/** Runs the build in the foreground; signals of the terminal reach it by themselves. */
function runCommand(command: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  return new Promise((resolve) => {
    const [program = '', ...args] = command;
    const child = spawn(program, args, { stdio: 'inherit', env });
    const ignore = (): void => {};
    process.on('SIGINT', ignore);
    process.on('SIGQUIT', ignore);
    const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
    process.on('SIGTERM', forward);
    process.on('SIGHUP', forward);
    child.once('error', (error) => {
      process.stderr.write(
        `meshcc: cannot run ${program}: ${messageOf(error)}. Check its name, and that it is in PATH.\n`,
      );
      resolve(errnoOf(error) === 'ENOENT' ? NOT_FOUND_STATUS : NOT_RUNNABLE_STATUS);
    });
    child.once('exit', (code, signal) =>
      resolve(signal === null ? (code ?? 1) : 128 + constants.signals[signal]),
    );
  });
}

/** The agent of this user, started if none runs, with a moment for it to find its nodes. */
async function readyAgent(paths: AgentPaths): Promise<StatusView> {
  const ask = (): Promise<StatusView | undefined> =>
    askAgent<StatusView>(paths.controlSocket, 'GET', '/v1/status').catch(() => undefined);
  let status = await ask();
  if (status === undefined) {
    const starting = startAgentProcess(paths);
    const deadlineMs = performance.now() + AGENT_START_MS;
    while (status === undefined) {
      const { exitStatus } = starting;
      if (exitStatus !== undefined || performance.now() > deadlineMs) {
        // Another `run` may have been quicker: its agent answers then.
        status = await ask();
        if (status !== undefined) break;
        throw notStarted(starting);
      }
      await pause(100);
      status = await ask();
    }
  }
  while (status.connectedNodes === 0 && status.uptimeSeconds * 1000 < DISCOVERY_MS) {
    if (status.meshId === undefined && !status.insecure) return status;
    await pause(100);
    status = (await ask()) ?? status;
  }
  return status;
}

/** An agent that `run` starts. */
interface StartingAgent {
  readonly log: string;
  /** Where its own words begin in the log. */
  readonly logStart: number;
  /** Set when it has ended. */
  exitStatus: number | undefined;
}

function notStarted({ log, logStart, exitStatus }: StartingAgent): MeshError {
  const why =
    exitStatus === undefined
      ? `did not start within ${AGENT_START_MS / 1000} s`
      : `ended with status ${exitStatus}`;
  const said = readFileSync(log).subarray(logStart).toString('utf8').trim().split('\n').at(-1) ?? '';
  return new MeshError(
    'MESHCC_AGENT_UNREACHABLE',
    `cannot start an agent for the build: it ${why}${said && `, and said: ${said.replace(/^meshcc: /, '')}`}\nIts log is ${log}; to build without it: MESHCC_DISABLE=1, and the command itself.`,
  );
}

function startAgentProcess(paths: AgentPaths): StartingAgent {
  makePrivateDirectory(paths.stateDirectory);
  const log = join(paths.stateDirectory, 'agent.log');
  const descriptor = openSync(log, 'a', 0o600);
  const main = fileURLToPath(new URL('../main.js', import.meta.url));
  const args = [main, 'agent', '--idle-exit', String(IDLE_EXIT_SECONDS)];
  const starting: StartingAgent = { log, logStart: fstatSync(descriptor).size, exitStatus: undefined };
  const child = spawn(process.execPath, args, { detached: true, stdio: ['ignore', descriptor, descriptor] });
  child.once('exit', (code) => {
    starting.exitStatus = code ?? 1;
  });
  child.unref();
  return starting;
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
