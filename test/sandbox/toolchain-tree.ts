/**
 * A tree as a worker keeps one: the machine's own gcc at its own paths, and files of a submitter.
 * Programs are copied, never linked: a sandbox that wrote through to the tree must not reach the machine's compiler.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PACKAGE_ROOT } from '../../src/base/package-root.ts';
import type { CellJob, CellResult, Rung, Sandbox } from '../../src/sandbox/index.ts';
import { buildRunner, type Cell, openCell } from '../../src/sandbox/index.ts';
import { jobOwner } from '../../src/sandbox/job-owners.ts';
import type { RunnerVariant } from '../../src/sandbox/rungs.ts';

export const NOBODY = 65534;

/** Absolute: gcc finds its own parts through argv[0]. */
export const GCC = '/usr/bin/gcc';

/** Everything that a compile may depend on besides its files; the same inside and outside of the cell. */
export function compileEnvironment(cwd: string): string[] {
  return ['PATH=/usr/bin:/bin', 'LC_ALL=C', 'TERM=xterm-256color', `PWD=${cwd}`];
}

/** A directory of the test's own. The submitter's files lie in `submitter`, at the same path inside of the tree. */
export interface Workshop {
  readonly directory: string;
  readonly tree: string;
  readonly submitter: string;
  readonly runnerPath: string;
  /** Writes a file of the submitter, outside and in the tree; returns its absolute path. */
  addSource(name: string, text: string): string;
  /** Copies a program and its libraries into the tree. */
  addProgram(path: string): void;
  /** Compiles a C program (a path in the package) and puts it into the tree as `/usr/bin/<name>`; returns that path. */
  addFixture(name: string, source: string): string;
  /** Everything in the tree, for jobs that see only what they list. */
  view(): string[];
  /**
   * A cell on the tree, whose directories belong to its jobs' user from then on. `asNobody`: of an agent that is not
   * root.
   */
  open(options?: {
    scratchBytes?: number;
    asNobody?: boolean;
    variant?: RunnerVariant;
    groupMembers?: readonly string[];
    log?: (line: string) => void;
  }): Promise<Cell>;
  close(): Promise<void>;
}

/** Every way to confine that an agent of this user has; the rungs below the first want root. */
export const VARIANTS: readonly RunnerVariant[] =
  process.getuid?.() === 0 ? ['namespaces-user', 'namespaces-host', 'chroot', 'uid'] : ['namespaces-user'];

/** The sandbox of a variant on this machine, as the probe would find it. */
export function sandboxOf(variant: RunnerVariant): Sandbox {
  const rung: Rung = variant === 'chroot' || variant === 'uid' ? variant : 'namespaces';
  return { rung, variant, owner: jobOwner(rung) ?? 0, landlock: 0 };
}

function librariesOf(program: string): string[] {
  try {
    const listing = execFileSync('ldd', [program], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return [...listing.matchAll(/(\/\S+) \(0x/g)].flatMap((match) => match[1] ?? []);
  } catch {
    return []; // static
  }
}

function gccProgram(name: string): string {
  const found = execFileSync(GCC, [`-print-prog-name=${name}`], { encoding: 'utf8' }).trim();
  if (found.startsWith('/')) return found;
  return execFileSync('/bin/sh', ['-c', `command -v ${found}`], { encoding: 'utf8' }).trim();
}

function giveDirectoriesTo(uid: number, path: string): void {
  chownSync(path, uid, uid);
  for (const entry of readdirSync(path, { withFileTypes: true }))
    if (entry.isDirectory()) giveDirectoriesTo(uid, join(path, entry.name));
}

function addGcc(
  tree: string,
  addFile: (from: string, to: string) => void,
  addProgram: (path: string) => void,
): void {
  for (const path of [GCC, gccProgram('cc1'), gccProgram('as'), gccProgram('objcopy')]) addProgram(path);
  // Every unit reads stdc-predef.h where the C library has one.
  const rule = execFileSync(GCC, ['-M', '-x', 'c', '/dev/null'], { encoding: 'utf8' });
  for (const header of rule.match(/\/\S+\.h/g) ?? []) addFile(header, header);
  const builtin = execFileSync(GCC, ['-print-file-name=include'], { encoding: 'utf8' }).trim();
  mkdirSync(join(tree, builtin), { recursive: true });
}

function script(path: string, command: string): string {
  writeFileSync(path, `#!/bin/sh\n${command}\n`, { mode: 0o755 });
  return path;
}

function runnerOfNobody(directory: string, runnerPath: string): string {
  // The cache and the test's directory are closed to other users.
  const copy = join(directory, 'runner');
  copyFileSync(runnerPath, copy);
  chmodSync(directory, 0o755);
  const change = `setpriv --reuid=${NOBODY} --regid=${NOBODY} --clear-groups`;
  return script(`${copy}-of-nobody`, `PATH=/usr/bin:/bin exec ${change} ${copy} "$@"`);
}

/** A cell whose jobs see the whole tree, although they have to list what they see. */
function withView(cell: Cell, view: () => string[], writable: string[]): Cell {
  return {
    run: (job, signal) => cell.run({ view: view(), writable, ...job }, signal),
    close: () => cell.close(),
    closed: cell.closed,
    processId: cell.processId,
    rung: cell.rung,
    wantsView: cell.wantsView,
  };
}

/** Makes a workshop. `withGcc`: its tree holds the driver, cc1 and the assembler. */
export async function openWorkshop(withGcc: boolean): Promise<Workshop> {
  const directory = mkdtempSync(join(tmpdir(), 'meshcc-sandbox-'));
  const tree = join(directory, 'tree');
  const submitter = join(directory, 'submitter');
  mkdirSync(join(tree, submitter), { recursive: true });
  mkdirSync(submitter);
  const runnerPath = await buildRunner(join(directory, 'cache'));
  const cells: Cell[] = [];
  let opened = 0;

  const addFile = (from: string, to: string): void => {
    mkdirSync(dirname(join(tree, to)), { recursive: true });
    copyFileSync(from, join(tree, to));
  };
  const addProgram = (path: string): void => {
    for (const file of [path, ...librariesOf(path)]) addFile(file, file);
  };
  if (withGcc) addGcc(tree, addFile, addProgram);

  const view = (): string[] =>
    readdirSync(tree, { withFileTypes: true, recursive: true }).map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const { ino, mtimeNs } = lstatSync(path, { bigint: true });
      return `${entry.isDirectory() ? 'd' : `${ino}x${mtimeNs}`} ${path.slice(tree.length)}`;
    });

  return {
    directory,
    tree,
    submitter,
    runnerPath,
    addProgram,
    addSource(name, text) {
      const path = join(submitter, name);
      writeFileSync(path, text);
      addFile(path, path);
      return path;
    },
    addFixture(name, source) {
      const path = join(directory, name);
      execFileSync(GCC, ['-O1', '-o', path, join(PACKAGE_ROOT, source)]);
      for (const library of librariesOf(path)) addFile(library, library);
      addFile(path, `/usr/bin/${name}`);
      return `/usr/bin/${name}`;
    },
    view,
    async open({
      scratchBytes = 64 << 20,
      asNobody = false,
      variant = 'namespaces-user',
      groupMembers = [],
      log = () => {},
    } = {}) {
      const sandbox = asNobody ? { ...sandboxOf(variant), owner: 0 } : sandboxOf(variant);
      const owner = asNobody ? NOBODY : sandbox.owner;
      // Files stay root's own: a job must not need to own what it reads.
      if (sandbox.rung === 'namespaces' && owner !== 0) giveDirectoriesTo(owner, tree);
      const cell = await openCell({
        runnerPath: asNobody ? runnerOfNobody(directory, runnerPath) : runnerPath,
        sandbox,
        treeDirectory: tree,
        jobsDirectory: join(directory, `jobs-${++opened}`),
        scratchBytes,
        groupMembers,
        log,
      });
      cells.push(cell);
      return cell.wantsView ? withView(cell, view, ['/', submitter]) : cell;
    },
    async close() {
      for (const cell of cells) await cell.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** A job with roomy limits. */
export function jobOf(
  argv: readonly [string, ...string[]],
  cwd: string,
  changes: Partial<CellJob> = {},
): CellJob {
  return {
    executable: argv[0],
    argv,
    environment: compileEnvironment(cwd),
    cwd,
    umask: 0o022,
    wallLimitMs: 60_000,
    cpuLimitSeconds: 60,
    maxFileBytes: 1 << 30,
    maxDiagnosticBytes: 8 << 20,
    maxOutputBytes: 1 << 30,
    ...changes,
  };
}

/** Process ids of the machine that have `marker` in their command line. */
export function processesWith(marker: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(marker);
      } catch {
        return false; // it has just ended
      }
    })
    .map(Number);
}

/** Nothing that is waited for takes this long; a file that hangs tells nobody what it waited for. */
const PATIENCE_MS = 60_000;

/** Waits until a condition holds. @throws Error if it does not within a minute */
export async function until(condition: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error(`still not so after a minute: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/**
 * Waits until a driver and its compiler run with `marker` in their command lines.
 * @param running what becomes of the job
 * @returns their process ids
 * @throws Error if the job ends before: a machine that has no process to spare cannot start it
 */
export async function untilCompiling(marker: string, running: Promise<CellResult>): Promise<number[]> {
  let early: CellResult | undefined;
  void running.then((result) => {
    early = result;
  });
  await until(() => early !== undefined || processesWith(marker).length >= 2);
  if (early !== undefined) throw new Error(`the job ended before it was to: ${JSON.stringify(early)}`);
  return processesWith(marker);
}

/** A source whose compile does not end by itself and needs no memory: it includes itself twice at each level. */
export const ENDLESS_SOURCE = `#if __INCLUDE_LEVEL__ < 150
#include __FILE__
#include __FILE__
#endif
`;
