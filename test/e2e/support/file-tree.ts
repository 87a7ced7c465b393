/** Files of a test: written, looked at as a whole, and compared byte for byte. */
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

/** What is at one path. */
export interface FileState {
  readonly kind: 'file' | 'symlink' | 'other';
  /** Content, or the target of a link. */
  readonly content: Buffer;
  readonly mode: number;
  readonly mtimeMs: number;
  readonly inode: number;
}

/** By path relative to the directory, sorted; directories themselves are left out. */
export type TreeState = ReadonlyMap<string, FileState>;

/** Writes files, making their directories. @param files by path relative to `directory` */
export function writeFiles(directory: string, files: Readonly<Record<string, string>>): void {
  for (const [name, content] of Object.entries(files)) {
    const path = join(directory, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    chmodSync(path, 0o644);
  }
}

/** Everything below a directory. */
export function treeState(directory: string): TreeState {
  const found = new Map<string, FileState>();
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  for (const name of names.sort()) {
    const path = join(directory, name);
    const stat = lstatSync(path);
    if (stat.isDirectory()) continue;
    const kind = stat.isFile() ? 'file' : stat.isSymbolicLink() ? 'symlink' : 'other';
    const content =
      kind === 'file' ? readFileSync(path) : Buffer.from(kind === 'symlink' ? readlinkSync(path) : '');
    found.set(name, { kind, content, mode: stat.mode & 0o7777, mtimeMs: stat.mtimeMs, inode: stat.ino });
  }
  return found;
}

/** What was made or written anew between two looks at a directory. */
export function changedFiles(before: TreeState, after: TreeState): TreeState {
  const changed = [...after].filter(([name, state]) => {
    const old = before.get(name);
    return old === undefined || old.inode !== state.inode || old.mtimeMs !== state.mtimeMs;
  });
  return new Map(changed);
}

/** Removes files of a directory. */
export function removeFiles(directory: string, names: Iterable<string>): void {
  for (const name of names) rmSync(join(directory, name), { force: true });
}

/** Every difference in name, kind, content and mode, in words; empty if there is none. */
export function differences(expected: TreeState, actual: TreeState): string[] {
  const found: string[] = [];
  for (const [name, want] of expected) {
    const have = actual.get(name);
    if (have === undefined) found.push(`${name} is missing`);
    else if (have.kind !== want.kind) found.push(`${name} is a ${have.kind} instead of a ${want.kind}`);
    else if (!have.content.equals(want.content)) {
      found.push(`${name}: ${have.content.length} bytes differ from the expected ${want.content.length}`);
    } else if (have.mode !== want.mode) {
      found.push(`${name} has mode ${have.mode.toString(8)} instead of ${want.mode.toString(8)}`);
    }
  }
  for (const name of actual.keys()) if (!expected.has(name)) found.push(`${name} is unexpected`);
  return found;
}
