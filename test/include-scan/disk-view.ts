/** A plain view of the disk for tests of the scanner: every refresh looks at everything again. */
import { execFile } from 'node:child_process';
import { lstatSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { digestOf } from '../../src/base/digest.ts';
import type { PathNode } from '../../src/base/path-walk.ts';
import type { RunCommand } from '../../src/include-scan/compiler-closure-finder.ts';
import { scanDirectives } from '../../src/include-scan/directive-scan.ts';
import type { SourceFile, SourceView } from '../../src/include-scan/source-view-port.ts';

interface KnownFile {
  readonly stamp: string;
  readonly file: SourceFile;
}

export class DiskView implements SourceView {
  structureVersion = 0;
  /** How often a file was read. */
  reads = 0;
  readonly #nodes = new Map<string, PathNode | undefined>();
  readonly #files = new Map<string, KnownFile>();
  readonly #checked = new Set<string>();
  readonly doubtful = new Set<string>();

  node(path: string): PathNode | undefined {
    if (!this.#nodes.has(path)) this.#nodes.set(path, nodeAt(path));
    return this.#nodes.get(path);
  }

  file(path: string): SourceFile | undefined {
    const known = this.#files.get(path);
    if (known !== undefined && this.#checked.has(path)) return known.file;
    try {
      const { dev, ino, size, mtimeNs, ctimeNs, mtimeMs } = statSync(path, { bigint: true });
      const stamp = [dev, ino, size, mtimeNs, ctimeNs].join();
      this.#checked.add(path);
      this.doubtful.delete(path);
      if (known?.stamp === stamp) return known.file;
      this.reads++;
      const content = readFileSync(path);
      const file: SourceFile = {
        path,
        digest: digestOf(content),
        sizeBytes: content.length,
        mtimeSeconds: Number(mtimeMs / 1000n),
        scan: scanDirectives(content),
      };
      this.#files.set(path, { stamp, file });
      return file;
    } catch {
      return undefined;
    }
  }

  changesAt(): undefined {
    return undefined;
  }

  refresh(): Promise<void> {
    this.lookAgain();
    return Promise.resolve();
  }

  /** Does at once what a refresh does. */
  lookAgain(): void {
    this.#checked.clear();
    for (const path of this.#files.keys()) this.doubtful.add(path);
    let isChanged = false;
    for (const [path, node] of this.#nodes) {
      const now = nodeAt(path);
      if (JSON.stringify(now) === JSON.stringify(node)) continue;
      this.#nodes.set(path, now);
      isChanged = true;
    }
    if (isChanged) this.structureVersion++;
  }
}

function nodeAt(path: string): PathNode | undefined {
  try {
    const stat = lstatSync(path);
    if (stat.isFile()) return { kind: 'file' };
    if (stat.isDirectory()) return { kind: 'directory' };
    return stat.isSymbolicLink() ? { kind: 'symlink', target: readlinkSync(path) } : { kind: 'other' };
  } catch {
    return undefined;
  }
}

/** Runs a compiler as the agent's own runner would; notes what was asked. */
export class CommandRunner {
  readonly argvs: (readonly string[])[] = [];

  readonly run: RunCommand = (command, signal) => {
    this.argvs.push(command.argv);
    const environment = command.environment.map((entry): [string, string] => {
      const equals = entry.indexOf('=');
      return [entry.slice(0, equals), entry.slice(equals + 1)];
    });
    return new Promise((resolve, reject) => {
      execFile(
        command.executable,
        command.argv.slice(1),
        {
          cwd: command.workingDirectory,
          env: Object.fromEntries(environment),
          encoding: 'buffer',
          maxBuffer: 64 * 1024 * 1024,
          signal,
        },
        (error, stdout, stderr) => {
          if (error !== null && typeof error.code !== 'number') reject(error);
          else resolve({ exitStatus: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
        },
      );
    });
  };
}
