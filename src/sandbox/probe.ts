/** Finds out, by doing it, whether this machine can confine a compiler. */
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '../base/errors.ts';
import { tryOpenCell } from './cell.ts';
import { adviceFor, readKernelSetting } from './confinement-obstacles.ts';

/** What a machine can promise. */
export interface Confinement {
  /** `namespaces`: a job sees nothing but its tree and no network. `none`: it cannot be confined. */
  readonly rung: 'namespaces' | 'none';
  /** What was found, for people. */
  readonly detail: string;
  /** What would help, where that is known. */
  readonly advice?: string;
}

const PROBE_SCRATCH_BYTES = 16 << 20;
const PROBE_LIMIT_MS = 10_000;

/** Libraries and loader of a program; none if it is static, which ldd reports as a failure. */
async function librariesOf(program: string): Promise<string[]> {
  try {
    const { stdout } = await promisify(execFile)('ldd', [program]);
    return [...stdout.matchAll(/(\/\S+) \(0x/g)].flatMap((match) => match[1] ?? []);
  } catch {
    return [];
  }
}

async function fillTree(tree: string, runnerPath: string): Promise<void> {
  const copy = (from: string, to: string): void => {
    mkdirSync(dirname(join(tree, to)), { recursive: true });
    copyFileSync(from, join(tree, to));
  };
  copy(runnerPath, '/check');
  for (const library of await librariesOf(runnerPath)) copy(library, library);
}

async function checkIn(tree: string, runnerPath: string): Promise<Confinement> {
  const cell = await tryOpenCell({
    runnerPath,
    mode: 'confined',
    treeDirectory: tree,
    scratchBytes: PROBE_SCRATCH_BYTES,
  });
  if ('kind' in cell) {
    const advice = adviceFor(cell.reply, readKernelSetting, process.getuid?.() === 0);
    return { rung: 'none', detail: cell.detail, ...(advice === undefined ? {} : { advice }) };
  }
  try {
    const result = await cell.run({
      executable: '/check',
      argv: ['/check', 'check'],
      environment: [],
      cwd: '/',
      umask: 0o022,
      wallLimitMs: PROBE_LIMIT_MS,
      cpuLimitSeconds: 0,
      maxFileBytes: 0,
      maxDiagnosticBytes: 64 << 10,
      maxOutputBytes: 0,
    });
    if (result.kind === 'fault') return { rung: 'none', detail: result.detail };
    const said = result.stdout.toString().trim().replaceAll('\n', '; ');
    result.release();
    if (result.exitStatus !== 0 || said !== 'confined') return { rung: 'none', detail: `leaks: ${said}` };
    const how = cell.namespaces === 'user' ? 'in a user namespace' : 'as root without capabilities';
    return { rung: 'namespaces', detail: `a confined process ran ${how} and saw nothing of this machine` };
  } finally {
    await cell.close();
  }
}

/**
 * Opens a cell on a tiny tree and runs a program in it that tries to get out.
 * @param directory where the tree is made and removed again; made if missing
 */
export async function probeConfinement(runnerPath: string, directory: string): Promise<Confinement> {
  mkdirSync(directory, { recursive: true });
  const tree = mkdtempSync(join(directory, 'probe-'));
  try {
    await fillTree(tree, runnerPath);
    return await checkIn(tree, runnerPath);
  } catch (error) {
    return { rung: 'none', detail: `the probe could not be prepared in ${directory}: ${messageOf(error)}` };
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}
