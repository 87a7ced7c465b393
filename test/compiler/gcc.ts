/** Runs the machine's real compilers in a directory of its own. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';

/** What a compiler run left behind. */
export interface CompilerRun {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The name of a Clang of this machine, if it has one; Debian's package clang-14 brings no plain `clang`. */
export function installedClang(driver: 'clang' | 'clang++' = 'clang'): string | undefined {
  return [driver, `${driver}-14`].find((name) => existsSync(`/usr/bin/${name}`));
}

/** A scratch directory that goes away with its test. */
export class Scratch {
  readonly directory = mkdtempSync(join(tmpdir(), 'meshcc-compiler-test-'));

  constructor(t: TestContext) {
    t.after(() => rmSync(this.directory, { recursive: true, force: true }));
  }

  /** Writes a file and the directories above it. */
  write(path: string, text: string): void {
    const full = join(this.directory, path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, text);
  }

  /** All files below, as relative paths, sorted. */
  files(): string[] {
    return readdirSync(this.directory, { recursive: true, encoding: 'utf8' })
      .filter((path) => statSync(join(this.directory, path)).isFile())
      .sort();
  }

  /** Runs a compiler here with the C locale. */
  run(driver: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): CompilerRun {
    return spawnSync(`/usr/bin/${driver}`, args, {
      cwd: this.directory,
      encoding: 'utf8',
      input: '',
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', MESHCC_RECURSION: '1', ...env },
    });
  }
}
