/** Finds out, by doing it, on which rung this machine can confine a compiler. */
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '../base/errors.ts';
import type { Cell } from './cell.ts';
import { adviceFor, readKernelSetting } from './confinement-obstacles.ts';
import { tryRung } from './open-cell.ts';
import { RUNG_NAMES, type Rung, type Sandbox } from './rungs.ts';

/** A rung that this machine cannot have. */
export interface MissedRung {
  readonly rung: Rung;
  /** What was found, for people. */
  readonly detail: string;
  /** What would help, where that is known. */
  readonly advice?: string;
}

/** What a machine can promise. */
export interface Confinement {
  /** The strongest rung that works; undefined: none that was tried. */
  readonly sandbox: Sandbox | undefined;
  /** What was found, for people. */
  readonly detail: string;
  /** The stronger rungs, which do not work. */
  readonly missed: readonly MissedRung[];
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

/** Copies the runner and what it needs. @returns everything that is in the tree, as the view of a job */
async function fillTree(tree: string, runnerPath: string): Promise<string[]> {
  const view = new Set<string>();
  const addParents = (path: string): void => {
    const parent = dirname(path);
    if (parent === '/') return;
    addParents(parent);
    view.add(`d ${parent}`);
  };
  const copy = (from: string, to: string): void => {
    mkdirSync(dirname(join(tree, to)), { recursive: true });
    copyFileSync(from, join(tree, to));
    addParents(to);
    view.add(`f ${to}`);
  };
  copy(runnerPath, '/check');
  for (const library of await librariesOf(runnerPath)) copy(library, library);
  return [...view];
}

/** Runs the program that tries to get out. @returns what it found, or undefined if it is well confined */
async function leaksOf(cell: Cell, rung: Rung, view: readonly string[]): Promise<string | undefined> {
  try {
    const result = await cell.run({
      executable: '/check',
      argv: ['/check', 'check', rung],
      environment: [],
      cwd: '/',
      umask: 0o022,
      wallLimitMs: PROBE_LIMIT_MS,
      cpuLimitSeconds: 0,
      maxFileBytes: 0,
      maxDiagnosticBytes: 64 << 10,
      maxOutputBytes: 0,
      view,
      writable: ['/'],
    });
    if (result.kind === 'fault') return result.detail;
    const said = result.stdout.toString().trim().replaceAll('\n', '; ');
    result.release();
    return result.exitStatus === 0 && said === 'confined' ? undefined : `leaks: ${said}`;
  } finally {
    await cell.close();
  }
}

async function tryIn(
  directory: string,
  tree: string,
  view: readonly string[],
  runnerPath: string,
  rung: Rung,
): Promise<Sandbox | MissedRung> {
  const found = await tryRung(
    {
      runnerPath,
      treeDirectory: tree,
      jobsDirectory: join(directory, 'jobs'),
      scratchBytes: PROBE_SCRATCH_BYTES,
    },
    rung,
  );
  if ('kind' in found) {
    const advice = adviceFor(found.reply, readKernelSetting, process.getuid?.() === 0);
    return { rung, detail: found.detail, ...(advice === undefined ? {} : { advice }) };
  }
  const leaks = await leaksOf(found.cell, rung, view);
  return leaks === undefined ? found.sandbox : { rung, detail: leaks };
}

/** What a job on it looks like to a person. */
function describe({ variant, owner, landlock }: Sandbox): string {
  const who = owner === 0 ? 'as the agent’s own user' : 'as a user of its own';
  const where = variant === 'namespaces-user' ? `in a user namespace, ${who}` : who;
  return `a job ran ${where}${landlock > 0 ? `, with Landlock ${landlock}` : ''}, and saw nothing of this machine`;
}

/**
 * Goes down the ladder: opens a cell on a tiny tree and runs a program in it that tries to get out.
 * @param directory where the tree is made and removed again; made if missing
 * @param weakest the last rung that is tried
 */
export async function probeConfinement(
  runnerPath: string,
  directory: string,
  weakest: Rung,
): Promise<Confinement> {
  mkdirSync(directory, { recursive: true });
  const place = mkdtempSync(join(directory, 'probe-'));
  const missed: MissedRung[] = [];
  try {
    const tree = join(place, 'tree');
    mkdirSync(tree);
    const view = await fillTree(tree, runnerPath);
    for (const rung of RUNG_NAMES.slice(0, RUNG_NAMES.indexOf(weakest) + 1)) {
      const found = await tryIn(place, tree, view, runnerPath, rung);
      if ('variant' in found) return { sandbox: found, detail: describe(found), missed };
      missed.push(found);
    }
    const detail = missed.map((one) => `${one.rung}: ${one.detail}`).join('; ');
    return { sandbox: undefined, detail, missed };
  } catch (error) {
    const detail = `the probe could not be prepared in ${directory}: ${messageOf(error)}`;
    return { sandbox: undefined, detail, missed };
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}
