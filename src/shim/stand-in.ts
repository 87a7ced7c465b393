/**
 * The gcc shim in Node, for machines where no C compiler can build the native one. Same protocol; a call costs
 * a start of Node, the real compiler runs as a child, no lock files bound it when the agent is lost, and signals that
 * were ignored from the start are not (Node resets them).
 */
import { spawnSync } from 'node:child_process';
import { lstatSync, readFileSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { agentPaths } from '../base/paths.ts';
import { isCompilerName } from '../compiler/index.ts';
import { findCompiler, isShim, SHIM_NAME } from './compiler-lookup.ts';
import { CLI_SIDECAR } from './install.ts';
import type { ShimRequest } from './request.ts';
import { runSession } from './stand-in-session.ts';

/** How the process ends. */
export interface StandInEnd {
  readonly status: number;
  /** The process should die of this signal instead. */
  readonly signal?: NodeJS.Signals;
}

const QUERY_PATTERN = /^(?:-v$|-dump|--?print-|--version|--help|--target-help)/;

function fail(subject: string, problem: string, status: number): StandInEnd {
  process.stderr.write(`meshcc: ${subject}: ${problem}\n`);
  return { status };
}

function runInForeground(file: string, args: readonly string[], env: NodeJS.ProcessEnv): StandInEnd {
  const child = spawnSync(file, args, { stdio: 'inherit', argv0: file, env });
  if (child.error) return fail(file, child.error.message, 126);
  return { status: child.status ?? 1, ...(child.signal ? { signal: child.signal } : {}) };
}

/** The umask of this process; asking Node for it would set it for a moment. */
function currentUmask(): number {
  const text = /^Umask:\s*([0-7]+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return Number.parseInt(text ?? '0', 8);
}

/** True as well if there is no such directory: then there is no agent either. */
function isPrivate(directory: string): boolean {
  try {
    const stat = lstatSync(directory, { throwIfNoEntry: false });
    if (stat === undefined) return true;
    return stat.isDirectory() && stat.uid === process.getuid?.() && (stat.mode & 0o077) === 0;
  } catch {
    return false;
  }
}

function explain(request: ShimRequest, env: NodeJS.ProcessEnv, reason: string, detail: string): void {
  if (!env.MESHCC_EXPLAIN || env.MESHCC_EXPLAIN === '0') return;
  const source = request.args.find(
    (arg) => !arg.startsWith('-') && /\.(?:c|cc|cpp|cxx|c\+\+|C|s|S|ii?)$/.test(arg),
  );
  process.stderr.write(
    `[meshcc] ${[request.name, source].filter(Boolean).join(' ')}: local: ${reason}${detail ? `: ${detail}` : ''}\n`,
  );
}

function describeCall(
  compiler: string,
  name: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): ShimRequest {
  const isTty = process.stderr.isTTY === true;
  return {
    compiler,
    name,
    args,
    cwd: process.cwd(),
    env: Object.fromEntries(
      Object.entries(env).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
    ),
    umask: currentUmask(),
    pid: process.pid,
    stdoutIsTerminal: process.stdout.isTTY === true,
    stdinIsTerminal: process.stdin.isTTY === true,
    stderrIsTerminal: isTty,
    columns: isTty ? process.stderr.columns : 0,
    rows: isTty ? process.stderr.rows : 0,
    isFaithful: true,
  };
}

/** Called as `meshcc` or `meshcc-shim` without a compiler. */
function runOther(called: string, self: string, args: readonly string[], env: NodeJS.ProcessEnv): StandInEnd {
  const [first, ...rest] = args;
  if (called !== 'meshcc' || first?.includes('/')) {
    if (first === undefined) return fail(called, 'usage: meshcc-shim <compiler> <arguments>', 2);
    return runInForeground(first, rest, env);
  }
  const [node, main] = readFileSync(resolve(dirname(self), CLI_SIDECAR), 'utf8').split('\n');
  if (!node || !main)
    return fail(CLI_SIDECAR, 'must hold two lines: the path of node, the path of the program', 126);
  return runInForeground(node, [main, ...args], env);
}

/**
 * One call of the shim.
 * @param self how the shim was called: a path whose last component is the name
 * @param args without the name
 * @param relevantVariables names of the environment variables that the agent is told
 */
export async function runStandIn(
  self: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  relevantVariables: readonly string[],
): Promise<StandInEnd> {
  const called = basename(self);
  const isWrapper = called === 'meshcc' || called === SHIM_NAME;
  const [first, ...rest] = isWrapper ? args : [called, ...args];
  if (first === undefined || (isWrapper && isCompilerName(basename(first)) === undefined)) {
    return runOther(called, self, args, env);
  }
  const name = basename(first);
  const isPath = isWrapper && first.includes('/') && !isShim(first);
  const compiler = isPath ? resolve(first) : findCompiler(name, env, env.MESHCC_RECURSION);
  if (compiler === undefined) return fail(name, 'no such compiler in PATH', 127);

  const guarded = { ...env, MESHCC_RECURSION: compiler };
  const runLocal = () => runInForeground(compiler, rest, guarded);
  const isQuery = rest.length === 0 || (rest.length === 1 && QUERY_PATTERN.test(rest[0] ?? ''));
  if (env.MESHCC_RECURSION || isQuery) return runLocal();

  const relevant = Object.fromEntries(relevantVariables.map((variable) => [variable, env[variable]]));
  const request = describeCall(compiler, name, rest, relevant);
  const { shimSocket } = agentPaths(env);
  const end =
    env.MESHCC_DISABLE && env.MESHCC_DISABLE !== '0'
      ? { local: 'disabled', detail: 'MESHCC_DISABLE is set' }
      : !isPrivate(dirname(shimSocket))
        ? { local: 'agent-unsafe', detail: 'the socket’s directory must be this user’s, with mode 0700' }
        : await runSession(request, {
            socketPath: shimSocket,
            stallMs: Number(env.MESHCC_STALL_MS) || undefined,
          });
  if ('signal' in end) return { status: 130, signal: end.signal };
  if ('status' in end) return end;
  explain(request, env, end.local, end.detail);
  return runLocal();
}
