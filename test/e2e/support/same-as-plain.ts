/** The heart of the end-to-end tests: one compiler call with and without the mesh, in the same directory. */
import assert from 'node:assert/strict';
import type { JobView } from '../../../src/agent/index.ts';
import { changedFiles, differences, removeFiles, type TreeState, treeState } from './file-tree.ts';
import type { Ended } from './run-command.ts';
import type { MeshCommandOptions, TestMesh } from './test-mesh.ts';

export interface CompilerCall extends Omit<MeshCommandOptions, 'cwd'> {
  readonly compiler?: string;
  readonly args: readonly string[];
  /** Everything that the call may write lies below. */
  readonly directory: string;
  /** Brings the directory into the state in which the call shall find it; else what the call wrote is removed. */
  readonly reset?: () => void;
  /** Working directory; default: `directory`. */
  readonly cwd?: string;
}

export interface SameResult {
  readonly job: JobView;
  readonly ended: Ended;
  /** What the call wrote, by path relative to the directory. */
  readonly outputs: TreeState;
}

/** Clock ticks of a file system and of the kernel: a file may look this much older than it is. */
const CLOCK_GRAIN_MS = 50;

/**
 * Runs a call plainly, removes what it made, runs it through the mesh, and asserts that exit status, standard
 * output, standard error and every file with its mode are the same, and that the files are of now.
 */
export async function assertSameAsPlain(mesh: TestMesh, call: CompilerCall): Promise<SameResult> {
  const { compiler = 'gcc', args, directory, cwd = directory, reset, ...options } = call;
  reset?.();
  const beforePlain = treeState(directory);
  const plain = await mesh.plain([compiler, ...args], { ...options, cwd });
  const expected = changedFiles(beforePlain, treeState(directory));
  removeFiles(directory, expected.keys());
  reset?.();
  const beforeMesh = treeState(directory);
  const startedMs = Date.now();
  const run = await mesh.compile(args, { ...options, compiler, cwd });
  const outputs = changedFiles(beforeMesh, treeState(directory));
  removeFiles(directory, outputs.keys());
  const where = `${compiler} ${args.join(' ')} [${describePlace(run.job)}]`;
  assertSameEnd(plain, run, where);
  assert.deepEqual(differences(expected, outputs), [], where);
  for (const [name, { mtimeMs }] of outputs) {
    assert.ok(mtimeMs >= startedMs - CLOCK_GRAIN_MS, `${where}: ${name} is older than the call`);
  }
  return { job: run.job, ended: run, outputs };
}

/** Asserts that two runs ended alike and printed the same bytes. */
export function assertSameEnd(expected: Ended, actual: Ended, where: string): void {
  const view = ({ status, signal, stdout, stderr }: Ended): object => ({
    status,
    signal,
    stdout: stdout.toString('latin1'),
    stderr: stderr.toString('latin1'),
  });
  assert.deepEqual(view(actual), view(expected), where);
}

/** Asserts that a call was compiled on another node, at the first attempt. */
export function assertRemote(job: JobView): void {
  assert.equal(job.place.kind, 'remote', describePlace(job));
  assert.deepEqual(job.failedAttempts, []);
}

/** Asserts that a call was compiled here, for this reason. */
export function assertLocal(job: JobView, reason: string): void {
  assert.equal(job.place.kind, 'local', describePlace(job));
  assert.equal(job.place.kind === 'local' && job.place.reason, reason, describePlace(job));
}

/** Where a call went, in words. */
export function describePlace({ place, failedAttempts }: JobView): string {
  const where = place.kind === 'remote' ? `on ${place.nodeName}` : `local, ${place.reason}: ${place.detail}`;
  return failedAttempts.length === 0 ? where : `${where}; tried ${failedAttempts.join('; ')}`;
}
