/** One runner process: its start, its frames, its end. What the frames mean is up to the cell. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { messageOf } from '../base/errors.ts';
import type { RunnerVariant } from './rungs.ts';
import { FrameReader, PROTOCOL_VERSION, type RefusedReply, type RunnerReply } from './wire.ts';

/** How the runner is started: its arguments after its own name. */
export type RunnerArguments =
  | readonly ['plain']
  | readonly [
      'confined',
      variant: RunnerVariant,
      treeDirectory: string,
      jobsDirectory: string,
      scratchBytes: string,
      owner: string,
      ...groupMembers: string[],
    ];

/** Who hears what a running runner says. */
export interface RunnerListener {
  /** Replies after the start. */
  reply(reply: RunnerReply): void;
  /** The process and everything that it ran are gone; `detail` says how, for people. */
  gone(detail: string): void;
}

/** A runner that answered. */
export interface RunnerProcess {
  readonly kind: 'ready';
  readonly processId: number;
  /** Version of Landlock in this kernel, 0 for none. */
  readonly landlock: number;
  send(frame: Buffer): void;
  /** Ends it by closing its stdin, or by force if it has not ended after two seconds. */
  stop(): void;
  kill(): void;
}

/** A runner that could not set itself up. */
export interface RunnerRefusal {
  readonly kind: 'refused';
  /** Undefined if it died without a word of the protocol. */
  readonly reply: RefusedReply | undefined;
  readonly detail: string;
}

const STOP_PATIENCE_MS = 2000;
const LOG_LINE_MAX_CHARACTERS = 4096;

function forwardLines(child: ChildProcess, log: (line: string) => void): void {
  let rest = '';
  child.stderr?.setEncoding('utf8');
  child.stderr?.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = (lines.pop() ?? '').slice(0, LOG_LINE_MAX_CHARACTERS);
    for (const line of lines) log(line);
  });
  child.stderr?.on('end', () => rest !== '' && log(rest));
}

function controlsOf(child: ChildProcess, landlock: number): RunnerProcess {
  return {
    kind: 'ready',
    landlock,
    processId: child.pid ?? 0,
    send: (frame) => void child.stdin?.write(frame),
    stop() {
      child.stdin?.end();
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_PATIENCE_MS);
      child.once('close', () => clearTimeout(timer));
    },
    kill: () => void child.kill('SIGKILL'),
  };
}

/**
 * Starts a runner and waits until it is ready or says why it is not. Never rejects.
 * @param log gets each line that the runner writes to stderr
 */
export function startRunner(
  runnerPath: string,
  runnerArguments: RunnerArguments,
  listener: RunnerListener,
  log: (line: string) => void,
): Promise<RunnerProcess | RunnerRefusal> {
  return new Promise((resolve) => {
    // A session of its own: a Ctrl-C meant for the agent must not kill what the agent drains.
    const child = spawn(runnerPath, runnerArguments, { stdio: 'pipe', env: {}, cwd: '/', detached: true });
    const frames = new FrameReader();
    let refusal: RefusedReply | undefined;
    let started = false;
    let lastLine = '';
    forwardLines(child, (line) => {
      lastLine = line;
      log(line);
    });
    // Writing to a runner that has just died; its end is reported by 'close'.
    child.stdin.on('error', () => {});
    child.on('error', (error) => {
      lastLine = messageOf(error);
    });
    const take = (reply: RunnerReply): void => {
      if (started) listener.reply(reply);
      else if (reply.type === 'refused') refusal = reply;
      else if (reply.type === 'ready' && reply.version === PROTOCOL_VERSION) {
        started = true;
        resolve(controlsOf(child, reply.landlock));
      } else child.kill('SIGKILL');
    };
    child.stdout.on('data', (chunk: Buffer) => {
      try {
        for (const reply of frames.push(chunk)) take(reply);
      } catch (error) {
        lastLine = messageOf(error);
        child.stdout.destroy();
        child.kill('SIGKILL');
      }
    });
    child.on('close', (status, signal) => {
      const how = signal ? `it was killed by ${signal}` : `it ended with status ${status}`;
      const detail = lastLine === '' ? how : `${how}: ${lastLine}`;
      if (started) listener.gone(detail);
      else resolve({ kind: 'refused', reply: refusal, detail: refusal?.detail ?? detail });
    });
  });
}
