/**
 * A tree as a worker keeps one: the machine's own gcc at its own paths, and files of a submitter.
 * Programs are copied, never linked: a sandbox that wrote through to the tree must not reach the machine's compiler.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { CellJob } from '../../src/sandbox/index.ts';
import { buildRunner, type Cell, openCell } from '../../src/sandbox/index.ts';

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
  /** Compiles a C program and puts it into the tree as `/usr/bin/<name>`; returns that path. */
  addFixture(name: string, source: string): string;
  /**
   * A cell on the tree. `asNobody`: of another user, who owns the tree from then on. `withoutUserNamespace`: as where
   * the kernel has none.
   */
  open(options?: {
    scratchBytes?: number;
    asNobody?: boolean;
    withoutUserNamespace?: boolean;
    log?: (line: string) => void;
  }): Promise<Cell>;
  close(): Promise<void>;
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

function giveTo(uid: number, path: string): void {
  chownSync(path, uid, uid);
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const child = join(path, entry.name);
    if (entry.isDirectory()) giveTo(uid, child);
    else chownSync(child, uid, uid);
  }
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

function runnerWithoutUserNamespace(directory: string, runnerPath: string): string {
  const path = join(directory, 'runner-without-user-namespace');
  return script(path, `test "$4" = host && exec ${runnerPath} "$@"; exit 1`);
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

  const addFile = (from: string, to: string): void => {
    mkdirSync(dirname(join(tree, to)), { recursive: true });
    copyFileSync(from, join(tree, to));
  };
  const addProgram = (path: string): void => {
    for (const file of [path, ...librariesOf(path)]) addFile(file, file);
  };
  if (withGcc) addGcc(tree, addFile, addProgram);

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
      writeFileSync(`${path}.c`, source);
      execFileSync(GCC, ['-O1', '-o', path, `${path}.c`]);
      for (const library of librariesOf(path)) addFile(library, library);
      addFile(path, `/usr/bin/${name}`);
      return `/usr/bin/${name}`;
    },
    async open({
      scratchBytes = 64 << 20,
      asNobody = false,
      withoutUserNamespace = false,
      log = () => {},
    } = {}) {
      let program = runnerPath;
      if (asNobody) {
        giveTo(NOBODY, tree);
        program = runnerOfNobody(directory, runnerPath);
      } else if (withoutUserNamespace) program = runnerWithoutUserNamespace(directory, runnerPath);
      const options = { runnerPath: program, treeDirectory: tree, scratchBytes, log };
      const cell = await openCell({ ...options, mode: 'confined' });
      cells.push(cell);
      return cell;
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

/** Waits until a condition holds; the test runner's own limit ends it otherwise. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** A source whose compile does not end by itself and needs no memory: it includes itself twice at each level. */
export const ENDLESS_SOURCE = `#if __INCLUDE_LEVEL__ < 150
#include __FILE__
#include __FILE__
#endif
`;
